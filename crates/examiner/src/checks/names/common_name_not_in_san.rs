//! A common name of a server certificate is one of its alternative names.

use super::prelude::*;
use super::shared::{COMMON_NAME, attributes};
use crate::chain::NameAt;
use crate::dates::BASELINE;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "common-name-not-in-san",
    severity: Severities::web(Error),
    clause: "BR section 7.1.4.3",
    expected: "one of the subject alternative names",
    remedy: "Leave the common name out, or list it as a subject alternative name too.",
    affected: "nobody reads it today; a client that does would be misled",
    in_force: Some(BASELINE),
    consequence_of: &[
        "certificate-unreadable",
        "san-missing",
        "extension-undecodable",
        "hostname-matched-only-by-cn",
    ],
    run: Run::Certificate(LEAVES, run),
};

fn is_same(name: &NameAt, text: &str) -> bool {
    match name.dns() {
        Some(dns) => dns.eq_ignore_ascii_case(text),
        None => text.parse().is_ok_and(|ip| name.ip() == Some(ip)),
    }
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(names) = certificate.known.subject_alt_name.read() else { return Outcome::Pass };
    let stray = attributes(certificate).filter(|one| one.oid == COMMON_NAME);
    let stray = stray.filter_map(|one| Some((one, one.text()?)));
    let stray = stray.filter(|(_, text)| !names.iter().any(|name| is_same(name, text)));
    Outcome::all(stray.map(|(one, text)| {
        Found::new(
            certificate,
            one.place.clone(),
            format!("the common name \u{201c}{}\u{201d} is no alternative name", shown(&text)),
        )
    }))
}
