//! The CA of the certificate may issue for the host still.
//!
//! CAA counts when a certificate is issued and not afterwards: what breaks is the next renewal.

use super::prelude::*;
use super::shared::{caa, names_of_issuer};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "caa-forbids-current-issuer",
    severity: Severities::web(Warning),
    clause: "RFC 8659 section 4.2, BR section 4.2.2.1",
    expected: "the CA of the certificate among those that may issue",
    remedy: "Name the CA in a CAA record with the tag issue, or have the certificate issued by one that is named.",
    affected: "the next renewal: the CA must refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let (Some(set), Some(first)) = (caa(chain), chain.end_entity()) else { return Outcome::Pass };
    let mut issuers = set.tagged("issue").map(|one| one.issuer().unwrap_or_default()).peekable();
    if issuers.peek().is_none() {
        return Outcome::Pass;
    }
    let named: Vec<String> = issuers.filter(|name| !name.is_empty()).collect();
    let name = shown(&set.name);
    if named.is_empty() {
        return Found::of_host(format!("the CAA records of {name} let nobody issue")).into();
    }
    let list = shown(&named.join(", "));
    match names_of_issuer(first) {
        None => {
            let issuer = first.issuer.as_ref().map(ToString::to_string).unwrap_or_default();
            let why = format!(
                "whether {} may issue for {name}: the CAA records let {list}, and by which names it goes is not known",
                shown(&issuer)
            );
            Outcome::CannotTell(Needs::List, why)
        }
        Some((_, own)) if named.iter().any(|one| own.contains(&one.as_str())) => Outcome::Pass,
        Some((who, own)) => Found::of_host(format!(
            "the CAA records of {name} let {list} issue, and the certificate is of {who} ({})",
            own.join(", ")
        ))
        .likely()
        .into(),
    }
}
