//! A public root does not say how many CAs may follow it.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "pathlen-on-root",
    severity: Severities::web(Notice),
    clause: "BR section 7.1.2.1.4",
    expected: "no pathLenConstraint",
    remedy: "Nothing to do for this root; leave it out of the next.",
    affected: "nobody, as long as its own CAs keep to it; many clients do not apply a root's constraint",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(ROOTS, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let constraints = certificate.known.basic_constraints.read();
    match constraints.and_then(|constraints| constraints.path_length.as_ref()) {
        Some(length) => Outcome::found(certificate, length.place.clone(), "it has pathLenConstraint"),
        None => Outcome::Pass,
    }
}
