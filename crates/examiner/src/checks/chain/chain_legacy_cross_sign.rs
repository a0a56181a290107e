//! A root that clients have is not served once more, as certified by another root.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "chain-legacy-cross-sign",
    severity: Severities::all(Notice),
    clause: "practice",
    expected: "a chain that ends below the trust anchor",
    remedy: "Leave the cross-signed certificate out, unless old clients without the newer root are to be served.",
    affected: "nobody; each handshake is larger than it needs to be",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "chain-leaf-not-first",
        "chain-expired-extra",
        "chain-unrelated-certificate",
    ],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let key = |one: &Examinee| one.fields().spki.map(|field| field.element.bytes().to_vec());
    let anchors = || chain.anchors.iter().flatten();
    let is_twin = |one: &Examinee, anchor: &Examinee| {
        anchor.der() != one.der() && anchor.subject_der() == one.subject_der() && key(anchor) == key(one)
    };
    if context.paths().valid.is_empty() {
        return Outcome::Pass;
    }
    let served = chain.served.iter().skip(1).filter(|one| !one.is_self_issued());
    Outcome::all(served.filter(|one| anchors().any(|anchor| is_twin(one, anchor))).map(|one| {
        let by = one.issuer.as_ref().map(ToString::to_string).unwrap_or_default();
        let observed = format!("{} is a trust anchor, and is served as certified by {by}", one.shown_name());
        Found::new(one, one.place(), observed)
    }))
}
