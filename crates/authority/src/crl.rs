//! Certificate revocation lists, version 2 (RFC 5280 section 5).

use der::Encode;
use examiner::UnixTime;
use policy::issuance::Reason;
use x509_cert::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::pkix::{CrlNumber, CrlReason};
use x509_cert::serial_number::SerialNumber;

use crate::assemble::{time, wrap};
use crate::error::AuthorityError;
use crate::extensions::{authority_key_identifier, plain};
use crate::signer::Signer;

/// How long a list is good for, in seconds: 7 days.
pub const LIFE_SECONDS: i64 = 7 * 86_400;

/// One revoked certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlEntry {
    /// The serial number, big-endian, 1 to 20 octets.
    pub serial: Vec<u8>,
    /// Since when.
    pub revoked_at: UnixTime,
    /// Why; `Unspecified` is left out of the list (RFC 5280 section 5.3.1).
    pub reason: Reason,
}

/// Makes and signs the list of `entries`, DER.
///
/// `number` must grow with every list of this CA. `next_update` is usually [`LIFE_SECONDS`] after `this_update`.
pub fn build(
    signer: &Signer,
    entries: impl IntoIterator<Item = CrlEntry>,
    number: u64,
    this_update: UnixTime,
    next_update: UnixTime,
) -> Result<Vec<u8>, AuthorityError> {
    let revoked = entries.into_iter().map(revoked).collect::<der::Result<Vec<_>>>()?;
    let list: TbsCertList = TbsCertList {
        version: Version::V2,
        signature: signer.key.algorithm(),
        issuer: signer.subject.clone(),
        this_update: time(this_update)?,
        next_update: Some(time(next_update)?),
        // An empty list has no such field at all (RFC 5280 section 5.1.2.6).
        revoked_certificates: (!revoked.is_empty()).then_some(revoked),
        crl_extensions: Some(vec![
            plain(&authority_key_identifier(&signer.key_id)?)?,
            plain(&CrlNumber::try_from(number)?)?,
        ]),
    };
    let content = list.to_der()?;
    let signature = signer.key.sign(&content)?;
    Ok(wrap(&content, signer.key.algorithm(), &signature)?)
}

/// The reason as it stands in lists and answers; none where none was given.
pub(crate) fn code(reason: Reason) -> Option<CrlReason> {
    match reason {
        Reason::Unspecified => None,
        Reason::KeyCompromise => Some(CrlReason::KeyCompromise),
        Reason::AffiliationChanged => Some(CrlReason::AffiliationChanged),
        Reason::Superseded => Some(CrlReason::Superseded),
        Reason::CessationOfOperation => Some(CrlReason::CessationOfOperation),
        Reason::CertificateHold => Some(CrlReason::CertificateHold),
        Reason::PrivilegeWithdrawn => Some(CrlReason::PrivilegeWithdrawn),
        Reason::CaCompromise => Some(CrlReason::CaCompromise),
        Reason::AaCompromise => Some(CrlReason::AaCompromise),
    }
}

fn revoked(entry: CrlEntry) -> der::Result<RevokedCert> {
    let reason = code(entry.reason);
    Ok(RevokedCert {
        serial_number: SerialNumber::new(&entry.serial)?,
        revocation_date: time(entry.revoked_at)?,
        crl_entry_extensions: reason.map(|reason| plain(&reason).map(|one| vec![one])).transpose()?,
    })
}
