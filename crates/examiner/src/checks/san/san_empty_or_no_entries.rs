//! The list of alternative names has entries, and each says something.

use super::prelude::*;
use super::shared::{found, names};

pub static CHECK: Check = Check {
    id: "san-empty-or-no-entries",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "at least one name, and none empty",
    remedy: "Have it issued again with the names.",
    affected: "strict clients refuse; the rest find no name",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let known = &certificate.known;
    let lists = [
        (&known.subject_alt_name, id::SUBJECT_ALT_NAME, "subjectAltName"),
        (&known.issuer_alt_name, id::ISSUER_ALT_NAME, "issuerAltName"),
    ];
    let lists = lists.into_iter().filter(|(list, ..)| list.read().is_some_and(Vec::is_empty));
    let lists = lists.map(|(_, oid, name)| {
        Found::new(certificate, certificate.extension_place(oid), format!("{name} lists nothing"))
    });
    let empty = names(certificate).filter(|name| match &name.form {
        NameForm::Dns(bytes) | NameForm::Email(bytes) | NameForm::Uri(bytes) | NameForm::Ip(bytes) => {
            bytes.is_empty()
        }
        NameForm::Directory(name, _) => name.is_empty(),
        _ => false,
    });
    Outcome::all(lists.chain(empty.map(|name| found(certificate, name, "it lists an empty name"))))
}
