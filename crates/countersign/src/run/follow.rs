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
use registry::{Feed, Gap, Registry};

use super::state;
use crate::clock;
use crate::config::{Settings, StateDir};

/// How often the registry is asked; the bound for a change to be in force is one second.
pub const EVERY: Duration = Duration::from_millis(250);
/// How often a gate says that it is there when nothing changes.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Changes over the shared base before it is merged.
const OVERLAY_MOST: usize = 10_000;

/// What is in force, and how far the registry has been read.
pub struct Follower {
    gate: Arc<Gate>,
    registry: Registry,
    config: PathBuf,
    state_dir: StateDir,
    settings: Settings,
    state: GateState,
    records: Records,
    epoch: String,
    seq: i64,
    generation: u64,
    cut: i64,
    confirmed: Arc<AtomicI64>,
    reported: Instant,
    /// Device and inode of the registry's file as it was opened.
    database: Option<(u64, u64)>,
}

fn file_identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// What the gate is started with.
pub struct Beginning {
    /// Sites and policy.
    pub state: GateState,
    /// What the registry knew.
    pub records: Records,
    /// The incarnation of the registry.
    pub epoch: String,
    /// The last change contained.
    pub seq: i64,
}

impl Follower {
    /// A follower of a gate that was just started with `beginning`.
    pub fn new(
        gate: Arc<Gate>,
        registry: Registry,
        config: PathBuf,
        settings: Settings,
        beginning: Beginning,
        confirmed: Arc<AtomicI64>,
    ) -> Self {
        let Beginning { state, records, epoch, seq } = beginning;
        let state_dir = settings.state.clone();
        let database = file_identity(&state_dir.database());
        Self {
            gate,
            registry,
            config,
            state_dir,
            settings,
            state,
            records,
            epoch,
            seq,
            generation: 1,
            cut: 0,
            confirmed,
            reported: Instant::now(),
            database,
        }
    }

    /// Reads what changed and puts it in force; the age of the policy counts from here.
    ///
    /// A registry file that is gone, or another than the one that was opened, is an error: what is done to the new one
    /// would otherwise not be seen here. The last policy then stays in force until it is too old.
    pub async fn step(&mut self) -> Result<(), String> {
        if file_identity(&self.state_dir.database()) != self.database {
            return Err(
                "the registry's file is gone or was replaced; restart the gate to read the new one".into()
            );
        }
        let feed =
            self.registry.changes_since(&self.epoch, self.seq).await.map_err(|error| error.to_string())?;
        let entries = match feed {
            Feed::Changes(entries) => entries,
            Feed::Reload(Gap::Pruned) => {
                self.reload().await?;
                Vec::new()
            }
            // What is denied here may be missing there: the last policy stays in force until it is too old.
            Feed::Reload(gap) => {
                return Err(format!(
                    "the registry was restored from a copy or replaced ({gap:?}); restart the gate"
                ));
            }
        };
        if !entries.is_empty() {
            let last = entries.last().map_or(self.seq, |entry| entry.seq);
            let settings_changed = entries.iter().any(|entry| entry.change == RecordChange::Settings);
            let touched: Vec<Touched> =
                entries.into_iter().map(|entry| self.records.apply(entry.change)).collect();
            if self.records.overlay_len() > OVERLAY_MOST {
                self.records.merge();
            }
            if settings_changed {
                self.reload().await?;
            } else {
                self.generation += 1;
                self.state =
                    state::with_records(&self.state, &self.settings, self.records.clone(), self.generation);
                self.cut += self.gate.apply(self.state.clone(), touched) as i64;
            }
            self.seq = last;
            self.report().await;
        } else if self.reported.elapsed() > HEARTBEAT {
            self.report().await;
        }
        self.confirmed.store(clock::now().seconds(), Ordering::Relaxed);
        Ok(())
    }

    /// Reads configuration, CAs and certificate files anew; on any fault the old policy stays in force.
    pub async fn reload(&mut self) -> Result<(), String> {
        let loaded = super::load(&self.config, &self.state_dir, &self.registry).await?;
        super::sign(&self.config, &self.state_dir)?;
        self.generation += 1;
        let state = state::gate_state(
            &loaded.settings,
            loaded.state.records.clone(),
            self.generation,
            &self.confirmed,
        )
        .map_err(|error| error.to_string())?;
        self.settings = loaded.settings;
        self.records = loaded.state.records;
        self.seq = self.seq.max(loaded.state.seq);
        self.state = state;
        self.cut += self.gate.apply(self.state.clone(), vec![Touched::Everyone]) as i64;
        self.report().await;
        Ok(())
    }

    /// Tells the registry how far this gate has come.
    pub async fn report(&mut self) {
        self.reported = Instant::now();
        let gate = super::gate_name(std::process::id().into());
        let now: UnixTime = clock::now();
        if let Err(error) = self.registry.report(&gate, &self.epoch, self.seq, self.cut, now).await {
            tracing::warn!(%error, "the receipt could not be stored");
        }
    }
}
