//! Many short texts in one allocation.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Result, Write};

use super::stored::{Put, Take, invalid};

/// Texts by number, in the order in which they were added.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    all: String,
    ends: Vec<u64>,
}

impl Texts {
    /// With room for so many texts.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self { all: String::new(), ends: Vec::with_capacity(texts) }
    }

    /// Adds one; its number.
    pub(super) fn push(&mut self, text: &str) -> u32 {
        let number = self.ends.len() as u32;
        self.all.push_str(text);
        self.ends.push(self.all.len() as u64);
        number
    }

    /// The text of this number.
    pub(super) fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..self.ends[number] as usize]
    }

    /// How many there are.
    pub(super) fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// Writes these and `more` after them: the length of each, then all of them.
    pub(super) fn write_to(&self, more: &Self, out: &mut Put<'_, impl Write>) -> Result<()> {
        out.count(self.ends.len() + more.ends.len())?;
        for texts in [self, more] {
            let starts = std::iter::once(&0).chain(&texts.ends);
            starts.zip(&texts.ends).try_for_each(|(start, end)| out.count((end - start) as usize))?;
        }
        out.bytes(self.all.as_bytes())?;
        out.bytes(more.all.as_bytes())
    }

    /// Reads what [`write_to`](Self::write_to) wrote; `Err(InvalidData)` for what cannot be.
    pub(super) fn read_from(input: &mut Take<'_, impl Read>) -> Result<Self> {
        let count = input.count(4)?;
        let mut ends = Vec::with_capacity(count);
        let mut end = 0_u64;
        input.rows::<4>(count, |length| {
            end += u64::from(u32::from_le_bytes(*length));
            ends.push(end);
            Ok(())
        })?;
        let all = input.long_text(end)?;
        if ends.iter().any(|end| !all.is_char_boundary(*end as usize)) {
            return invalid("a text is no UTF-8");
        }
        Ok(Self { all, ends })
    }

    /// Gives back what is not used.
    pub(super) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }
}

/// Adds each text once.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: Texts,
    by_hash: HashMap<u64, u32>,
    hasher: RandomState,
}

impl Interner {
    /// With room for so many different texts.
    pub(super) fn with_capacity(texts: usize) -> Self {
        Self { by_hash: HashMap::with_capacity(texts), ..Self::default() }
    }

    /// The number of this text, which is added where it is new.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        let hash = self.hasher.hash_one(text);
        match self.by_hash.get(&hash) {
            Some(number) if self.texts.get(*number) == text => *number,
            // Two texts with one hash: the second stands there as often as it comes.
            Some(_) => self.texts.push(text),
            None => {
                let number = self.texts.push(text);
                self.by_hash.insert(hash, number);
                number
            }
        }
    }

    /// The texts alone.
    pub(super) fn finish(self) -> Texts {
        let mut texts = self.texts;
        texts.shrink();
        texts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_given_back_by_its_number() {
        let mut interner = Interner::default();
        let numbers: Vec<u32> =
            ["laptop", "", "phone", "laptop", "é", ""].map(|text| interner.number(text)).into();
        assert_eq!(numbers, [0, 1, 2, 0, 3, 1]);
        let texts = interner.finish();
        assert_eq!([0, 1, 2, 3].map(|number| texts.get(number)), ["laptop", "", "phone", "é"]);
    }
}
