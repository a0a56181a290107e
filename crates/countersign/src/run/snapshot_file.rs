//! The last policy on disk: a gate begins with it and with what changed since, or with it alone while its registry is
//! away.
//!
//! A line of JSON, the header; then, in [sealed blocks](blocks), the sites and CAs of the registry and the records as
//! they lie in memory. The key stands elsewhere: whoever can write the file alone cannot make a policy.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::hmac;
use examiner::UnixTime;
use policy::{HostName, Records};
use registry::{Mark, State, StoredCa, StoredSite};
use serde::{Deserialize, Serialize};

use blocks::{Sealing, Unsealing};

mod blocks;

/// The format written here; another is not read. The records have a form of their own beside it.
const FORMAT: u32 = 2;
/// Bytes of the header at the most.
const HEADER_MOST: u64 = 4096;
/// Bytes of the sites and CAs at the most.
const SETTINGS_MOST: u32 = 64 << 20;
/// A file that has not been written to for this long is written by nobody any more.
const LEFT_BEHIND: Duration = Duration::from_secs(600);

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
    /// The form of the records.
    #[serde(default)]
    form: u32,
    /// Random, so that no two snapshots begin alike: their blocks cannot be mixed.
    #[serde(default)]
    name: String,
    /// Incarnation of the registry it was read from.
    pub epoch: String,
    /// The last change in it.
    pub seq: i64,
    /// What tells that change from another of this number.
    #[serde(default)]
    mark: Option<String>,
    /// When it was known to be what the registry says.
    pub time: UnixTime,
    /// How many denials it keeps that the registry no longer knows of; see [`super::denials`].
    pub kept_denials: usize,
}

impl Header {
    /// Of a state, in the format of today.
    fn of(state: &State, time: UnixTime, kept_denials: usize) -> std::io::Result<Self> {
        let mut name = [0; 16];
        getrandom::fill(&mut name).map_err(|error| std::io::Error::other(error.to_string()))?;
        Ok(Self {
            format: FORMAT,
            form: Records::FORM,
            name: name.iter().map(|byte| format!("{byte:02x}")).collect(),
            epoch: state.epoch.clone(),
            seq: state.seq,
            mark: state.mark.as_ref().map(|mark| mark.0.clone()),
            time,
            kept_denials,
        })
    }

    fn is_read_here(&self) -> bool {
        (self.format, self.form) == (FORMAT, Records::FORM)
    }
}

