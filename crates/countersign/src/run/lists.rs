//! The published revocation list for the listeners without TLS: read again only when its file changed.

use std::sync::{Arc, Mutex, PoisonError};

use gateway::{Lists, PublishedList};

use super::upkeep::{self, Published};
use crate::config::StateDir;
use crate::config::seen::Seen;

/// Its name in `/crl/NAME.crl`.
const OWN: &str = "own";

/// Gives out `state/crl/own.crl` where it stands.
pub fn lists(state: StateDir) -> Lists {
    let kept: Mutex<Option<(Seen, PublishedList)>> = Mutex::default();
    Arc::new(move |name| {
        if name != OWN {
            return None;
        }
        let (path, _) = upkeep::published(&state);
        let now = Seen::at(&path)?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = kept.as_ref().filter(|(then, _)| *then == now) {
            return Some(list.clone());
        }
        let der = std::fs::read(&path).ok()?;
        let about = Published::read(&state)?;
        let list = PublishedList { der: der.into(), made: about.at, next_update: about.next_update };
        *kept = Some((now, list.clone()));
        Some(list)
    })
}
