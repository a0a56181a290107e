//! A SPIFFE certificate has one URI: the SPIFFE ID of a workload.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-spiffe-id-bad",
    severity: Severities::client(Error),
    clause: "SPIFFE X.509-SVID section 2",
    expected: "one URI spiffe://trust-domain/path",
    remedy: "Have the workload issued a certificate with exactly one SPIFFE ID.",
    affected: "everything that reads SPIFFE IDs",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn wrong_id(id: &str) -> Option<&'static str> {
    let Some(rest) = id.strip_prefix("spiffe://").filter(|_| id.len() <= 2048) else {
        return Some("no SPIFFE ID");
    };
    let (domain, path) = rest.split_once('/').map_or((rest, None), |(domain, path)| (domain, Some(path)));
    let small = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    if domain.is_empty() || domain.len() > 255 || !domain.bytes().all(small) {
        return Some("a wrong trust domain");
    }
    // A path is that of a workload; without one the ID is that of the trust domain itself, which no leaf may have.
    let segments = path.map_or_else(Vec::new, |path| path.split('/').collect());
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    let right = |one: &&str| !matches!(*one, "" | "." | "..") && one.bytes().all(letter);
    (segments.is_empty() || !segments.iter().all(right)).then_some("a wrong path")
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let names = certificate.known.subject_alt_name.read().into_iter().flatten();
    let uris: Vec<_> = names
        .filter_map(|name| match &name.form {
            NameForm::Uri(bytes) => Some((name, String::from_utf8_lossy(bytes).into_owned())),
            _ => None,
        })
        .collect();
    let Some((name, id)) = uris.iter().find(|(_, uri)| uri.to_ascii_lowercase().starts_with("spiffe:"))
    else {
        return Outcome::Pass;
    };
    let observed = if uris.len() > 1 {
        format!("{} URIs beside each other", uris.len())
    } else if let Some(wrong) = wrong_id(id) {
        format!("{wrong} in {name}")
    } else {
        return Outcome::Pass;
    };
    Outcome::found(certificate, name.place.clone(), observed)
}
