//! Following the registry: every quarter of a second the changes are read, applied and put in force.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use examiner::UnixTime;
use gateway::{Gate, GateState};
use policy::Records;
use policy::record::{RecordChange, Touched};
use registry::{Feed, Gap, Registry, State};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::control::{FromGate, Link};
use super::events::Sink;
use super::figures::Figures;
use super::humble::humbly;
use super::receipts::Receipts;
use super::watch::Watched;
use super::{denials, state};
use crate::clock;
use crate::config::{Settings, StateDir, Stored, crl};

mod files;

/// How often the registry is asked; the bound for a change to be in force is one second.
pub const EVERY: Duration = Duration::from_millis(250);
/// Changes over the shared base before it is merged.
const OVERLAY_MOST: usize = 10_000;
/// The last policy is written again after this when nothing changes, so that its age stays small.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(1800);
/// Writing takes at most this share of the time: one in so many.
const SNAPSHOT_SHARE: u32 = 50;

/// What becomes of a revocation list, or a site's certificate, that cannot be taken while everything is read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// The whole reload fails: an operator asked for it, and is told.
    MustBeRead,
    /// What was good last stays: the changes of the registry do not wait for a partner's file.
    LastGood,
}

/// What a follower begins with.
pub struct Beginning {
    /// The gate that was just started.
    pub gate: Arc<Gate>,
    /// The registry, where it could be opened; others listen at the other end.
    pub store: watch::Sender<Option<Registry>>,
    /// The configuration file.
    pub config: PathBuf,
    /// The name under which the gate reports.
    pub name: String,
    /// What the gate was started with.
    pub settings: Settings,
    /// Sites and policy in force.
    pub state: GateState,
    /// What was read, with the denials that are kept.
    pub read: State,
    /// Denials that are kept although the registry no longer has them.
    pub denials: Option<Records>,
    /// When the policy was last known to be the registry's.
    pub confirmed: Arc<AtomicI64>,
    /// What the metrics say of the policy.
    pub figures: Figures,
    /// Where changes are told that the gate itself puts in force.
    pub sink: Arc<Sink>,
}

/// What is in force, and how far the registry has been read.
pub struct Follower {
    gate: Arc<Gate>,
    store: watch::Sender<Option<Registry>>,
    config: PathBuf,
    name: String,
    settings: Settings,
    state: GateState,
    read: State,
    denials: Option<Records>,
    /// The next registry that is read is accepted as it is.
    accepting: bool,
    generation: u64,
    cut: i64,
    confirmed: Arc<AtomicI64>,
    figures: Figures,
    receipts: Receipts,
    /// The last change of those whose records are in force while its settings cannot be.
    records_applied: i64,
    files_looked_at: Instant,
    watched: Watched,
    sink: Arc<Sink>,
    /// Device and inode of the registry's file as it was opened.
    database: Option<(u64, u64)>,
    snapshot: Snapshots,
}

/// The last policy on disk: what of it is there, and when the next may be written.
#[derive(Default)]
struct Snapshots {
    written: Option<(String, i64, bool)>,
    at: Option<Instant>,
    took: Duration,
    is_anothers: bool,
    /// The gate waits for it.
    is_last: bool,
    writing: Option<JoinHandle<Option<Duration>>>,
}

fn file_identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// Whether the list of revoked certificates is another one after this change.
fn is_revocation(change: &RecordChange) -> bool {
    match change {
        RecordChange::Certificate(_, record) => record.revoked.is_some(),
        RecordChange::Revocations(_) => true,
        _ => false,
    }
}

/// Puts kept denials over what a registry says, and tells of it.
pub fn keep_denials(denied: &Records, records: &mut Records) -> usize {
    let kept = denials::keep(denied, records);
    if kept > 0 {
        tracing::error!(
            kept,
            "the registry is older than what this gate has seen: its denials are kept until `countersign reload --accept-restored`"
        );
    }
    kept
}

impl Follower {
    /// A follower of a gate that was just started.
    pub fn new(beginning: Beginning) -> Self {
        let Beginning { gate, store, config, name, settings, state, read, denials, confirmed, figures, sink } =
            beginning;
        let database = store.borrow().is_some().then(|| file_identity(&settings.state.database())).flatten();
        Self {
            gate,
            store,
            config,
            name,
            settings,
            state,
            read,
            denials,
            accepting: false,
            generation: 1,
            cut: 0,
            confirmed,
            figures,
            receipts: Receipts::begin(Instant::now()),
            records_applied: 0,
            files_looked_at: Instant::now(),
            watched: Watched::default(),
            sink,
            database,
            snapshot: Snapshots::default(),
        }
    }

