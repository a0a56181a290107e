//! A public server certificate lists host names and addresses alone.

use super::prelude::*;
use super::shared::found;
use crate::dates::BASELINE;

pub static CHECK: Check = Check {
    id: "san-forbidden-type",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.12",
    expected: "dNSName and iPAddress entries alone",
    remedy: "Have it issued again with host names alone.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let names = certificate.known.subject_alt_name.read().into_iter().flatten();
    let other = names.filter(|name| !matches!(name.form, NameForm::Dns(_) | NameForm::Ip(_)));
    Outcome::all(other.map(|name| found(certificate, name, format!("it lists {name}"))))
}
