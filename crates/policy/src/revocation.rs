//! Revocation lists of trusted issuers: which are taken, and what they say of a certificate (RFC 5280 sections 5, 6.3).
//!
//! A list is looked up with each decision, by issuer and serial number, in the snapshot. What was not on a list of the
//! right issuer, of this time, is not known to be good.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use examiner::chain::{Examinee, extensions::KeyUsageBits};
use examiner::path::Crl;
use examiner::path::crl::{UnreadableCrl, significant};
use examiner::{Certificate, UnixTime};
use sha2::{Digest, Sha256};

use crate::ca::Ca;
use crate::refusal::Why;
use crate::verify::MAX_INTERMEDIATES;

/// Seconds that the issuer's clock may be ahead of ours when it dates a list.
pub const CLOCKS_APART: i64 = examiner::dates::CLOCKS_APART;

/// An issuer: its name together with its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IssuerId([u8; 32]);

/// A certificate as a revocation list names it: issuer and serial number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    serial: Box<[u8]>,
    issuer: IssuerId,
}

/// What becomes of an issuer's certificates when its list is past nextUpdate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnStale {
    /// Refused as `revocation-unknown`.
    #[default]
    Deny,
    /// Let through, told and counted as an exception. What is on the list stays revoked.
    Allow,
}

