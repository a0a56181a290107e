//! One trust anchor alone can certify the subject by which a client is known.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-subject-collides",
    severity: Severities::client(Warning),
    clause: "practice (a rule on the subject does not say who certified it)",
    expected: "one CA that may certify the subject, or an identity in subjectAltName",
    remedy: "Let the rule name the issuer beside the subject, or trust one CA alone.",
    affected: "rules that look at the subject: another of the CAs can issue the same one to someone else",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "client-anchor-too-broad",
        "client-anchors-same-dn-different-key",
    ],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(leaf) = chain.end_entity().filter(|leaf| leaf.role == Role::EndEntity) else {
        return Outcome::Pass;
    };
    let only_subject = leaf.known.subject_alt_name.is_absent()
        && leaf.subject.as_ref().is_some_and(|subject| !subject.is_empty());
    if !only_subject {
        return Outcome::Pass;
    }
    // A CA that is limited to directory names is taken to be limited to its own.
    let limited = |anchor: &Examinee| {
        let permitted = anchor.known.name_constraints.read().and_then(|all| all.permitted.as_ref());
        permitted.is_some_and(|all| all.iter().any(|one| matches!(one.base.form, NameForm::Directory(..))))
    };
    let anchors: Vec<&Examinee> = chain.anchors.iter().flatten().filter(|one| !limited(one)).collect();
    if anchors.len() < 2 {
        return Outcome::Pass;
    }
    let place = leaf.place_of(leaf.fields().subject, "tbsCertificate.subject");
    let observed =
        format!("its subject is its only name, and {} trust anchors can certify that", anchors.len());
    Outcome::found(leaf, place, observed)
}