/// Sites and CAs of the registry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingsKept {
    sites: Vec<SiteKept>,
    cas: Vec<CaKept>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteKept {
    name: HostName,
    settings: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaKept {
    name: String,
    pem: String,
    sites: Vec<HostName>,
    settings: String,
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
        first_line(&mut BufReader::new(File::open(&self.file).ok()?)).ok()?.1
    }

    /// Writes a snapshot in the place of the last: whole or not at all. `time`: when it was known to be what the
    /// registry says; `kept_denials`: see [`Header::kept_denials`].
    pub fn write(&self, state: &State, time: UnixTime, kept_denials: usize) -> Result<(), SnapshotError> {
        let key = self.key(true)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(|source| self.io(source))?;
        remove_leftovers(folder);
        // A name of its own: while one gate takes over from another, both write.
        let new = tempfile::Builder::new().prefix("last.").suffix(".new").tempfile_in(folder);
        let (file, new) = new.map_err(|source| self.io(source))?.into_parts();
        Header::of(state, time, kept_denials)
            .and_then(|header| fill(file, &key, &header, state))
            .and_then(|()| new.persist(&self.file).map_err(|error| error.error))
            .map_err(|source| self.io(source))?;
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| self.io(source))
    }

    /// Reads the last snapshot as the state that its registry had. Nothing of it is used before its seal was checked.
    ///
    /// `Err(Unusable)` also when `now` lies before the snapshot: then the clock is wrong, and dates decide nothing.
    pub fn read(&self, now: UnixTime) -> Result<(Header, State), SnapshotError> {
        let key = self.key(false)?;
        let file = File::open(&self.file).map_err(|source| self.io(source))?;
        let most = file.metadata().map_err(|source| self.io(source))?.len();
        let mut file = BufReader::with_capacity(1 << 17, file);
        let (line, header) = first_line(&mut file).map_err(|source| self.io(source))?;
        let header = header.ok_or_else(|| self.unusable(blocks::CUT))?;
        if !header.is_read_here() {
            return Err(self.unusable("it is of a format that this version does not read"));
        }
        let state = self.content(Unsealing::new(file, &key, &line), most, &header)?;
        if now < header.time {
            let what =
                format!("the clock says {now}, but it was written at {}: put the clock right", header.time);
            return Err(self.unusable(what));
        }
        Ok((header, state))
    }

    fn content(
        &self,
        mut input: Unsealing<impl Read>,
        most: u64,
        header: &Header,
    ) -> Result<State, SnapshotError> {
        let fault = |error: std::io::Error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => self.unusable(error.to_string()),
            _ => self.io(error),
        };
        let mut length = [0; 4];
        input.read_exact(&mut length).map_err(fault)?;
        let length = u32::from_le_bytes(length);
        if length > SETTINGS_MOST || u64::from(length) > most {
            return Err(self.unusable("its settings are too long"));
        }
        let mut settings = vec![0; length as usize];
        input.read_exact(&mut settings).map_err(fault)?;
        let settings: SettingsKept =
            serde_json::from_slice(&settings).map_err(|error| self.unusable(error.to_string()))?;
        let records = Records::read_from(&mut input, most).map_err(fault)?;
        input.finish().map_err(fault)?;
        let site = |SiteKept { name, settings }| StoredSite { name, settings };
        let ca = |CaKept { name, pem, sites, settings }| StoredCa { name, pem, sites, settings };
        Ok(State {
            epoch: header.epoch.clone(),
            seq: header.seq,
            mark: header.mark.clone().map(Mark),
            records,
            sites: settings.sites.into_iter().map(site).collect(),
            cas: settings.cas.into_iter().map(ca).collect(),
        })
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

/// The first line with its end, and the header that it holds; none where it holds none.
fn first_line(file: &mut impl BufRead) -> std::io::Result<(Vec<u8>, Option<Header>)> {
    let mut line = Vec::new();
    file.take(HEADER_MOST).read_until(b'\n', &mut line)?;
    let header = line.ends_with(b"\n").then(|| serde_json::from_slice(&line).ok()).flatten();
    Ok((line, header))
}

