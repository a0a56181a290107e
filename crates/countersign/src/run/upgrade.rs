//! An upgrade: what a supervisor does to hand over, to take over, and while what runs in its gate comes to its end.

use super::DRAIN;
use super::control::{Control, FromGate, FromPredecessor, FromSuccessor, FromSupervisor};
use super::lock;
use super::successor::{Successor, Upgraded};
use super::supervise::{NotStarted, Supervision};

impl Supervision {
    /// Takes what the predecessor has; nothing to do without one. One that ends meanwhile leaves it all the same.
    pub(super) async fn take_over(&mut self) -> std::io::Result<()> {
        let Some(predecessor) = &mut self.predecessor else { return Ok(()) };
        lock::sign(&self.lock)?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let _ = predecessor.say(&FromSuccessor::Serves(std::process::id(), version)).await;
        let _: Result<Option<FromPredecessor>, _> = tokio::time::timeout(DRAIN, predecessor.next()).await;
        let _ = predecessor.say(&FromSuccessor::HasTaken).await;
        Ok(())
    }

    /// Tells the predecessor that nothing is taken over.
    pub(super) async fn refuse(&mut self, error: &NotStarted) {
        let (code, why) = match error {
            NotStarted::Ended(code) => {
                let why = self.reason.take();
                (*code, why.unwrap_or_else(|| "its gate ended before it served; see the log".into()))
            }
            NotStarted::Interrupted => (1, "it was told to end before it served".into()),
            NotStarted::Fault(what) => (1, what.clone()),
        };
        if let Some(predecessor) = &mut self.predecessor {
            let _ = predecessor.say(&FromSuccessor::Failed(code, why)).await;
        }
    }

    /// Starts a process that is to take over, unless one is being tried.
    pub(super) fn begin_upgrade(&mut self) {
        let Some(program) = &self.run.program else {
            tracing::warn!("there is nothing to upgrade to here: only `run` is upgraded");
            return;
        };
        if self.successor.is_some() {
            tracing::warn!("an upgrade is under way already");
            return;
        }
        if std::process::id() == 1 {
            let why = "this is the first process of its container, which ends with it: start another container instead";
            return self.note_failed_upgrade(1, why.into());
        }
        tracing::info!("upgrade: another process is started");
        match Successor::start(program, &self.sockets, &self.lock) {
            Ok(successor) => (self.successor, self.has_missed_reload) = (Some(successor), false),
            Err(error) => self.note_failed_upgrade(1, error),
        }
    }

    pub(super) fn note_failed_upgrade(&mut self, code: u8, why: String) {
        self.successor = None;
        tracing::error!(why, "the upgrade failed; this process goes on serving");
        self.notifier.doing(&format!("the upgrade failed, the old process goes on serving: {why}"));
        Upgraded::Failed(code, why).note(&self.run.state_dir);
    }

    /// Whether the process that is tried has everything now. If not, this one goes on as before.
    pub(super) async fn is_taken_over(&mut self, said: FromSuccessor) -> bool {
        let (pid, version) = match said {
            FromSuccessor::Serves(pid, version) => (pid, version),
            FromSuccessor::Failed(code, why) => {
                self.note_failed_upgrade(code, why);
                return false;
            }
            FromSuccessor::HasTaken | FromSuccessor::Reloaded(_) => return false,
        };
        let Some(successor) = &mut self.successor else { return false };
        self.notifier.main_process(pid);
        if !successor.hand_over().await {
            self.notifier.main_process(std::process::id());
            let signed = lock::sign(&self.lock);
            self.note_failed_upgrade(70, "the new process served, and ended at once; see the log".into());
            if let Err(error) = signed {
                tracing::error!(%error, "the lock cannot be written");
            }
            return false;
        }
        if self.has_missed_reload {
            successor.hang_up();
        }
        tracing::info!(pid, version, "upgrade: another process serves; this one lets what runs end");
        Upgraded::To(pid, version).note(&self.run.state_dir);
        true
    }

    /// Lets what runs in the gate end, after another process has taken over. The gate follows the registry meanwhile, and
    /// the configuration of the one that serves. Ends soon when that one is gone: the connections here would otherwise
    /// outlive the service.
    pub(super) async fn retire(mut self) {
        self.sockets.clear();
        // The process that took over has its own.
        (self.authority, self.responder) = (None, None);
        (self.console, self.checker) = (None, None);
        let _ = self.control.say(&FromSupervisor::Retire).await;
        let mut has_gate = true;
        while has_gate || self.predecessor.is_some() {
            let said = tokio::select! {
                biased;
                _ = self.signals.terminate.recv() => return self.end().await,
                _ = self.signals.interrupt.recv() => return self.end().await,
                said = later(&mut self.successor) => match said {
                    Some(FromSuccessor::Reloaded(taken)) => {
                        let _ = self.control.say(&FromSupervisor::Follow(taken)).await;
                        self.tell_predecessor(taken).await;
                        continue;
                    }
                    Some(_) => continue,
                    None => return self.end().await,
                },
                _ = predecessor_said(&mut self.predecessor) => {
                    self.predecessor = None;
                    continue;
                }
                said = self.control.next(), if has_gate => said,
            };
            match said {
                // The one that serves has signed what is due.
                Some(FromGate::Sign) => drop(self.control.say(&FromSupervisor::Signed(None)).await),
                Some(_) => {}
                None => {
                    let _ = self.ended().await;
                    has_gate = false;
                }
            }
        }
    }

    pub(super) async fn tell_predecessor(&mut self, taken: bool) {
        if let Some(predecessor) = &mut self.predecessor {
            let _ = predecessor.say(&FromSuccessor::Reloaded(taken)).await;
        }
    }
}

/// What the process that is tried says.
pub(super) async fn tried(successor: &mut Option<Successor>) -> FromSuccessor {
    match successor {
        Some(successor) => successor.next().await,
        None => std::future::pending().await,
    }
}

/// What the process that has taken over says; `None` when it is gone.
async fn later(successor: &mut Option<Successor>) -> Option<FromSuccessor> {
    match successor {
        Some(successor) => successor.later().await,
        None => None,
    }
}

/// Returns when the process that this one took over from is gone.
pub(super) async fn predecessor_said(predecessor: &mut Option<Control>) {
    match predecessor {
        Some(predecessor) => while predecessor.next::<FromPredecessor>().await.is_some() {},
        None => std::future::pending().await,
    }
}