/// One issuer's list, read and verified.
#[derive(Clone, Debug)]
pub struct RevocationList {
    issuer: IssuerId,
    issuer_name: Box<[u8]>,
    /// The issuer's name in words.
    pub issued_by: String,
    /// Its number, big-endian without leading zeroes; `None` where it has none.
    pub number: Option<Vec<u8>>,
    /// When it was made.
    pub this_update: UnixTime,
    /// When the next one is due: the last second at which this one is fresh.
    pub next_update: UnixTime,
    /// Whether it speaks of end-entity certificates only.
    pub end_entities_only: bool,
    entries: HashMap<Box<[u8]>, (UnixTime, &'static str)>,
}

/// Why a list is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListFault {
    /// It cannot be read.
    #[error("{0}")]
    Unreadable(#[from] UnreadableCrl),
    /// Its structure may hide entries.
    #[error("the list is malformed: {0}")]
    Malformed(&'static str),
    /// A critical extension is not known here.
    #[error("the list has a critical extension that is not understood: {0}")]
    UnknownCritical(String),
    /// It is not a whole list.
    #[error("it is {0}; only an issuer's whole list is taken")]
    NotWhole(&'static str),
    /// It does not say when the next is due.
    #[error("the list has no nextUpdate, so nobody can tell when it is too old")]
    NoNextUpdate,
    /// nextUpdate is not after thisUpdate.
    #[error("the list's nextUpdate is not after its thisUpdate")]
    NoLife,
    /// Signed with a hash that is too weak.
    #[error("the list is signed with SHA-1, which is too weak")]
    WeakSignature,
    /// None of the CA's certificates has signed it.
    #[error("the list is signed by none of the CA's certificates")]
    NotSigned,
    /// Its issuer's key usage lacks cRLSign.
    #[error("the list's issuer, {0}, may not sign revocation lists: its key usage lacks cRLSign")]
    IssuerMayNot(String),
}

/// The lists of one trusted issuer, by the certificates that issue in its name.
#[derive(Clone, Debug, Default)]
pub struct CaLists {
    by_issuer: HashMap<IssuerId, (Arc<RevocationList>, OnStale)>,
}

/// What the lists say of one certificate and its issuers.
#[derive(Clone, Debug)]
pub struct Held {
    /// Revoked, with date and reason.
    pub revoked: Option<Why>,
    /// There is no list of its issuer, or none of this time.
    pub unknown: bool,
    /// A list is past nextUpdate and lets it through.
    pub stale: bool,
    /// Last second for which this holds if no list changes.
    pub until: UnixTime,
}

impl Default for Held {
    fn default() -> Self {
        Self { revoked: None, unknown: false, stale: false, until: UnixTime::FAR_FUTURE }
    }
}

impl IssuerId {
    /// Of an issuer's certificate.
    pub fn of(certificate: &Certificate) -> Self {
        let mut hash = Sha256::new();
        hash.update((certificate.subject_der.len() as u64).to_be_bytes());
        hash.update(&certificate.subject_der);
        hash.update(&certificate.spki);
        Self(hash.finalize().into())
    }
}

impl Link {
    /// The certificate with this serial number (contents of the INTEGER) by this issuer.
    pub fn new(serial: &[u8], issuer: IssuerId) -> Self {
        Self { serial: significant(serial).into(), issuer }
    }
}

impl RevocationList {
    /// Reads a list from DER and verifies it with the one of `issuers` that it names.
    pub fn read<'a>(
        der: &[u8],
        issuers: impl IntoIterator<Item = &'a Certificate>,
    ) -> Result<Self, ListFault> {
        let crl = Crl::from_der(der)?;
        if let Some(flaw) = crl.flaw {
            return Err(ListFault::Malformed(flaw));
        }
        let end_entities_only = whole(&crl)?;
        if let Some(unknown) = crl.unknown_critical.first() {
            return Err(ListFault::UnknownCritical(unknown.clone()));
        }
        let next_update = crl.next_update.ok_or(ListFault::NoNextUpdate)?;
        if next_update <= crl.this_update {
            return Err(ListFault::NoLife);
        }
        if crl.signature_algorithm() == SHA1_WITH_RSA {
            return Err(ListFault::WeakSignature);
        }
        let signer = issuers
            .into_iter()
            .filter(|one| *one.subject_der == *crl.issuer)
            .map(|one| (one, Examinee::read(one.der.clone())))
            .find(|(_, examinee)| crl.is_signed_by(examinee));
        let Some((issuer, examinee)) = signer else { return Err(ListFault::NotSigned) };
        if examinee.known.key_usage.read().is_some_and(|usage| !usage.has(KeyUsageBits::CRL_SIGN)) {
            return Err(ListFault::IssuerMayNot(issuer.subject.to_string()));
        }
        let this_update = crl.this_update;
        Ok(Self {
            issuer: IssuerId::of(issuer),
            issuer_name: issuer.subject_der.clone(),
            issued_by: issuer.subject.to_string(),
            number: crl.number_octets(),
            this_update,
            next_update,
            end_entities_only,
            entries: crl
                .into_entries()
                .map(|(serial, entry)| {
                    let since = entry.since.unwrap_or(this_update);
                    (serial.into_boxed_slice(), (since, reason(entry.reason)))
                })
                .collect(),
        })
    }

    /// How many certificates it lists.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Whether both are of the same issuer.
    pub fn is_of_same_issuer(&self, other: &Self) -> bool {
        self.issuer == other.issuer
    }

    /// Whether `other` of the same issuer was made after this one: by number where both have one, and by date.
    pub fn is_older_than(&self, other: &Self) -> bool {
        let by_number = match (&self.number, &other.number) {
            (Some(own), Some(others)) => own.len().cmp(&others.len()).then_with(|| own.cmp(others)),
            _ => Ordering::Equal,
        };
        by_number == Ordering::Less || self.this_update < other.this_update
    }

    /// Whether it holds at this moment: not before its time, not past nextUpdate.
    pub fn is_fresh_at(&self, now: UnixTime) -> bool {
        self.this_update <= now.plus(CLOCKS_APART) && now <= self.next_update
    }

    /// Since when its being renewed late needs attention: a day before nextUpdate, or in the last quarter of a life
    /// that is shorter than four days.
    pub fn attention_from(&self) -> UnixTime {
        let quarter = (self.next_update.seconds() - self.this_update.seconds()) / 4;
        self.next_update.plus(-quarter.min(86_400))
    }

    fn look_up(&self, serial: &[u8]) -> Option<Why> {
        let (at, reason) = self.entries.get(serial)?;
        Some(Why::Revoked { at: *at, reason: (*reason).to_owned() })
    }
}

/// Whether it speaks of end-entity certificates alone; an error where it does not speak of all of these.
fn whole(crl: &Crl) -> Result<bool, ListFault> {
    if crl.is_delta {
        return Err(ListFault::NotWhole("a delta list"));
    }
    let Some(scope) = crl.scope else { return Ok(false) };
    let lack = [
        (scope.indirect, "an indirect list, about other issuers' certificates"),
        (scope.some_reasons, "a list for some reasons only"),
        (scope.only_cas, "a list of CA certificates only"),
        (scope.nothing_of_ours, "a list of no certificates for TLS"),
        (scope.one_distribution_point, "a list for one distribution point only"),
    ];
    match lack.into_iter().find(|(has, _)| *has) {
        Some((_, what)) => Err(ListFault::NotWhole(what)),
        None => Ok(scope.only_end_entities),
    }
}

const SHA1_WITH_RSA: &str = "1.2.840.113549.1.1.5";

/// A CRLReason in words. `removeFromCRL` belongs into delta lists; what stands on a whole list is revoked.
fn reason(code: Option<u8>) -> &'static str {
    match code {
        Some(1) => "key-compromise",
        Some(2) => "ca-compromise",
        Some(3) => "affiliation-changed",
        Some(4) => "superseded",
        Some(5) => "cessation-of-operation",
        Some(6) => "certificate-hold",
        Some(8) => "remove-from-crl",
        Some(9) => "privilege-withdrawn",
        Some(10) => "aa-compromise",
        _ => "unspecified",
    }
}

impl CaLists {
    /// Of these lists; of two by one issuer, the newer.
    pub fn new(lists: impl IntoIterator<Item = (Arc<RevocationList>, OnStale)>) -> Self {
        let mut by_issuer: HashMap<IssuerId, (Arc<RevocationList>, OnStale)> = HashMap::new();
        for (list, on_stale) in lists {
            let newer = by_issuer.get(&list.issuer).is_none_or(|(there, _)| there.is_older_than(&list));
            if newer {
                by_issuer.insert(list.issuer, (list, on_stale));
            }
        }
        Self { by_issuer }
    }

