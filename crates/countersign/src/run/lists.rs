//! The published revocation lists for the listeners without TLS: read again only when a file changed.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use gateway::{Lists, PublishedList};

use super::upkeep::{Dates, list};
use crate::config::StateDir;
use crate::config::seen::Seen;

/// The names of own lists begin so: `own`, `own-old`, and those that certificates name.
const OWN: &str = "own";

/// Gives out the lists of `state/crl` where they stand.
pub fn lists(state: StateDir) -> Lists {
    let kept: Mutex<HashMap<PathBuf, (Seen, PublishedList)>> = Mutex::default();
    Arc::new(move |name| {
        let rest = name.strip_prefix(OWN)?;
        let is_name = rest.is_empty() || rest.starts_with('-') && policy::names::is_name(name);
        let path = list(&state, Some(name).filter(|_| is_name)?);
        let now = Seen::at(&path)?;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, list)) = kept.get(&path).filter(|(then, _)| *then == now) {
            return Some(list.clone());
        }
        let der = std::fs::read(&path).ok()?;
        // They are made together.
        let Dates { number, at: made, next_update } = Dates::read(&state)?;
        let list = PublishedList { der: der.into(), number, made, next_update };
        kept.insert(path, (now, list.clone()));
        Some(list)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::upkeep::published;

    #[test]
    fn each_list_is_given_out_under_its_name_as_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let lists = lists(state.clone());
        let der = |name: &str| lists(name).map(|list| list.der.to_vec());
        assert_eq!((der("own"), der("own-old"), der("other")), (None, None, None));

        let (own, beside) = published(&state);
        std::fs::create_dir(own.parent().unwrap()).unwrap();
        let about =
            r#"{"number":7,"at":"2027-01-15T08:00:00Z","next_update":"2027-01-22T08:00:00Z","entries":[]}"#;
        std::fs::write(&beside, about).unwrap();
        std::fs::write(&own, "one").unwrap();
        assert_eq!((der("own"), der("own-old")), (Some(b"one".to_vec()), None));
        std::fs::write(list(&state, "own-old"), "old").unwrap();
        std::fs::write(list(&state, "own-0a1b2c3d-12"), "part").unwrap();
        std::fs::write(&own, "another").unwrap();
        assert_eq!((der("own"), der("own-old")), (Some(b"another".to_vec()), Some(b"old".to_vec())));
        assert_eq!(der("own-0a1b2c3d-12"), Some(b"part".to_vec()));
        std::fs::remove_file(list(&state, "own-old")).unwrap();
        assert_eq!(der("own-old"), None);
        std::fs::write(list(&state, "other"), "other").unwrap();
        std::fs::write(folder.path().join("secret.crl"), "secret").unwrap();
        for name in ["other", "ownother", "own/../../secret", "own-/../../secret", "../secret", ""] {
            assert_eq!(der(name), None, "{name}");
        }
    }
}
