//! A client is named in an alternative name, not in the common name alone.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-identity-only-in-cn",
    severity: Severities::client(Warning),
    clause: "RFC 9525 section 1.2 in spirit",
    expected: "a URI, host name, mailbox or user principal name",
    remedy: "Add a subject alternative name; a common name says not what kind of name it is.",
    affected: "rules that map a common name to somebody",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-version-1"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let subject = certificate.subject.iter();
    let common = subject.flat_map(|subject| subject.of_type("2.5.4.3")).next();
    match common.filter(|_| certificate.extension(id::SUBJECT_ALT_NAME).is_none()) {
        Some(one) => Outcome::found(certificate, one.place.clone(), "the common name alone says who it is"),
        None => Outcome::Pass,
    }
}
