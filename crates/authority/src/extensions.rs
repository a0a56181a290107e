//! The extensions of each kind of certificate (RFC 5280 section 4.2), and nothing that a request could add.

use aws_lc_rs::digest::{SHA256, digest};
use der::asn1::{Ia5String, OctetString};
use der::flagset::FlagSet;
use der::{Decode, Encode};
use policy::issuance::CheckedPlan;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityInfoAccessSyntax, AuthorityKeyIdentifier, BasicConstraints,
    CrlDistributionPoints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::ext::{Extension, Extensions, ToExtension};
use x509_cert::name::Name;

use crate::names::{self, Permitted};

/// TLS Web Client Authentication (RFC 5280 section 4.2.1.12).
pub(crate) const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");
/// TLS Web Server Authentication (RFC 5280 section 4.2.1.12).
pub(crate) const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");

/// OCSP Signing (RFC 6960 section 4.2.2.2).
pub(crate) const OCSP_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.9");
/// id-pkix-ocsp-nocheck: nobody need ask whether it is revoked itself (RFC 6960 section 4.2.2.2.1).
const NO_CHECK: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.5");
/// id-ad-ocsp (RFC 5280 section 4.2.2.1).
const AD_OCSP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1");

/// Extensions of the root: it may have one CA below it, and signs certificates and lists.
pub(crate) fn root(subject: &Name, spki: &[u8]) -> der::Result<Extensions> {
    let mut list = List::new(subject);
    list.ca(1)?;
    list.key_identifier(spki)?;
    Ok(list.all)
}

/// Extensions of an issuing CA: no CA below it, its key purposes, and for servers the hosts it may name.
pub(crate) fn issuing_ca(
    subject: &Name,
    spki: &[u8],
    issuer_key_id: &[u8],
    purposes: &[ObjectIdentifier],
    permitted: Option<&Permitted>,
) -> der::Result<Extensions> {
    let mut list = List::new(subject);
    list.ca(0)?;
    list.add(&ExtendedKeyUsage(purposes.to_vec()))?;
    if let Some(permitted) = permitted {
        list.add(&permitted.to_extension()?)?;
    }
    list.key_identifier(spki)?;
    list.issuer_key_identifier(issuer_key_id)?;
    Ok(list.all)
}

/// What an issuing CA for clients asks another issuer for: the powers that it needs and no more.
pub(crate) fn requested_ca(subject: &Name, spki: &[u8]) -> der::Result<Extensions> {
    let mut list = List::new(subject);
    list.ca(0)?;
    list.add(&ExtendedKeyUsage(vec![CLIENT_AUTH]))?;
    list.key_identifier(spki)?;
    Ok(list.all)
}

/// Extensions of an end-entity certificate, all from the plan.
pub(crate) fn end_entity(
    subject: &Name,
    checked: &CheckedPlan,
    issuer_key_id: &[u8],
) -> der::Result<Extensions> {
    let plan = checked.plan();
    let mut list = List::new(subject);
    list.add(&BasicConstraints { ca: false, path_len_constraint: None })?;
    list.add(&KeyUsage(KeyUsages::DigitalSignature.into()))?;
    list.add(&ExtendedKeyUsage(vec![purpose(plan.profile.is_client())]))?;
    list.add(&SubjectAltName(names::alt_names(checked)?))?;
    list.key_identifier(&plan.spki)?;
    list.issuer_key_identifier(issuer_key_id)?;
    if let Some(url) = &plan.crl_url {
        list.add(&CrlDistributionPoints(vec![distribution_point(url)?]))?;
    }
    if let Some(url) = &plan.ocsp_url {
        let access_location = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
        list.add(&AuthorityInfoAccessSyntax(vec![AccessDescription {
            access_method: AD_OCSP,
            access_location,
        }]))?;
    }
    Ok(list.all)
}

/// Extensions of a CA's OCSP responder: its one key purpose, and that nobody need ask whether it is revoked.
pub(crate) fn responder(subject: &Name, spki: &[u8], issuer_key_id: &[u8]) -> der::Result<Extensions> {
    let mut list = List::new(subject);
    list.add(&BasicConstraints { ca: false, path_len_constraint: None })?;
    list.add(&KeyUsage(KeyUsages::DigitalSignature.into()))?;
    list.add(&ExtendedKeyUsage(vec![OCSP_SIGNING]))?;
    list.key_identifier(spki)?;
    list.issuer_key_identifier(issuer_key_id)?;
    let null = OctetString::new([5, 0])?;
    list.all.push(Extension { extn_id: NO_CHECK, critical: false, extn_value: null });
    Ok(list.all)
}

/// The key purpose of clients or of servers, and of the CA that issues to them.
pub(crate) fn purpose(client: bool) -> ObjectIdentifier {
    if client { CLIENT_AUTH } else { SERVER_AUTH }
}

/// The first 160 bits of the SHA-256 of the public key's bits (RFC 7093 section 2, method 1).
pub(crate) fn key_id(spki: &[u8]) -> der::Result<OctetString> {
    let spki = SubjectPublicKeyInfoRef::from_der(spki)?;
    OctetString::new(&digest(&SHA256, spki.subject_public_key.raw_bytes()).as_ref()[..20])
}

/// The authority key identifier that points to the CA with this key identifier.
pub(crate) fn authority_key_identifier(key_id: &[u8]) -> der::Result<AuthorityKeyIdentifier> {
    Ok(AuthorityKeyIdentifier { key_identifier: Some(OctetString::new(key_id)?), ..Default::default() })
}

fn distribution_point(url: &str) -> der::Result<DistributionPoint> {
    let address = GeneralName::UniformResourceIdentifier(Ia5String::new(url)?);
    Ok(DistributionPoint {
        distribution_point: Some(DistributionPointName::FullName(vec![address])),
        reasons: None,
        crl_issuer: None,
    })
}

/// Extensions being gathered; each type says itself whether it is critical.
struct List<'a> {
    subject: &'a Name,
    all: Extensions,
}

impl<'a> List<'a> {
    fn new(subject: &'a Name) -> Self {
        Self { subject, all: Extensions::new() }
    }

    fn add<T: ToExtension<Error = der::Error>>(&mut self, value: T) -> der::Result<()> {
        let extension: Extension = value.to_extension(self.subject, &self.all)?;
        self.all.push(extension);
        Ok(())
    }

    fn ca(&mut self, below: u8) -> der::Result<()> {
        self.add(&BasicConstraints { ca: true, path_len_constraint: Some(below) })?;
        let usages: FlagSet<KeyUsages> = KeyUsages::KeyCertSign | KeyUsages::CRLSign;
        self.add(&KeyUsage(usages))
    }

    fn key_identifier(&mut self, spki: &[u8]) -> der::Result<()> {
        self.add(&SubjectKeyIdentifier(key_id(spki)?))
    }

    fn issuer_key_identifier(&mut self, key_id: &[u8]) -> der::Result<()> {
        self.add(&authority_key_identifier(key_id)?)
    }
}

/// The DER of one extension's value, for what is no certificate extension.
pub(crate) fn plain<T: Encode + der::oid::AssociatedOid>(value: &T) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical: false, extn_value: OctetString::new(value.to_der()?)? })
}
