//! A mailbox in the subject is an alternative name too.

use super::prelude::*;
use super::shared::{EMAIL, attributes};
use crate::dates::RFC_5280;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "email-in-subject-not-san",
    severity: Severities::all(Error)
        .on_web(Some(Warning))
        .private_server(Some(Warning))
        .mtls_client(Some(Warning)),
    clause: "RFC 5280 section 4.1.2.6",
    expected: "the mailbox as an rfc822Name",
    remedy: "Have it issued again with the mailbox as a subject alternative name alone.",
    affected: "software that looks for mailboxes in the alternative names",
    in_force: Some(RFC_5280),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let names = certificate.known.subject_alt_name.read();
    let listed = |text: &str| {
        names
            .into_iter()
            .flatten()
            .any(|name| matches!(&name.form, NameForm::Email(bytes) if bytes == text.as_bytes()))
    };
    Outcome::all(attributes(certificate).filter(|one| one.oid == EMAIL).filter_map(|one| {
        let text = one.text().filter(|text| !listed(text))?;
        Some(Found::new(
            certificate,
            one.place.clone(),
            format!("the mailbox \u{201c}{}\u{201d} stands in the subject alone", shown(&text)),
        ))
    }))
}
