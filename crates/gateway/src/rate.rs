//! How many requests go on, for each party and each address: one bucket each, in a table of fixed size.
//!
//! Each bucket is one moment (the generic cell rate algorithm): when it would be full again. The table has as many
//! places as it will ever have. Where all places of a set are taken, the one that is nearest to full makes room: a
//! flood of addresses can win a few requests for whom it pushes out, never memory. Nobody waits for anybody here: of two
//! cores that take of one bucket at once, one looks again.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Sets of the table, and places of each.
const SETS: usize = 8192;
const PLACES: usize = 8;
/// So many go on at once where the limit allows as many.
const LEAST_BURST: u32 = 10;

/// All buckets.
pub struct Rates {
    hasher: RandomState,
    began: Instant,
    sets: Box<[[Bucket; PLACES]]>,
}

#[derive(Default)]
struct Bucket {
    /// 0: nobody's.
    key: AtomicU64,
    /// Nanoseconds since the beginning at which nothing of it is used up.
    full_at: AtomicU64,
}

impl Default for Rates {
    fn default() -> Self {
        Self::new()
    }
}

impl Rates {
    /// Buckets that are all full.
    pub fn new() -> Self {
        let sets = (0..SETS).map(|_| Default::default()).collect();
        Self { hasher: RandomState::new(), began: Instant::now(), sets }
    }

    /// Takes one request of `key`'s; where none is left, how long until one is.
    pub fn take(&self, key: impl Hash, per_minute: u32, now: Instant) -> Result<(), Duration> {
        let key = self.hasher.hash_one(key).max(1);
        let nanos = u64::try_from(now.saturating_duration_since(self.began).as_nanos()).unwrap_or(u64::MAX);
        let each = 60_000_000_000 / u64::from(per_minute.max(1));
        let burst = u64::from(burst(per_minute));
        let bucket = Self::bucket(&self.sets[(key >> 32) as usize % SETS], key);
        let most = nanos + each * burst;
        let with_one_less = |full_at: u64| full_at.max(nanos) + each;
        let taken = bucket.full_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |full_at| {
            Some(with_one_less(full_at)).filter(|after| *after <= most)
        });
        taken.map(drop).map_err(|full_at| Duration::from_nanos(with_one_less(full_at) - most))
    }

    /// The bucket of this key. Where it had none, the fullest of the set becomes its own.
    fn bucket(set: &[Bucket; PLACES], key: u64) -> &Bucket {
        loop {
            if let Some(own) = set.iter().find(|bucket| bucket.key.load(Ordering::Relaxed) == key) {
                return own;
            }
            let full_at = |bucket: &&Bucket| bucket.full_at.load(Ordering::Relaxed);
            let fullest = set.iter().min_by_key(full_at).unwrap_or(&set[0]);
            let (full_at, other) = (full_at(&fullest), fullest.key.load(Ordering::Relaxed));
            // Whoever comes between takes the place; then the set is looked through again.
            if fullest.key.compare_exchange(other, key, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                let _ = fullest.full_at.compare_exchange(full_at, 0, Ordering::Relaxed, Ordering::Relaxed);
                return fullest;
            }
        }
    }
}

/// How many go on at once: ten seconds' worth.
fn burst(per_minute: u32) -> u32 {
    per_minute.div_ceil(6).max(LEAST_BURST).min(per_minute.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_seconds_worth_go_on_at_once_then_as_many_as_the_minute_has() {
        for (per_minute, at_once) in [(1, 1), (6, 6), (60, 10), (600, 100)] {
            let rates = Rates::new();
            let begin = Instant::now();
            for _ in 0..at_once {
                assert_eq!(rates.take("alice", per_minute, begin), Ok(()), "{per_minute}");
            }
            let wait = rates.take("alice", per_minute, begin).unwrap_err();
            let each = Duration::from_secs(60) / per_minute;
            assert!(wait <= each && wait > each - Duration::from_millis(1), "{per_minute}: {wait:?}");
            assert_eq!(rates.take("bob", per_minute, begin), Ok(()), "others have their own");
            assert!(rates.take("alice", per_minute, begin + wait - Duration::from_nanos(2)).is_err());
            assert_eq!(rates.take("alice", per_minute, begin + wait), Ok(()));
            let minute = begin + wait + Duration::from_secs(60);
            let passed = (0..per_minute + 5).filter(|_| rates.take("alice", per_minute, minute).is_ok());
            assert_eq!(passed.count() as u32, at_once, "a rest is not saved up beyond that");
        }
    }

    #[test]
    fn cores_that_take_at_once_get_no_more_together() {
        let rates = Rates::new();
        let now = Instant::now();
        let at_once = 1_000;
        rates.take("alice", at_once * 6, now).unwrap();
        let passed = std::thread::scope(|scope| {
            let take = || (0..at_once).filter(|_| rates.take("alice", at_once * 6, now).is_ok()).count();
            let cores: Vec<_> = (0..4).map(|_| scope.spawn(take)).collect();
            cores.into_iter().map(|core| core.join().unwrap()).sum::<usize>()
        });
        assert_eq!(passed as u32, at_once - 1);
    }

    #[test]
    fn a_flood_of_keys_takes_no_place_of_those_who_ask_often() {
        let rates = Rates::new();
        let now = Instant::now();
        for _ in 0..100 {
            rates.take("alice", 600, now).unwrap();
        }
        for stranger in 0..20_000_u32 {
            let _ = rates.take(stranger, 600, now);
        }
        assert!(rates.take("alice", 600, now).is_err());
    }
}
