//! A certificate of today is of version 3.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "version-not-3",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.1",
    expected: "version 3",
    remedy: "Have the certificate issued again as version 3; only that can carry names and usages.",
    affected: "rustls, Go and browsers refuse other versions below the root",
    in_force: None,
    consequence_of: &["certificate-unreadable", "extensions-without-v3"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    // A client's own certificate has a check for this that says what it means there.
    if context.profile == Profile::MtlsClient && certificate.role == Role::EndEntity {
        return Outcome::Pass;
    }
    let version = certificate.version();
    if version == Some(3) {
        return Outcome::Pass;
    }
    let place = certificate.place_of(certificate.fields().version, "tbsCertificate.version");
    let observed = match version {
        Some(version) => format!("it is of version {version}"),
        None => "its version is no number".into(),
    };
    let found = Found::new(certificate, place, observed);
    // Trust in a root rests on its key and name, so that old ones still work.
    if certificate.role == Role::Root { found.severity(Warning).into() } else { found.into() }
}
