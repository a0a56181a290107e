//! The published revocation lists for the listeners without TLS: read again only when a file changed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::{Lists, PublishedList};

use super::upkeep::{self, Published};
use crate::config::StateDir;
use crate::config::seen::Seen;

/// The own client CA's list, by its name in `/crl/NAME.crl`.
const OWN: &str = "own";
/// That of its old generation, while a rollover is under way.
const OLD: &str = "own-old";

/// Gives out `state/crl/own.crl` and `own-old.crl` where they stand.
pub fn lists(state: StateDir) -> Lists {
    let kept: Mutex<HashMap<PathBuf, (Seen, PublishedList)>> = Mutex::default();
    Arc::new(move |name| {
        let path = match name {
            OWN => upkeep::published(&state).0,
            OLD => upkeep::former_list(&state),
            _ => return None,
        };
        let now = Seen::at(&path)?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = kept.get(&path).filter(|(then, _)| *then == now) {
            return Some(list.clone());
        }
        let der = std::fs::read(&path).ok()?;
        // The two are made together.
        let about = Published::read(&state)?;
        let list = PublishedList { der: der.into(), made: about.at, next_update: about.next_update };
        kept.insert(path, (now, list.clone()));
        Some(list)
    })
}

#[cfg(test)]
mod tests {
    use examiner::UnixTime;

    use super::*;

    #[test]
    fn each_generations_list_is_given_out_under_its_name_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let lists = lists(state.clone());
        let der = |name: &str| lists(name).map(|list| list.der.to_vec());
        assert_eq!((der("own"), der("own-old"), der("other")), (None, None, None));

        let (own, beside) = upkeep::published(&state);
        std::fs::create_dir(own.parent().unwrap()).unwrap();
        let about = Published {
            number: 7,
            at: UnixTime(1_800_000_000),
            next_update: UnixTime(1_800_600_000),
            entries: Vec::new(),
        };
        std::fs::write(&beside, serde_json::to_vec(&about).unwrap()).unwrap();
        std::fs::write(&own, "one").unwrap();
        assert_eq!((der("own"), der("own-old")), (Some(b"one".to_vec()), None));
        std::fs::write(upkeep::former_list(&state), "old").unwrap();
        std::fs::write(&own, "another").unwrap();
        assert_eq!((der("own"), der("own-old")), (Some(b"another".to_vec()), Some(b"old".to_vec())));
        std::fs::remove_file(upkeep::former_list(&state)).unwrap();
        assert_eq!(der("own-old"), None);
    }
}
