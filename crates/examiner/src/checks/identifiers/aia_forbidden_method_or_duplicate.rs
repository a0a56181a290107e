//! authorityInfoAccess holds ocsp and caIssuers only, and no address twice.

use super::prelude::*;
use crate::chain::extensions::AccessDescription;
use crate::dates::BR_PROFILES;

pub static CHECK: Check = Check {
    id: "aia-forbidden-method-or-duplicate",
    severity: Severities::web(Error),
    clause: "BR section 7.1.2.7.7",
    expected: "entries ocsp and caIssuers, each with a URI of its own",
    remedy: "Have it issued again with each address once.",
    affected: "root programmes; clients ignore the rest",
    in_force: Some(BR_PROFILES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(entries) = certificate.known.authority_info_access.read() else { return Outcome::Pass };
    let mut seen = Vec::new();
    Outcome::all(entries.iter().filter_map(|entry| {
        let known = entry.method == AccessDescription::OCSP || entry.method == AccessDescription::CA_ISSUERS;
        let what = (entry.method.clone(), entry.location.to_string());
        let observed = if !known {
            format!("an entry has the method {}", entry.method)
        } else if !matches!(entry.location.form, NameForm::Uri(_)) {
            format!("the location is {}, which is no URI", entry.location)
        } else if seen.contains(&what) {
            format!("{} stands there twice", entry.location)
        } else {
            seen.push(what);
            return None;
        };
        Some(Found::new(certificate, entry.place.clone(), observed))
    }))
}
