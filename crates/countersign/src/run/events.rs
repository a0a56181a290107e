//! What the gate reports, carried to the registry and the access log without making the gate wait.

use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc as std_mpsc};

use gateway::{AccessEntry, Events, GateEvent, GateKnock};
use registry::{AuditEvent, Knock, Registry};
use tokio::sync::mpsc;

/// Events that may wait for the registry before admissions and strangers' refusals are dropped and counted.
const QUEUE: usize = 4096;
/// Name of the gate's audit chain.
const WRITER: &str = "gate";

/// The gate's end of the channel.
pub struct Sink {
    store: mpsc::Sender<Stored>,
    access: std_mpsc::SyncSender<AccessEntry>,
    dropped: AtomicU64,
}

enum Stored {
    Audit(GateEvent),
    Knock(GateKnock),
}

/// Where the access log goes.
pub enum AccessLog {
    /// Standard output.
    Stdout,
    /// A file, opened anew when the flag is raised (SIGHUP, for log rotation).
    File(PathBuf, Arc<AtomicBool>),
}

impl Sink {
    /// Starts the writers: a task that stores events, and a thread that writes the access log.
    pub fn start(registry: Registry, access: AccessLog) -> Arc<Self> {
        let (store, events) = mpsc::channel(QUEUE);
        let (lines, entries) = std_mpsc::sync_channel(QUEUE);
        tokio::spawn(write_events(registry, events));
        std::thread::Builder::new()
            .name("access-log".into())
            .spawn(move || write_access(&entries, &access))
            .expect("a thread can be started");
        Arc::new(Self { store, access: lines, dropped: AtomicU64::new(0) })
    }

    fn send(&self, event: Stored) {
        if self.store.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Events for Sink {
    fn audit(&self, event: GateEvent) {
        self.send(Stored::Audit(event));
    }

    fn knock(&self, knock: GateKnock) {
        self.send(Stored::Knock(knock));
    }

    fn metrics(&self) -> String {
        let dropped = self.dropped.load(Ordering::Relaxed);
        format!(
            "# HELP countersign_events_dropped_total Log entries dropped because their store could not keep up.\n\
             # TYPE countersign_events_dropped_total counter\ncountersign_events_dropped_total {dropped}\n"
        )
    }

    fn access(&self, line: AccessEntry) {
        if self.access.try_send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn write_events(registry: Registry, mut events: mpsc::Receiver<Stored>) {
    let mut batch = Vec::new();
    while events.recv_many(&mut batch, 256).await > 0 {
        let mut entries = Vec::new();
        for event in batch.drain(..) {
            match event {
                Stored::Audit(event) => entries.push(audit_entry(event)),
                Stored::Knock(knock) => {
                    if let Err(error) = registry.knock(pending_entry(knock)).await {
                        tracing::error!(%error, "a pending certificate could not be kept");
                    }
                }
            }
        }
        if !entries.is_empty()
            && let Err(error) = registry.append_audit(WRITER, &entries).await
        {
            tracing::error!(%error, lost = entries.len(), "audit entries could not be stored");
        }
    }
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

fn write_access(entries: &std_mpsc::Receiver<AccessEntry>, log: &AccessLog) {
    let mut out = open(log);
    while let Ok(first) = entries.recv() {
        if let AccessLog::File(_, reopen) = log
            && reopen.swap(false, Ordering::Relaxed)
        {
            out = open(log);
        }
        for entry in std::iter::once(first).chain(entries.try_iter()) {
            if let Ok(line) = serde_json::to_string(&entry) {
                // A full disk or a closed pipe must not stop the gate.
                let _ = writeln!(out, "{line}");
            }
        }
        let _ = out.flush();
    }
}

fn open(log: &AccessLog) -> Box<dyn Write> {
    match log {
        AccessLog::Stdout => Box::new(std::io::BufWriter::new(std::io::stdout())),
        AccessLog::File(path, _) => match std::fs::OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Box::new(std::io::BufWriter::new(file)),
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the access log cannot be opened; using standard output");
                Box::new(std::io::stdout())
            }
        },
    }
}
