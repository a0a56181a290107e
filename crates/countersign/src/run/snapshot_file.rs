//! The last policy on disk, so that a gate can start while its registry is away.
//!
//! Lines of JSON: a header, the sites and CAs of the registry, each record as the feed would carry it, and at the end an
//! HMAC-SHA256 of everything before. The key stands elsewhere: whoever can write the file alone cannot make a policy.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::hmac;
use examiner::UnixTime;
use policy::{HostName, RecordChange, Records, RecordsBuilder};
use registry::{State, StoredCa, StoredSite};
use serde::{Deserialize, Serialize};

/// The format written here; another is not read.
const FORMAT: u32 = 1;
/// A file that has not been written to for this long is written by nobody any more.
const LEFT_BEHIND: Duration = Duration::from_secs(600);
/// Mark of the last line.
const SEAL: &str = "hmac-sha256 ";

/// Where a snapshot is kept, and the key that seals it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// The key's file; made when it is missing.
    pub key: PathBuf,
}

/// What stands on the first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    format: u32,
    /// Incarnation of the registry it was read from.
    pub epoch: String,
    /// The last change in it.
    pub seq: i64,
    /// When it was known to be what the registry says.
    pub time: UnixTime,
    /// How many denials it keeps that the registry no longer knows of; see [`super::denials`].
    pub kept_denials: usize,
}

impl Header {
    /// A header in the format of today.
    pub fn new(epoch: String, seq: i64, time: UnixTime, kept_denials: usize) -> Self {
        Self { format: FORMAT, epoch, seq, time, kept_denials }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Site { name: HostName, settings: String },
    Ca { name: String, pem: String, sites: Vec<HostName>, settings: String },
    Change(RecordChange),
}

/// Why there is no policy to be had from the file.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// It cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not whole, or was not written by this gate.
    #[error("{}: {what}", path.display())]
    Unusable {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl Place {
    /// Whether there is a snapshot.
    pub fn exists(&self) -> bool {
        self.file.exists()
    }

    /// The header, for those who only want to know what a gate keeps; the seal is not looked at.
    pub fn header(&self) -> Option<Header> {
        let mut line = String::new();
        BufReader::new(File::open(&self.file).ok()?).read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }

    /// Writes a snapshot in the place of the last: whole or not at all.
    pub fn write(
        &self,
        header: &Header,
        sites: &[StoredSite],
        cas: &[StoredCa],
        records: &Records,
    ) -> Result<(), SnapshotError> {
        let key = self.key(true)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| self.io(source))?;
        remove_leftovers(folder);
        // A name of its own: while one gate takes over from another, both write.
        let new = tempfile::Builder::new().prefix("last.").suffix(".new").tempfile_in(folder);
        let (file, new) = new.map_err(|source| self.io(source))?.into_parts();
        let written = Sealed::new(file, &key).fill(header, sites, cas, records);
        written
            .and_then(|()| new.persist(&self.file).map_err(|error| error.error))
            .map_err(|source| self.io(source))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| self.io(source))
    }

    /// Reads the last snapshot as the state that its registry had. Nothing of it is used before its seal was checked.
    ///
    /// `Err(Unusable)` also when `now` lies before the snapshot: then the clock is wrong, and dates decide nothing.
    pub fn read(&self, now: UnixTime) -> Result<(Header, State), SnapshotError> {
        let key = self.key(false)?;
        let bytes = std::fs::read(&self.file).map_err(|source| self.io(source))?;
        let content = unsealed(&bytes, &key).map_err(|what| self.unusable(what))?;
        let mut lines = content.lines();
        let header: Header = lines
            .next()
            .and_then(|line| serde_json::from_str(line).ok())
            .filter(|header: &Header| header.format == FORMAT)
            .ok_or_else(|| self.unusable("it is of a format that this version does not read"))?;
        if now < header.time {
            let what =
                format!("the clock says {now}, but it was written at {}: put the clock right", header.time);
            return Err(self.unusable(what));
        }
        let mut records = RecordsBuilder::default();
        let mut state = State {
            epoch: header.epoch.clone(),
            seq: header.seq,
            records: Records::default(),
            sites: Vec::new(),
            cas: Vec::new(),
        };
        for line in lines {
            match serde_json::from_str(line).map_err(|error| self.unusable(error.to_string()))? {
                Line::Site { name, settings } => state.sites.push(StoredSite { name, settings }),
                Line::Ca { name, pem, sites, settings } => {
                    state.cas.push(StoredCa { name, pem, sites, settings });
                }
                Line::Change(change) => records.add(change),
            }
        }
        state.records = records.finish();
        Ok((header, state))
    }

