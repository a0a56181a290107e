//! A common name is a character for character copy of an alternative name.

use super::prelude::*;
use super::shared::{COMMON_NAME, attributes};
use crate::chain::NameAt;
use crate::dates::COMMON_NAME_EXACT;
use crate::report::shown;
use std::net::IpAddr;

pub static CHECK: Check = Check {
    id: "common-name-not-exact-case-or-form",
    severity: Severities::web(Error),
    clause: "BR section 7.1.4.3",
    expected: "the exact text of an alternative name",
    remedy: "Leave the common name out, or write it as the alternative name is written.",
    affected: "linters; clients that compare case",
    in_force: Some(COMMON_NAME_EXACT),
    consequence_of: &["certificate-unreadable", "san-missing", "extension-undecodable"],
    run: Run::HostNames(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(names) = certificate.known.subject_alt_name.read() else { return Outcome::Pass };
    let texts = || names.iter().filter_map(NameAt::dns);
    let common = attributes(certificate)
        .filter(|one| one.oid == COMMON_NAME)
        .filter_map(|one| Some((one, one.text()?)));
    let inexact = common.filter_map(|(one, text)| {
        if texts().any(|dns| dns == text) {
            return None;
        }
        let other_case = texts().find(|dns| dns.eq_ignore_ascii_case(&text));
        let ip = text.parse().ok().filter(|ip| names.iter().any(|name| name.ip() == Some(*ip)));
        let exact = other_case.or(ip.map(|ip: IpAddr| ip.to_string()).filter(|exact| *exact != text))?;
        let observed = format!("the common name is written \u{201c}{}\u{201d}", shown(&text));
        Some(
            Found::new(certificate, one.place.clone(), observed)
                .expected(format!("\u{201c}{}\u{201d}", shown(&exact))),
        )
    });
    Outcome::all(inexact)
}
