//! Parties by name.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

mod stored;

use super::id;
use super::prefixes::Prefixes;
use super::texts::Texts;
use crate::host::HostName;
use crate::names::PartyName;
use crate::record::Party;
use examiner::UnixTime;

/// Parties by name. Copies share what did not change.
#[derive(Clone, Debug, Default)]
pub struct Parties {
    base: Arc<Base>,
    overlay: HashMap<PartyName, Option<Arc<Party>>>,
}

/// A party, as it lies there.
#[derive(Clone, Copy, Debug)]
pub struct PartyView<'a> {
    /// Its name.
    pub name: &'a str,
    id: Id<'a>,
    /// Since when it is suspended.
    pub suspended_since: Option<UnixTime>,
    /// The sites it has been granted.
    pub grants: &'a BTreeSet<HostName>,
}

#[derive(Clone, Copy, Debug)]
enum Id<'a> {
    Packed([u8; 16]),
    Text(&'a str),
}

impl PartyView<'_> {
    /// Its identifier.
    pub fn id(&self) -> String {
        match self.id {
            Id::Packed(bytes) => id::text(bytes),
            Id::Text(text) => text.to_owned(),
        }
    }

    /// Its name as one.
    pub fn party_name(&self) -> PartyName {
        PartyName::known(self.name)
    }

    /// The whole of it.
    pub fn to_party(&self) -> Party {
        Party {
            name: self.party_name(),
            id: self.id(),
            suspended_since: self.suspended_since,
            grants: self.grants.clone(),
        }
    }
}

impl Party {
    /// The same, borrowed.
    pub fn view(&self) -> PartyView<'_> {
        PartyView {
            name: self.name.as_str(),
            id: Id::Text(&self.id),
            suspended_since: self.suspended_since,
            grants: &self.grants,
        }
    }
}

impl Parties {
    /// The party of this name.
    pub fn get(&self, name: &PartyName) -> Option<PartyView<'_>> {
        self.named(name.as_str())
    }

    /// The party whose name is this text.
    pub fn named(&self, name: &str) -> Option<PartyView<'_>> {
        match self.overlay.get(name) {
            Some(changed) => changed.as_ref().map(|party| party.view()),
            None => self.base.find(name).map(|place| self.base.view(place)),
        }
    }

    /// Puts a party into the overlay.
    pub fn insert(&mut self, party: Party) {
        self.overlay.insert(party.name.clone(), Some(Arc::new(party)));
    }

    /// Removes a party.
    pub fn remove(&mut self, name: &PartyName) {
        if self.base.find(name.as_str()).is_some() {
            self.overlay.insert(name.clone(), None);
        } else {
            self.overlay.remove(name);
        }
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = PartyView<'_>> {
        let packed = (0..self.base.packed.len() as u32).map(|place| self.base.view(place));
        let unchanged = packed.filter(|party| !self.overlay.contains_key(party.name));
        unchanged.chain(self.overlay.values().flatten().map(|party| party.view()))
    }

    /// The sites that any of them has been granted.
    pub fn granted_sites(&self) -> BTreeSet<HostName> {
        let mut sites = BTreeSet::new();
        let mut seen = HashSet::new();
        for party in self.iter() {
            // Most share few sets.
            if seen.insert(std::ptr::from_ref(party.grants).addr()) {
                sites.extend(party.grants.iter().cloned());
            }
        }
        sites
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let masked = self.overlay.keys().filter(|name| self.base.find(name.as_str()).is_some()).count();
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
        let mut builder = PartiesBuilder::with_capacity(self.base.packed.len() + self.overlay.len());
        for party in self.iter() {
            builder.push(party);
        }
        *self = builder.finish();
    }
}

/// Packs parties one after the other.
#[derive(Debug, Default)]
pub struct PartiesBuilder {
    base: Base,
    sets: HashMap<Arc<BTreeSet<HostName>>, u32>,
}

impl PartiesBuilder {
    /// With room for so many.
    pub fn with_capacity(parties: usize) -> Self {
        let base = Base {
            names: Texts::with_capacity(parties),
            packed: Vec::with_capacity(parties),
            by_name: Vec::with_capacity(parties),
            ..Base::default()
        };
        Self { base, sets: HashMap::new() }
    }

    /// Adds one. Names are unique: of two with the same name it is not said which counts.
    pub fn push(&mut self, party: PartyView<'_>) {
        let base = &mut self.base;
        let place = base.names.push(party.name);
        let hash = base.hash(party.name);
        base.by_name.push((hash, place));
        let grants = match self.sets.get(party.grants) {
            Some(number) => *number,
            None => {
                let number = base.sets.len() as u32;
                let set = Arc::new(party.grants.clone());
                base.sets.push(set.clone());
                self.sets.insert(set, number);
                number
            }
        };
        if let Some(since) = party.suspended_since {
            base.suspended.insert(place, since);
        }
        let id = match party.id {
            Id::Packed(id) => id,
            Id::Text(text) => id::packed(text).unwrap_or_else(|| {
                base.other_ids.insert(place, text.to_owned());
                [0; 16]
            }),
        };
        base.packed.push(Packed { id, grants });
    }

