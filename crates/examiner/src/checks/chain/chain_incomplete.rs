//! Every certificate's issuer is served along, or is a trust anchor.

use super::prelude::*;
use super::shared::{absent_root, first_missing};
use crate::path::clients;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "chain-incomplete",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.4.2",
    expected: "the certificates of all intermediate CAs, each after the one that it issued",
    remedy: "Serve the full chain: put the missing certificate behind the server's own in its certificate file.",
    affected: "clients that fetch nothing: apps, curl, Java, Python, Go, most API clients; Firefox and Chrome often hide it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "issuer-empty", "issuer-subject-bytes-differ"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some((certificate, issuer)) = first_missing(chain) else { return Outcome::Pass };
    if chain.anchors.is_none() {
        let why = format!("whether {issuer} is a trust anchor, or missing from the chain");
        return Outcome::CannotTell(Needs::Anchors, why);
    }
    // `untrusted-root` tells of it.
    if absent_root(chain).is_some() {
        return Outcome::Pass;
    }
    let found = Found::new(
        certificate,
        issuer.place.clone(),
        format!("the certificate of its issuer is missing: {issuer}"),
    );
    let found = match fetched_from(chain, certificate) {
        Some(url) => found.remedy(format!(
            "Serve the full chain: put the certificate from {url} behind the server's own in its certificate file; \
             on the command line, --out FILE writes it so."
        )),
        None => found,
    };
    match clients::who_differs(context.clients()) {
        Some(who) => found.affected(who).into(),
        None => found.into(),
    }
}

/// The address that gave the missing certificate.
fn fetched_from(chain: &Chain, below: &Examinee) -> Option<String> {
    let is_missing = |one: &Examinee| one.subject_der() == below.issuer_der();
    let asked = chain.side.asked.iter().filter(|asked| asked.about == below.thumbprint);
    asked.filter(|asked| asked.issuers().iter().any(is_missing)).map(|asked| shown(&asked.url)).next()
}
