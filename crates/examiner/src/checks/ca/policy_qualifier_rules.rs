//! A policy is qualified by the address of its practice statement alone.

use super::prelude::*;
use crate::cert::tlv::{Budget, read, tag};
use crate::dates::BR_PROFILES;

/// id-qt-cps.
const CPS: &str = "1.3.6.1.5.5.7.2.1";

pub static CHECK: Check = Check {
    id: "policy-qualifier-rules",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.9",
    expected: "no qualifier, or an http or https address of the practice statement",
    remedy: "Have it issued again without the qualifier.",
    affected: "root programmes; clients take it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(policies) = certificate.known.policies.read() else { return Outcome::Pass };
    let qualifiers = policies.iter().flat_map(|policy| &policy.qualifiers);
    Outcome::all(qualifiers.filter_map(|qualifier| {
        let found = |observed: String| Found::new(certificate, qualifier.place.clone(), observed);
        if qualifier.oid != CPS {
            let new = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
            let found = found(format!("a policy has the qualifier {}", crate::report::shown(&qualifier.oid)));
            return Some(if new { found.in_force(BR_PROFILES) } else { found.severity(Warning) });
        }
        let tree = read(qualifier.value.as_slice().into(), Budget::default());
        let uri = tree.root().filter(|root| root.is(tag::IA5_STRING)).map(|root| root.content());
        let is_web = |uri: &[u8]| {
            let lower = uri.to_ascii_lowercase();
            lower.starts_with(b"http://") || lower.starts_with(b"https://")
        };
        if uri.is_some_and(is_web) {
            return None;
        }
        let new = certificate.not_before.is_none_or(|issued| issued >= BR_PROFILES);
        let found = found("the practice statement's address is no web address".into());
        Some(if new { found.in_force(BR_PROFILES) } else { found.severity(Warning) })
    }))
}
