//! What the supervisor has signed when it is due, and by whom: the authority's process, which it keeps.

use std::process::Stdio;
use std::time::Duration;

use tokio::time::Instant;

use super::children::command;
use super::control::FromSupervisor;
use super::signing::ask;
use super::signing::keeper::{Keeper, Service};
use super::supervise::Supervision;
use super::upkeep::Done;

/// How often server certificates and the revocation list are looked after.
pub(super) const UPKEEP: Duration = Duration::from_secs(600);

impl Supervision {
    /// Starts the authority's process where there is a CA's key by now and there was none before, and so the one that
    /// answers OCSP where it is asked, the console's, and the one that checks websites for it.
    pub(super) fn keep_authority(&mut self) {
        self.authority = self.authority.take().or_else(|| Keeper::begin(&self.run, Service::Authority));
        self.responder = self.responder.take().or_else(|| Keeper::begin(&self.run, Service::Responder));
        self.console = self.console.take().or_else(|| Keeper::begin(&self.run, Service::Console));
        self.checker = self.checker.take().or_else(|| Keeper::begin(&self.run, Service::Checker));
    }

    pub(super) fn look_at_authority(&mut self) {
        self.authority.iter_mut().for_each(Keeper::look);
    }

    pub(super) fn look_at_console(&mut self) {
        self.console.iter_mut().for_each(Keeper::look);
    }

    pub(super) fn look_at_checker(&mut self) {
        self.checker.iter_mut().for_each(Keeper::look);
    }

    pub(super) fn look_at_responder(&mut self) {
        self.responder.iter_mut().for_each(Keeper::look);
    }

    /// Has what is due signed by the authority's process, which alone reads the CA's key.
    pub(super) async fn sign(&mut self) -> Result<Done, String> {
        self.upkeep = Instant::now() + UPKEEP;
        let done = match self.ask().await {
            Some(done) => done?,
            None => self.sign_once().await?,
        };
        if let Some(number) = done.published {
            tracing::info!(number, "a revocation list was published");
        }
        if let Some(error) = &done.not_published {
            tracing::error!(error, "a revocation list is due and could not be published");
        }
        if let Some(seconds) = done.publish_in {
            let soon = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
            self.upkeep = self.upkeep.min(Instant::now() + soon);
        }
        Ok(done)
    }

    /// Asks the authority's process, and starts it again where it dies meanwhile: the question waits in its socket.
    async fn ask(&mut self) -> Option<Result<Done, String>> {
        let state_dir = self.run.state_dir.clone();
        let mut asked = std::pin::pin!(ask::upkeep(&state_dir));
        loop {
            tokio::select! {
                answer = &mut asked => return answer,
                () = changed(&mut self.authority) => self.look_at_authority(),
            }
        }
    }

    /// The same by this binary, started once more for it: where no CA's key is, and nobody listens.
    async fn sign_once(&self) -> Result<Done, String> {
        let output = command()
            .args(["upkeep", "--quiet", "--json", "--config"])
            .arg(&self.run.config)
            .arg("--state-dir")
            .arg(self.run.state_dir.path())
            .stdin(Stdio::null())
            .output()
            .await
            .map_err(|error| format!("the signing process cannot be started: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("the signing process failed: {}", said.trim()));
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| format!("the signing process said what is not understood: {error}"))
    }

    /// Renews and publishes what is due, and has the gate read what was renewed.
    pub(super) async fn look_after(&mut self) {
        match self.sign().await {
            Ok(done) if done.issued.is_empty() => {}
            Ok(_) => drop(self.control.say(&FromSupervisor::Renewed).await),
            Err(error) => tracing::error!(%error, "what is due could not be signed"),
        }
    }
}

/// Returns when there is something to do for this process.
pub(super) async fn changed(kept: &mut Option<Keeper>) {
    match kept {
        Some(keeper) => keeper.changed().await,
        None => std::future::pending().await,
    }
}
