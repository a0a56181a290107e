//! The decision: whether a peer may enter a site, at a moment. Nothing is admitted by default.
//!
//! - `known`: what is on record of the certificate, and which of the five ways it leads.
//! - `candidate`: such a way, and whether dates and usage hold on it.
//! - `lists`: `allow`, `deny` and grants. `open_to`: the sites that these open to a party.
//! - `renewal`: whether a certificate may be renewed by whoever holds its key.

use examiner::UnixTime;

use crate::names::PartyName;
use crate::peer::Peer;
use crate::record::OperatorRole;
use crate::refusal::{NotAllowed, Refusal, Why};
use crate::site::{ClientAuth, RuleIndex, Site};
use crate::snapshot::Snapshot;

mod candidate;
mod known;
mod lists;
mod open_to;
mod renewal;

pub use open_to::sites_of;
pub use renewal::{NoRenewal, may_renew};

use known::Known;
use lists::Lists;

/// When the decision is made, and how old the policy is then.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: UnixTime,
    /// Seconds since the policy was last known to be current.
    pub policy_age: i64,
    /// Seconds after which a policy that could not be refreshed refuses everybody.
    pub max_stale: i64,
}

impl Moment {
    /// A moment with a fresh policy.
    pub fn at(now: UnixTime) -> Self {
        Self { now, policy_age: 0, max_stale: i64::MAX }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The party enters.
    Admit(Grant),
    /// The path is open: anyone passes, without identity.
    Open,
    /// The site observes: it passes without identity, and is recorded as what would have been refused.
    Observe(Refusal),
    /// Refused.
    Refuse(Refusal),
}

/// An admission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Who enters.
    pub identity: Identity,
    /// How the certificate led there.
    pub way: Way,
    /// Which rule allowed it, in words for log and `explain`.
    pub rule: String,
    /// Dated exceptions that were needed.
    pub exceptions: Vec<Exception>,
    /// Last second for which this holds if nothing else changes.
    pub until: UnixTime,
}

/// Who was recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A party of our own.
    Party(PartyName),
    /// A visitor admitted by a foreign CA: `ca/NAME[/TYPE/VALUE]`.
    Foreign(String),
    /// An operator, on the admin address.
    Operator(PartyName, OperatorRole),
}

/// By which of the five ways the certificate led to its party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Way {
    Thumbprint,
    Key,
    OwnAuthority,
    Subject,
    Issuer,
}

/// A dated exception that an admission needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exception {
    /// The client usage is missing.
    WithoutClientUsage(UnixTime),
    /// It is a CA certificate.
    CaCertificate(UnixTime),
    /// Its issuer's revocation list is past its nextUpdate, and the CA's `on_stale` lets it through.
    StaleRevocationList,
}

impl Identity {
    /// The party's id as upstream, log and rules write it.
    pub fn id(&self) -> &str {
        match self {
            Self::Party(name) | Self::Operator(name, _) => name.as_str(),
            Self::Foreign(id) => id,
        }
    }
}

impl Way {
    /// As log and `explain` write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Thumbprint => "thumbprint",
            Self::Key => "key",
            Self::OwnAuthority => "own-authority",
            Self::Subject => "subject",
            Self::Issuer => "issuer",
        }
    }
}

impl Exception {
    /// Last second at which it excuses; a list that is not renewed excuses for as long as the CA's `on_stale` stands.
    pub fn until(self) -> UnixTime {
        match self {
            Self::WithoutClientUsage(until) | Self::CaCertificate(until) => until,
            Self::StaleRevocationList => UnixTime::FAR_FUTURE,
        }
    }

    /// As log and metric write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WithoutClientUsage(_) => "accept-without-client-usage",
            Self::CaCertificate(_) => "accept-ca-certificate",
            Self::StaleRevocationList => "stale-revocation-list",
        }
    }
}

