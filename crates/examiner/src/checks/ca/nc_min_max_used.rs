//! Subtrees of nameConstraints are bounded by their base alone.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-min-max-used",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.10",
    expected: "minimum 0, which is left out, and no maximum",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "every client: none knows what to do with these fields",
    in_force: None,
    consequence_of: &["certificate-unreadable", "nc-on-leaf"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.name_constraints.read() else { return Outcome::Pass };
    let all = constraints.permitted.iter().chain(&constraints.excluded).flatten();
    let bounded = all
        .filter(|subtree| subtree.minimum.is_some_and(|minimum| minimum != 0) || subtree.maximum.is_some());
    Outcome::all(bounded.map(|subtree| {
        Found::new(
            certificate,
            subtree.base.place.clone(),
            format!("{} is bounded by minimum or maximum", subtree.base),
        )
    }))
}
