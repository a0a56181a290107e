//! The decision: whether a peer may enter a site, at a moment. Nothing is admitted by default.

use std::sync::Arc;

use examiner::cert::SignatureHash as Hash;
use examiner::{Certificate, UnixTime};

use crate::ca::{Admission, OWN_CA};
use crate::names::PartyName;
use crate::peer::Peer;
use crate::record::{
    CertificateRecord, Holder, KeyRecord, OperatorRole, Origin, PinExceptions, Revoked, SubjectRule,
    names_digest,
};
use crate::refusal::{NotAllowed, Place, Refusal, Usage, Why};
use crate::revocation::Held;
use crate::site::{Audience, ClientAuth, Principal, RuleIndex, Site};
use crate::snapshot::Snapshot;
use crate::verify::Path;

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

/// What is on record of the presented certificate.
struct Known<'a> {
    snapshot: &'a Snapshot,
    record: Option<&'a Arc<CertificateRecord>>,
    key: Option<&'a KeyRecord>,
    /// The key is on record, with other names.
    key_with_other_names: bool,
}

/// A way that leads somewhere: to a party, or to a reason on that way.
struct Candidate<'a> {
    way: Way,
    identity: Option<Identity>,
    shortcoming: Option<NotAllowed>,
    /// The path it rests on, where the way needs one.
    path: Option<&'a Path>,
    exceptions: PinExceptions,
    superseded_after: Option<UnixTime>,
}

impl<'a> Known<'a> {
    fn of(snapshot: &'a Snapshot, site: &Site, peer: &Peer, certificate: &Certificate) -> Self {
        let record = snapshot.records.certificates.get(&peer.thumbprint);
        let keys =
            snapshot.records.keys.get(&certificate.key_pin).filter(|_| site.audience == Audience::Parties);
        let names = keys.map(|_| names_digest(certificate));
        let key = keys.and_then(|all| all.iter().find(|one| Some(one.names) == names));
        Self { snapshot, record, key, key_with_other_names: keys.is_some() && key.is_none() }
    }

    /// Whose certificate this is by the record.
    fn holder(&self) -> Option<Identity> {
        Some(match &self.record?.holder {
            Holder::Party(name) => Identity::Party(name.clone()),
            Holder::Operator { name, role } => Identity::Operator(name.clone(), *role),
        })
    }

    /// What ends everything: revoked, superseded, a key known to be compromised.
    fn never_again(&self, snapshot: &Snapshot, certificate: &Certificate, now: UnixTime) -> Result<(), Why> {
        let revoked = |revoked: &Revoked| Why::Revoked { at: revoked.at, reason: revoked.reason.clone() };
        if let Some(found) = self.record.and_then(|record| record.revoked.as_ref()) {
            return Err(revoked(found));
        }
        if let Some(found) = self.key.and_then(|key| key.revoked.as_ref()) {
            return Err(revoked(found));
        }
        if snapshot.records.compromised_keys.contains(&certificate.key_pin) {
            return Err(Why::Revoked { at: now, reason: "key-compromise".into() });
        }
        match self.record.and_then(|record| record.superseded_after) {
            Some(since) if since < now => Err(Why::Superseded { since }),
            _ => Ok(()),
        }
    }

    /// What the revocation lists of this site's CAs say, whichever way leads in.
    ///
    /// Every verified path counts. A pinned certificate without one, because its intermediate was not sent, is held
    /// against the lists of the issuer that it names.
    fn held_against_lists(&self, site: &Site, peer: &Peer, certificate: &Certificate, now: UnixTime) -> Held {
        let mut held = Held::default();
        let all = &self.snapshot.lists;
        if all.is_empty() {
            return held;
        }
        for path in peer.vouching.paths.iter().filter(|path| path.admits) {
            if let Some(lists) = all.get(&path.ca.name) {
                lists.hold_path(&path.links, now, &mut held);
            }
        }
        if self.record.is_some() || self.key.is_some() {
            let has_path = |name: &str| peer.vouching.paths.iter().any(|path| path.ca.name == name);
            for anchor in site.anchors.anchors().iter().filter(|anchor| anchor.admits) {
                if let Some(lists) = all.get(&anchor.ca.name).filter(|_| !has_path(&anchor.ca.name)) {
                    lists.hold_by_name(&anchor.ca, certificate, now, &mut held);
                }
            }
        }
        held
    }

