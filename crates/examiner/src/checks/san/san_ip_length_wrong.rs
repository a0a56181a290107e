//! An iPAddress has 4 or 16 octets.

use super::prelude::*;
use super::shared::{found, names};

pub static CHECK: Check = Check {
    id: "san-ip-length-wrong",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2.1.6",
    expected: "4 or 16 octets",
    remedy: "Have it issued again with the bytes of the address.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let wrong = names(certificate)
        .filter(|name| matches!(&name.form, NameForm::Ip(bytes) if ![4, 16].contains(&bytes.len())));
    Outcome::all(wrong.map(|name| found(certificate, name, name.to_string())))
}
