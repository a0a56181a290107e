//! An address is no dNSName.

use super::prelude::*;
use super::shared::{found, hosts};

pub static CHECK: Check = Check {
    id: "san-ip-in-dns-name",
    severity: Severities::all(Error),
    clause: "BR section 7.1.2.7.12, RFC 9525 section 6.2",
    expected: "the address as an iPAddress",
    remedy: "Have it issued again with the address as an iPAddress entry.",
    affected: "every client: it looks for addresses among the iPAddress entries",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let addresses = hosts(certificate).filter(|(_, bytes)| {
        std::str::from_utf8(bytes).is_ok_and(|text| text.parse::<std::net::IpAddr>().is_ok())
    });
    Outcome::all(
        addresses
            .map(|(name, _)| found(certificate, name, format!("the address {name} is listed as a dNSName"))),
    )
}
