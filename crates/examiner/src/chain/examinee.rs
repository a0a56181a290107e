//! A certificate as examined.

use std::sync::Arc;

use serde::Serialize;

use crate::cert::tlv::{Budget, Tree, read, tag};
use crate::cert::{Certificate, Malformed, Thumbprint, UnixTime};

use super::fields::moment;
use super::key::{Algorithm, Key};
use super::{Decoded, DistinguishedName, Extension, Field, Fields, Known, Place, extensions};

/// The part that a certificate plays in a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The peer's own certificate.
    EndEntity,
    /// A CA certificate that another CA issued.
    Intermediate,
    /// A self-issued CA certificate, or a trust anchor.
    Root,
}

/// A certificate as examined: its bytes, their structure, and what could be decoded. Malformed ones can be had too.
#[derive(Clone, Debug)]
pub struct Examinee {
    /// The part it plays.
    pub role: Role,
    /// Its number in the report's chain, from 0.
    pub index: usize,
    /// Its bytes as tag, length and value.
    pub tree: Tree,
    /// The typed certificate, where the strict parser reads it.
    pub typed: Result<Certificate, Malformed>,
    /// SHA-256 of its bytes.
    pub thumbprint: Thumbprint,
    /// Its extensions as they stand, in their order.
    pub extensions: Vec<Extension>,
    /// The known extensions, decoded.
    pub known: Known,
    /// Who it names; `None` where the field is missing.
    pub subject: Option<DistinguishedName>,
    /// Who says so; `None` where the field is missing.
    pub issuer: Option<DistinguishedName>,
    /// First second of validity, inclusive; `None` where it is no time.
    pub not_before: Option<UnixTime>,
    /// Last second of validity, inclusive; `None` where it is no time.
    pub not_after: Option<UnixTime>,
    /// The public key; `None` where the field is missing.
    pub key: Option<Key>,
    /// The outer signatureAlgorithm.
    pub signature_algorithm: Option<Algorithm>,
    /// tbsCertificate.signature.
    pub inner_signature_algorithm: Option<Algorithm>,
}

