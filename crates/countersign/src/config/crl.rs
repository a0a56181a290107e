//! The revocation lists of a trusted issuer: read from their files, or from the copies of what was fetched, and looked
//! at again while the gate runs.

use std::fs::File;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use examiner::path::crl;
use policy::{Ca, OnStale, RevocationList};

use super::fetched::Fetched;
use super::file::{CrlFile, OnStaleFile};
use super::problem::Problem;
use super::seen::Seen;
use super::settings::Settings;
use super::state::StateDir;
use crate::fetch::FetchUrl;

/// Bytes that a list may have: some 400,000 entries.
pub const MOST_BYTES: u64 = 16 << 20;

/// One list of a CA.
#[derive(Clone, Debug)]
pub struct CrlSettings {
    /// The file's path, or the address, as it was written.
    pub shown: String,
    /// Where it is fetched from, if it is.
    pub url: Option<FetchUrl>,
    /// What becomes of certificates past nextUpdate.
    pub on_stale: OnStale,
    /// The list, or why it is not taken.
    pub list: Result<Arc<RevocationList>, Problem>,
    /// Why what stands in the file is left out for a list that was in force before.
    pub left_out: Option<String>,
    path: PathBuf,
    /// Where it is configured.
    place: String,
    /// Where the list that was in force last is kept.
    kept: Fetched,
    /// Whether the list is the one that is kept: no other is newer, or an operator has accepted it.
    is_kept: bool,
    /// The file and the copy as they were when they were last read.
    seen: [Option<Seen>; 2],
}

/// What stands in a list's file.
struct Found {
    list: Arc<RevocationList>,
    older: Option<String>,
    is_kept: bool,
}

/// What a second look found.
enum Look {
    /// A newer list.
    Newer(Arc<RevocationList>, bool),
    /// A list older than the one in force; in words.
    Older(String),
    /// Nothing that can be taken.
    Broken(Problem),
}

impl CrlSettings {
    /// Reads a list of `ca` from the file that the settings name, relative to `base`, or from the copy in the state
    /// directory of what was fetched. An error says what is wrong with the settings.
    pub fn read(
        ca: &Ca,
        file: &CrlFile,
        (base, state): (&Path, &StateDir),
        place: &str,
    ) -> Result<Self, String> {
        let (path, shown, url, kept) = match (&file.file, &file.url) {
            (Some(path), None) => {
                let shown = path.display().to_string();
                let kept = Fetched::of_file(state, &ca.name, &shown);
                (base.join(path), shown, None, kept)
            }
            (None, Some(text)) => {
                let url = FetchUrl::parse(text)?;
                let kept = Fetched::new(state, &ca.name, &url);
                (kept.copy(), url.to_string(), Some(url), kept)
            }
            _ => return Err("a revocation list has either a file or a url".into()),
        };
        let on_stale = match file.on_stale {
            OnStaleFile::Deny => OnStale::Deny,
            OnStaleFile::Allow => OnStale::Allow,
        };
        let seen = [Seen::at(&path), Seen::at(&kept.copy())];
        let found = if url.is_some() && seen[0].is_none() {
            Err(Problem {
                place: place.to_owned(),
                what: format!("ca.{}: revocation list {shown}: it has not been fetched yet", ca.name),
                help: format!("`countersign ca fetch {}` fetches it now", ca.name),
            })
        } else {
            read(ca, &path, &kept, &shown, place)
        };
        let (is_kept, left_out) =
            found.as_ref().map_or((false, None), |found| (found.is_kept, found.older.clone()));
        let list = found.map(|found| found.list);
        Ok(Self { shown, url, on_stale, list, left_out, path, place: place.to_owned(), kept, is_kept, seen })
    }

    fn now(&self) -> [Option<Seen>; 2] {
        [Seen::at(&self.path), Seen::at(&self.kept.copy())]
    }