    /// The first way that fits; where none does, the refusal.
    fn candidate(
        &self,
        site: &Site,
        peer: &'a Peer,
        certificate: &Certificate,
    ) -> Result<Candidate<'a>, Refusal> {
        let paths = || peer.vouching.paths.iter().filter(|path| path.admits);
        if let Some(record) = self.record {
            if record.origin == Origin::Pinned {
                return Ok(self.on_record(record, Way::Thumbprint, None, site));
            }
            // An operator's own certificate is pinned by its record.
            if site.audience == Audience::Operators && matches!(record.holder, Holder::Operator { .. }) {
                return Ok(self.on_record(record, Way::Thumbprint, None, site));
            }
        }
        if let Some(key) = self.key {
            return Ok(Candidate {
                way: Way::Key,
                identity: Some(Identity::Party(key.party.clone())),
                shortcoming: None,
                path: None,
                exceptions: key.exceptions.clone(),
                superseded_after: None,
            });
        }
        if certificate.signature_hash == Hash::Sha1 || certificate.signature_hash == Hash::Md5 {
            let found = format!("{:?} signature", certificate.signature_hash);
            return Err(Refusal { why: Why::WeakKey { found }, vouched: false, observable: false });
        }
        let own_path = paths().find(|path| path.ca.name == OWN_CA);
        if let (Some(record), Some(path)) = (self.record, own_path) {
            return Ok(self.on_record(record, Way::OwnAuthority, Some(path), site));
        }
        if site.audience == Audience::Parties {
            if let Some(found) = self.by_subject(certificate, paths()) {
                return Ok(found);
            }
            if let Some(found) = by_issuer(certificate, paths()) {
                return Ok(found);
            }
        }
        if own_path.is_some() {
            return Ok(Candidate::short(Way::OwnAuthority, own_path, NotAllowed::NotOnRecord));
        }
        if let Some(path) = paths().next() {
            return Ok(Candidate::short(Way::Issuer, Some(path), NotAllowed::NoMatch));
        }
        Err(self.nobody_vouches(peer, certificate))
    }

    fn on_record(
        &self,
        record: &CertificateRecord,
        way: Way,
        path: Option<&'a Path>,
        site: &Site,
    ) -> Candidate<'a> {
        let (identity, shortcoming) = match (&record.holder, site.audience) {
            (Holder::Party(name), Audience::Parties) => (Some(Identity::Party(name.clone())), None),
            (Holder::Operator { name, role }, Audience::Operators) => {
                (Some(Identity::Operator(name.clone(), *role)), None)
            }
            _ => (None, Some(NotAllowed::OtherAudience)),
        };
        Candidate {
            way,
            identity,
            shortcoming,
            path,
            exceptions: record.exceptions.clone(),
            superseded_after: record.superseded_after,
        }
    }

    /// Way 4: this subject from a CA whose key is on the verified path.
    fn by_subject(
        &self,
        certificate: &Certificate,
        paths: impl Iterator<Item = &'a Path>,
    ) -> Option<Candidate<'a>> {
        let subject = certificate.subject.key()?.0;
        let rules = &self.snapshot.records.subjects;
        if rules.is_empty() {
            return None;
        }
        paths.into_iter().find_map(|path| {
            let party = rules.get(&SubjectRule { ca: path.ca.name.clone(), subject })?;
            Some(Candidate {
                way: Way::Subject,
                identity: Some(Identity::Party(party.clone())),
                shortcoming: None,
                path: Some(path),
                exceptions: PinExceptions::default(),
                superseded_after: None,
            })
        })
    }

    fn nobody_vouches(&self, peer: &Peer, certificate: &Certificate) -> Refusal {
        let pinned_twin = self.snapshot.records.pinned_keys.get(&certificate.key_pin);
        let twin_party = pinned_twin
            .and_then(|thumbprint| self.snapshot.records.certificates.get(thumbprint))
            .and_then(|record| match &record.holder {
                Holder::Party(name) => Some(name.to_string()),
                Holder::Operator { .. } => None,
            });
        let known_key = twin_party.is_some() || self.key_with_other_names;
        let why = match peer.vouching.failure.clone() {
            Some(Why::UnknownIssuer { issuer, name_equals_ca, .. }) => Why::UnknownIssuer {
                issuer,
                name_equals_ca,
                same_key_as_pin_of: twin_party,
                key_pin_with_other_names: self.key_with_other_names,
            },
            Some(why) => why,
            None => Why::UnknownIssuer {
                issuer: certificate.issuer.to_string(),
                name_equals_ca: None,
                same_key_as_pin_of: twin_party,
                key_pin_with_other_names: self.key_with_other_names,
            },
        };
        let vouched =
            known_key || matches!(why, Why::ChainIncomplete { .. } | Why::BadSignature | Why::WrongUsage(_));
        let observable = matches!(
            why,
            Why::UnknownIssuer { .. } | Why::Expired { .. } | Why::NotYetValid { .. } | Why::WrongUsage(_)
        );
        Refusal { why, vouched, observable }
    }
}

