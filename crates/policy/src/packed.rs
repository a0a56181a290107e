//! Parties and certificates by the million: packed side by side, and what changed since in an overlay.
//!
//! A record as Rust lays it out takes several allocations and some four hundred bytes. Here a certificate takes
//! 88 bytes and its share of an index, a party 20 bytes and its name. Copies share the packed part; a change goes to the
//! overlay, and [`Certificates::merge`] and [`Parties::merge`] pack it too.

mod certificates;
mod id;
mod parties;
mod prefixes;
pub(crate) mod stored;
mod texts;

pub use certificates::{CertificateView, Certificates, CertificatesBuilder, HolderView};
pub use parties::{Parties, PartiesBuilder, PartyView};