    /// Keeps the list for the next start, so that an older one is known then.
    fn remember(&mut self) {
        // What changed since it was read is remembered when it has been read.
        if self.is_kept || self.left_out.is_some() || self.list.is_err() || self.now() != self.seen {
            return;
        }
        let kept = bytes(&self.path).and_then(|bytes| self.kept.keep(&bytes));
        match kept {
            Ok(()) => (self.is_kept, self.seen) = (true, self.now()),
            Err(error) => {
                let file = &self.shown;
                tracing::error!(%error, file, "the revocation list cannot be kept: an older one would be taken at the next start");
            }
        }
    }

    /// The list as it stands in its file, however old.
    pub fn in_file(&self, ca: &Ca) -> Result<(RevocationList, Vec<u8>), String> {
        let bytes = bytes(&self.path).map_err(|error| error.to_string())?;
        parse(ca, &bytes).map(|list| (list, bytes)).map_err(|(why, _)| why)
    }

    /// Where the list that was in force last is kept.
    pub fn kept(&self) -> &Fetched {
        &self.kept
    }

    /// Reads the file again; only a list that is not older than the one in force is taken.
    fn look(&self, ca: &Ca) -> Look {
        let found = match read(ca, &self.path, &self.kept, &self.shown, &self.place) {
            Ok(found) => found,
            Err(problem) => return Look::Broken(problem),
        };
        if let Some(older) = found.older {
            return Look::Older(older);
        }
        match &self.list {
            Ok(there) if !found.is_kept && is_older(&found.list, there) => {
                Look::Older(older_than(&ca.name, &found.list, there))
            }
            _ => Look::Newer(found.list, found.is_kept),
        }
    }
}

fn is_older(list: &RevocationList, than: &RevocationList) -> bool {
    list.is_of_same_issuer(than) && list.is_older_than(than)
}

/// That a list is older than another, and what to do if that is right.
pub fn older_than(ca: &str, list: &RevocationList, other: &RevocationList) -> String {
    let number = |list: &RevocationList| list.number.as_deref().map_or("without number".into(), shown_number);
    format!(
        "the list ({}, {}) is older than the one that is kept ({}, {}), which stays; if CA {ca} began its numbers anew, \
         `countersign ca accept-crl {ca}` takes it",
        number(list),
        list.this_update,
        number(other),
        other.this_update
    )
}

/// The lists of a CA that were in force before, from any address or file.
pub fn kept(ca: &Ca, folder: &Path) -> impl Iterator<Item = (PathBuf, RevocationList)> {
    let paths = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let lists = paths.filter(|path| path.extension().is_some_and(|extension| extension == "crl"));
    lists.filter_map(|path| {
        let list = parse(ca, &std::fs::read(&path).ok()?).ok()?;
        Some((path, list))
    })
}

fn read(ca: &Ca, path: &Path, copy: &Fetched, shown: &str, place: &str) -> Result<Found, Problem> {
    let fault = |why: String, help: &str| Problem {
        place: place.to_owned(),
        what: format!("ca.{}: revocation list {shown}: {why}", ca.name),
        help: help.to_owned(),
    };
    let bytes = bytes(path).map_err(|error| {
        fault(error.to_string(), "give a PEM or DER file; its path is relative to the configuration file")
    })?;
    let list = parse(ca, &bytes).map_err(|(why, help)| fault(why, help))?;
    if std::fs::read(copy.copy()).is_ok_and(|there| there == bytes) {
        return Ok(Found { list: Arc::new(list), older: None, is_kept: true });
    }
    let newer = kept(ca, copy.folder()).find(|(_, one)| is_older(&list, one));
    let older = newer.as_ref().map(|(_, newer)| older_than(&ca.name, &list, newer));
    let list = newer.map_or(list, |(_, newer)| newer);
    Ok(Found { list: Arc::new(list), older, is_kept: false })
}

