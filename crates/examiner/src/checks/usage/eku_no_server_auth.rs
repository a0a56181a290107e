//! A server's certificate lists the key purpose serverAuth, where it lists purposes at all.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-no-server-auth",
    severity: Severities::servers(Error),
    clause: "BR section 7.1.2.7.10, RFC 5280 section 4.2.1.12",
    expected: "extKeyUsage that lists serverAuth",
    remedy: "Have a certificate issued for servers, with serverAuth in its extended key usage.",
    affected: "every client",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    let any = certificate.has_purpose(oid::ANY_EXTENDED_KEY_USAGE);
    if purposes.is_empty() || any || certificate.has_purpose(oid::SERVER_AUTH) {
        return Outcome::Pass;
    }
    let listed: Vec<String> = purposes.iter().map(ToString::to_string).collect();
    let place = certificate.extension_place(id::EXTENDED_KEY_USAGE);
    Outcome::found(certificate, place, format!("it lists only {}", listed.join(", ")))
}
