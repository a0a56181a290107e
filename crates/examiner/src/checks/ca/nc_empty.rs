//! nameConstraints permits or excludes something.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "nc-empty",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.10",
    expected: "at least one subtree",
    remedy: "Issue the CA certificate again with the extension put right.",
    affected: "strict clients refuse every path over this CA",
    in_force: None,
    consequence_of: &["certificate-unreadable", "nc-on-leaf"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(constraints) = certificate.known.name_constraints.read() else { return Outcome::Pass };
    let is_empty = |list: &Option<Vec<_>>| list.as_ref().is_some_and(Vec::is_empty);
    let observed = if constraints.permitted.is_none() && constraints.excluded.is_none() {
        "its nameConstraints constrain nothing"
    } else if is_empty(&constraints.permitted) {
        "permittedSubtrees is empty"
    } else if is_empty(&constraints.excluded) {
        "excludedSubtrees is empty"
    } else {
        return Outcome::Pass;
    };
    Outcome::found(certificate, constraints.place.clone(), observed)
}
