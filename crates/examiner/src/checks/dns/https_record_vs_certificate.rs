//! Where a host's HTTPS records lead clients is what was looked at.
//!
//! Wherever a record leads, the certificate there has to be for the host's name, and not for the target's (RFC 9460 section
//! 9.5). What was not looked at, nobody has seen.

use std::net::SocketAddr;

use super::prelude::*;
use super::shared::dns;
use crate::report::shown;
use crate::side::Service;

pub static CHECK: Check = Check {
    id: "https-record-vs-certificate",
    severity: Severities::servers(Notice),
    clause: "RFC 9460 sections 7 and 9",
    expected: "records that lead to what was looked at, and promise what is spoken there",
    remedy: "Look at that place as well, with --connect ADDRESS:PORT: its certificate has to be for the host's name. If it is out of date, mend the record.",
    affected: "browsers that ask for HTTPS records: they go there first",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let (Some(set), Some(host)) = (dns(chain).and_then(|dns| dns.services.as_ref()), &chain.host) else {
        return Outcome::Pass;
    };
    let looked: Vec<SocketAddr> = host.addresses.iter().filter_map(|one| one.address.parse().ok()).collect();
    let chosen = host.handshakes().find_map(|(_, one)| one.alpn.clone());
    let name = shown(&set.name);
    Outcome::all(set.records.iter().flat_map(|one| {
        let mut all = Vec::new();
        if !one.target.is_empty() {
            all.push(format!("{name} leads to {}, which was not looked at", shown(&one.target)));
        }
        all.extend(
            elsewhere(one, &looked).map(|place| format!("{name} leads to {place}, which was not looked at")),
        );
        if let Some(chosen) = chosen.as_ref().filter(|chosen| *chosen != "h2")
            && one.alpn.iter().any(|one| one == "h2")
        {
            all.push(format!("{name} promises h2, and the host chose {}", shown(chosen)));
        }
        all.into_iter().map(Found::of_host)
    }))
}

/// The hints and the port that nobody looked at; none where no address is known, as behind a proxy.
fn elsewhere<'a>(one: &'a Service, looked: &'a [SocketAddr]) -> impl Iterator<Item = String> + 'a {
    let port = one.port.filter(|port| !looked.is_empty() && looked.iter().all(|place| place.port() != *port));
    let hints =
        one.hints.iter().filter(|hint| !looked.is_empty() && looked.iter().all(|place| place.ip() != **hint));
    port.map(|port| format!("port {port}")).into_iter().chain(hints.map(ToString::to_string))
}
