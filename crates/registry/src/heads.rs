//! The heads' file beside the database: what each chain's newest entry was, signed, each minute and at each change.
//!
//! One line each, `KIND EPOCH NUMBER ID HASH SIGNATURE WRITER`. `head` says that an entry was there, `start` that the
//! entries up to this one were removed because they were old. The signature is HMAC-SHA256 over the other fields.

use std::collections::{BTreeMap, HashMap};
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use examiner::{Thumbprint, UnixTime};

use crate::audit::Head;
use crate::key::AuditKey;
use crate::rows::hex;

/// A gate's heads go to the file at most this often.
const EVERY_SECONDS: i64 = 60;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Head,
    Start,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Start => "start",
        }
    }
}

/// How often a writer's heads are noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HowOften {
    /// Each one: they are of changes.
    Always,
    /// At most once a minute.
    EachMinute,
}

/// The file, and when each writer's head was last noted.
#[derive(Debug)]
pub(crate) struct HeadsFile {
    path: PathBuf,
    epoch: String,
    key: AuditKey,
    noted: Mutex<HashMap<String, (UnixTime, i64)>>,
}

/// What the file says of one epoch, by writer and number.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// Entries that were there.
    pub(crate) heads: HashMap<(String, i64), Head>,
    /// Last entries that were removed because they were old.
    pub(crate) starts: HashMap<(String, i64), Head>,
    /// The first line that its signature does not fit, counted from 1.
    pub(crate) altered: Option<usize>,
}

/// The file's place beside a database.
pub(crate) fn beside(database: &Path) -> PathBuf {
    database.with_file_name("audit-heads")
}

impl HeadsFile {
    pub(crate) fn new(database: &Path, epoch: &str, key: AuditKey) -> Self {
        Self { path: beside(database), epoch: epoch.to_owned(), key, noted: Mutex::default() }
    }

    /// Notes a head, here and in the program's own log, so that it leaves the machine with that. A failure is logged:
    /// the entry itself stands.
    pub(crate) fn note(&self, writer: &str, head: &Head, at: UnixTime, how_often: HowOften) {
        let mut noted = self.noted.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let due = noted.get(writer).is_none_or(|(last, number)| {
            *number != head.number
                && (how_often == HowOften::Always || (at.seconds() - last.seconds()).abs() >= EVERY_SECONDS)
        });
        if !due {
            return;
        }
        noted.insert(writer.to_owned(), (at, head.number));
        drop(noted);
        let line = self.line(Kind::Head, writer, head);
        tracing::info!(target: "audit", head = line.trim_end(), "audit head");
        if let Err(error) = self.append(&line) {
            tracing::warn!(path = %self.path.display(), %error, "an audit head could not be noted");
        }
    }

    /// Notes the last entries that are about to be removed; nothing may be removed where this fails.
    pub(crate) fn note_starts(&self, starts: &BTreeMap<String, Head>) -> std::io::Result<()> {
        if starts.is_empty() {
            return Ok(());
        }
        let lines: String =
            starts.iter().map(|(writer, head)| self.line(Kind::Start, writer, head)).collect();
        tracing::info!(target: "audit", starts = lines.trim_end(), "where the audit begins");
        self.append(&lines)?.sync_data()
    }

    /// Drops the lines about entries that are removed now, and those of earlier removals.
    pub(crate) fn drop_before(&self, starts: &BTreeMap<String, Head>) -> std::io::Result<()> {
        let file = locked(&self.path)?;
        let text = read_to_string(&file)?;
        let is_past = |line: &&str| {
            let Some(parsed) = self.parse(line) else { return false };
            parsed.epoch == self.epoch
                && starts.get(&parsed.writer).is_some_and(|start| {
                    parsed.head.number < start.number
                        || parsed.head.number == start.number && parsed.kind == Kind::Head
                })
        };
        let kept: String = text.split_inclusive('\n').filter(|line| !is_past(line)).collect();
        replace(&self.path, kept.as_bytes())
    }

