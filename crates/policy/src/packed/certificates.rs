//! Certificates on record by thumbprint.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use examiner::{KeyPin, Thumbprint, UnixTime};

mod stored;

use super::prefixes::{Prefixes, key};
use super::texts::{Interner, Texts};
use crate::names::PartyName;
use crate::record::{CertificateRecord, Holder, OperatorRole, Origin, PinExceptions, Revoked};

/// Certificates on record by thumbprint. Copies share what did not change.
#[derive(Clone, Debug, Default)]
pub struct Certificates {
    base: Arc<Base>,
    overlay: HashMap<Thumbprint, Option<Arc<CertificateRecord>>>,
    /// The pinned certificates in the overlay by their public keys.
    overlay_keys: BTreeSet<(KeyPin, Thumbprint)>,
    pinned: usize,
}

/// What is on record of one certificate, as it lies there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateView<'a> {
    /// Whose it is.
    pub holder: HolderView<'a>,
    /// What its holder calls it.
    pub label: &'a str,
    /// How it came on record.
    pub origin: Origin,
    /// The pin of its public key.
    pub key_pin: KeyPin,
    /// Last second at which it is accepted beside its successor.
    pub superseded_after: Option<UnixTime>,
    /// When and why it was revoked.
    pub revoked: Option<&'a Revoked>,
    /// Dated exceptions for it.
    pub exceptions: &'a PinExceptions,
}

/// Whose a certificate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HolderView<'a> {
    /// A party's, by its name.
    Party(&'a str),
    /// An operator's.
    Operator(&'a str, OperatorRole),
}

impl CertificateView<'_> {
    /// The whole record.
    pub fn to_record(&self) -> CertificateRecord {
        CertificateRecord {
            holder: match self.holder {
                HolderView::Party(name) => Holder::Party(PartyName::known(name)),
                HolderView::Operator(name, role) => Holder::Operator { name: PartyName::known(name), role },
            },
            label: self.label.to_owned(),
            origin: self.origin,
            key_pin: self.key_pin,
            superseded_after: self.superseded_after,
            revoked: self.revoked.cloned(),
            exceptions: self.exceptions.clone(),
        }
    }
}

impl CertificateRecord {
    /// The same, borrowed.
    pub fn view(&self) -> CertificateView<'_> {
        CertificateView {
            holder: match &self.holder {
                Holder::Party(name) => HolderView::Party(name.as_str()),
                Holder::Operator { name, role } => HolderView::Operator(name.as_str(), *role),
            },
            label: &self.label,
            origin: self.origin,
            key_pin: self.key_pin,
            superseded_after: self.superseded_after,
            revoked: self.revoked.as_ref(),
            exceptions: &self.exceptions,
        }
    }
}

