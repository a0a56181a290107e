//! Names under the reverse zones of addresses are not certified.

use super::prelude::*;
use super::shared::{found, own_hosts};
use crate::dates::NO_REVERSE_ZONE_NAMES;

pub static CHECK: Check = Check {
    id: "san-arpa-name",
    severity: Severities::web(Error),
    clause: "BR section 4.2.2",
    expected: "a name outside in-addr.arpa and ip6.arpa",
    remedy: "Use another name.",
    affected: "root programmes",
    in_force: Some(NO_REVERSE_ZONE_NAMES),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn is_reverse(host: &str) -> bool {
    [".in-addr.arpa", ".ip6.arpa"].iter().any(|zone| host.ends_with(zone))
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let common = certificate.subject.iter().flat_map(|subject| subject.of_type("2.5.4.3"));
    let common = common.filter(|one| one.text().is_some_and(|text| is_reverse(&text.to_ascii_lowercase())));
    let common = common
        .map(|one| Found::new(certificate, one.place.clone(), "the common name lies in a reverse zone"));
    let listed = own_hosts(certificate).filter(|(_, host)| is_reverse(host));
    let listed = listed.map(|(name, _)| found(certificate, name, format!("{name} lies in a reverse zone")));
    Outcome::all(common.chain(listed))
}
