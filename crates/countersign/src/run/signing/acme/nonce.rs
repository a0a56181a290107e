//! Nonces (RFC 8555 section 6.5): each is good once, and for the process that gave it.
//!
//! A nonce is a number with a MAC whose key is made with the process. So none is kept before it is used, whoever fetches
//! them by the million uses up nothing, and one that was used before a restart is none after it: its client gets `badNonce`
//! with a new one, and asks again.

use std::collections::BTreeSet;

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;

/// Used ones that are remembered; the oldest of more become unusable, used or not.
const REMEMBERED: usize = 65_536;
/// Octets of the MAC.
const TAG: usize = 16;

/// The nonces of a process.
pub struct Nonces {
    key: hmac::Key,
    last: u64,
    /// Those up to this number are good no more.
    floor: u64,
    used: BTreeSet<u64>,
    remembered: usize,
}

impl Nonces {
    /// None is given out yet.
    pub fn new() -> Result<Self, getrandom::Error> {
        Self::remembering(REMEMBERED)
    }

    fn remembering(remembered: usize) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        Ok(Self { key, last: 0, floor: 0, used: BTreeSet::new(), remembered })
    }

    /// A new one.
    pub fn give(&mut self) -> String {
        self.last += 1;
        let number = self.last.to_be_bytes();
        let tag = hmac::sign(&self.key, &number);
        BASE64URL_NOPAD.encode(&[&number[..], &tag.as_ref()[..TAG]].concat())
    }

    /// Whether this one was given out here and is good still; it is used up by that.
    pub fn take(&mut self, text: &str) -> bool {
        let Some(number) = self.number(text) else { return false };
        if number <= self.floor || !self.used.insert(number) {
            return false;
        }
        if self.used.len() > self.remembered {
            self.floor = self.used.pop_first().unwrap_or(self.floor);
        }
        true
    }

    fn number(&self, text: &str) -> Option<u64> {
        let octets = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (number, tag) = octets.split_first_chunk::<8>()?;
        let made = hmac::sign(&self.key, number);
        aws_lc_rs::constant_time::verify_slices_are_equal(&made.as_ref()[..TAG], tag).ok()?;
        Some(u64::from_be_bytes(*number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_good_once_and_where_it_was_given() {
        let (mut own, mut other) = (Nonces::new().unwrap(), Nonces::new().unwrap());
        let (first, second) = (own.give(), own.give());
        assert_ne!(first, second);
        assert!(own.take(&second) && own.take(&first), "in any order");
        assert!(!own.take(&first) && !own.take(&second));
        let third = own.give();
        assert!(!other.take(&third), "as after a restart");
        assert!(own.take(&third));
        for text in ["", "AAAA", "x", &third[1..], &format!("{third}A"), &format!("{third}=")] {
            assert!(!own.take(text), "{text}");
        }
    }

    #[test]
    fn what_is_forgotten_is_good_no_more() {
        let mut own = Nonces::remembering(3).unwrap();
        let all: Vec<String> = (0..6).map(|_| own.give()).collect();
        assert!(all[1..5].iter().all(|one| own.take(one)));
        assert!(all.iter().take(5).all(|one| !own.take(one)), "the first was never used, and is too old");
        assert!(own.take(&all[5]));
        assert!(own.used.len() <= 3);
    }
}
