//! Certificates examined: the typed model of a certificate, its names and its facts, and the check of chains.
//!
//! No I/O, no clock, no runtime: bytes and times come in as values, facts go out. Read in this order:
//!
//! - [`cert`]: DER to facts, as the gate uses them; thumbprint, key pin, names, PEM; [`cert::tlv`] below, which keeps
//!   every offset and every departure from DER.
//! - [`chain`]: certificates as examined, malformed ones too, with the place of everything.
//! - [`profile`], [`dates`], [`matching`]: by whose rules, since when, and for which name.
//! - [`path`]: every path to a trust anchor, built and validated within a budget.
//! - [`checks`]: one check a file; its documentation says how to add one.
//! - [`examine()`]: a chain and a question in, a [`report::Report`] out.

#![forbid(unsafe_code)]

pub mod cert;
pub mod chain;
pub mod checks;
pub mod dates;
mod examine;
pub mod matching;
pub mod path;
pub mod profile;
pub mod report;

pub use cert::{
    Attribute, AttributeValue, Certificate, GeneralName, KeyPin, KeyUsage, Malformed, Name, PublicKey,
    SignatureHash, Thumbprint, UnixTime,
};
pub use examine::{Question, examine, examine_with};
