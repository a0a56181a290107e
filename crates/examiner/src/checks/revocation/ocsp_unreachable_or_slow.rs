//! The OCSP responder that a certificate names answers in time, to GET and to POST.
//!
//! It is asked only where fetching is allowed. The public's responders answer GET (BR section 4.9.10).

use super::prelude::*;
use crate::side::{Asked, Sought};

pub static CHECK: Check = Check {
    id: "ocsp-unreachable-or-slow",
    severity: Severities::all(Warning),
    clause: "RFC 5019 section 5, BR section 4.9.10, section 4.10.2",
    expected: "an OCSP response within ten seconds",
    remedy: "Tell the CA; a server that staples keeps its last response meanwhile.",
    affected: "servers that staple, and clients that insist on OCSP",
    in_force: None,
    consequence_of: &["certificate-unreadable", "ocsp-url-on-ca-that-ended-ocsp"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let asked = || context.chain.side.asked.iter().filter(|one| is_about(one, certificate));
    Outcome::all(asked().filter_map(|one| {
        let why = one.came.as_ref().err()?;
        let place = certificate.extension_place(id::AUTHORITY_INFO_ACCESS);
        let found = |observed| Some(Found::new(certificate, place, observed));
        // One finding for an address that refused one method and was then asked by the other.
        let other = asked().find(|other| other.url == one.url && other.method != one.method);
        match other.map(|other| (other.came.is_ok(), other.method)) {
            None => found(format!("{} gave nothing: {why}", one.url)),
            Some((true, method)) => {
                let words =
                    format!("{} answers {} and not {}: {why}", one.url, method.word(), one.method.word());
                let severity = if context.profile == Profile::Web { Warning } else { Notice };
                found(words)
                    .map(|found| found.severity(severity).affected("clients that ask by that method alone"))
            }
            Some((false, _)) if asked().find(|first| first.url == one.url).is_some_and(|f| same(f, one)) => {
                found(format!("{} gave nothing: {why}", one.url))
            }
            Some((false, _)) => None,
        }
    }))
}

fn is_about(asked: &Asked, certificate: &Examinee) -> bool {
    asked.sought == Sought::OcspResponse && asked.about == certificate.thumbprint
}

fn same(a: &Asked, b: &Asked) -> bool {
    std::ptr::eq(a, b)
}
