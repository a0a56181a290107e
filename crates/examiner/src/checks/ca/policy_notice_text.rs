//! The text of a policy's notice is short, UTF-8 and plain.

use super::prelude::*;
use crate::cert::tlv::{Budget, Element, read, tag};
use crate::chain::extensions::Policy;
use crate::report::shown;

/// id-qt-unotice and id-qt-cps.
const NOTICE: &str = "1.3.6.1.5.5.7.2.2";
const CPS: &str = "1.3.6.1.5.5.7.2.1";
/// How many characters a notice may have.
const MOST: usize = 200;

pub static CHECK: Check = Check {
    id: "policy-notice-text",
    severity: Severities::all(Warning),
    clause: "RFC 5280 section 4.2.1.4, RFC 6818 section 3",
    expected: "a UTF8String of at most 200 characters, without control characters",
    remedy: "Have it issued again without the notice: no client shows it.",
    affected: "whoever shows the notice; TLS clients do not",
    in_force: Some(crate::dates::RFC_6818),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(policies) = certificate.known.policies.read() else { return Outcome::Pass };
    let mut findings = Vec::new();
    for policy in policies {
        for qualifier in &policy.qualifiers {
            let mut found = |observed: String, severity| {
                let found = Found::new(certificate, qualifier.place.clone(), observed);
                findings.push(found.severity(severity));
            };
            if qualifier.oid == NOTICE {
                let tree = read(qualifier.value.as_slice().into(), Budget::default());
                if let Some(text) = tree.root().and_then(explicit_text) {
                    wrong_with(text).into_iter().for_each(|(what, severity)| found(what.into(), severity));
                }
            } else if qualifier.oid != CPS && policy.oid == Policy::ANY {
                let qualifier = shown(&qualifier.oid);
                found(format!("anyPolicy has the qualifier {qualifier}, of no standard"), Error);
            }
        }
    }
    Outcome::all(findings)
}

/// The explicitText of a UserNotice: the part that is no reference.
fn explicit_text(notice: Element<'_>) -> Option<Element<'_>> {
    notice.children().find(|part| !part.is(tag::SEQUENCE))
}

/// What is wrong with it, the gravest first.
fn wrong_with(text: Element<'_>) -> Vec<(&'static str, crate::report::Severity)> {
    let mut wrong = Vec::new();
    let content = text.content();
    let (words, is_utf8) = match text.number() {
        tag::UTF8_STRING => (String::from_utf8_lossy(content).into_owned(), true),
        tag::BMP_STRING => {
            let units = content.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            (char::decode_utf16(units).map(|c| c.unwrap_or('\u{fffd}')).collect(), false)
        }
        _ => (String::from_utf8_lossy(content).into_owned(), false),
    };
    if text.is(tag::IA5_STRING) {
        wrong.push(("the text of a notice is an IA5String", Error));
    } else if !is_utf8 {
        wrong.push(("the text of a notice is no UTF8String", Warning));
    }
    if words.chars().count() > MOST {
        wrong.push(("the text of a notice has more than 200 characters", Error));
    }
    if words.chars().any(char::is_control) {
        wrong.push(("the text of a notice has control characters", Warning));
    }
    wrong
}
