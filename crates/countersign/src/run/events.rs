//! What the gate reports, carried to the registry and the access log without making the gate wait.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::Duration;

use gateway::{AccessEntry, Events, GateEvent, GateKnock};
use registry::{AuditEvent, Knock, Registry};
use tokio::sync::{mpsc, oneshot, watch};

use super::figures::Figures;

/// Events that may wait for the registry before admissions and strangers' refusals are dropped and counted.
const QUEUE: usize = 16_384;
/// Events stored at once, of each kind.
const BATCH: usize = 4096;
/// How long events gather before they are stored together: a transaction costs more than an entry. An entry can be read
/// within a second.
pub const GATHER: Duration = Duration::from_millis(200);
/// Lines of the access log that may wait for its file.
const LINES: usize = 65_536;
/// How long lines gather: waking the writer for each would cost more than the line.
const GATHER_LINES: Duration = Duration::from_millis(20);
/// How long a store that refuses is left alone.
const PAUSE: Duration = Duration::from_millis(250);
/// Name of the gate's audit chain.
const WRITER: &str = "gate";

/// The gate's end of the channel.
pub struct Sink {
    store: mpsc::Sender<Stored>,
    /// An exception that was used, or a change, is never dropped, however long the registry is away.
    kept: mpsc::UnboundedSender<Stored>,
    access: std_mpsc::Sender<Line>,
    /// Lines that wait for the access log's file.
    lines: Arc<AtomicUsize>,
    dropped: AtomicU64,
    figures: Figures,
    rounds: Arc<AtomicU64>,
}

enum Stored {
    Audit(GateEvent),
    Changed(Box<AuditEvent>),
    Knock(GateKnock),
    /// Everything before it is to be stored; then it is dropped.
    Flush(oneshot::Sender<()>),
}

enum Line {
    Entry(Box<AccessEntry>),
    /// Everything before it is to be written; then it is dropped.
    Flush(oneshot::Sender<()>),
}

/// Where the access log goes.
pub enum AccessLog {
    /// Standard output.
    Stdout,
    /// A file, opened anew when the flag is raised (SIGHUP, for log rotation).
    File(PathBuf, Arc<AtomicBool>),
}

