//! The revocation lists of a trusted issuer: read from their files, and looked at again while the gate runs.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use examiner::path::crl;
use policy::{Ca, OnStale, RevocationList};

use super::file::{CrlFile, OnStaleFile};
use super::problem::Problem;
use super::settings::Settings;

/// Bytes that a list may have: some 400,000 entries.
const MOST_BYTES: u64 = 16 << 20;

/// One list of a CA.
#[derive(Clone, Debug)]
pub struct CrlSettings {
    /// The file's path as it was written.
    pub shown: String,
    /// What becomes of certificates past nextUpdate.
    pub on_stale: OnStale,
    /// The list, or why it is not taken.
    pub list: Result<Arc<RevocationList>, Problem>,
    path: PathBuf,
    /// Where it is configured.
    place: String,
    /// The file as it was when it was last read.
    seen: Option<Seen>,
}

/// What tells one version of a file from the next: device, inode, length, and when content and inode were changed.
type Seen = (u64, u64, u64, (i64, i64), (i64, i64));

/// What a second look found.
enum Look {
    /// A newer list.
    Newer(Arc<RevocationList>),
    /// A list older than the one in force.
    Older,
    /// Nothing that can be taken.
    Broken(Problem),
}

impl CrlSettings {
    /// Reads a list of `ca` from the file that the settings name, relative to `base`.
    pub fn read(ca: &Ca, file: &CrlFile, base: &Path, place: &str) -> Self {
        let path = base.join(&file.file);
        let shown = file.file.display().to_string();
        let on_stale = match file.on_stale {
            OnStaleFile::Deny => OnStale::Deny,
            OnStaleFile::Allow => OnStale::Allow,
        };
        let seen = seen(&path);
        let list = read(ca, &path, &shown, place);
        Self { shown, on_stale, list, path, place: place.to_owned(), seen }
    }

    fn has_changed(&self) -> bool {
        seen(&self.path) != self.seen
    }

    /// Reads the file again; only a list that is not older than the one in force is taken.
    fn look(&self, ca: &Ca) -> Look {
        match (read(ca, &self.path, &self.shown, &self.place), &self.list) {
            (Err(problem), _) => Look::Broken(problem),
            (Ok(found), Ok(there)) if found.is_of_same_issuer(there) && found.is_older_than(there) => {
                Look::Older
            }
            (Ok(found), _) => Look::Newer(found),
        }
    }
}

fn seen(path: &Path) -> Option<Seen> {
    let file = std::fs::metadata(path).ok()?;
    let (content, inode) = ((file.mtime(), file.mtime_nsec()), (file.ctime(), file.ctime_nsec()));
    Some((file.dev(), file.ino(), file.len(), content, inode))
}

fn read(ca: &Ca, path: &Path, shown: &str, place: &str) -> Result<Arc<RevocationList>, Problem> {
    let fault = |why: String, help: &str| Problem {
        place: place.to_owned(),
        what: format!("ca.{}: revocation list {shown}: {why}", ca.name),
        help: help.to_owned(),
    };
    let bytes = bytes(path).map_err(|error| {
        fault(error.to_string(), "give a PEM or DER file; its path is relative to the configuration file")
    })?;
    // Whoever writes the list is not this machine's owner: what it may trip over must not end the gate.
    let taken = catch_unwind(AssertUnwindSafe(|| {
        let der = crl::der_of(&bytes)?;
        RevocationList::read(&der, ca.anchors.iter().chain(&ca.intermediates))
    }));
    match taken {
        Ok(Ok(list)) => Ok(Arc::new(list)),
        Ok(Err(why)) => Err(fault(
            why.to_string(),
            "ask the issuer for its whole list, signed by a certificate of this CA",
        )),
        Err(_) => Err(fault("reading it failed".into(), "please report this, with the list")),
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

/// Looks at the files that changed. Whether another list is in force now; a broken file or an older list changes
/// nothing, and is told once.
pub async fn look_again(settings: &mut Settings) -> bool {
    let mut any = false;
    for ca in settings.cas.values_mut() {
        for one in &mut ca.lists {
            if !one.has_changed() {
                continue;
            }
            let (rules, there, now) = (ca.rules.clone(), one.clone(), seen(&one.path));
            let Ok(found) = tokio::task::spawn_blocking(move || there.look(&rules)).await else { continue };
            one.seen = now;
            let (ca, file) = (&ca.rules.name, &one.shown);
            match found {
                Look::Newer(list) => {
                    let number = list.number.as_deref().map(shown_number).unwrap_or_default();
                    tracing::info!(ca, file, number, next = %list.next_update, "a revocation list is in force");
                    one.list = Ok(list);
                    any = true;
                }
                Look::Older => {
                    tracing::warn!(
                        ca,
                        file,
                        "the revocation list is older than the one in force, which stays"
                    );
                }
                Look::Broken(problem) => {
                    tracing::error!(%problem, "the revocation list is not taken; the last good copy stays in force");
                }
            }
        }
    }
    any
}

/// Keeps of the lists in force those that settings read anew have not, or have only in an older version.
pub fn keep_newer(in_force: &Settings, settings: &mut Settings) {
    for (name, ca) in &mut settings.cas {
        let Some(before) = in_force.cas.get(name) else { continue };
        for one in &mut ca.lists {
            let kept = match &one.list {
                Ok(list) => before
                    .lists
                    .iter()
                    .filter_map(|old| old.list.as_ref().ok())
                    .find(|old| old.is_of_same_issuer(list) && list.is_older_than(old)),
                Err(_) => before
                    .lists
                    .iter()
                    .find(|old| old.path == one.path)
                    .and_then(|old| old.list.as_ref().ok()),
            };
            let Some(kept) = kept else { continue };
            match &one.list {
                Ok(_) => {
                    let file = &one.shown;
                    tracing::warn!(
                        ca = name,
                        file,
                        "the revocation list is older than the one in force, which stays"
                    );
                }
                Err(problem) => {
                    tracing::error!(%problem, "the revocation list is not taken; the last good copy stays in force");
                }
            }
            one.list = Ok(kept.clone());
        }
    }
}
