//! The chain ends at a trust anchor, not at a self-signed certificate that nobody trusts.

use super::prelude::*;
use crate::path::{Budget, Rules, build};

pub static CHECK: Check = Check {
    id: "untrusted-root",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1",
    expected: "a path to one of the trust anchors",
    remedy: "Get a certificate from a CA that the clients trust, or give the clients this root as a trust anchor.",
    affected: "every client that does not have this root",
    in_force: None,
    consequence_of: &["certificate-unreadable", "signature-invalid"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    if chain.anchors.is_none() {
        // Without a root at hand `chain-incomplete` says that it cannot be told.
        if !chain.served.iter().any(Examinee::is_self_issued) {
            return Outcome::Pass;
        }
        return Outcome::CannotTell(Needs::Anchors, "whether the chain ends at a trust anchor".into());
    }
    let rules =
        Rules { at: context.at, purpose: None, max_depth: None, crls: &[], budget: Budget::default() };
    let paths = build(chain, &rules);
    let fault = match paths.best_fault() {
        Some(fault) if paths.valid.is_empty() && fault.id == "untrusted-root" => fault,
        _ => return Outcome::Pass,
    };
    match chain.all().find(|certificate| certificate.index == fault.index) {
        Some(last) => {
            let place = last.place_of(last.fields().issuer, "tbsCertificate.issuer");
            Outcome::found(
                last,
                place,
                format!("the chain ends at {}, which is no trust anchor", last.shown_name()),
            )
        }
        None => Outcome::Pass,
    }
}