/// Writes all of a snapshot, and has it on the disk.
fn fill(file: File, key: &hmac::Key, header: &Header, state: &State) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(header)?;
    line.push(b'\n');
    let mut file = BufWriter::with_capacity(1 << 17, file);
    file.write_all(&line)?;
    let mut out = Sealing::new(file, key, &line);
    let site = |one: &StoredSite| SiteKept { name: one.name.clone(), settings: one.settings.clone() };
    let ca = |one: &StoredCa| CaKept {
        name: one.name.clone(),
        pem: one.pem.clone(),
        sites: one.sites.clone(),
        settings: one.settings.clone(),
    };
    let settings = SettingsKept {
        sites: state.sites.iter().map(site).collect(),
        cas: state.cas.iter().map(ca).collect(),
    };
    let settings = serde_json::to_vec(&settings)?;
    let length = u32::try_from(settings.len()).ok().filter(|length| *length <= SETTINGS_MOST);
    let length = length.ok_or_else(|| std::io::Error::other("the sites and CAs are too long to be kept"))?;
    out.write_all(&length.to_le_bytes())?;
    out.write_all(&settings)?;
    state.records.write_to(&mut out)?;
    out.finish()?.into_inner().map_err(|error| error.into_error())?.sync_all()
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

    fn state(parties: &[&str]) -> State {
        let mut records = Records::default();
        for name in parties {
            let name = PartyName::parse(name).unwrap();
            let party =
                Party { id: name.to_string(), name, suspended_since: None, grants: Default::default() };
            records.parties.insert(party);
        }
        let name = HostName::parse("a.test").unwrap();
        State {
            epoch: "e".into(),
            seq: 7,
            mark: Some(Mark("m".into())),
            records,
            sites: vec![StoredSite { name: name.clone(), settings: "x = 1\n".into() }],
            cas: vec![StoredCa {
                name: "acme".into(),
                pem: "PEM".into(),
                sites: vec![name],
                settings: String::new(),
            }],
        }
    }

    fn written(place: &Place) -> State {
        let state = state(&["alice", "bob"]);
        place.write(&state, UnixTime(1_000), 0).unwrap();
        state
    }

    fn refused(place: &Place, bytes: &[u8]) -> String {
        std::fs::write(&place.file, bytes).unwrap();
        place.read(UnixTime(1_000)).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_is_read_again() {
        let (_folder, place) = place();
        let before = written(&place);
        let (header, state) = place.read(UnixTime(1_000)).unwrap();
        assert_eq!((header.seq, header.epoch.as_str()), (7, "e"));
        assert_eq!(place.header(), Some(header));
        assert_eq!((&state.sites, &state.cas, &state.mark), (&before.sites, &before.cas, &before.mark));
        let alice = PartyName::parse("alice").unwrap();
        let found = |state: &State| state.records.parties.get(&alice).unwrap().to_party();
        assert_eq!(found(&state), found(&before));
        assert_eq!(state.records.parties.len(), 2);
    }

    #[test]
    fn a_changed_byte_a_cut_end_and_another_key_are_each_refused() {
        let (_folder, place) = place();
        written(&place);
        let good = std::fs::read(&place.file).unwrap();
        assert!(refused(&place, b"").contains("end is missing"));
        for length in 0..good.len() {
            let said = refused(&place, &good[..length]);
            assert!(said.contains("end is missing"), "{length}: {said}");
        }
        for place_of_it in 0..good.len() {
            for bits in [0x01, 0x20, 0x80] {
                let mut changed = good.clone();
                changed[place_of_it] ^= bits;
                let said = refused(&place, &changed);
                let words = ["seal", "end is missing", "format"];
                assert!(words.iter().any(|word| said.contains(word)), "{place_of_it}: {said}");
            }
        }
        std::fs::write(&place.file, &good).unwrap();
        std::fs::write(&place.key, [9; 32]).unwrap();
        assert!(place.read(UnixTime(1_000)).unwrap_err().to_string().contains("seal"));
        std::fs::remove_file(&place.key).unwrap();
        assert!(place.read(UnixTime(1_000)).is_err(), "reading makes no key");
    }

    #[test]
    fn the_header_of_one_snapshot_does_not_go_with_the_content_of_another() {
        let (_folder, place) = place();
        written(&place);
        let old = std::fs::read(&place.file).unwrap();
        place.write(&State { seq: 8, ..state(&["alice"]) }, UnixTime(1_000), 0).unwrap();
        let new = std::fs::read(&place.file).unwrap();
        let cut = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        let mixed = [&new[..cut(&new)], &old[cut(&old)..]].concat();
        assert!(refused(&place, &mixed).contains("seal"));
        // Even of two that say the same.
        let again = written(&place);
        assert_eq!(again.seq, 7);
        let again = std::fs::read(&place.file).unwrap();
        let mixed = [&again[..cut(&again)], &old[cut(&old)..]].concat();
        assert!(refused(&place, &mixed).contains("seal"));
    }

    #[test]
    fn another_format_is_refused_and_its_header_is_still_told() {
        let (_folder, place) = place();
        written(&place);
        let good = String::from_utf8_lossy(&std::fs::read(&place.file).unwrap()).into_owned();
        for (from, to) in [("\"format\":2", "\"format\":3"), ("\"form\":1", "\"form\":2")] {
            assert!(good.contains(from), "{good}");
            let said = refused(&place, good.replacen(from, to, 1).as_bytes());
            assert!(said.contains("format that this version does not read"), "{said}");
        }
        let first = r#"{"format":1,"epoch":"e","seq":7,"time":"1970-01-01T00:16:40Z","kept_denials":3}"#;
        let said = refused(&place, format!("{first}\nmore\n").as_bytes());
        assert!(said.contains("format that this version does not read"), "{said}");
        assert_eq!(place.header().map(|header| header.kept_denials), Some(3));
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