    fn key(&self, make: bool) -> Result<hmac::Key, SnapshotError> {
        let io = |source| SnapshotError::Io { path: self.key.clone(), source };
        let mut bytes = Vec::new();
        match File::open(&self.key).and_then(|mut file| file.read_to_end(&mut bytes)) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && make => {
                bytes = vec![0; 32];
                getrandom::fill(&mut bytes).map_err(|error| io(std::io::Error::other(error.to_string())))?;
                let new = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&self.key);
                new.and_then(|mut file| file.write_all(&bytes).and_then(|()| file.sync_all())).map_err(io)?;
            }
            Err(error) => return Err(io(error)),
        }
        if bytes.len() != 32 {
            let what =
                "a snapshot's key is 32 bytes; remove the file, and the next snapshot makes another".into();
            return Err(SnapshotError::Unusable { path: self.key.clone(), what });
        }
        Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
    }

    fn io(&self, source: std::io::Error) -> SnapshotError {
        SnapshotError::Io { path: self.file.clone(), source }
    }

    fn unusable(&self, what: impl Into<String>) -> SnapshotError {
        SnapshotError::Unusable { path: self.file.clone(), what: what.into() }
    }
}

/// Removes what gates left behind that ended while they wrote: files that nobody has written to for a while.
fn remove_leftovers(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with("last.") && name.ends_with(".new"));
        let age = entry.metadata().and_then(|file| file.modified()).ok().and_then(|at| at.elapsed().ok());
        if is_ours && age.is_some_and(|age| age > LEFT_BEHIND) {
            // Where it cannot be removed it only takes room.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The content without its seal. `Err` says that the seal is missing or not ours.
fn unsealed<'a>(bytes: &'a [u8], key: &hmac::Key) -> Result<&'a str, &'static str> {
    let cut = "its end is missing";
    let line = bytes.strip_suffix(b"\n").ok_or(cut)?;
    let start = line.iter().rposition(|byte| *byte == b'\n').ok_or(cut)? + 1;
    let seal = line[start..].strip_prefix(SEAL.as_bytes()).ok_or(cut)?;
    let seal = examiner::Thumbprint::from_hex(std::str::from_utf8(seal).unwrap_or_default()).ok_or(cut)?;
    let content = &bytes[..start];
    hmac::verify(key, content, &seal.0)
        .map_err(|_| "its seal does not fit: it was changed, or the key was")?;
    std::str::from_utf8(content).map_err(|_| "it is no text")
}

/// A file whose every byte goes through the HMAC.
struct Sealed {
    file: BufWriter<File>,
    seal: hmac::Context,
}

impl Sealed {
    fn new(file: File, key: &hmac::Key) -> Self {
        Self { file: BufWriter::with_capacity(1 << 16, file), seal: hmac::Context::with_key(key) }
    }

    fn line(&mut self, value: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(value)?;
        line.push(b'\n');
        self.seal.update(&line);
        self.file.write_all(&line)
    }

    fn fill(
        mut self,
        header: &Header,
        sites: &[StoredSite],
        cas: &[StoredCa],
        records: &Records,
    ) -> std::io::Result<()> {
        self.line(header)?;
        for StoredSite { name, settings } in sites {
            self.line(&Line::Site { name: name.clone(), settings: settings.clone() })?;
        }
        for StoredCa { name, pem, sites, settings } in cas {
            self.line(&Line::Ca {
                name: name.clone(),
                pem: pem.clone(),
                sites: sites.clone(),
                settings: settings.clone(),
            })?;
        }
        for change in records.changes() {
            self.line(&Line::Change(change))?;
        }
        let seal: String = self.seal.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(self.file, "{SEAL}{seal}")?;
        self.file.flush()?;
        self.file.get_ref().sync_all()
    }
}