impl Sink {
    /// Starts the writers: a task that stores events in the registry as long as there is one, and a thread that writes
    /// the access log.
    pub fn start(
        registry: watch::Receiver<Option<Registry>>,
        access: AccessLog,
        figures: Figures,
    ) -> Arc<Self> {
        let (store, events) = mpsc::channel(QUEUE);
        let (kept, exceptions) = mpsc::unbounded_channel();
        let (access_lines, entries) = std_mpsc::channel();
        let lines = Arc::new(AtomicUsize::new(0));
        let waiting = lines.clone();
        let rounds = Arc::new(AtomicU64::new(0));
        tokio::spawn(write_events(registry, events, exceptions, rounds.clone()));
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_access(&entries, &waiting, &access))
            .expect("a thread can be started");
        let dropped = AtomicU64::new(0);
        Arc::new(Self { store, kept, access: access_lines, lines, dropped, figures, rounds })
    }

    /// How often the writer of the registry has come round. It does so while the registry is away, too, and not while
    /// it stands still.
    pub fn rounds(&self) -> u64 {
        self.rounds.load(Ordering::Relaxed)
    }

    /// Waits until everything that was reported so far is stored and written, or for at most `most`.
    pub async fn flush(&self, most: Duration) {
        let (stored, was_stored) = oneshot::channel();
        let (written, was_written) = oneshot::channel();
        let _ = self.access.send(Line::Flush(written));
        let all = async {
            let _ = self.store.send(Stored::Flush(stored)).await;
            // Dropped, not answered: either way it is over.
            let _ = was_stored.await;
            let _ = was_written.await;
        };
        let _ = tokio::time::timeout(most, all).await;
    }

    /// Tells of a change that the gate itself put in force. It is never dropped.
    pub fn changed(&self, event: AuditEvent) {
        // Only a writer that is gone refuses, and then the process ends.
        let _ = self.kept.send(Stored::Changed(Box::new(event)));
    }

    fn send(&self, event: Stored) {
        if self.store.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Events for Sink {
    fn audit(&self, event: GateEvent) {
        if event.is_exception {
            // Only a writer that is gone refuses, and then the process ends.
            let _ = self.kept.send(Stored::Audit(event));
        } else {
            self.send(Stored::Audit(event));
        }
    }

    fn knock(&self, knock: GateKnock) {
        self.send(Stored::Knock(knock));
    }

    fn metrics(&self) -> String {
        let dropped = self.dropped.load(Ordering::Relaxed);
        format!(
            "# HELP countersign_events_dropped_total Log entries dropped because their store could not keep up.\n\
             # TYPE countersign_events_dropped_total counter\ncountersign_events_dropped_total {dropped}\n"
        ) + &self.figures.text()
    }

    fn access(&self, line: AccessEntry) {
        let waiting = self.lines.fetch_add(1, Ordering::Relaxed);
        if waiting >= LINES || self.access.send(Line::Entry(Box::new(line))).is_err() {
            self.lines.fetch_sub(1, Ordering::Relaxed);
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn write_events(
    mut registry: watch::Receiver<Option<Registry>>,
    mut events: mpsc::Receiver<Stored>,
    mut exceptions: mpsc::UnboundedReceiver<Stored>,
    rounds: Arc<AtomicU64>,
) {
    let mut batch = Vec::new();
    loop {
        rounds.fetch_add(1, Ordering::Relaxed);
        let first = tokio::select! {
            event = events.recv() => event,
            event = exceptions.recv() => event,
            () = tokio::time::sleep(PAUSE) => continue,
        };
        let Some(first) = first else { return };
        batch.push(first);
        if !matches!(batch[..], [Stored::Flush(_)]) {
            tokio::time::sleep(GATHER).await;
        }
        batch.extend(std::iter::from_fn(|| exceptions.try_recv().ok()).take(BATCH));
        batch.extend(std::iter::from_fn(|| events.try_recv().ok()).take(BATCH));
        let (mut entries, mut knocks, mut flushed) = (Vec::new(), Vec::new(), Vec::new());
        for event in batch.drain(..) {
            match event {
                Stored::Audit(event) => entries.push(audit_entry(event)),
                Stored::Changed(event) => entries.push(*event),
                Stored::Knock(knock) => knocks.push(pending_entry(knock)),
                Stored::Flush(done) => flushed.push(done),
            }
        }
        let mut stumbling = false;
        while let Err(error) = store(&mut registry, &entries, &mut knocks, &rounds).await {
            if !std::mem::replace(&mut stumbling, true) {
                tracing::error!(%error, waiting = entries.len(), "audit entries cannot be stored; trying again");
            }
            tokio::time::sleep(PAUSE).await;
            rounds.fetch_add(1, Ordering::Relaxed);
        }
        drop(flushed);
    }
}

/// Stores entries, then those who knocked; waits for a registry where there is none. Entries that are stored are
/// never stored twice.
async fn store(
    registry: &mut watch::Receiver<Option<Registry>>,
    entries: &[AuditEvent],
    knocks: &mut Vec<Knock>,
    rounds: &AtomicU64,
) -> registry::Result<()> {
    let there = loop {
        match tokio::time::timeout(PAUSE, registry.wait_for(Option::is_some)).await {
            Ok(there) => break there.ok().and_then(|there| there.clone()),
            Err(_away) => rounds.fetch_add(1, Ordering::Relaxed),
        };
    };
    let Some(there) = there else { return Ok(()) };
    if !entries.is_empty() {
        there.append_audit(WRITER, entries).await?;
    }
    for knock in knocks.drain(..) {
        if let Err(error) = there.knock(knock).await {
            tracing::error!(%error, "a pending certificate could not be kept");
        }
    }
    Ok(())
}

fn audit_entry(event: GateEvent) -> AuditEvent {
    AuditEvent {
        time: event.time,
        site: Some(event.site.to_string()),
        party: event.party,
        thumbprint: event.thumbprint.map(|thumbprint| thumbprint.to_string()),
        address: event.address.map(|address| address.to_string()),
        verdict: event.verdict.to_string(),
        code: event.code.map(str::to_owned),
        rule: event.rule,
        reference: (!event.reference.is_empty()).then_some(event.reference),
        detail: (!event.detail.is_empty()).then_some(event.detail),
        count: event.count,
    }
}

fn pending_entry(knock: GateKnock) -> Knock {
    Knock {
        der: knock.der,
        site: knock.site.to_string(),
        reason: knock.reason.to_string(),
        note: knock.note.unwrap_or_default(),
        address: knock.address,
        reference: knock.reference,
        at: knock.at,
    }
}

fn write_access(entries: &std_mpsc::Receiver<Line>, waiting: &AtomicUsize, log: &AccessLog) {
    let mut out = open(log);
    let (mut text, mut flushed) = (Vec::new(), Vec::new());
    while let Ok(first) = entries.recv() {
        if matches!(first, Line::Entry(_)) {
            std::thread::sleep(GATHER_LINES);
        }
        if let AccessLog::File(_, reopen) = log
            && reopen.swap(false, Ordering::Relaxed)
        {
            out = open(log);
        }
        for line in std::iter::once(first).chain(entries.try_iter().take(LINES)) {
            match line {
                Line::Entry(entry) => {
                    waiting.fetch_sub(1, Ordering::Relaxed);
                    entry.write_line(&mut text);
                }
                Line::Flush(done) => flushed.push(done),
            }
        }
        // A full disk or a closed pipe must not stop the gate.
        let _ = out.write_all(&text).and_then(|()| out.flush());
        text.clear();
        flushed.clear();
    }
}

fn open(log: &AccessLog) -> Box<dyn Write> {
    match log {
        AccessLog::Stdout => Box::new(std::io::stdout()),
        AccessLog::File(path, _) => match std::fs::OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Box::new(file),
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the access log cannot be opened; using standard output");
                Box::new(std::io::stdout())
            }
        },
    }
}
