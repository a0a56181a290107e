//! Every certificate's issuer is served along, or is a trust anchor.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "chain-incomplete",
    severity: Severities::all(Error),
    clause: "RFC 8446 section 4.4.2",
    expected: "the certificates of all intermediate CAs, each after the one that it issued",
    remedy: "Serve the full chain: put the missing certificate behind the server's own in its certificate file.",
    affected: "clients that fetch nothing: apps, curl, Java, Python, Go, most API clients; Firefox and Chrome often hide it",
    in_force: None,
    consequence_of: &["certificate-unreadable", "issuer-empty"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(mut certificate) = chain.end_entity() else { return Outcome::Pass };
    let anchors = || chain.anchors.iter().flatten();
    let mut passed: Vec<usize> = Vec::new();
    loop {
        if certificate.is_self_issued() || anchors().any(|a| a.der() == certificate.der()) {
            return Outcome::Pass;
        }
        passed.push(certificate.index);
        if anchors().any(|anchor| anchor.subject_der() == certificate.issuer_der()) {
            return Outcome::Pass;
        }
        let served = chain
            .issuers_by_name(certificate)
            .find(|issuer| issuer.index < chain.served.len() && !passed.contains(&issuer.index));
        match served {
            Some(issuer) => certificate = issuer,
            None => break,
        }
    }
    let Some(issuer) = certificate.issuer.as_ref().filter(|issuer| !issuer.is_empty()) else {
        return Outcome::Pass;
    };
    if chain.anchors.is_none() {
        let why = format!("whether {issuer} is a trust anchor, or missing from the chain");
        return Outcome::CannotTell(Needs::Anchors, why);
    }
    Found::new(
        certificate,
        issuer.place.clone(),
        format!("the certificate of its issuer is missing: {issuer}"),
    )
    .into()
}
