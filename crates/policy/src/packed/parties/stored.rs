//! Packed parties as bytes.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Result, Write};
use std::sync::Arc;

use super::{Base, Packed, Parties, PartiesBuilder};
use crate::host::HostName;
use crate::names::is_name;
use crate::packed::stored::{Put, Take, invalid};

/// Least bytes of a party: its name's length, a name, the identifier, the number of its set of grants.
const LEAST: usize = 22;

impl Parties {
    /// Writes all of them.
    pub(crate) fn write_to(&self, out: &mut Put<'_, impl Write>) -> Result<()> {
        let base = &self.base;
        let mut sets: Vec<&BTreeSet<HostName>> = base.sets.iter().map(AsRef::as_ref).collect();
        let mut numbers: HashMap<&BTreeSet<HostName>, u32> = sets.iter().copied().zip(0..).collect();
        let changed: Vec<_> = self.overlay.values().flatten().collect();
        for party in &changed {
            numbers.entry(&party.grants).or_insert_with(|| {
                sets.push(&party.grants);
                sets.len() as u32 - 1
            });
        }
        out.count(sets.len())?;
        for set in &sets {
            out.count(set.len())?;
            set.iter().try_for_each(|host| out.text(host.as_str()))?;
        }
        let mut suspended = Vec::new();
        let mut other_ids = Vec::new();
        out.count(self.len())?;
        for (place, party) in self.iter().enumerate() {
            let id = match party.id {
                super::Id::Packed(id) => id,
                super::Id::Text(text) => crate::packed::id::packed(text).unwrap_or_else(|| {
                    other_ids.push((place, text));
                    [0; 16]
                }),
            };
            suspended.extend(party.suspended_since.map(|since| (place, since)));
            out.byte(party.name.len() as u8)?;
            out.bytes(party.name.as_bytes())?;
            out.bytes(&id)?;
            out.number(numbers[party.grants])?;
        }
        out.count(suspended.len())?;
        for (place, since) in suspended {
            out.count(place)?;
            out.time(since)?;
        }
        out.count(other_ids.len())?;
        for (place, id) in other_ids {
            out.count(place)?;
            out.text(id)?;
        }
        Ok(())
    }

    /// Reads what [`write_to`](Self::write_to) wrote; `Err(InvalidData)` for what cannot be.
    pub(crate) fn read_from(input: &mut Take<'_, impl Read>) -> Result<Self> {
        let mut sets = Vec::new();
        for _ in 0..input.count(4)? {
            let mut set = BTreeSet::new();
            for _ in 0..input.count(5)? {
                set.insert(input.host()?);
            }
            sets.push(Arc::new(set));
        }
        let count = input.count(LEAST)?;
        let PartiesBuilder { mut base, .. } = PartiesBuilder::with_capacity(count);
        base.sets = sets;
        let mut name = [0; u8::MAX as usize];
        for _ in 0..count {
            let length = usize::from(input.byte()?);
            input.fill(&mut name[..length])?;
            let name = std::str::from_utf8(&name[..length]).ok().filter(|name| is_name(name));
            let Some(name) = name else { return invalid("a party has no name that one can have") };
            let place = base.names.push(name);
            let hash = base.hash(name);
            base.by_name.push((hash, place));
            let one = Packed { id: input.array()?, grants: input.number()? };
            if one.grants as usize >= base.sets.len() {
                return invalid("a party has grants that are not there");
            }
            base.packed.push(one);
        }
        for _ in 0..input.count(12)? {
            let place = place(input, count)?;
            base.suspended.insert(place, input.time()?);
        }
        for _ in 0..input.count(8)? {
            let place = place(input, count)?;
            base.other_ids.insert(place, input.text()?);
        }
        let parties = PartiesBuilder { base, sets: HashMap::new() }.finish();
        if parties.base.names_twice() {
            return invalid("two parties have one name");
        }
        Ok(parties)
    }
}

fn place(input: &mut Take<'_, impl Read>, count: usize) -> Result<u32> {
    let place = input.number()?;
    if place as usize >= count { invalid("a suspension is of no party") } else { Ok(place) }
}

impl Base {
    /// Whether a name stands for two parties.
    fn names_twice(&self) -> bool {
        let same_hash = self.by_name.chunk_by(|(a, _), (b, _)| a == b).filter(|equal| equal.len() > 1);
        let mut names =
            same_hash.map(|equal| equal.iter().map(|(_, place)| self.names.get(*place)).collect::<Vec<_>>());
        names.any(|mut all| {
            all.sort_unstable();
            all.windows(2).any(|two| two[0] == two[1])
        })
    }
}
