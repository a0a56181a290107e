//! How each fixture is made: one file an area.
#![allow(unused_imports)]

pub use super::support::case::*;
pub use super::support::der::*;
pub use super::support::spec::{
    CertificateSpec, ExtensionSpec, ISSUING_KEY, ISSUING_SPKI, LEAF_P256, LEAF_RSA_1024, LEAF_RSA_2048,
    OTHER_KEY, OTHER_SPKI, ROOT_KEY, ROOT_SPKI, SHA256_RSA, critical, dns, extension, key_id, purposes, san,
    timestamps,
};
pub use examiner::profile::Profile;

mod ca;
mod chain;
mod client;
mod dns;
mod encoding;
mod handshake;
mod identifiers;
mod keys;
mod names;
mod revocation;
mod roots;
mod san;
mod transparency;
mod trust;
mod usage;
mod validity;

/// Every fixture there is.
pub fn all() -> Vec<Recipe> {
    let areas = [
        ca::all(),
        chain::all(),
        client::all(),
        dns::all(),
        encoding::all(),
        handshake::all(),
        identifiers::all(),
        keys::all(),
        names::all(),
        revocation::all(),
        roots::all(),
        san::all(),
        transparency::all(),
        trust::all(),
        usage::all(),
        validity::all(),
    ];
    areas.into_iter().flatten().collect()
}
