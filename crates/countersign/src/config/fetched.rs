//! Where the copies of revocation lists stand, of those fetched and of those in files, and how the last attempt to fetch
//! one went.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authority::files;
use examiner::UnixTime;
use serde::{Deserialize, Serialize};

use super::state::StateDir;
use crate::fetch::FetchUrl;

/// How long copies of a CA that is not configured are left alone.
const REST: Duration = Duration::from_secs(3600);

/// One list's place in the state directory: `crl/fetched/ca-NAME/HASH.crl`, and `.json` where it is fetched.
#[derive(Clone, Debug)]
pub struct Fetched {
    folder: PathBuf,
    stem: String,
}

/// How the last attempt went, and when the next is due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Where it was fetched from.
    pub url: String,
    /// When.
    pub at: UnixTime,
    /// When it is tried next.
    pub next: UnixTime,
    /// How many attempts have failed, one after the other.
    pub failures: u32,
    /// Why the last one failed.
    pub fault: Option<String>,
}

impl Fetched {
    /// Of the list that CA `ca` has at `url`.
    pub fn new(state: &StateDir, ca: &str, url: &FetchUrl) -> Self {
        Self::named(state, ca, &url.to_string())
    }

    /// Of the list that CA `ca` has in the file that the settings name so.
    pub fn of_file(state: &StateDir, ca: &str, path: &str) -> Self {
        Self::named(state, ca, &format!("file:{path}"))
    }

    fn named(state: &StateDir, ca: &str, name: &str) -> Self {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
        let stem = hash.as_ref()[..16].iter().map(|octet| format!("{octet:02x}")).collect();
        Self { folder: folder(state).join(format!("ca-{ca}")), stem }
    }

    /// The directory of all lists of this CA.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The last good list.
    pub fn copy(&self) -> PathBuf {
        self.folder.join(format!("{}.crl", self.stem))
    }

    /// Puts this list in the place of the last good one.
    pub fn keep(&self, bytes: &[u8]) -> std::io::Result<()> {
        let kept = || {
            let above = self.folder.parent().unwrap_or(&self.folder);
            files::private_directory(above)?;
            files::private_directory(&self.folder)?;
            files::replace_public(&self.copy(), bytes)
        };
        kept().map_err(|error: authority::AuthorityError| std::io::Error::other(error.to_string()))
    }

    /// The last attempt's record.
    pub fn record(&self) -> PathBuf {
        self.folder.join(format!("{}.json", self.stem))
    }

    /// The last attempt, if there was one.
    pub fn last(&self) -> Option<Attempt> {
        serde_json::from_slice(&std::fs::read(self.record()).ok()?).ok()
    }
}

/// Lets go of the copies of CAs that are no longer configured, once nobody has changed them for an hour: a CA that is
/// being added has its list before it is on record.
pub fn prune(state: &StateDir, is_configured: impl Fn(&str) -> bool) -> std::io::Result<Vec<String>> {
    let mut gone = Vec::new();
    for entry in std::fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(ca) = name.to_str().and_then(|name| name.strip_prefix("ca-")) else { continue };
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if !is_configured(ca) && age > REST {
            std::fs::remove_dir_all(entry.path())?;
            gone.push(ca.to_owned());
        }
    }
    Ok(gone)
}

/// The directory of everything that was fetched.
pub fn folder(state: &StateDir) -> PathBuf {
    state.path().join("crl").join("fetched")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn copies_of_a_ca_that_is_gone_are_let_go_after_an_hour_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        std::fs::create_dir(folder.path().join("crl")).unwrap();
        let list = |ca: &str| Fetched::of_file(&state, ca, "a.crl");
        for (ca, age) in [("here", 3660), ("gone", 3660), ("coming", 3540)] {
            list(ca).keep(b"list").unwrap();
            let then = SystemTime::now() - Duration::from_secs(age);
            std::fs::File::open(list(ca).folder()).unwrap().set_modified(then).unwrap();
        }
        assert_eq!(prune(&state, |ca| ca == "here").unwrap(), ["gone"]);
        assert_eq!(["here", "gone", "coming"].map(|ca| list(ca).copy().exists()), [true, false, true]);
    }
}