/// Way 5: an attached issuer's certificate that fits its `match`.
fn by_issuer<'a>(certificate: &Certificate, paths: impl Iterator<Item = &'a Path>) -> Option<Candidate<'a>> {
    let path = paths.into_iter().find(|path| path.ca.fits(certificate))?;
    let Some(id) = path.ca.party_id(certificate) else {
        return Some(Candidate::short(Way::Issuer, Some(path), NotAllowed::NoSingleName));
    };
    Some(Candidate {
        way: Way::Issuer,
        identity: Some(Identity::Foreign(id)),
        shortcoming: None,
        path: Some(path),
        exceptions: PinExceptions::default(),
        superseded_after: None,
    })
}

impl<'a> Candidate<'a> {
    fn short(way: Way, path: Option<&'a Path>, shortcoming: NotAllowed) -> Self {
        Self {
            way,
            identity: None,
            shortcoming: Some(shortcoming),
            path,
            exceptions: PinExceptions::default(),
            superseded_after: None,
        }
    }

    /// Dates of the certificate and, where the way rests on a path, of its issuers; both ends inclusive.
    fn dates(&self, certificate: &Certificate, site: &Site, now: UnixTime) -> Result<(), Why> {
        let tolerant = now.plus(site.clock_tolerance);
        if now > certificate.not_after {
            return Err(Why::Expired { not_after: certificate.not_after, place: Place::EndEntity });
        }
        if certificate.not_before > tolerant {
            return Err(Why::NotYetValid { not_before: certificate.not_before, place: Place::EndEntity });
        }
        let Some(path) = self.path else { return Ok(()) };
        if now > path.not_after {
            return Err(Why::Expired { not_after: path.not_after, place: Place::Issuer });
        }
        if path.not_before > tolerant {
            return Err(Why::NotYetValid { not_before: path.not_before, place: Place::Issuer });
        }
        Ok(())
    }

    /// Whether it is meant for logging in; returns the exceptions that were needed.
    fn usage(&self, certificate: &Certificate, now: UnixTime) -> Result<Vec<Exception>, Why> {
        let in_force = |until: Option<UnixTime>| until.filter(|until| now <= *until);
        let mut used = Vec::new();
        if certificate.is_ca {
            match in_force(self.exceptions.ca_certificate_until) {
                Some(until) => used.push(Exception::CaCertificate(until)),
                None => return Err(Why::WrongUsage(Usage::CaCertificate)),
            }
        }
        if certificate.key_usage.is_some_and(|usage| !usage.digital_signature) {
            return Err(Why::WrongUsage(Usage::NoDigitalSignature));
        }
        let missing = if !certificate.has_client_usage() {
            Some(match &certificate.extended_key_usage {
                None => Usage::NoKeyPurpose,
                Some(purposes) => Usage::OtherKeyPurposes(purposes.clone()),
            })
        } else if self.path.is_some_and(|path| path.issuer_not_for_clients) {
            Some(Usage::IssuerNotForClients)
        } else {
            None
        };
        if let Some(missing) = missing {
            let by_ca = self.path.and_then(|path| path.ca.without_client_usage_until);
            match in_force(self.exceptions.without_client_usage_until).or(in_force(by_ca)) {
                Some(until) => used.push(Exception::WithoutClientUsage(until)),
                None => return Err(Why::WrongUsage(missing)),
            }
        }
        Ok(used)
    }
}

/// The lists that hold for a site and path rule.
struct Lists<'a> {
    snapshot: &'a Snapshot,
    site: &'a Site,
    allow: &'a [Principal],
    deny: &'a [Principal],
    grants_count: bool,
}

impl<'a> Lists<'a> {
    fn of(snapshot: &'a Snapshot, site: &'a Site, rule: RuleIndex) -> Self {
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
    fn denies(&self, identity: Option<&Identity>, peer: &Peer) -> bool {
        self.deny.iter().any(|principal| match principal {
            Principal::Ca(name) => peer.vouching.paths.iter().any(|path| path.ca.name == *name),
            other => self.names(other, identity),
        })
    }

    /// The rule that allows, in words.
    fn allows(&self, candidate: &Candidate<'_>) -> Option<String> {
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

/// Whether this CA would let in everyone with a certificate from its issuer.
pub fn admits_everyone(admission: &Admission) -> bool {
    *admission == Admission::Any
}
