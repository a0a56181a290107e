//! A certificate request (RFC 2986): who asks for what, and whether a CA can take it.

use crate::cert::tlv::{Budget, Element, read, tag};
use crate::cert::{KeyPin, PublicKey, oid};
use crate::chain::{Algorithm, DistinguishedName, Extension, Field, Key, Known, Place};
use crate::input::{REQUEST_CLIENT_USAGE, REQUEST_NOT_SIGNED, REQUEST_WEAK, REQUEST_WITHOUT_SAN};
use crate::path::signature;

use super::Looked;

/// extensionRequest (RFC 2985 section 5.4.2).
const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

pub(super) fn look(looked: &mut Looked, der: &[u8]) -> Result<(), String> {
    let tree = read(der.into(), Budget::default());
    let root = tree.root().ok_or("the request is empty")?;
    let info = root.child(0).filter(|info| info.is(tag::SEQUENCE)).ok_or("the request has no contents")?;
    let field = |i: usize, path: &'static str| {
        info.child(i).map(|element| Field { element, place: Place::new(path, element.range()) })
    };
    let subject = field(1, "subject").ok_or("the request has no subject")?;
    let subject = DistinguishedName::of(subject.element, subject.place);
    let spki = field(2, "subjectPKInfo").ok_or("the request has no public key")?;
    let key = Key::of(&spki, &tree).ok_or("the request's public key cannot be read")?;
    let public = PublicKey::from_spki(spki.element.bytes());
    let signature_field = root.child(1).ok_or("the request has no signature algorithm")?;
    let place = Place::new("signatureAlgorithm", signature_field.range());
    let algorithm = Algorithm::read(&Field { element: signature_field, place });
    let (bits, _) = root.child(2).and_then(Element::bit_string).ok_or("the request has no signature")?;

    looked.fact("subject", subject.to_string());
    let extensions = requested(info, &tree);
    let known = Known::of(&extensions);
    let names = known.subject_alt_name.read();
    for name in names.into_iter().flatten() {
        looked.fact("asks for the name", name.to_string());
    }
    for purpose in known.extended_key_usage.read().into_iter().flatten() {
        looked.fact("asks for the usage", purpose.to_string());
    }
    looked.fact(
        "key",
        public.as_ref().map_or_else(|| oid::algorithm_name(&key.algorithm.oid).into(), ToString::to_string),
    );
    looked.fact("key pin", KeyPin::of(spki.element.bytes()).to_string());
    looked.fact("signed with", oid::algorithm_name(&algorithm.oid));

    let weak_hash =
        ["1.2.840.113549.1.1.2", "1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];
    if let Some(weakness) = public.as_ref().and_then(PublicKey::weakness) {
        looked.note(REQUEST_WEAK, format!("its key is {weakness}"));
    } else if weak_hash.contains(&algorithm.oid.as_str()) {
        looked.note(REQUEST_WEAK, format!("it is signed with {}", oid::algorithm_name(&algorithm.oid)));
    }
    if signature::told(&key, &algorithm, info.bytes(), bits) == Some(false) {
        looked.note(REQUEST_NOT_SIGNED, "its signature is not that of its own key");
    }
    if names.is_none_or(Vec::is_empty) {
        looked.note(REQUEST_WITHOUT_SAN, "it asks for no subjectAltName");
    }
    let asks = |purpose: &str| {
        known.extended_key_usage.read().is_some_and(|all| all.iter().any(|p| p.oid == purpose))
    };
    if asks(oid::CLIENT_AUTH) && asks(oid::SERVER_AUTH) {
        looked.note(REQUEST_CLIENT_USAGE, "it asks for the client usage beside the server usage");
    }
    Ok(())
}

/// The extensions that are asked for.
fn requested(info: Element<'_>, tree: &crate::cert::tlv::Tree) -> Vec<Extension> {
    let attributes = info.context_child(0).into_iter().flat_map(Element::children);
    let mut asked =
        attributes.filter(|one| one.child(0).and_then(Element::oid).as_deref() == Some(EXTENSION_REQUEST));
    let list = asked.next().and_then(|one| one.child(1)).and_then(|values| values.child(0));
    let field = list.map(|element| Field { element, place: Place::new("extensionRequest", element.range()) });
    Extension::all(field.as_ref(), tree.bytes())
}