    /// All that were added.
    pub fn finish(mut self) -> Parties {
        self.base.by_name.sort_unstable();
        self.base.prefixes = Prefixes::of(self.base.by_name.iter().map(|(hash, _)| key(*hash)));
        self.base.names.shrink();
        self.base.packed.shrink_to_fit();
        self.base.by_name.shrink_to_fit();
        Parties { base: Arc::new(self.base), overlay: HashMap::new() }
    }
}

fn key(hash: u32) -> u64 {
    u64::from(hash) << 32
}

/// The packed parties, in the order in which they came.
#[derive(Debug, Default)]
struct Base {
    names: Texts,
    packed: Vec<Packed>,
    /// A hash of each name and where its party stands, sorted.
    by_name: Vec<(u32, u32)>,
    prefixes: Prefixes,
    hasher: RandomState,
    /// The sets of grants that occur, each once.
    sets: Vec<Arc<BTreeSet<HostName>>>,
    /// The suspended, and since when.
    suspended: HashMap<u32, UnixTime>,
    /// Identifiers that do not fit into sixteen bytes.
    other_ids: HashMap<u32, String>,
}

#[derive(Debug)]
struct Packed {
    id: [u8; 16],
    grants: u32,
}

impl Base {
    fn hash(&self, name: &str) -> u32 {
        (self.hasher.hash_one(name) >> 32) as u32
    }

    fn find(&self, name: &str) -> Option<u32> {
        let hash = self.hash(name);
        let near = &self.by_name[self.prefixes.range(key(hash))];
        let start = near.partition_point(|(other, _)| *other < hash);
        let equal = near[start..].iter().take_while(|(other, _)| *other == hash);
        equal.map(|(_, place)| *place).find(|place| self.names.get(*place) == name)
    }

    fn view(&self, place: u32) -> PartyView<'_> {
        let packed = &self.packed[place as usize];
        let id = match self.other_ids.get(&place) {
            Some(text) => Id::Text(text),
            None => Id::Packed(packed.id),
        };
        PartyView {
            name: self.names.get(place),
            id,
            suspended_since: self.suspended.get(&place).copied(),
            grants: &self.sets[packed.grants as usize],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: u32) -> PartyName {
        PartyName::parse(&format!("kiosk-{number}")).unwrap()
    }

    fn party(number: u32, variant: u32) -> Party {
        let sites = ["a.test", "b.test", "c.test"];
        Party {
            name: name(number),
            id: match number % 6 {
                0 => format!("no-uuid-{number}"),
                1 => "6BA7B810-9DAD-11D1-80B4-00C04FD430C8".into(),
                _ => format!("{number:08x}-9dad-11d1-80b4-00c04fd430c8"),
            },
            suspended_since: ((number + variant).is_multiple_of(9)).then_some(UnixTime(i64::from(number))),
            grants: sites
                .iter()
                .take(((number + variant) % 4) as usize)
                .map(|s| HostName::parse(s).unwrap())
                .collect(),
        }
    }

    fn agrees(parties: &Parties, plain: &HashMap<PartyName, Party>) {
        let all: HashMap<PartyName, Party> =
            parties.iter().map(|party| (party.party_name(), party.to_party())).collect();
        assert_eq!(all, *plain);
        assert_eq!(parties.len(), plain.len());
        for number in 0..1_200 {
            let found = parties.get(&name(number)).map(|party| party.to_party());
            assert_eq!(found.as_ref(), plain.get(&name(number)), "{number}");
        }
        assert!(parties.named("").is_none() && parties.named("kiosk-").is_none());
    }

    #[test]
    fn packed_and_changed_parties_answer_as_a_plain_map_does() {
        let mut plain = HashMap::new();
        let mut builder = PartiesBuilder::default();
        for number in 0..1_000 {
            builder.push(party(number, 0).view());
            plain.insert(name(number), party(number, 0));
        }
        let mut parties = builder.finish();
        agrees(&parties, &plain);
        let before = parties.clone();
        for number in (0..1_100).step_by(3) {
            parties.insert(party(number, 1));
            plain.insert(name(number), party(number, 1));
        }
        for number in (0..1_200).step_by(4) {
            parties.remove(&name(number));
            plain.remove(&name(number));
        }
        agrees(&parties, &plain);
        parties.merge();
        assert_eq!(parties.overlay_len(), 0);
        agrees(&parties, &plain);
        for name in plain.keys() {
            parties.remove(name);
        }
        agrees(&parties, &HashMap::new());
        assert!(parties.is_empty());
        assert_eq!(before.len(), 1_000, "a copy keeps what it was");
    }

    #[test]
    fn a_packed_party_is_small() {
        assert_eq!(std::mem::size_of::<Packed>(), 20);
    }
}
