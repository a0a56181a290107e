//! A change that is asked for twice under one key is made once: the second asker gets the first answer.
//!
//! What is asked for by API is also kept in the registry, for a day, so that it is answered the same after this process has
//! ended; but not an answer that holds what is told once. Here, in memory, everything is kept for an hour: what pages send,
//! whose tokens end with the process too, and what runs now.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};

use examiner::UnixTime;
use http::StatusCode;
use registry::{Earlier, KeptAnswer};

use super::answer::Made;
use super::operator::Operator;
use super::problem::Problem;
use crate::cli::Failure;
use crate::cli::context::Context as Opened;

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

/// What the registry knows of a key: `Ok(None)` where it is new, and is taken now.
pub fn earlier(
    context: &Opened,
    operator: &Operator,
    (key, asked): (&str, &[u8; 32]),
    now: UnixTime,
) -> Result<Option<Result<Made, Problem>>, Failure> {
    let earlier = context.run(context.registry.take_key(&operator.name, key, asked, now))?;
    Ok(match earlier {
        Earlier::New => None,
        Earlier::Answered(KeptAnswer { status, body: Some(body) }) => {
            Some(Ok(Made::json(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body)))
        }
        Earlier::Answered(KeptAnswer { body: None, .. }) => Some(Err(Problem::new(
            "told-once",
            "This was done under this key, and its answer is told only once",
            "undo it where nobody has it, and do it again under another key",
        ))),
        Earlier::Unanswered => Some(Err(Problem::new(
            "outcome-unknown",
            "The console ended while this was being done under this key",
            "look whether it was done, and do it under another key where it was not",
        ))),
        Earlier::Other => Some(Err(other())),
    })
}

/// The key is another request's.
pub fn other() -> Problem {
    let help = "give each request a key of its own";
    Problem::new("other-request", "Another request was made with this key", help)
}

/// Keeps the answer in the registry too; where that cannot be done, what was done is answered all the same.
pub fn keep(context: &Opened, operator: &Operator, key: &str, made: &Made, is_told_once: bool) {
    let body = (!is_told_once).then(|| made.text()).flatten();
    let answer = KeptAnswer { status: made.status.as_u16(), body };
    if let Err(failure) = context.run(context.registry.keep_answer(&operator.name, key, &answer)) {
        tracing::warn!(%failure, "an answer could not be kept for who asks again");
    }
}

/// Lets the key go in the registry too: nothing was changed.
pub fn release(context: &Opened, operator: &Operator, key: &str) {
    if let Err(failure) = context.run(context.registry.release_key(&operator.name, key)) {
        tracing::warn!(%failure, "a key could not be let go");
    }
}

#[cfg(test)]
mod tests {
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
