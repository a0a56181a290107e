//! Where a certificate has wildcard names, CAA lets its CA issue such ones.
//!
//! The tag `issuewild` stands before `issue` for wildcard names, and a record that lets nobody forbids them all.

use super::prelude::*;
use super::shared::{caa, has_wildcard, names_of_issuer};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "caa-wildcard-parameter-conflict",
    severity: Severities::web(Warning),
    clause: "RFC 8659 section 4.3",
    expected: "the CA of the certificate among those that may issue wildcard names",
    remedy: "Name the CA in a CAA record with the tag issuewild, or have a certificate issued without wildcard names.",
    affected: "the next renewal: the CA must refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let (Some(set), Some(first)) = (caa(chain), chain.end_entity()) else { return Outcome::Pass };
    let mut all = set.tagged("issuewild").map(|one| one.issuer().unwrap_or_default()).peekable();
    if all.peek().is_none() || !has_wildcard(first) {
        return Outcome::Pass;
    }
    let named: Vec<String> = all.filter(|name| !name.is_empty()).collect();
    let name = shown(&set.name);
    if named.is_empty() {
        return Found::of_host(format!("the CAA records of {name} let nobody issue wildcard names")).into();
    }
    match names_of_issuer(first) {
        Some((who, own)) if !named.iter().any(|one| own.contains(&one.as_str())) => Found::of_host(format!(
            "the CAA records of {name} let {} issue wildcard names, and the certificate is of {who}",
            shown(&named.join(", "))
        ))
        .likely()
        .into(),
        _ => Outcome::Pass,
    }
}
