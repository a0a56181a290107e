//! No two trust anchors have one name and different keys.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-anchors-same-dn-different-key",
    severity: Severities::client(Warning),
    clause: "practice",
    expected: "a name of its own for each CA",
    remedy: "Take out the old one, or list both where the server is known to try each.",
    affected: "HAProxy and others use the first of the two alone",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let anchors: Vec<&Examinee> = chain.anchors.iter().flatten().collect();
    let key = |one: &Examinee| one.key.as_ref().map(|key| key.bits.clone());
    let repeated = anchors.iter().enumerate().filter(|(i, one)| {
        anchors[..*i].iter().any(|other| other.subject_der() == one.subject_der() && key(other) != key(one))
    });
    Outcome::all(repeated.map(|(_, one)| {
        let place = one.place_of(one.fields().subject, "tbsCertificate.subject");
        Found::new(one, place, "another anchor has this name and another key")
    }))
}