    /// What the file says of this epoch; `None` without a file. A last line without its end was cut by a power failure,
    /// or is being written, and is passed over.
    pub(crate) fn read(&self) -> Option<Noted> {
        let text = String::from_utf8_lossy(&std::fs::read(&self.path).ok()?).into_owned();
        let mut noted = Noted::default();
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            match self.parse(line) {
                Some(Line { kind, epoch, head, writer }) if epoch == self.epoch => {
                    let place = if kind == Kind::Head { &mut noted.heads } else { &mut noted.starts };
                    place.insert((writer, head.number), head);
                }
                Some(_) => {}
                None if line.ends_with('\n') => noted.altered = noted.altered.or(Some(number)),
                None => {}
            }
        }
        Some(noted)
    }

    /// Signs the lines of schema version 1, which had no signatures; signed ones and other text stay as they are.
    pub(crate) fn sign_version_1(&self, copy: &Path) -> std::io::Result<()> {
        if !self.path.exists() {
            return Ok(());
        }
        let file = locked(&self.path)?;
        let text = read_to_string(&file)?;
        replace(copy, text.as_bytes())?;
        let signed = |line: &str| {
            let mut fields = line.trim_end_matches('\n').splitn(5, ' ');
            let epoch = fields.next()?;
            let number = fields.next()?.parse().ok()?;
            let id = fields.next()?.parse().ok()?;
            let hash = Thumbprint::from_hex(fields.next()?)?.0;
            Some(self.line_of(Kind::Head, epoch, fields.next()?, &Head { number, id, hash }))
        };
        let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: String = whole.map(|line| signed(line).unwrap_or_else(|| line.to_owned())).collect();
        replace(&self.path, lines.as_bytes())
    }

    fn append(&self, lines: &str) -> std::io::Result<File> {
        let mut file = locked(&self.path)?;
        let length = file.metadata()?.len();
        let mut last = [b'\n'];
        if length > 0 {
            file.read_exact_at(&mut last, length - 1)?;
        }
        if last != *b"\n" {
            // What a power failure cut off was never whole; the next line must not be joined to it.
            let text = read_to_string(&file)?;
            file.set_len(text.rfind('\n').map_or(0, |end| end as u64 + 1))?;
        }
        file.write_all(lines.as_bytes())?;
        Ok(file)
    }

    fn line(&self, kind: Kind, writer: &str, head: &Head) -> String {
        self.line_of(kind, &self.epoch, writer, head)
    }

    fn line_of(&self, kind: Kind, epoch: &str, writer: &str, head: &Head) -> String {
        let said = format!("{} {epoch} {} {} {}", kind.word(), head.number, head.id, hex(&head.hash));
        let signature = self.key.sign(format!("{said} {writer}").as_bytes());
        format!("{said} {} {writer}\n", hex(&signature))
    }

    /// A whole line whose signature fits.
    fn parse(&self, line: &str) -> Option<Line> {
        let mut fields = line.strip_suffix('\n')?.splitn(7, ' ');
        let kind = match fields.next()? {
            "head" => Kind::Head,
            "start" => Kind::Start,
            _ => return None,
        };
        let epoch = fields.next()?.to_owned();
        let number = fields.next()?.parse().ok()?;
        let id = fields.next()?.parse().ok()?;
        let hash = Thumbprint::from_hex(fields.next()?)?.0;
        let writer = fields.nth(1)?.to_owned();
        let head = Head { number, id, hash };
        (self.line_of(kind, &epoch, &writer, &head) == line).then_some(Line { kind, epoch, head, writer })
    }
}

struct Line {
    kind: Kind,
    epoch: String,
    head: Head,
    writer: String,
}

fn read_to_string(mut file: &File) -> std::io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The file, locked for whoever else appends or replaces; made with mode 0600 if there is none.
fn locked(path: &Path) -> std::io::Result<File> {
    loop {
        let file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        file.lock()?;
        // Another may have put a new file in its place before the lock was given.
        let (held, named) = (file.metadata()?, std::fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (held.dev(), held.ino())) {
            return Ok(file);
        }
    }
}

/// Puts a file of mode 0600 in the place of the one that is there, whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.new"));
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)
}
