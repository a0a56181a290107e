//! Many short texts in one allocation.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

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