/// Whether `peer` (`None`: no certificate was shown) may enter `site` under its path rule `rule`.
///
/// The peer's key is proved and its chain verified against this site's anchors; this decides admission alone. Refusals
/// that observing must never let through come first.
pub fn decide(
    snapshot: &Snapshot,
    site: &Site,
    rule: RuleIndex,
    peer: Option<&Peer>,
    moment: Moment,
) -> Decision {
    if moment.policy_age > moment.max_stale {
        return Decision::Refuse(Refusal { why: Why::PolicyStale, vouched: true, observable: false });
    }
    match (site.client_auth(rule), peer) {
        (ClientAuth::Off, _) | (ClientAuth::Optional, None) => return Decision::Open,
        _ => {}
    }
    match judge(snapshot, site, rule, peer, moment.now) {
        Ok(grant) => Decision::Admit(grant),
        Err(refusal) if refusal.observable && site.observe_until.is_some_and(|until| moment.now <= until) => {
            Decision::Observe(refusal)
        }
        Err(refusal) => Decision::Refuse(refusal),
    }
}

/// Who shows this certificate, where that is known: for the log alone, whether or not they may enter.
///
/// A certificate on record is its holder's, revoked and superseded ones too; else the way that fits leads to them.
pub fn recognise(snapshot: &Snapshot, site: &Site, peer: &Peer) -> Option<Identity> {
    let certificate = peer.certificate.as_ref().ok()?;
    let known = Known::of(snapshot, site, peer, certificate);
    known.holder().or_else(|| known.candidate(site, peer, certificate).ok()?.identity)
}

fn judge(
    snapshot: &Snapshot,
    site: &Site,
    rule: RuleIndex,
    peer: Option<&Peer>,
    now: UnixTime,
) -> Result<Grant, Refusal> {
    let Some(peer) = peer else {
        return Err(Refusal { why: Why::NoCertificate, vouched: true, observable: true });
    };
    let hard = |why, vouched| Refusal { why, vouched, observable: false };
    let certificate = match &peer.certificate {
        Ok(certificate) => certificate,
        Err(malformed) => return Err(hard(Why::Malformed { what: malformed.0.clone() }, false)),
    };
    let known = Known::of(snapshot, site, peer, certificate);

    known.never_again(snapshot, certificate, now).map_err(|why| hard(why, true))?;
    let held = known.held_against_lists(site, peer, certificate, now);
    if let Some(why) = held.revoked {
        return Err(hard(why, true));
    }
    if let Some(found) = certificate.public_key.weakness() {
        return Err(hard(Why::WeakKey { found }, true));
    }
    let found = known.candidate(site, peer, certificate);
    // A party on record is held to what is said about it where no way leads in, too.
    let identity = found.as_ref().ok().and_then(|way| way.identity.clone()).or_else(|| known.holder());
    let party = identity.as_ref().map(|identity| identity.id().to_owned());
    if let Some(Identity::Party(name)) = &identity
        && let Some(since) = snapshot.records.parties.get(name).and_then(|party| party.suspended_since)
    {
        return Err(hard(Why::Suspended { party: name.to_string(), since }, true));
    }
    let lists = Lists::of(snapshot, site, rule);
    if lists.denies(identity.as_ref(), peer) {
        return Err(hard(Why::NotAllowed { party, because: NotAllowed::Denied }, true));
    }
    let candidate = found?;

    if held.unknown {
        return Err(hard(Why::RevocationUnknown, true));
    }

    let soft = |why| Refusal { why, vouched: true, observable: true };
    candidate.dates(certificate, site, now).map_err(soft)?;
    let mut exceptions = candidate.usage(certificate, now).map_err(soft)?;
    exceptions.extend(held.stale.then_some(Exception::StaleRevocationList));
    if let Some(because) = candidate.shortcoming {
        // A certificate that says it is ours without a record is never let through by observing.
        let observable = because != NotAllowed::NotOnRecord && because != NotAllowed::OtherAudience;
        return Err(Refusal { why: Why::NotAllowed { party, because }, vouched: true, observable });
    }
    let identity = match candidate.identity.clone() {
        Some(identity) => identity,
        None => return Err(soft(Why::NotAllowed { party: None, because: NotAllowed::NoMatch })),
    };
    let rule = lists.allows(&candidate).ok_or_else(|| {
        soft(Why::NotAllowed { party: Some(identity.id().to_owned()), because: NotAllowed::NotListed })
    })?;

    let mut until = certificate.not_after.min(held.until);
    if let Some(path) = candidate.path {
        until = until.min(path.not_after);
    }
    for end in exceptions.iter().map(|e| e.until()).chain(candidate.superseded_after) {
        until = until.min(end);
    }
    Ok(Grant { identity, way: candidate.way, rule, exceptions, until })
}
