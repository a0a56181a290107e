//! A change that is asked for twice under one key is made once: the second asker gets the first answer.
//!
//! Kept in memory, for an hour: a program that tries again does so soon, and some answers hold what is shown once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use super::answer::Made;
use super::operator::Operator;

/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(3600);
/// So many are kept at once.
const MOST: usize = 2_000;
/// Characters of a key.
pub const KEY_MOST: usize = 255;

/// The answers.
#[derive(Default)]
pub struct Kept(Mutex<HashMap<(String, String), One>>);

struct One {
    asked: [u8; 32],
    at: Instant,
    /// `None` as long as it is being made.
    made: Option<Made>,
}

/// What is known of a key.
pub enum Known {
    /// Nothing: make it, then call [`Kept::made`] or [`Kept::failed`].
    New,
    /// It was made: this was the answer.
    Done(Made),
    /// It is being made.
    Running,
    /// It belongs to another request.
    Other,
    /// Too many are being made at once.
    Full,
}

/// What tells one request from another.
pub fn digest(path: &str, body: &[u8]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in [path.as_bytes(), &[0u8][..], body] {
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

fn name(operator: &Operator, key: &str) -> (String, String) {
    (operator.name.to_string(), key.to_owned())
}

impl Kept {
    /// Looks a key up, and takes it where it is new.
    pub fn look(&self, operator: &Operator, key: &str, asked: [u8; 32]) -> Known {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, one| one.made.is_none() || one.at.elapsed() < KEPT);
        let name = name(operator, key);
        match all.get(&name) {
            Some(one) if one.asked != asked => return Known::Other,
            Some(One { made: Some(made), .. }) => return Known::Done(made.clone()),
            Some(_) => return Known::Running,
            None => {}
        }
        if all.len() >= MOST {
            let oldest = all.iter().filter(|(_, one)| one.made.is_some()).min_by_key(|(_, one)| one.at);
            let Some(oldest) = oldest.map(|(name, _)| name.clone()) else { return Known::Full };
            all.remove(&oldest);
        }
        all.insert(name, One { asked, at: Instant::now(), made: None });
        Known::New
    }

    /// Keeps the answer.
    pub fn made(&self, operator: &Operator, key: &str, made: &Made) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(one) = all.get_mut(&name(operator, key)) {
            one.made = Some(made.clone());
        }
    }

    /// Lets the key go: nothing was changed, and it may be tried again.
    pub fn failed(&self, operator: &Operator, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&name(operator, key));
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;
    use policy::PartyName;
    use policy::record::OperatorRole;

    use super::*;

    #[test]
    fn a_key_is_one_operators_and_one_requests() {
        let operator =
            |name: &str| Operator { name: PartyName::parse(name).unwrap(), role: OperatorRole::Owner };
        let (kept, ann) = (Kept::default(), operator("ann"));
        let (one, other) = (digest("/a", b"x"), digest("/a", b"y"));
        assert!(matches!(kept.look(&ann, "k", one), Known::New));
        assert!(matches!(kept.look(&ann, "k", one), Known::Running));
        assert!(matches!(kept.look(&ann, "k", other), Known::Other));
        assert!(matches!(kept.look(&operator("bob"), "k", other), Known::New));
        kept.made(&ann, "k", &Made::json(StatusCode::OK, "{}"));
        assert!(matches!(kept.look(&ann, "k", one), Known::Done(made) if made.status == StatusCode::OK));
        kept.failed(&ann, "k");
        assert!(matches!(kept.look(&ann, "k", other), Known::New), "what failed may be tried again");
    }
}
