//! An ECDSA signature is a SEQUENCE of two positive integers.

use super::prelude::*;
use crate::cert::tlv::{Budget, Element, read, tag};

pub static CHECK: Check = Check {
    id: "ecdsa-signature-malformed",
    severity: Severities::all(Error),
    clause: "RFC 3279 section 2.2.3",
    expected: "a SEQUENCE of the positive INTEGERs r and s",
    remedy: "Have the certificate issued again; the signing device or software writes signatures of another form.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let is_ecdsa =
        certificate.signature_algorithm.as_ref().is_some_and(|a| a.oid.starts_with("1.2.840.10045.4."));
    let Some(signature) = certificate.fields().signature.filter(|_| is_ecdsa) else { return Outcome::Pass };
    let bits =
        signature.element.bit_string().filter(|(_, unused)| *unused == 0).map_or(&[][..], |(bits, _)| bits);
    let tree = read(bits.into(), Budget::default());
    let positive = |e: Element<'_>| {
        e.is(tag::INTEGER) && e.content().first().is_some_and(|o| o & 0x80 == 0) && e.content() != [0]
    };
    let right = tree.deviations.is_empty()
        && tree.root().is_some_and(|root| {
            root.is(tag::SEQUENCE) && root.children().len() == 2 && root.children().all(positive)
        });
    if right {
        return Outcome::Pass;
    }
    Outcome::found(certificate, signature.place, "its signature is no DER of two positive integers")
}
