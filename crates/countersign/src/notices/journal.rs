//! What was sent, in `state/notices`: one line for each step, on the disk before the next step.
//!
//! A batch is begun, then sent, then noted as sent. What was begun and not noted has perhaps arrived: it is sent again
//! under the same name, by which its receivers can tell.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use authority::files;
use examiner::UnixTime;
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::{Batch, Notice};
use crate::config::StateDir;

/// So long after a certificate's end what was told of it is let go, in seconds.
const KEPT_SECONDS: i64 = 7 * 86_400;

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
struct Line {
    channel: String,
    step: Step,
    id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notices: Vec<Notice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Begun,
    Sent,
    /// It is not sent any more: what it says holds no longer.
    Dropped,
}

/// The journal, held by this process alone.
pub struct Journal {
    file: File,
    lines: Vec<Line>,
    _lock: File,
}

impl Journal {
    /// Opens it. `None` where another process has it.
    pub fn open(state: &StateDir, now: UnixTime) -> std::io::Result<Option<Self>> {
        let (path, lock) = (place(state), state.path().join("notices.lock"));
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(lock)?;
        match rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        let lines = kept(read(&path)?, now);
        let text: String = lines.iter().map(line).collect::<Result<_, _>>()?;
        // Written anew: what is old is let go, and half a line at its end.
        files::replace_private(&path, text.as_bytes()).map_err(std::io::Error::other)?;
        let file = OpenOptions::new().append(true).open(&path)?;
        Ok(Some(Self { file, lines, _lock: lock }))
    }

    /// The batches of this channel that were begun, and whose end is not known.
    pub fn open_batches(&self, channel: &str) -> Vec<Batch> {
        let of = |one: &&Line| one.channel == channel;
        let begun = self.lines.iter().filter(of).filter(|one| one.step == Step::Begun);
        let is_over =
            |id: &str| self.lines.iter().filter(of).any(|one| one.id == id && one.step != Step::Begun);
        let mut seen = HashSet::new();
        begun
            .filter(|one| !is_over(&one.id) && seen.insert(one.id.clone()))
            .map(|one| Batch { id: one.id.clone(), notices: one.notices.clone() })
            .collect()
    }

    /// Whether this was told on this channel.
    pub fn is_told(&self, channel: &str, notice: &Notice) -> bool {
        let sent: HashSet<&str> = self
            .lines
            .iter()
            .filter(|one| one.channel == channel && one.step == Step::Sent)
            .map(|one| one.id.as_str())
            .collect();
        self.lines.iter().any(|one| {
            one.channel == channel
                && one.step == Step::Begun
                && sent.contains(one.id.as_str())
                && one.notices.contains(notice)
        })
    }

    /// Notes that it is about to be sent.
    pub fn begin(&mut self, channel: &str, batch: &Batch) -> std::io::Result<()> {
        self.note(channel, Step::Begun, &batch.id, batch.notices.clone())
    }

    /// Notes that it was sent.
    pub fn sent(&mut self, channel: &str, batch: &Batch) -> std::io::Result<()> {
        self.note(channel, Step::Sent, &batch.id, Vec::new())
    }

    /// Notes that it is not sent any more.
    pub fn drop_batch(&mut self, channel: &str, batch: &Batch) -> std::io::Result<()> {
        self.note(channel, Step::Dropped, &batch.id, Vec::new())
    }

    fn note(&mut self, channel: &str, step: Step, id: &str, notices: Vec<Notice>) -> std::io::Result<()> {
        let one = Line { channel: channel.into(), step, id: id.into(), notices };
        self.file.write_all(line(&one)?.as_bytes())?;
        self.file.sync_data()?;
        self.lines.push(one);
        Ok(())
    }
}

fn place(state: &StateDir) -> PathBuf {
    state.path().join("notices")
}

fn line(one: &Line) -> Result<String, serde_json::Error> {
    Ok(serde_json::to_string(one)? + "\n")
}

