//! A certificate is for a hundred names at most.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "san-count-large",
    severity: Severities::all(Notice),
    clause: "practice: many CAs stop at 100 names",
    expected: "at most 100 names",
    remedy: "Divide the names among several certificates.",
    affected: "slow links; and one private key stands for all the names",
    in_force: None,
    consequence_of: &["certificate-unreadable", "certificate-very-large"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let count = certificate.known.subject_alt_name.read().map_or(0, Vec::len);
    if count <= 100 {
        return Outcome::Pass;
    }
    Outcome::found(
        certificate,
        certificate.extension_place(id::SUBJECT_ALT_NAME),
        format!("it lists {count} names"),
    )
}
