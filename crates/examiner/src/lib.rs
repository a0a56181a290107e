//! Certificates examined: the typed model of a certificate, its names and its facts.
//!
//! No I/O, no clock, no runtime: bytes and times come in as values, facts go out.
//!
//! - [`cert`]: DER to facts; thumbprint, key pin, names, extensions, PEM.

#![forbid(unsafe_code)]

pub mod cert;

pub use cert::{
    Attribute, AttributeValue, Certificate, GeneralName, KeyPin, KeyUsage, Malformed, Name, PublicKey,
    SignatureHash, Thumbprint, UnixTime,
};