/// The lines. The last may have been cut short; any other that cannot be read is an error: it might say that something
/// was sent.
fn read(path: &Path) -> std::io::Result<Vec<Line>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole
        .lines()
        .map(|one| {
            serde_json::from_str(one).map_err(|error| {
                std::io::Error::other(format!(
                    "{}: `{}` is no step: {error}",
                    path.display(),
                    one.escape_debug()
                ))
            })
        })
        .collect()
}

/// What is not yet old, batch by batch.
fn kept(lines: Vec<Line>, now: UnixTime) -> Vec<Line> {
    let young: HashSet<(String, String)> = lines
        .iter()
        .filter(|one| one.notices.iter().any(|notice| notice.not_after.plus(KEPT_SECONDS) >= now))
        .map(|one| (one.channel.clone(), one.id.clone()))
        .collect();
    lines.into_iter().filter(|one| young.contains(&(one.channel.clone(), one.id.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::PartyName;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn notice(party: &str, days: i64) -> Notice {
        Notice { not_after: NOW.plus(days * 86_400), party: PartyName::parse(party).unwrap(), days }
    }

    fn open(state: &StateDir) -> Journal {
        Journal::open(state, NOW).unwrap().expect("nobody else has it")
    }

    #[test]
    fn what_was_sent_is_known_after_a_restart_on_its_channel_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let batch = Batch::of("mail", vec![notice("a", 3), notice("b", 14)]);
        let mut journal = open(&state);
        assert!(Journal::open(&state, NOW).unwrap().is_none(), "one at a time");
        journal.begin("mail", &batch).unwrap();
        assert!(!journal.is_told("mail", &batch.notices[0]));
        drop(journal);
        // Killed in between: it may have arrived, and is sent again under its name.
        let mut journal = open(&state);
        assert_eq!(journal.open_batches("mail"), std::slice::from_ref(&batch));
        assert!(journal.open_batches("webhook").is_empty());
        journal.begin("mail", &batch).unwrap();
        journal.sent("mail", &batch).unwrap();
        drop(journal);
        let journal = open(&state);
        assert!(journal.open_batches("mail").is_empty());
        assert!(batch.notices.iter().all(|one| journal.is_told("mail", one)));
        assert!(!journal.is_told("webhook", &batch.notices[0]));
        assert!(!journal.is_told("mail", &notice("a", 14)));
    }

    #[test]
    fn what_was_dropped_is_neither_open_nor_told() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let batch = Batch::of("mail", vec![notice("a", 3)]);
        let mut journal = open(&state);
        journal.begin("mail", &batch).unwrap();
        journal.drop_batch("mail", &batch).unwrap();
        assert!(journal.open_batches("mail").is_empty());
        assert!(!journal.is_told("mail", &batch.notices[0]));
    }

    #[test]
    fn half_a_line_at_the_end_is_let_go_and_a_broken_one_before_it_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let batch = Batch::of("mail", vec![notice("a", 3)]);
        let mut journal = open(&state);
        journal.begin("mail", &batch).unwrap();
        drop(journal);
        let path = place(&state);
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in [1, 10, whole.len() - 1] {
            std::fs::write(&path, format!("{whole}{}", &whole[..cut])).unwrap();
            assert_eq!(open(&state).open_batches("mail"), std::slice::from_ref(&batch), "{cut}");
        }
        std::fs::write(&path, format!("x\n{whole}")).unwrap();
        assert!(Journal::open(&state, NOW).is_err());
    }

    #[test]
    fn what_ended_long_ago_is_let_go() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let batch = Batch::of("mail", vec![notice("a", 3)]);
        let mut journal = open(&state);
        journal.begin("mail", &batch).unwrap();
        journal.sent("mail", &batch).unwrap();
        drop(journal);
        let end = NOW.plus(3 * 86_400 + KEPT_SECONDS);
        assert!(Journal::open(&state, end).unwrap().unwrap().is_told("mail", &batch.notices[0]));
        assert!(!Journal::open(&state, end.plus(1)).unwrap().unwrap().is_told("mail", &batch.notices[0]));
        assert_eq!(std::fs::read_to_string(place(&state)).unwrap(), "");
    }
}