    /// What the metrics say of the policy.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// What holds.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Reads what changed and puts it in force; the age of the policy counts from here.
    ///
    /// On an error the last policy stays in force until it is too old. A registry file that came back, or was replaced
    /// by another, is opened and read whole.
    pub async fn step(&mut self, link: &mut Link) -> Result<(), String> {
        self.look_at_files().await;
        let registry = match self.current() {
            Some(registry) => registry,
            None => self.reopen(link, Unread::LastGood).await?,
        };
        let feed = registry.changes_since(&self.read.epoch, self.read.seq).await;
        let entries = match feed.map_err(|error| error.to_string())? {
            Feed::Changes(entries) => entries,
            Feed::Reload(Gap::Pruned | Gap::Ahead) => {
                self.read_whole(&registry, link, Unread::LastGood).await?;
                Vec::new()
            }
            Feed::Reload(Gap::OtherEpoch) => {
                self.reopen(link, Unread::LastGood).await?;
                Vec::new()
            }
        };
        if !entries.is_empty() {
            let last = entries.last().map_or(self.read.seq, |entry| entry.seq);
            let mark = entries.last().map(|entry| entry.mark.clone());
            let settings_changed = entries.iter().any(|entry| entry.change == RecordChange::Settings);
            let revocations: Vec<UnixTime> =
                entries.iter().filter(|entry| is_revocation(&entry.change)).map(|entry| entry.at).collect();
            let touched: Vec<Touched> =
                entries.into_iter().map(|entry| self.read.records.apply(entry.change)).collect();
            if self.read.records.overlay_len() > OVERLAY_MOST {
                self.read.records.merge();
            }
            if settings_changed {
                if let Err(fault) = self.read_whole(&registry, link, Unread::LastGood).await {
                    // Whatever holds up the settings, who lost admission has lost it.
                    if self.records_applied < last {
                        self.apply_records(touched);
                        self.records_applied = last;
                    }
                    return Err(fault);
                }
            } else {
                self.apply_records(touched);
            }
            if last >= self.read.seq {
                (self.read.seq, self.read.mark) = (last, mark);
            }
            self.report().await;
            let now = clock::now();
            revocations.iter().for_each(|at| self.figures.propagated(*at, now));
            if !revocations.is_empty() {
                let _ = link.say(&FromGate::Revoked).await;
            }
        } else if self.receipts.due(Instant::now()) {
            self.report().await;
        }
        self.confirmed.store(clock::now().seconds(), Ordering::Relaxed);
        self.keep_snapshot().await;
        Ok(())
    }

    /// Puts the records that were read in force, under the settings as they are.
    fn apply_records(&mut self, touched: Vec<Touched>) {
        self.generation += 1;
        let records = self.read.records.clone();
        self.state = state::with_records(&self.state, &self.settings, records, self.generation);
        self.cut += self.gate.apply(self.state.clone(), touched) as i64;
    }

    /// Reads configuration, CAs and certificate files anew; on any fault the old policy stays in force.
    pub async fn reload(&mut self, link: &mut Link, unread: Unread) -> Result<(), String> {
        match self.current() {
            Some(registry) => self.read_whole(&registry, link, unread).await,
            None if self.settings.state.database().exists() => self.reopen(link, unread).await.map(drop),
            // What the registry held last goes on holding while it is away.
            None => {
                let settings = self.load(&self.read, unread)?;
                self.put_in_force(settings, self.read.clone(), unread).await
            }
        }
    }

    /// Forgets the denials that are kept beside a restored registry, where an operator has said so. It is a new
    /// incarnation from then on, so it is opened anew.
    pub fn accept_restored(&mut self) {
        if std::fs::remove_file(self.settings.state.accept_restored()).is_ok() {
            tracing::warn!("the restored registry was accepted: denials that it does not have are forgotten");
            (self.denials, self.database, self.accepting) = (None, None, true);
        }
    }

    /// Tells the registry how far this gate has come.
    pub async fn report(&mut self) {
        self.figures.note(&self.state.snapshot, clock::now());
        let Some(registry) = self.store.borrow().clone() else {
            return self.receipts.sent(Instant::now(), false);
        };
        let now: UnixTime = clock::now();
        if let Err(error) = registry.seal(now).await {
            tracing::warn!(%error, "the audit's heads could not be sealed");
        }
        match registry.count_pending().await {
            Ok(count) => self.figures.pending(count),
            Err(error) => tracing::warn!(%error, "the pending certificates could not be counted"),
        }
        let told = registry.report(&self.name, &self.read.epoch, self.read.seq, self.cut, now).await;
        self.receipts.sent(Instant::now(), told.is_ok());
        if let Err(error) = told {
            tracing::warn!(%error, "the receipt could not be stored");
        }
    }

    /// No longer writes the last policy: another gate does.
    pub fn leave_the_snapshot(&mut self) {
        self.snapshot.is_anothers = true;
    }

    /// Writes the last policy for the next start.
    pub async fn end(mut self) {
        if let Some(writing) = self.snapshot.writing.take() {
            let _ = writing.await;
        }
        (self.snapshot.at, self.snapshot.is_last) = (None, true);
        self.keep_snapshot().await;
        if let Some(writing) = self.snapshot.writing.take() {
            let _ = writing.await;
        }
    }

    /// The registry, as long as its file is the one that was opened.
    fn current(&self) -> Option<Registry> {
        let same = file_identity(&self.settings.state.database()) == self.database;
        self.store.borrow().clone().filter(|_| same)
    }

