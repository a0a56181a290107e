//! Whether a certificate may be renewed by whoever holds its key.

use super::known::Known;
use super::{Identity, Moment, Way};
use crate::names::PartyName;
use crate::peer::Peer;
use crate::refusal::{Place, Refusal, Why};
use crate::site::Site;
use crate::snapshot::Snapshot;

/// Why it may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoRenewal {
    /// Refused, as at a site.
    Refused(Refusal),
    /// It is on record, and was not issued by the own authority to a party.
    NotOurs,
}

/// Whether `peer` may ask for the successor of its certificate, and as whom.
///
/// It must be a party's, issued by the own authority and on record: not revoked, not superseded beyond its overlap, its
/// party not suspended. It may have ended at most `grace` seconds ago. The peer's key is proved, its chain verified
/// against this site's anchors. To which sites the party is admitted plays no part.
pub fn may_renew(
    snapshot: &Snapshot,
    site: &Site,
    peer: Option<&Peer>,
    grace: i64,
    moment: Moment,
) -> Result<PartyName, NoRenewal> {
    let refused = |why| NoRenewal::Refused(Refusal { why, vouched: true, observable: false });
    let now = moment.now;
    if moment.policy_age > moment.max_stale {
        return Err(refused(Why::PolicyStale));
    }
    let peer = peer.ok_or_else(|| refused(Why::NoCertificate))?;
    let certificate = peer.certificate.as_ref().map_err(|malformed| {
        let why = Why::Malformed { what: malformed.0.clone() };
        NoRenewal::Refused(Refusal { why, vouched: false, observable: false })
    })?;
    let known = Known::of(snapshot, site, peer, certificate);
    known.never_again(snapshot, certificate, now).map_err(refused)?;
    if let Some(found) = certificate.public_key.weakness() {
        return Err(refused(Why::WeakKey { found }));
    }
    let candidate = known
        .candidate(site, peer, certificate)
        .map_err(|refusal| NoRenewal::Refused(Refusal { observable: false, ..refusal }))?;
    if let Some(because) = candidate.shortcoming {
        return Err(refused(Why::NotAllowed { party: None, because }));
    }
    let party = match (candidate.way, &candidate.identity) {
        (Way::OwnAuthority, Some(Identity::Party(party))) => party.clone(),
        _ => return Err(NoRenewal::NotOurs),
    };
    let suspended = snapshot.records.parties.get(&party).and_then(|party| party.suspended_since);
    if let Some(since) = suspended {
        return Err(refused(Why::Suspended { party: party.to_string(), since }));
    }
    if now > certificate.not_after.plus(grace) {
        return Err(refused(Why::Expired { not_after: certificate.not_after, place: Place::EndEntity }));
    }
    // Dates of the issuers, and usage, are as at a site; only the certificate's own end has grace.
    let within = now.min(certificate.not_after);
    candidate.dates(certificate, site, within).map_err(refused)?;
    if let Some(path) = candidate.path.filter(|path| now > path.not_after) {
        return Err(refused(Why::Expired { not_after: path.not_after, place: Place::Issuer }));
    }
    candidate.usage(certificate, now).map_err(refused)?;
    Ok(party)
}