impl Certificates {
    /// The record of this certificate.
    pub fn get(&self, thumbprint: &Thumbprint) -> Option<CertificateView<'_>> {
        match self.overlay.get(thumbprint) {
            Some(changed) => changed.as_ref().map(|record| record.view()),
            None => self.base.find(thumbprint).map(|packed| self.base.view(packed)),
        }
    }

    /// Puts a record into the overlay.
    pub fn insert(&mut self, thumbprint: Thumbprint, record: CertificateRecord) {
        self.uncount(&thumbprint);
        if record.origin == Origin::Pinned {
            self.pinned += 1;
            self.overlay_keys.insert((record.key_pin, thumbprint));
        }
        self.overlay.insert(thumbprint, Some(Arc::new(record)));
    }

    /// Removes a record.
    pub fn remove(&mut self, thumbprint: &Thumbprint) {
        self.uncount(thumbprint);
        if self.base.find(thumbprint).is_some() {
            self.overlay.insert(*thumbprint, None);
        } else {
            self.overlay.remove(thumbprint);
        }
    }

    fn uncount(&mut self, thumbprint: &Thumbprint) {
        if let Some(before) = self.get(thumbprint).filter(|before| before.origin == Origin::Pinned) {
            let key = (before.key_pin, *thumbprint);
            self.pinned -= 1;
            self.overlay_keys.remove(&key);
        }
    }

    /// A pinned certificate with this public key, to tell a renewed one from a stranger's.
    pub fn pinned_with_key(&self, pin: &KeyPin) -> Option<(&Thumbprint, CertificateView<'_>)> {
        let is_so = |view: &CertificateView<'_>| view.origin == Origin::Pinned && view.key_pin == *pin;
        let ends = (*pin, Thumbprint([0; 32]))..=(*pin, Thumbprint([u8::MAX; 32]));
        let changed = self.overlay_keys.range(ends).map(|(_, thumbprint)| thumbprint);
        let packed = self.base.with_key(pin).map(|packed| &packed.thumbprint);
        changed.chain(packed).find_map(|thumbprint| Some((thumbprint, self.get(thumbprint).filter(is_so)?)))
    }

    /// Whether any is pinned.
    pub fn has_pinned(&self) -> bool {
        self.pinned > 0
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Thumbprint, CertificateView<'_>)> {
        let unchanged =
            self.base.packed.iter().filter(|packed| !self.overlay.contains_key(&packed.thumbprint));
        let changed = self.overlay.iter();
        unchanged
            .map(|packed| (&packed.thumbprint, self.base.view(packed)))
            .chain(changed.filter_map(|(thumbprint, record)| Some((thumbprint, record.as_ref()?.view()))))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let masked = self.overlay.keys().filter(|changed| self.base.find(changed).is_some()).count();
        self.base.packed.len() - masked + self.overlay.values().flatten().count()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many changes lie over the packed ones.
    pub fn overlay_len(&self) -> usize {
        self.overlay.len()
    }

    /// Packs the changes too; afterwards a copy is cheap again.
    pub fn merge(&mut self) {
        if self.overlay.is_empty() {
            return;
        }
        let mut builder = CertificatesBuilder::with_capacity(self.base.packed.len() + self.overlay.len());
        for (thumbprint, view) in self.iter() {
            builder.push(*thumbprint, view);
        }
        *self = builder.finish();
    }
}

/// Packs certificates one after the other.
#[derive(Debug, Default)]
pub struct CertificatesBuilder {
    packed: Vec<Packed>,
    texts: Interner,
    rare: HashMap<Thumbprint, Rare>,
}

impl CertificatesBuilder {
    /// With room for so many.
    pub fn with_capacity(certificates: usize) -> Self {
        Self {
            packed: Vec::with_capacity(certificates),
            texts: Interner::with_capacity(certificates),
            ..Self::default()
        }
    }

    /// Adds one. Of two with the same thumbprint the later one counts.
    pub fn push(&mut self, thumbprint: Thumbprint, view: CertificateView<'_>) {
        let (holder, role) = match view.holder {
            HolderView::Party(name) => (name, None),
            HolderView::Operator(name, role) => (name, Some(role)),
        };
        if view.revoked.is_some() || *view.exceptions != NO_EXCEPTIONS {
            let rare = Rare { revoked: view.revoked.cloned(), exceptions: view.exceptions.clone() };
            self.rare.insert(thumbprint, rare);
        } else {
            self.rare.remove(&thumbprint);
        }
        self.packed.push(Packed {
            thumbprint,
            key_pin: view.key_pin,
            superseded_after: view.superseded_after.map_or(NEVER, UnixTime::seconds),
            holder: self.texts.number(holder),
            label: self.texts.number(view.label),
            origin: view.origin,
            role,
        });
    }