    /// When the next of its lists is due.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.by_issuer.values().map(|(list, _)| list.next_update).min()
    }

    /// Holds a verified path against the lists. Its end-entity certificate needs one; its intermediates are on one,
    /// where their issuer has a list here.
    pub fn hold_path(&self, links: &[Link], now: UnixTime, held: &mut Held) {
        for (at, link) in links.iter().enumerate() {
            match self.by_issuer.get(&link.issuer) {
                Some((list, _)) if at > 0 && list.end_entities_only => {}
                Some((list, on_stale)) => held.by(list, *on_stale, &link.serial, now),
                None => held.unknown |= at == 0,
            }
        }
    }

    /// Holds a certificate without a verified path against the lists of the issuers of `ca` that it names.
    pub fn hold_by_name(&self, ca: &Ca, certificate: &Certificate, now: UnixTime, held: &mut Held) {
        let mut below = certificate;
        for step in 0..=MAX_INTERMEDIATES {
            let named = |one: &&Certificate| one.subject_der == below.issuer_der;
            let intermediate = ca.intermediates.iter().find(named);
            if intermediate.or_else(|| ca.anchors.iter().find(named)).is_none() {
                return;
            }
            let lists = self.by_issuer.values().filter(|(list, _)| list.issuer_name == below.issuer_der);
            let mut found = false;
            for (list, on_stale) in lists.filter(|(list, _)| step == 0 || !list.end_entities_only) {
                found = true;
                held.by(list, *on_stale, significant(&below.serial), now);
            }
            held.unknown |= step == 0 && !found;
            let Some(intermediate) = intermediate else { return };
            below = intermediate;
        }
    }
}

impl Held {
    fn by(&mut self, list: &RevocationList, on_stale: OnStale, serial: &[u8], now: UnixTime) {
        if self.revoked.is_none() {
            self.revoked = list.look_up(serial);
        }
        if list.is_fresh_at(now) {
            self.until = self.until.min(list.next_update);
            return;
        }
        match on_stale {
            OnStale::Deny => self.unknown = true,
            OnStale::Allow => self.stale = true,
        }
    }
}
