//! What a piece of DER is: a certificate, certificates in PKCS#7, or one of the things that lie beside certificates.

use serde::Serialize;

use crate::cert::tlv::{Budget, Element, read, tag};

use super::{HOLDS_KEY, Input, Note, OTHER_FORM, Other, REQUEST_GIVEN, pkcs12};

/// signedData (RFC 5652 section 5.1).
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// What lies beside certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A certificate request (RFC 2986).
    Request,
    /// A list of revoked certificates (RFC 5280 section 5).
    RevocationList,
    /// An OCSP response (RFC 6960).
    OcspResponse,
    /// A PKCS#12 file (RFC 7292), sealed by a password.
    Pkcs12,
    /// A public key alone (subjectPublicKeyInfo).
    PublicKey,
}

impl Kind {
    /// What people call it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Request => "a certificate request",
            Self::RevocationList => "a revocation list",
            Self::OcspResponse => "an OCSP response",
            Self::Pkcs12 => "a PKCS#12 file",
            Self::PublicKey => "a public key",
        }
    }
}

/// Takes what a piece of DER holds. What is of no known kind counts as a certificate, so that its damage is told.
pub(super) fn take(input: &mut Input, der: &[u8], line: Option<usize>) {
    let tree = read(der.into(), Budget { elements: der.len() / 2 + 16, ..Budget::default() });
    let root = tree.root();
    let note = |about, observed: &str| Note { about, line, observed: observed.into() };
    let first = root.and_then(|root| root.child(0));
    if first.and_then(Element::oid).as_deref() == Some(SIGNED_DATA) {
        let signed = root.and_then(|root| root.context_child(0)).and_then(|content| content.child(0));
        let lists = |number| signed.and_then(|signed| signed.context_child(number)).into_iter();
        let certificates = lists(0).flat_map(Element::children).filter(|one| one.is(tag::SEQUENCE));
        input.certificates.extend(certificates.map(|one| one.bytes().to_vec()));
        for list in lists(1).flat_map(Element::children).filter(|one| one.is(tag::SEQUENCE)) {
            input.others.push(Other { kind: Kind::RevocationList, der: list.bytes().to_vec(), line });
        }
        input.notes.push(note(OTHER_FORM, "the certificates stand in PKCS#7"));
    } else if let Some(kind) = root.and_then(kind) {
        input.others.push(Other { kind, der: der.to_vec(), line });
        match kind {
            Kind::Request => input.notes.push(note(REQUEST_GIVEN, "a certificate request")),
            Kind::Pkcs12 => pkcs12::note(input, &tree, line),
            Kind::RevocationList | Kind::OcspResponse | Kind::PublicKey => {}
        }
    } else if line.is_none() && root.is_some_and(is_private_key) {
        input.notes.push(note(HOLDS_KEY, "a private key"));
    } else {
        input.certificates.push(der.to_vec());
    }
}

/// What it is by its outer shape; `None` for a certificate and for all else.
fn kind(root: Element<'_>) -> Option<Kind> {
    let first = root.child(0).filter(|_| root.is(tag::SEQUENCE))?;
    let second = root.child(1);
    if is_request(first) {
        Some(Kind::Request)
    } else if is_list(first) {
        Some(Kind::RevocationList)
    } else if first.is(tag::ENUMERATED) && second.is_none_or(|second| second.is_context(0)) {
        Some(Kind::OcspResponse)
    } else if first.unsigned() == Some(3)
        && second.is_some_and(|safe| safe.child(0).and_then(Element::oid).is_some())
    {
        Some(Kind::Pkcs12)
    } else if root.children().len() == 2
        && first.child(0).and_then(Element::oid).is_some()
        && second.is_some_and(|bits| bits.is(tag::BIT_STRING))
    {
        Some(Kind::PublicKey)
    } else {
        None
    }
}

/// Whether this is CertificationRequestInfo (RFC 2986 section 4): version 0, a name, a key.
fn is_request(info: Element<'_>) -> bool {
    let is_version =
        info.child(0).is_some_and(|version| version.is(tag::INTEGER) && version.content() == [0]);
    let sequence = |i: usize| info.child(i).is_some_and(|one| one.is(tag::SEQUENCE));
    let key = info.child(2).and_then(|key| key.child(1));
    is_version && sequence(1) && sequence(2) && key.is_some_and(|bits| bits.is(tag::BIT_STRING))
}

/// Whether this is TBSCertList (RFC 5280 section 5.1): perhaps a version, an algorithm, a name, a time.
fn is_list(tbs: Element<'_>) -> bool {
    let mut rest = tbs.children().skip_while(|one| one.is(tag::INTEGER));
    let mut is = |kinds: &[u32]| rest.next().is_some_and(|one| kinds.iter().any(|kind| one.is(*kind)));
    is(&[tag::SEQUENCE]) && is(&[tag::SEQUENCE]) && is(&[tag::UTC_TIME, tag::GENERALIZED_TIME])
}

/// Whether this is a private key in DER: PKCS#8, encrypted or not, PKCS#1 or SEC 1.
fn is_private_key(root: Element<'_>) -> bool {
    let sealed = root.child(0).and_then(|first| first.child(0)).and_then(Element::oid).is_some()
        && root.child(1).is_some_and(|second| second.is(tag::OCTET_STRING));
    sealed || root.child(0).is_some_and(|first| first.is(tag::INTEGER)) && root.children().len() > 1
}
