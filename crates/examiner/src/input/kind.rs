//! What a piece of DER is: a certificate, certificates in PKCS#7, a request, or a key.

use crate::cert::tlv::{Budget, Element, read, tag};

use super::{HOLDS_KEY, Input, Note, OTHER_FORM, REQUEST_GIVEN};

/// signedData (RFC 5652 section 5.1).
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";

/// Takes what a piece of DER holds. What is of no known kind counts as a certificate, so that its damage is told.
pub(super) fn take(input: &mut Input, der: &[u8], line: Option<usize>) {
    let tree = read(der.into(), Budget::default());
    let root = tree.root();
    let note = |about, observed: &str| Note { about, line, observed: observed.into() };
    let first = root.and_then(|root| root.child(0));
    if first.and_then(Element::oid).as_deref() == Some(SIGNED_DATA) {
        let signed = root.and_then(|root| root.context_child(0)).and_then(|content| content.child(0));
        let list = signed.and_then(|signed| signed.context_child(0));
        input
            .certificates
            .extend(list.into_iter().flat_map(Element::children).map(|one| one.bytes().to_vec()));
        input.notes.push(note(OTHER_FORM, "the certificates stand in PKCS#7"));
    } else if first.is_some_and(is_request) {
        input.notes.push(note(REQUEST_GIVEN, "a certificate request"));
    } else if first.is_some_and(|first| first.is(tag::INTEGER)) && line.is_none() && der.len() > 3 {
        input.notes.push(note(HOLDS_KEY, "a private key or a PKCS#12 file; it was not opened"));
    } else {
        input.certificates.push(der.to_vec());
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