/// Reads and verifies a list of `ca`, PEM or DER; else what is wrong, and what to do.
pub fn parse(ca: &Ca, bytes: &[u8]) -> Result<RevocationList, (String, &'static str)> {
    // Whoever writes the list is not this machine's owner: what it may trip over must not end the gate.
    let taken = catch_unwind(AssertUnwindSafe(|| {
        let der = crl::der_of(bytes)?;
        RevocationList::read(&der, ca.anchors.iter().chain(&ca.intermediates))
    }));
    match taken {
        Ok(Ok(list)) => Ok(list),
        Ok(Err(why)) => {
            Err((why.to_string(), "ask the issuer for its whole list, signed by a certificate of this CA"))
        }
        Err(_) => Err(("reading it failed".into(), "please report this, with the list")),
    }
}

fn bytes(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(std::io::Error::other(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

/// A list's number in decimal where it is small, else in hex.
pub fn shown_number(octets: &[u8]) -> String {
    match octets.len() {
        0..=8 => octets.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet)).to_string(),
        _ => octets.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}

/// Looks at the files that changed. Which other lists are in force now, in words; a broken file or an older list changes
/// nothing, and is told once.
pub async fn look_again(settings: &mut Settings) -> Vec<String> {
    let mut changes = Vec::new();
    for ca in settings.cas.values_mut() {
        for one in &mut ca.lists {
            let now = one.now();
            if one.seen == now {
                continue;
            }
            let (rules, there) = (ca.rules.clone(), one.clone());
            let Ok(found) = tokio::task::spawn_blocking(move || there.look(&rules)).await else { continue };
            one.seen = now;
            let (ca, file) = (&ca.rules.name, &one.shown);
            match found {
                Look::Newer(list, is_kept) => {
                    let number = list.number.as_deref().map(shown_number).unwrap_or_default();
                    tracing::info!(ca, file, number, next = %list.next_update, "a revocation list is in force");
                    changes.push(format!(
                        "revocation list of CA {ca} read from {file}: number {}, {} entries, the next is due at {}",
                        if number.is_empty() { "absent" } else { &number },
                        list.count(),
                        list.next_update
                    ));
                    (one.list, one.is_kept, one.left_out) = (Ok(list), is_kept, None);
                    one.remember();
                }
                Look::Older(why) => {
                    tracing::warn!(
                        ca,
                        file,
                        why,
                        "the revocation list is older than the one in force, which stays"
                    );
                    one.left_out = Some(why);
                }
                Look::Broken(problem) => {
                    tracing::error!(%problem, "the revocation list is not taken; the last good copy stays in force");
                }
            }
        }
    }
    changes
}

/// Keeps the lists that are put in force, so that an older one is known at the next start, and tells of those left out.
pub fn remember(settings: &mut Settings) {
    for (ca, one) in
        settings.cas.iter_mut().flat_map(|(name, ca)| ca.lists.iter_mut().map(move |one| (name, one)))
    {
        if let (Some(why), Ok(_)) = (&one.left_out, &one.list) {
            let file = &one.shown;
            tracing::warn!(
                ca,
                file,
                why,
                "the revocation list is left out, and the one that was in force before stays"
            );
        }
        one.remember();
    }
}

/// Keeps of the lists in force those that settings read anew have not, or have only in an older version.
pub fn keep_newer(in_force: &Settings, settings: &mut Settings) {
    for (name, ca) in &mut settings.cas {
        let Some(before) = in_force.cas.get(name) else { continue };
        for one in &mut ca.lists {
            let kept = match &one.list {
                Ok(_) if one.is_kept => None,
                Ok(list) => before
                    .lists
                    .iter()
                    .filter_map(|old| old.list.as_ref().ok())
                    .find(|old| is_older(list, old)),
                Err(_) => before
                    .lists
                    .iter()
                    .find(|old| old.path == one.path)
                    .and_then(|old| old.list.as_ref().ok()),
            };
            let Some(kept) = kept else { continue };
            match &one.list {
                Ok(list) => one.left_out = Some(older_than(name, list, kept)),
                Err(problem) => {
                    tracing::error!(%problem, "the revocation list is not taken; the last good copy stays in force");
                    one.left_out = Some(problem.what.clone());
                }
            }
            one.list = Ok(kept.clone());
        }
    }
}
