//! The chain ends at a trust anchor, not at a self-signed certificate that nobody trusts.

use super::prelude::*;
use crate::checks::chain::shared::{AbsentRoot, RootKnown, absent_root};
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "untrusted-root",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 6.1",
    expected: "a path to one of the trust anchors",
    remedy: "Get a certificate from a CA that the clients trust, or give the clients this root as a trust anchor.",
    affected: "every client that does not have this root",
    in_force: None,
    consequence_of: &["certificate-unreadable", "signature-invalid", "self-signed-leaf"],
    run: Run::Chain(run),
};

/// What to do where the root is most likely that of a private CA.
const PRIVATE: &str = "If the CA is your own, examine it with --private --roots FILE, its root in the file, and give the \
    clients that root; if it is a public one, serve its certificates behind the server's own.";

/// What to do where other clients trust it.
const ELSEWHERE: &str =
    "Ask the CA for a chain to a root that these clients have: this one is new to them, or they gave it up.";

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    if chain.anchors.is_none() {
        // Without a root at hand `chain-incomplete` says that it cannot be told.
        if !chain.served.iter().any(Examinee::is_self_issued) {
            return Outcome::Pass;
        }
        return Outcome::CannotTell(Needs::Anchors, "whether the chain ends at a trust anchor".into());
    }
    if let Some(AbsentRoot { below, issuer, known }) = absent_root(chain) {
        let found = |observed| Found::new(below, issuer.place.clone(), observed);
        return match known {
            RootKnown::Elsewhere(store) => {
                let store = shown(store);
                found(format!("its issuer {issuer} is a root of {store}, and no trust anchor here"))
                    .remedy(ELSEWHERE)
                    .into()
            }
            RootKnown::Fetched => {
                found(format!("its issuer {issuer} is a root, and no trust anchor")).remedy(PRIVATE).into()
            }
            RootKnown::Private => {
                let why = "and nothing says that a public CA issued it";
                found(format!("its issuer {issuer} is no trust anchor, {why}"))
                    .remedy(PRIVATE)
                    .likely()
                    .into()
            }
        };
    }
    let paths = context.paths();
    let fault = match paths.best_fault() {
        Some(fault) if paths.valid.is_empty() && fault.id == CHECK.id => fault,
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