    async fn reopen(&mut self, link: &mut Link, unread: Unread) -> Result<Registry, String> {
        self.store.send_replace(None);
        let path = self.settings.state.database();
        let identity = file_identity(&path);
        let registry = crate::store::open(&self.settings.state).await.map_err(|error| error.to_string())?;
        self.read_whole(&registry, link, unread).await?;
        self.database = identity;
        self.store.send_replace(Some(registry.clone()));
        tracing::info!("the registry is followed again");
        self.report().await;
        Ok(registry)
    }

    /// Reads the whole registry and puts it in force, with the denials of what was read before if it is an older one. Of
    /// the records only what changed is read, where the changes lead from what is known to what holds.
    async fn read_whole(
        &mut self,
        registry: &Registry,
        link: &mut Link,
        unread: Unread,
    ) -> Result<(), String> {
        let mut read = match self.catch_up(registry).await {
            Some(read) => read,
            None => registry.load().await.map_err(|error| error.to_string())?,
        };
        let older = read.epoch != self.read.epoch || read.seq < self.read.seq;
        let found = registry.restored().is_some() && self.denials.is_none();
        if (older || found) && !std::mem::take(&mut self.accepting) {
            self.denials = Some(denials::of(&self.read.records));
        }
        if let Some(denied) = &self.denials {
            keep_denials(denied, &mut read.records);
        }
        let settings = self.load(&read, unread)?;
        link.sign().await?;
        self.put_in_force(settings, read, unread).await
    }

    /// What is known and the changes since. Not beside denials that the registry does not have: those are judged anew.
    async fn catch_up(&self, registry: &Registry) -> Option<State> {
        if self.denials.is_some() || self.accepting || registry.restored().is_some() {
            return None;
        }
        let mut read = registry.catch_up(self.read.clone()).await.ok()??;
        if read.records.overlay_len() > OVERLAY_MOST {
            read.records.merge();
        }
        Some(read)
    }

    fn load(&self, read: &State, unread: Unread) -> Result<Settings, String> {
        let stored = Stored::from(read);
        let state_dir: &StateDir = &self.settings.state;
        let load = match unread {
            Unread::MustBeRead => Settings::load_strictly,
            Unread::LastGood => Settings::load,
        };
        let mut settings = load(&self.config, Some(state_dir), Some(&stored), clock::now())
            .map_err(|problems| problems.to_string())?;
        settings.keep_issuers(&self.settings).map_err(|problems| problems.to_string())?;
        crl::keep_newer(&self.settings, &mut settings);
        Ok(settings)
    }

    async fn put_in_force(&mut self, settings: Settings, read: State, unread: Unread) -> Result<(), String> {
        let generation = self.generation + 1;
        let kept = (unread == Unread::LastGood).then_some((&self.settings, &self.state));
        let state = state::gate_state(&settings, read.records.clone(), generation, &self.confirmed, kept)
            .map_err(|error| error.to_string())?;
        self.watched = Watched::default();
        self.records_applied = 0;
        let mut settings = settings;
        crl::remember(&mut settings);
        (self.settings, self.read, self.state, self.generation) = (settings, read, state, generation);
        self.cut += self.gate.apply(self.state.clone(), vec![Touched::Everyone]) as i64;
        self.report().await;
        Ok(())
    }

    /// Writes the last policy to disk where it changed, in the background, and not too often.
    async fn keep_snapshot(&mut self) {
        let snapshot = &mut self.snapshot;
        if let Some(writing) = snapshot.writing.take_if(|writing| writing.is_finished()) {
            match writing.await {
                Ok(Some(took)) => snapshot.took = took,
                _ => snapshot.written = None,
            }
        }
        let is = (self.read.epoch.clone(), self.read.seq, self.denials.is_some());
        let rest = (snapshot.took * SNAPSHOT_SHARE).max(Duration::from_secs(1));
        let due = match snapshot.at.map(|at| at.elapsed()) {
            None => true,
            Some(age) => age > SNAPSHOT_EVERY || (age > rest && snapshot.written.as_ref() != Some(&is)),
        };
        if !due || snapshot.is_anothers || snapshot.writing.is_some() {
            return;
        }
        (snapshot.written, snapshot.at) = (Some(is), Some(Instant::now()));
        let (place, is_last) = (super::snapshot_place(&self.settings.state), snapshot.is_last);
        let read = self.read.clone();
        let kept = self.denials.as_ref().map_or(0, |denied| {
            denied.certificates.len()
                + denied.keys.len()
                + denied.parties.len()
                + denied.compromised_keys.len()
        });
        let time = UnixTime(self.confirmed.load(Ordering::Relaxed));
        snapshot.writing = Some(tokio::task::spawn_blocking(move || {
            let begun = Instant::now();
            let write = || place.write(&read, time, kept);
            let written = if is_last { write() } else { humbly(write) };
            match written {
                Ok(()) => Some(begun.elapsed()),
                Err(error) => {
                    tracing::error!(%error, "the last policy cannot be kept for a start without the registry");
                    None
                }
            }
        }));
    }
}