#[cfg(test)]
mod tests {
    use policy::PartyName;
    use policy::record::Party;

    use super::*;

    fn place() -> (tempfile::TempDir, Place) {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { file: folder.path().join("snapshot/last"), key: folder.path().join("key") };
        (folder, place)
    }

    fn written(place: &Place) -> Records {
        let mut records = Records::default();
        for name in ["alice", "bob"] {
            let name = PartyName::parse(name).unwrap();
            let party =
                Party { id: name.to_string(), name, suspended_since: None, grants: Default::default() };
            records.parties.insert(party);
        }
        let sites = [StoredSite { name: HostName::parse("a.test").unwrap(), settings: "x = 1\n".into() }];
        place.write(&Header::new("e".into(), 7, UnixTime(1_000), 0), &sites, &[], &records).unwrap();
        records
    }

    #[test]
    fn what_was_written_is_read_again() {
        let (_folder, place) = place();
        let records = written(&place);
        let (header, state) = place.read(UnixTime(1_000)).unwrap();
        assert_eq!((header.seq, header.epoch.as_str()), (7, "e"));
        assert_eq!(place.header(), Some(header));
        assert_eq!(state.sites[0].settings, "x = 1\n");
        let alice = PartyName::parse("alice").unwrap();
        let found = |records: &Records| records.parties.get(&alice).unwrap().to_party();
        assert_eq!(found(&state.records), found(&records));
        assert_eq!(state.records.parties.len(), 2);
    }

    #[test]
    fn a_changed_byte_a_cut_end_and_another_key_are_each_refused() {
        let (_folder, place) = place();
        written(&place);
        let good = std::fs::read(&place.file).unwrap();
        let refused = |bytes: &[u8]| {
            std::fs::write(&place.file, bytes).unwrap();
            place.read(UnixTime(1_000)).unwrap_err().to_string()
        };
        let changed = String::from_utf8(good.clone()).unwrap().replacen("alice", "mallo", 1);
        assert!(refused(changed.as_bytes()).contains("seal"));
        assert!(refused(&good[..good.len() / 2]).contains("end is missing"));
        assert!(refused(b"").contains("end is missing"));
        std::fs::write(&place.file, &good).unwrap();
        std::fs::write(&place.key, [9; 32]).unwrap();
        assert!(place.read(UnixTime(1_000)).unwrap_err().to_string().contains("seal"));
        std::fs::remove_file(&place.key).unwrap();
        assert!(place.read(UnixTime(1_000)).is_err(), "reading makes no key");
    }

    #[test]
    fn what_a_gate_left_half_written_is_removed_and_what_another_writes_now_is_not() {
        let (_folder, place) = place();
        written(&place);
        let folder = place.file.parent().unwrap();
        let [left, fresh, other] = ["last.a.new", "last.b.new", "notes"].map(|name| folder.join(name));
        for path in [&left, &fresh, &other] {
            std::fs::write(path, "half").unwrap();
        }
        let old = std::time::SystemTime::now() - LEFT_BEHIND - Duration::from_secs(1);
        for path in [&left, &other] {
            File::options().write(true).open(path).unwrap().set_modified(old).unwrap();
        }
        written(&place);
        assert_eq!([&left, &fresh, &other].map(|path| path.exists()), [false, true, true]);
        assert!(place.read(UnixTime(1_000)).is_ok());
    }

    #[test]
    fn a_clock_behind_the_snapshot_is_no_clock() {
        let (_folder, place) = place();
        written(&place);
        assert!(place.read(UnixTime(999)).unwrap_err().to_string().contains("clock"));
    }
}
