//! A server certificate has no purpose that must be kept apart from serving.
//!
//! A key that serves the web and also signs code, mail, time stamps or status answers is exposed for all of them.

use super::prelude::*;
/// Code, e-mail, time stamps, status answers, precertificates.
const FORBIDDEN: &[&str] = &[
    "1.3.6.1.5.5.7.3.3",
    "1.3.6.1.5.5.7.3.4",
    "1.3.6.1.5.5.7.3.8",
    "1.3.6.1.5.5.7.3.9",
    "1.3.6.1.4.1.11129.2.4.4",
];

pub static CHECK: Check = Check {
    id: "eku-forbidden-combination",
    severity: Severities::web(Error).private_server(Some(Warning)),
    clause: "BR section 7.1.2.7.10",
    expected: "serverAuth, at most with clientAuth",
    remedy: "Use a certificate and a key of its own for each purpose.",
    affected: "root programmes; whoever takes the server's key gets the other powers too",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    if !certificate.has_purpose(oid::SERVER_AUTH) {
        return Outcome::Pass;
    }
    let web = context.profile == Profile::Web;
    Outcome::all(purposes.iter().filter_map(|purpose| {
        let found =
            Found::new(certificate, purpose.place.clone(), format!("beside serverAuth it lists {purpose}"));
        match purpose.oid.as_str() {
            oid::SERVER_AUTH | oid::CLIENT_AUTH | oid::ANY_EXTENDED_KEY_USAGE => None,
            one if FORBIDDEN.contains(&one) => Some(found),
            _ => web.then(|| found.severity(Warning)),
        }
    }))
}
