//! What the file `epoch` beside the database knows: which incarnation it is, and how far its feed has come.
//!
//! The file stays behind when the database is put back from a copy. So a database that has gone back is noticed: what
//! was revoked since the copy is not denied in it. One line, `EPOCH NUMBER`, both of fixed width; a third word,
//! `restored`, keeps the finding until an operator confirms it.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Longer than any line of the file.
const LENGTH_MOST: usize = 256;

/// The database is not the one, or not as new, as was noted beside it: it was restored from a copy, or replaced.
///
/// Denials may be missing in it. A gate keeps its own until an operator has looked and
/// [confirmed](crate::Registry::confirm_restored) it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The epoch noted; `None` if the file is missing or cannot be read.
    pub noted_epoch: Option<String>,
    /// The highest number of the feed noted, of that epoch.
    pub noted_seq: Option<i64>,
    /// The database's epoch.
    pub epoch: String,
    /// The number of the database's last change when it was opened.
    pub seq: i64,
}

/// In words, for an operator.
impl std::fmt::Display for Restored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { noted_epoch, noted_seq, epoch, seq } = self;
        match (noted_epoch, noted_seq) {
            (Some(noted), Some(high)) if noted == epoch && high > seq => {
                write!(
                    f,
                    "the registry was restored from a copy: it ends at change {seq}, change {high} was made"
                )
            }
            (Some(noted), _) if noted == epoch => write!(f, "the registry was restored from a copy"),
            (Some(_), _) => write!(f, "the registry was replaced by another"),
            (None, _) => {
                write!(f, "the file `epoch` beside the registry is missing or damaged; was it restored?")
            }
        }
    }
}

/// The file.
#[derive(Clone, Debug)]
pub(crate) struct EpochFile {
    path: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Noted {
    epoch: String,
    seq: i64,
    restored: bool,
}

impl EpochFile {
    pub(crate) fn beside(database: &Path) -> Self {
        Self { path: database.with_file_name("epoch") }
    }

    pub(crate) fn exists(&self) -> bool {
        self.path.exists()
    }

    /// Begins anew with this epoch, whatever was noted.
    pub(crate) fn begin(&self, epoch: &str, seq: i64) -> std::io::Result<()> {
        let file = self.locked()?;
        write(&file, &Noted { epoch: epoch.to_owned(), seq, restored: false })
    }

    /// Compares the database with what is noted, and notes what was found. `seq` must be read after this is called for
    /// the first time: numbers are noted after they are committed.
    pub(crate) fn compare(
        &self,
        before: NotedBefore,
        epoch: &str,
        seq: i64,
    ) -> std::io::Result<Option<Restored>> {
        let NotedBefore(before) = before;
        if before.as_ref().is_some_and(|noted| !noted.restored && noted.epoch == epoch && noted.seq <= seq) {
            return Ok(None);
        }
        // The finding must outlast this look: the database's numbers grow, and would reach the noted one.
        let file = self.locked()?;
        let noted = match read(&file)? {
            Some(noted) => Noted { restored: true, ..noted },
            None => Noted { epoch: "unknown".into(), seq: 0, restored: true },
        };
        write(&file, &noted)?;
        let known = before.filter(|noted| noted.epoch != "unknown");
        Ok(Some(Restored {
            noted_epoch: known.as_ref().map(|noted| noted.epoch.clone()),
            noted_seq: known.map(|noted| noted.seq),
            epoch: epoch.to_owned(),
            seq,
        }))
    }

    /// What is noted, to be compared with what the database then says.
    pub(crate) fn look(&self) -> std::io::Result<NotedBefore> {
        match File::open(&self.path) {
            Ok(file) => {
                file.lock_shared()?;
                Ok(NotedBefore(read(&file)?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(NotedBefore(None)),
            Err(error) => Err(error),
        }
    }

    /// Notes that the feed has come so far. Never goes back, and leaves a finding and another epoch alone.
    pub(crate) fn note(&self, epoch: &str, seq: i64) {
        let noted = || {
            let file = self.locked()?;
            match read(&file)? {
                Some(noted) if !noted.restored && noted.epoch == epoch && noted.seq < seq => {
                    write(&file, &Noted { seq, ..noted })
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = noted() {
            tracing::warn!(path = %self.path.display(), %error, "the feed's number could not be noted");
        }
    }

    fn locked(&self) -> std::io::Result<File> {
        let mut options = OpenOptions::new();
        let file =
            options.create(true).truncate(false).read(true).write(true).mode(0o600).open(&self.path)?;
        file.lock()?;
        Ok(file)
    }
}

/// What was noted before the database was asked.
pub(crate) struct NotedBefore(Option<Noted>);

fn read(file: &File) -> std::io::Result<Option<Noted>> {
    let mut bytes = [0; LENGTH_MOST];
    let length = file.read_at(&mut bytes, 0)?;
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    Ok(parse(&text))
}

fn parse(text: &str) -> Option<Noted> {
    let words: Vec<&str> = text.strip_suffix('\n')?.split_ascii_whitespace().collect();
    let restored = match words.get(2..)? {
        [] => false,
        ["restored"] => true,
        _ => return None,
    };
    Some(Noted { epoch: words.first()?.to_string(), seq: words.get(1)?.parse().ok()?, restored })
}

/// In one write of a fixed length for each epoch, so that no reader finds half of it.
fn write(file: &File, noted: &Noted) -> std::io::Result<()> {
    let mark = if noted.restored { "restored" } else { "" };
    let line = format!("{} {:020} {mark:8}\n", noted.epoch, noted.seq);
    file.write_all_at(line.as_bytes(), 0)?;
    file.set_len(line.len() as u64)?;
    file.sync_data()
}
