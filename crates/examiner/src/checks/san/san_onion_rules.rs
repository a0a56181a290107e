//! A .onion name is that of a key: 56 letters of base32 for version 3.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::checks::names::shared::is_extended;
use crate::dates::ONION;
use crate::dates::day;

pub static CHECK: Check = Check {
    id: "san-onion-rules",
    severity: Severities::web(Error),
    clause: "BR appendix B",
    expected: "an address of version 3",
    remedy: "Have it issued again with the whole address of the service.",
    affected: "Tor Browser",
    in_force: Some(ONION),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(LEAVES, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let onions = own_hosts(certificate).filter(|(_, host)| host.ends_with(".onion"));
    Outcome::all(onions.filter_map(|(name, host)| {
        let address = host.trim_end_matches(".onion").rsplit('.').next().unwrap_or_default();
        let base32 = address.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
        let observed = match address.len() {
            _ if !base32 => format!("{name} has letters that base32 has not"),
            56 => return None,
            // Version 2 ended with the network's support, and was for extended validation alone.
            16 if is_extended(certificate)
                && certificate.not_before.is_some_and(|issued| issued < day(2021, 10, 15)) =>
            {
                return None;
            }
            16 => format!("{name} is an address of version 2"),
            length => format!("{name} has an address of {length} letters"),
        };
        Some(found(certificate, name, observed))
    }))
}