    /// All that were added.
    pub fn finish(mut self) -> Certificates {
        let texts = self.texts.finish();
        sort(&mut self.packed);
        // Of equal ones the later stands later, and is the one that is kept.
        self.packed.dedup_by(|later, earlier| {
            let same = later.thumbprint == earlier.thumbprint;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        self.packed.shrink_to_fit();
        let by_key = by_key(&self.packed);
        let pinned = by_key.len();
        let base = Base {
            prefixes: Prefixes::of(self.packed.iter().map(|one| key(&one.thumbprint.0))),
            packed: self.packed,
            by_key,
            texts,
            rare: self.rare,
        };
        Certificates { base: Arc::new(base), pinned, ..Certificates::default() }
    }
}

const NO_EXCEPTIONS: PinExceptions =
    PinExceptions { without_client_usage_until: None, ca_certificate_until: None };
static NONE: PinExceptions = NO_EXCEPTIONS;
/// Stands for a certificate that has no successor.
const NEVER: i64 = i64::MIN;

/// The packed certificates, sorted by thumbprint.
#[derive(Debug, Default)]
struct Base {
    packed: Vec<Packed>,
    prefixes: Prefixes,
    /// Places of the pinned ones, sorted by public key.
    by_key: Vec<u32>,
    /// Names and labels.
    texts: Texts,
    /// What few certificates have.
    rare: HashMap<Thumbprint, Rare>,
}

#[derive(Debug)]
struct Packed {
    thumbprint: Thumbprint,
    key_pin: KeyPin,
    superseded_after: i64,
    holder: u32,
    label: u32,
    origin: Origin,
    /// An operator's role; none for a party.
    role: Option<OperatorRole>,
}

#[derive(Debug)]
struct Rare {
    revoked: Option<Revoked>,
    exceptions: PinExceptions,
}

/// Sorts by thumbprint; equal ones stay in their order. It takes 16 bytes each on the way, where sorting the records
/// themselves would take half of them once more.
fn sort(packed: &mut [Packed]) {
    if packed.is_sorted_by_key(|one| one.thumbprint.0) {
        return;
    }
    let mut order: Vec<(u64, u32)> =
        packed.iter().zip(0..).map(|(one, place)| (key(&one.thumbprint.0), place)).collect();
    let at = |place: u32| &packed[place as usize].thumbprint.0;
    order.sort_unstable_by(|(a, here), (b, there)| {
        a.cmp(b).then_with(|| at(*here).cmp(at(*there))).then(here.cmp(there))
    });
    // Each place takes the record that belongs there, along the cycles of the order.
    for start in 0..packed.len() {
        let mut here = start;
        loop {
            let from = std::mem::replace(&mut order[here].1, here as u32) as usize;
            if from == start {
                break;
            }
            packed.swap(here, from);
            here = from;
        }
    }
}

/// Places of the pinned ones, sorted by public key.
fn by_key(packed: &[Packed]) -> Vec<u32> {
    let pinned = packed.iter().zip(0..).filter(|(one, _)| one.origin == Origin::Pinned);
    let mut order: Vec<(u64, u32)> = pinned.map(|(one, place)| (key(&one.key_pin.0), place)).collect();
    let at = |place: u32| &packed[place as usize].key_pin.0;
    order.sort_unstable_by(|(a, here), (b, there)| {
        a.cmp(b).then_with(|| at(*here).cmp(at(*there))).then(here.cmp(there))
    });
    order.into_iter().map(|(_, place)| place).collect()
}

impl Base {
    fn find(&self, thumbprint: &Thumbprint) -> Option<&Packed> {
        let near = &self.packed[self.prefixes.range(key(&thumbprint.0))];
        let place = near.binary_search_by_key(&thumbprint.0, |packed| packed.thumbprint.0).ok()?;
        near.get(place)
    }

    fn with_key(&self, pin: &KeyPin) -> impl Iterator<Item = &Packed> {
        let at = |place: &u32| &self.packed[*place as usize];
        let start = self.by_key.partition_point(|place| at(place).key_pin.0 < pin.0);
        self.by_key[start..].iter().map(at).take_while(move |packed| packed.key_pin == *pin)
    }

    fn view(&self, packed: &Packed) -> CertificateView<'_> {
        let rare = self.rare.get(&packed.thumbprint);
        let name = self.texts.get(packed.holder);
        CertificateView {
            holder: packed.role.map_or(HolderView::Party(name), |role| HolderView::Operator(name, role)),
            label: self.texts.get(packed.label),
            origin: packed.origin,
            key_pin: packed.key_pin,
            superseded_after: (packed.superseded_after != NEVER).then_some(UnixTime(packed.superseded_after)),
            revoked: rare.and_then(|rare| rare.revoked.as_ref()),
            exceptions: rare.map_or(&NONE, |rare| &rare.exceptions),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn thumbprint(number: u32) -> Thumbprint {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.wrapping_mul(2_654_435_761).to_be_bytes());
        Thumbprint(bytes)
    }

    /// Every kind of record: pinned and own, of parties and operators, superseded, revoked, excepted.
    fn record(number: u32) -> CertificateRecord {
        let name = PartyName::parse(&format!("p{}", number % 50)).unwrap();
        CertificateRecord {
            holder: match number % 7 {
                0 => Holder::Operator { name, role: OperatorRole::Owner },
                _ => Holder::Party(name),
            },
            label: format!("device-{}", number % 3),
            origin: if number.is_multiple_of(2) { Origin::Pinned } else { Origin::Own },
            key_pin: KeyPin([(number % 40) as u8; 32]),
            superseded_after: (number.is_multiple_of(5)).then_some(UnixTime(i64::from(number))),
            revoked: (number.is_multiple_of(11))
                .then(|| Revoked { at: UnixTime(i64::from(number)), reason: "superseded".into() }),
            exceptions: PinExceptions {
                without_client_usage_until: (number.is_multiple_of(13)).then_some(UnixTime(9)),
                ca_certificate_until: (number.is_multiple_of(17)).then_some(UnixTime(8)),
            },
        }
    }

    fn all(certificates: &Certificates) -> HashMap<Thumbprint, CertificateRecord> {
        certificates.iter().map(|(thumbprint, view)| (*thumbprint, view.to_record())).collect()
    }

    /// The same answers as of a plain map, whatever is packed and whatever lies over it.
    fn agrees(certificates: &Certificates, plain: &HashMap<Thumbprint, CertificateRecord>) {
        assert_eq!(all(certificates), *plain);
        assert_eq!(certificates.len(), plain.len());
        for number in 0..1_200 {
            let found = certificates.get(&thumbprint(number)).map(|view| view.to_record());
            assert_eq!(found.as_ref(), plain.get(&thumbprint(number)), "{number}");
        }
        let pinned = |record: &&CertificateRecord| record.origin == Origin::Pinned;
        assert_eq!(certificates.has_pinned(), plain.values().any(|record| pinned(&record)));
        for key in 0..45 {
            let pin = KeyPin([key; 32]);
            let found = certificates.pinned_with_key(&pin);
            let wanted = plain.values().filter(pinned).any(|record| record.key_pin == pin);
            assert_eq!(found.is_some(), wanted, "key {key}");
            if let Some((thumbprint, view)) = found {
                assert_eq!(Some(&view.to_record()), plain.get(thumbprint));
                assert_eq!((view.key_pin, view.origin), (pin, Origin::Pinned));
            }
        }
    }

    #[test]
    fn packed_and_changed_certificates_answer_as_a_plain_map_does() {
        let mut plain = HashMap::new();
        let mut builder = CertificatesBuilder::default();
        for number in 0..1_000 {
            builder.push(thumbprint(number), record(number).view());
            plain.insert(thumbprint(number), record(number));
        }
        let mut certificates = builder.finish();
        agrees(&certificates, &plain);
        let before = certificates.clone();
        for number in (0..1_100).step_by(3) {
            certificates.insert(thumbprint(number), record(number + 1));
            plain.insert(thumbprint(number), record(number + 1));
        }
        for number in (0..1_200).step_by(4) {
            certificates.remove(&thumbprint(number));
            plain.remove(&thumbprint(number));
        }
        agrees(&certificates, &plain);
        certificates.merge();
        assert_eq!(certificates.overlay_len(), 0);
        agrees(&certificates, &plain);
        for thumbprint in plain.keys() {
            certificates.remove(thumbprint);
        }
        agrees(&certificates, &HashMap::new());
        assert!(certificates.is_empty());
        assert_eq!(before.len(), 1_000, "a copy keeps what it was");
    }

    #[test]
    fn of_two_with_one_thumbprint_the_later_counts_with_all_that_it_has() {
        for (first, second) in [(11, 1), (1, 11), (13, 22)] {
            let mut builder = CertificatesBuilder::default();
            for number in [first, 500, second] {
                builder.push(thumbprint(if number == 500 { 500 } else { 1 }), record(number).view());
            }
            let certificates = builder.finish();
            assert_eq!(certificates.len(), 2);
            assert_eq!(certificates.get(&thumbprint(1)).unwrap().to_record(), record(second));
        }
    }

    #[test]
    fn a_packed_certificate_is_small() {
        assert_eq!(std::mem::size_of::<Packed>(), 88);
    }
}
