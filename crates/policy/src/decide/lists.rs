//! Whom a site's `allow` and `deny`, and the grants for it, let in and keep out.

use super::Identity;
use super::candidate::Candidate;
use crate::peer::Peer;
use crate::site::{Audience, Principal, RuleIndex, Site};
use crate::snapshot::Snapshot;

/// The lists that hold for a site and path rule.
pub(super) struct Lists<'a> {
    snapshot: &'a Snapshot,
    site: &'a Site,
    allow: &'a [Principal],
    deny: &'a [Principal],
    grants_count: bool,
}

impl<'a> Lists<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, site: &'a Site, rule: RuleIndex) -> Self {
        let rule = rule.map(|index| &site.paths[index]);
        let own_allow = rule.and_then(|rule| rule.allow.as_deref());
        let own_deny = rule.and_then(|rule| rule.deny.as_deref());
        Self {
            snapshot,
            site,
            allow: own_allow.unwrap_or(&site.allow),
            deny: own_deny.unwrap_or(&site.deny),
            grants_count: own_allow.is_none(),
        }
    }

    /// In deny, a CA fits whoever's chain leads to it, whichever way admitted them.
    pub(super) fn denies(&self, identity: Option<&Identity>, peer: &Peer) -> bool {
        self.deny.iter().any(|principal| match principal {
            Principal::Ca(name) => peer.vouching.paths.iter().any(|path| path.ca.name == *name),
            other => self.names(other, identity),
        })
    }

    /// The rule that allows, in words.
    pub(super) fn allows(&self, candidate: &Candidate<'_>) -> Option<String> {
        if self.site.audience == Audience::Operators {
            return Some("operator".into());
        }
        let by_ca = |name: &str| candidate.path.is_some_and(|path| path.ca.name == name);
        for principal in self.allow {
            let fits = match principal {
                Principal::Ca(name) => by_ca(name),
                other => self.names(other, candidate.identity.as_ref()),
            };
            if fits {
                return Some(format!("allow {principal}"));
            }
        }
        if !self.grants_count {
            return None;
        }
        if let Some(Identity::Party(name)) = &candidate.identity {
            let party = self.snapshot.records.parties.get(name)?;
            if party.grants.contains(&self.site.name) {
                return Some(format!("grant {name}"));
            }
        }
        let cas = self.snapshot.records.ca_grants.get(&self.site.name)?;
        cas.iter().find(|name| by_ca(name)).map(|name| format!("grant ca:{name}"))
    }

    /// Whether `allow` or a grant names this party, or the CA that issued to it.
    pub(super) fn allow_by_name(&self, identity: &Identity, ca: &str) -> bool {
        let records = &self.snapshot.records;
        let granted = || match identity {
            Identity::Party(name) => {
                records.parties.get(name).is_some_and(|party| party.grants.contains(&self.site.name))
            }
            Identity::Foreign(_) | Identity::Operator(..) => false,
        };
        let by_ca = || records.ca_grants.get(&self.site.name).is_some_and(|cas| cas.contains(ca));
        self.among(self.allow, identity, ca) || self.grants_count && (granted() || by_ca())
    }

    /// Whether `deny` names this party, or the CA that issued to it.
    pub(super) fn deny_by_name(&self, identity: &Identity, ca: &str) -> bool {
        self.among(self.deny, identity, ca)
    }

    fn among(&self, list: &[Principal], identity: &Identity, ca: &str) -> bool {
        list.iter().any(|principal| match principal {
            Principal::Ca(name) => name == ca,
            other => self.names(other, Some(identity)),
        })
    }

    fn names(&self, principal: &Principal, identity: Option<&Identity>) -> bool {
        let Some(identity) = identity else { return false };
        match principal {
            Principal::Party(id) => identity.id() == id,
            Principal::Group(group) => {
                self.snapshot.groups.get(group).is_some_and(|members| members.contains(identity.id()))
            }
            Principal::Ca(_) => false,
        }
    }
}
