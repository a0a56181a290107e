//! What is on record of a presented certificate, and the first of the five ways that leads it to somebody.

use examiner::cert::SignatureHash as Hash;
use examiner::{Certificate, UnixTime};

use super::candidate::Candidate;
use super::{Identity, Way};
use crate::ca::OWN_CA;
use crate::names::PartyName;
use crate::packed::{CertificateView, HolderView};
use crate::peer::Peer;
use crate::record::{KeyRecord, Origin, PinExceptions, Revoked, SubjectRule, names_digest};
use crate::refusal::{NotAllowed, Refusal, Why};
use crate::revocation::Held;
use crate::site::{Audience, Site};
use crate::snapshot::Snapshot;
use crate::verify::Path;

/// What is on record of the presented certificate.
pub(super) struct Known<'a> {
    snapshot: &'a Snapshot,
    record: Option<CertificateView<'a>>,
    key: Option<&'a KeyRecord>,
    /// The key is on record, with other names.
    key_with_other_names: bool,
}

impl<'a> Known<'a> {
    pub(super) fn of(snapshot: &'a Snapshot, site: &Site, peer: &Peer, certificate: &Certificate) -> Self {
        let record = snapshot.records.certificates.get(&peer.thumbprint);
        let keys =
            snapshot.records.keys.get(&certificate.key_pin).filter(|_| site.audience == Audience::Parties);
        let names = keys.map(|_| names_digest(certificate));
        let key = keys.and_then(|all| all.iter().find(|one| Some(one.names) == names));
        Self { snapshot, record, key, key_with_other_names: keys.is_some() && key.is_none() }
    }

    /// Whose certificate this is by the record.
    pub(super) fn holder(&self) -> Option<Identity> {
        Some(match self.record?.holder {
            HolderView::Party(name) => Identity::Party(PartyName::known(name)),
            HolderView::Operator(name, role) => Identity::Operator(PartyName::known(name), role),
        })
    }

    /// What ends everything: revoked, superseded, a key known to be compromised.
    pub(super) fn never_again(
        &self,
        snapshot: &Snapshot,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Result<(), Why> {
        let revoked = |revoked: &Revoked| Why::Revoked { at: revoked.at, reason: revoked.reason.clone() };
        if let Some(found) = self.record.and_then(|record| record.revoked) {
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
    pub(super) fn held_against_lists(
        &self,
        site: &Site,
        peer: &Peer,
        certificate: &Certificate,
        now: UnixTime,
    ) -> Held {
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
    pub(super) fn candidate(
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
            if site.audience == Audience::Operators && matches!(record.holder, HolderView::Operator(..)) {
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
        record: CertificateView<'_>,
        way: Way,
        path: Option<&'a Path>,
        site: &Site,
    ) -> Candidate<'a> {
        let (identity, shortcoming) = match (record.holder, site.audience) {
            (HolderView::Party(name), Audience::Parties) => {
                (Some(Identity::Party(PartyName::known(name))), None)
            }
            (HolderView::Operator(name, role), Audience::Operators) => {
                (Some(Identity::Operator(PartyName::known(name), role)), None)
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
        let pinned_twin = self.snapshot.records.certificates.pinned_with_key(&certificate.key_pin);
        let twin_party = pinned_twin.and_then(|(_, record)| match record.holder {
            HolderView::Party(name) => Some(name.to_owned()),
            HolderView::Operator(..) => None,
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