impl Examinee {
    /// Reads a certificate of an unknown part; the part is guessed from its contents.
    pub fn read(der: impl Into<Arc<[u8]>>) -> Self {
        let bytes: Arc<[u8]> = der.into();
        let tree = read(bytes.clone(), Budget::default());
        let fields = Fields::of(&tree);
        let extensions = Extension::all(fields.extensions.as_ref(), &bytes);
        let known = Known::of(&extensions);
        let name = |field: &Option<Field<'_>>| {
            field.as_ref().map(|field| DistinguishedName::of(field.element, field.place.clone()))
        };
        let time = |field: &Option<Field<'_>>| field.as_ref().and_then(|field| moment(field.element));
        let mut examinee = Self {
            role: Role::EndEntity,
            index: 0,
            typed: Certificate::from_der(&bytes),
            thumbprint: Thumbprint::of(&bytes),
            subject: name(&fields.subject),
            issuer: name(&fields.issuer),
            not_before: time(&fields.not_before),
            not_after: time(&fields.not_after),
            key: fields.spki.as_ref().and_then(|spki| Key::of(spki, &tree)),
            signature_algorithm: fields.signature_algorithm.as_ref().map(Algorithm::read),
            inner_signature_algorithm: fields.inner_signature_algorithm.as_ref().map(Algorithm::read),
            extensions,
            known,
            tree,
        };
        examinee.role = examinee.guessed_role();
        examinee
    }

    /// The DER as it came.
    pub fn der(&self) -> &[u8] {
        self.tree.bytes()
    }

    /// The fields by position, with their places.
    pub fn fields(&self) -> Fields<'_> {
        Fields::of(&self.tree)
    }

    /// The version as written: 1, 2 or 3 for the values 0, 1 and 2; 1 where it is left out.
    pub fn version(&self) -> Option<u64> {
        match self.fields().version {
            Some(version) => version.element.unsigned().and_then(|value| value.checked_add(1)),
            None => Some(1),
        }
    }

    /// The subject's DER; empty where the field is missing.
    pub fn subject_der(&self) -> &[u8] {
        self.subject.as_ref().map_or(&[], |subject| &self.tree.bytes()[subject.place.range.clone()])
    }

    /// The issuer's DER; empty where the field is missing.
    pub fn issuer_der(&self) -> &[u8] {
        self.issuer.as_ref().map_or(&[], |issuer| &self.tree.bytes()[issuer.place.range.clone()])
    }

    /// Whether subject and issuer are the same bytes and name somebody.
    pub fn is_self_issued(&self) -> bool {
        let is_named = self.subject.as_ref().is_some_and(|subject| !subject.is_empty());
        is_named && self.subject_der() == self.issuer_der()
    }

    /// Whether basicConstraints says CA.
    pub fn is_ca(&self) -> bool {
        self.known.basic_constraints.read().is_some_and(|constraints| constraints.is_ca)
    }

    /// Whether it plays the part of a CA.
    pub fn is_issuer(&self) -> bool {
        self.role != Role::EndEntity
    }

    /// Whether extKeyUsage lists this purpose (dotted text) by name. Absent or undecodable: no.
    pub fn has_purpose(&self, purpose: &str) -> bool {
        self.known.extended_key_usage.read().is_some_and(|all| all.iter().any(|one| one.oid == purpose))
    }

    /// The first extension of this type (dotted text).
    pub fn extension(&self, oid: &str) -> Option<&Extension> {
        self.extensions.iter().find(|extension| extension.oid == oid)
    }

    /// Where the extension of this type stands; where it is missing, the end of the list of extensions, without bytes.
    pub fn extension_place(&self, oid: &str) -> Place {
        match self.extension(oid) {
            Some(extension) => extension.place.clone(),
            None => self.missing("tbsCertificate.extensions"),
        }
    }

    /// A place without bytes at the end of the field that ought to hold something; `path` is that field's.
    pub fn missing(&self, path: &'static str) -> Place {
        let fields = self.fields();
        let holder = if path == "tbsCertificate.extensions" { fields.extensions } else { None };
        let end = match holder.or(fields.tbs) {
            Some(field) => field.element.range().end,
            None => self.der().len(),
        };
        Place::new(path, end..end)
    }

    /// The place of the whole certificate.
    pub fn place(&self) -> Place {
        Place::new("", 0..self.der().len())
    }

    /// The place of a field; where it is missing, a place without bytes under the same path.
    pub fn place_of(&self, field: Option<Field<'_>>, path: &'static str) -> Place {
        field.map_or_else(|| self.missing(path), |field| field.place)
    }

    /// The serial number's contents as they stand; empty where the field is missing.
    pub fn serial(&self) -> &[u8] {
        self.fields().serial.map_or(&[], |field| field.element.content())
    }

    /// What people call it: the subject's common name, else its whole subject, else its first alternative name.
    pub fn shown_name(&self) -> String {
        let common_name =
            self.subject.as_ref().and_then(|s| s.of_type("2.5.4.3").last()).and_then(|a| a.text());
        let whole = || self.subject.as_ref().filter(|s| !s.is_empty()).map(ToString::to_string);
        let first = || match &self.known.subject_alt_name {
            Decoded::Read(names) => names.first().map(ToString::to_string),
            _ => None,
        };
        common_name.map(|name| crate::report::shown(&name)).or_else(whole).or_else(first).unwrap_or_default()
    }

    fn guessed_role(&self) -> Role {
        let usage = self.known.key_usage.read();
        let signs_certificates = usage.is_some_and(|u| u.has(extensions::KeyUsageBits::KEY_CERT_SIGN));
        let names_hosts =
            |names: &Vec<super::NameAt>| names.iter().any(|n| n.dns().is_some() || n.ip().is_some());
        let serves = self.known.subject_alt_name.read().is_some_and(names_hosts);
        let old_root = self.version() == Some(1) && self.is_self_issued();
        let is_ca = self.is_ca() || old_root || (signs_certificates && !serves);
        match (is_ca, self.is_self_issued()) {
            (false, _) => Role::EndEntity,
            (true, true) => Role::Root,
            (true, false) => Role::Intermediate,
        }
    }

    /// Whether its bytes are a certificate's at all: a SEQUENCE with the fields that every certificate has.
    pub fn is_certificate(&self) -> bool {
        self.tree.root().is_some_and(|root| root.is(tag::SEQUENCE)) && self.fields().missing().is_none()
    }
}
