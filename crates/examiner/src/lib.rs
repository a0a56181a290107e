//! Certificates examined: the typed model of a certificate, its names and its facts, and the check of chains.
//!
//! No I/O, no clock, no runtime: bytes and times come in as values, facts go out. Read in this order:
//!
//! - [`cert`]: DER to facts, as the gate uses them; thumbprint, key pin, names, PEM; [`cert::tlv`] below, which keeps
//!   every offset and every departure from DER.
//! - [`chain`]: certificates as examined, malformed ones too, with the place of everything.
//! - [`input`]: certificates out of files as people have them.
//! - [`profile`], [`dates`], [`matching`]: by whose rules, since when, and for which name.
//! - [`other`]: requests, lists and responses as the thing examined.
//! - [`side`]: what may lie beside a chain: lists of known-bad keys, revocation.
//! - [`path`]: every path to a trust anchor, built and validated within a budget; [`path::clients`] simulates clients.
//! - [`seen`]: what was seen of a host from outside, beside its chain.
//! - [`view`]: everything in a certificate, laid out to be read.
//! - [`suffixes`]: under which names the public registers names.
//! - [`checks`]: one check a file; its documentation says how to add one.
//! - [`examine()`]: a chain and a question in, a [`report::Report`] out; [`repair`]: the chain as it ought to be.

#![forbid(unsafe_code)]

pub mod cert;
pub mod chain;
pub mod checks;
pub mod dates;
mod examine;
pub mod input;
mod lint;
pub mod matching;
pub mod other;
pub mod path;
pub mod profile;
pub mod repair;
pub mod report;
pub mod seen;
mod sentence;
pub mod side;
pub mod suffixes;
pub mod view;

pub use cert::{
    Attribute, AttributeValue, Certificate, GeneralName, KeyPin, KeyUsage, Malformed, Name, PublicKey,
    SignatureHash, Thumbprint, UnixTime, key_flaw,
};
pub use examine::{Question, examine, examine_with, per_store};
pub use lint::{is_bundle, lint};
