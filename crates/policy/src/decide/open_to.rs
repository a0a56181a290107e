//! Which sites are open to a party of the own authority, by the lists alone: what it may be shown as the next step.

use super::Identity;
use super::lists::Lists;
use crate::ca::OWN_CA;
use crate::host::HostName;
use crate::names::PartyName;
use crate::site::Audience;
use crate::snapshot::Snapshot;

/// The sites that `allow` or grant this party, whose certificate is the own authority's, and do not deny it; by name.
///
/// Nothing is admitted by this: dates, revocation and suspension play no part. Empty for what is no party's name.
pub fn sites_of(snapshot: &Snapshot, party: &str) -> Vec<HostName> {
    let Ok(name) = PartyName::parse(party) else { return Vec::new() };
    let identity = Identity::Party(name);
    let open = snapshot.sites.values().filter(|site| {
        let lists = Lists::of(snapshot, site, None);
        site.audience == Audience::Parties
            && lists.allow_by_name(&identity, OWN_CA)
            && !lists.deny_by_name(&identity, OWN_CA)
    });
    let mut names: Vec<HostName> = open.map(|site| site.name.clone()).collect();
    names.sort_unstable();
    names
}
