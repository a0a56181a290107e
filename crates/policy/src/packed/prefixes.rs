//! Where to look in a sorted list: an index by the first bits.

use std::ops::Range;

/// Entries that one bucket holds on average.
const PER_BUCKET: usize = 16;

/// For a list sorted by 64-bit keys that are spread evenly, such as digests: where the keys with given first bits stand.
///
/// Keys that are not spread make the ranges longer, and a binary search in them slower, never wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefixes {
    bits: u32,
    /// Where each bucket begins, and the list's length at the end; empty for an empty list.
    starts: Vec<u32>,
}

impl Prefixes {
    /// The index of a list with these keys, in rising order.
    pub(super) fn of(keys: impl ExactSizeIterator<Item = u64>) -> Self {
        let len = keys.len();
        let bits = (len / PER_BUCKET).max(1).ilog2();
        let mut index = Self { bits, starts: Vec::with_capacity((1 << bits) + 1) };
        for (place, key) in keys.enumerate() {
            let bucket = index.bucket(key);
            while index.starts.len() <= bucket {
                index.starts.push(place as u32);
            }
        }
        index.starts.resize((1 << bits) + 1, len as u32);
        index
    }

    fn bucket(&self, key: u64) -> usize {
        key.checked_shr(u64::BITS - self.bits).unwrap_or(0) as usize
    }

    /// Where entries with this key can stand.
    pub(super) fn range(&self, key: u64) -> Range<usize> {
        let bucket = self.bucket(key);
        match self.starts.get(bucket..bucket + 2) {
            Some([start, end]) => *start as usize..*end as usize,
            _ => 0..0,
        }
    }
}

/// The first eight bytes of a digest as a key: the order of keys is the order of digests.
pub(super) fn key(digest: &[u8; 32]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(keys: &[u64]) {
        let index = Prefixes::of(keys.iter().copied());
        for (place, key) in keys.iter().enumerate() {
            assert!(index.range(*key).contains(&place), "{key} of {} at {place}", keys.len());
        }
    }

    #[test]
    fn each_key_is_found_in_its_range_whatever_the_lists_length_and_spread() {
        for len in [0, 1, 2, 15, 16, 17, 31, 32, 33, 1_000, 65_536] {
            let spread: Vec<u64> = (0..len).map(|i| i * (u64::MAX / len.max(1))).collect();
            found(&spread);
            found(&vec![0; len as usize]);
            found(&vec![u64::MAX; len as usize]);
        }
        assert!(Prefixes::default().range(7).is_empty());
        assert!(Prefixes::of([].into_iter()).range(u64::MAX).is_empty());
    }

    #[test]
    fn a_range_is_short_where_keys_are_spread() {
        let index = Prefixes::of((0..1_000_000_u32).map(|i| u64::from(i) * (u64::MAX / 1_000_000)));
        assert!(index.range(u64::MAX / 3).len() <= 2 * PER_BUCKET);
    }
}
