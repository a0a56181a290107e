//! A certificate as facts: parsed once from DER, kept with its bytes.
//!
//! Read in this order: [`time`](UnixTime), [`hash`](Thumbprint), [`name`](Name), [`key`](PublicKey),
//! [`certificate`](Certificate), [`pem`]; below them [`tlv`], the bytes as they stand.

mod certificate;
mod hash;
mod key;
mod name;
pub mod oid;
pub mod pem;
mod time;
pub mod tlv;

pub use certificate::{Certificate, GeneralName, KeyUsage, Malformed, SignatureHash};
pub use hash::{HashTextError, KeyPin, Sha1Thumbprint, Thumbprint, ThumbprintText, parse_thumbprint_text};
pub use key::{PublicKey, key_flaw};
pub(crate) use name::is_invisible;
pub use name::{Attribute, AttributeValue, Name, NameTextError, SubjectKey};
pub use time::{TimeTextError, UnixTime};
