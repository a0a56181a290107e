//! Certificate revocation lists, version 2 (RFC 5280 section 5).

use der::Encode;
use der::asn1::{Ia5String, OctetString};
use examiner::UnixTime;
use policy::issuance::Reason;
use spki::ObjectIdentifier;
use x509_cert::Version;
use x509_cert::crl::{RevokedCert, TbsCertList};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{CrlNumber, CrlReason, IssuingDistributionPoint};
use x509_cert::serial_number::SerialNumber;

use crate::assemble::{time, wrap};
use crate::error::AuthorityError;
use crate::extensions::{authority_key_identifier, plain};
use crate::signer::Signer;

/// How long a list is good for, in seconds: 7 days.
pub const LIFE_SECONDS: i64 = 7 * 86_400;

/// id-ce-issuingDistributionPoint (RFC 5280 section 5.2.5); x509-cert 0.3.0 writes that of another extension.
const ISSUING_DISTRIBUTION_POINT: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.28");

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

/// What a list says of itself.
#[derive(Clone, Copy, Debug)]
pub struct About<'a> {
    /// Its number, which must grow with every list of this CA.
    pub number: u64,
    /// When it is made.
    pub this_update: UnixTime,
    /// When the next must be there; usually [`LIFE_SECONDS`] later.
    pub next_update: UnixTime,
    /// Of a list that is only for the certificates that name one of these addresses: all of them, as they stand in the
    /// certificates. None for a list of all that the CA issued.
    pub addresses: &'a [String],
}

/// Makes and signs the list of `entries`, DER.
///
/// With addresses it has the critical extension issuingDistributionPoint (RFC 5280 section 5.2.5), by which nobody takes
/// a part for the whole.
pub fn build(
    signer: &Signer,
    entries: impl IntoIterator<Item = CrlEntry>,
    about: About<'_>,
) -> Result<Vec<u8>, AuthorityError> {
    let revoked = entries.into_iter().map(revoked).collect::<der::Result<Vec<_>>>()?;
    let mut extensions =
        vec![plain(&authority_key_identifier(&signer.key_id)?)?, plain(&CrlNumber::try_from(about.number)?)?];
    if !about.addresses.is_empty() {
        extensions.push(part(about.addresses)?);
    }
    let list: TbsCertList = TbsCertList {
        version: Version::V2,
        signature: signer.key.algorithm(),
        issuer: signer.subject.clone(),
        this_update: time(about.this_update)?,
        next_update: Some(time(about.next_update)?),
        // An empty list has no such field at all (RFC 5280 section 5.1.2.6).
        revoked_certificates: (!revoked.is_empty()).then_some(revoked),
        crl_extensions: Some(extensions),
    };
    let content = list.to_der()?;
    let signature = signer.key.sign(&content)?;
    Ok(wrap(&content, signer.key.algorithm(), &signature)?)
}

fn part(addresses: &[String]) -> der::Result<Extension> {
    let names = addresses.iter().map(|url| Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url)?)));
    let point = IssuingDistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(names.collect::<der::Result<_>>()?)),
        only_contains_user_certs: false,
        only_contains_ca_certs: false,
        only_some_reasons: None,
        indirect_crl: false,
        only_contains_attribute_certs: false,
    };
    let value = OctetString::new(point.to_der()?)?;
    Ok(Extension { extn_id: ISSUING_DISTRIBUTION_POINT, critical: true, extn_value: value })
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
