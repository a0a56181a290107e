//! Names under the reverse zones of addresses are not certified.

use super::prelude::*;
use super::shared::{found, own_hosts};
use super::shared_addresses::is_reserved;
use crate::dates::{BASELINE, NO_REVERSE_ZONE_NAMES};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

pub static CHECK: Check = Check {
    id: "san-arpa-name",
    severity: Severities::web(Error),
    clause: "BR section 4.2.2",
    expected: "a name outside in-addr.arpa and ip6.arpa",
    remedy: "Use another name.",
    affected: "root programmes",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::HostNames(LEAVES, run),
};

/// The address that a name of a reverse zone stands for; `Some(None)` where it is a part of one.
fn reversed(host: &str) -> Option<Option<IpAddr>> {
    if let Some(address) = host.strip_suffix(".in-addr.arpa") {
        let octets: Option<Vec<u8>> = address.rsplit('.').map(|octet| octet.parse().ok()).collect();
        let octets = octets.and_then(|octets| <[u8; 4]>::try_from(octets).ok());
        return Some(octets.map(|octets| Ipv4Addr::from(octets).into()));
    }
    let digits = host.strip_suffix(".ip6.arpa")?.rsplit('.').collect::<String>();
    let bits = u128::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 32);
    Some(bits.map(|bits| Ipv6Addr::from(bits).into()))
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let common = certificate.subject.iter().flat_map(|subject| subject.of_type("2.5.4.3"));
    let forbidden = certificate.not_before.is_none_or(|issued| issued >= NO_REVERSE_ZONE_NAMES);
    // Before that day the names of reserved addresses alone.
    let wrong = |host: &str| reversed(host).is_some_and(|ip| forbidden || ip.is_some_and(is_reserved));
    let common = common.filter(|one| one.text().is_some_and(|text| wrong(&text.to_ascii_lowercase())));
    let common = common
        .map(|one| Found::new(certificate, one.place.clone(), "the common name lies in a reverse zone"));
    let listed = own_hosts(certificate).filter(|(_, host)| wrong(host));
    let listed = listed.map(|(name, _)| found(certificate, name, format!("{name} lies in a reverse zone")));
    Outcome::all(common.chain(listed))
}
