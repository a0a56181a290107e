//! A server certificate does not claim every purpose at once.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-any-on-leaf",
    severity: Severities::web(Error).private_server(Some(Warning)),
    clause: "BR section 7.1.2.7.10",
    expected: "extKeyUsage without anyExtendedKeyUsage",
    remedy: "Have it issued again with serverAuth instead.",
    affected: "root programmes; clients differ in whether they take it for a server",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let Some(purposes) = certificate.known.extended_key_usage.read() else { return Outcome::Pass };
    let any = purposes.iter().filter(|purpose| purpose.oid == oid::ANY_EXTENDED_KEY_USAGE);
    Outcome::all(any.map(|any| Found::new(certificate, any.place.clone(), "it lists anyExtendedKeyUsage")))
}
