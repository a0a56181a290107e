//! Where each certificate is written before it leaves.

use std::error::Error;

use examiner::{KeyPin, Thumbprint, UnixTime};
use policy::issuance::Profile;

use crate::hierarchy::Role;

/// What is written about one certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedRecord {
    /// Who signed it.
    pub issuer: Role,
    /// The serial number, lower-case hex; unique for the issuer.
    pub serial_hex: String,
    /// SHA-256 of the certificate.
    pub thumbprint: Thumbprint,
    /// SHA-256 of its public key.
    pub key_pin: KeyPin,
    /// What it is for.
    pub profile: Profile,
    /// The profile's name, which is another for one of the configuration.
    pub profile_name: String,
    /// The registered name of the party or site.
    pub party: String,
    /// The party's identifier; empty for servers.
    pub party_uuid: String,
    /// First second of validity.
    pub not_before: UnixTime,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// The certificate, DER.
    pub der: Vec<u8>,
}

/// A place where records last, such as the registry.
pub trait Ledger {
    /// Writes `record` so that it lasts. A serial number that is there already must be refused.
    fn commit(&self, record: &IssuedRecord) -> impl Future<Output = Result<(), LedgerError>> + Send;
}

/// The record could not be written; the cause is for the log.
#[derive(Debug, thiserror::Error)]
#[error("the record could not be written: {0}")]
pub struct LedgerError(#[source] pub Box<dyn Error + Send + Sync>);
