//! A user principal name is text of the form user@domain.

use super::prelude::*;
use crate::cert::tlv::{Budget, read, tag};

pub static CHECK: Check = Check {
    id: "client-upn-or-email-bad",
    severity: Severities::client(Warning),
    clause: "RFC 8398, Microsoft [MS-PKCA]",
    expected: "UTF8String user@domain",
    remedy: "Have it issued again with the name as the directory knows it.",
    affected: "Windows and what maps such names to accounts",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

/// The type of a user principal name.
const UPN: &str = "1.3.6.1.4.1.311.20.2.3";

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let names = certificate.known.subject_alt_name.read().into_iter().flatten();
    let wrong = names.filter(|name| match &name.form {
        NameForm::Other(kind, value) if kind == UPN => {
            let tree = read(value.clone().into(), Budget::default());
            let text = tree.root().filter(|root| root.is(tag::UTF8_STRING));
            let text = text.and_then(|text| std::str::from_utf8(text.content()).ok());
            let parts = text.and_then(|text| text.split_once('@'));
            !parts
                .is_some_and(|(user, domain)| !user.is_empty() && !domain.is_empty() && !domain.contains('@'))
        }
        _ => false,
    });
    Outcome::all(
        wrong.map(|name| {
            Found::new(certificate, name.place.clone(), "the user principal name is no user@domain")
        }),
    )
}
