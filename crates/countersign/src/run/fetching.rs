//! Fetching what is due, in a process of its own: neither the gate nor the supervisor asks other hosts for lists.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Run;
use crate::cli::ca::fetch::Report;
use crate::config::passphrase;

/// How often is looked whether a list is due.
const EVERY: Duration = Duration::from_secs(60);
/// A process that fetches is ended after this.
const MOST: Duration = Duration::from_secs(600);

/// Has lists fetched until it is dropped.
pub struct Fetching {
    task: JoinHandle<()>,
    now: Arc<Notify>,
}

impl Fetching {
    /// Begins at once.
    pub fn start(run: Run) -> Self {
        let now = Arc::new(Notify::new());
        let asked = now.clone();
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = once(&run).await {
                    tracing::error!(error, "the revocation lists that are due could not be fetched");
                }
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = asked.notified() => {}
                }
            }
        });
        Self { task, now }
    }

    /// Looks now: the configuration may name other lists.
    pub fn look(&self) {
        self.now.notify_one();
    }
}

impl Drop for Fetching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn once(run: &Run) -> Result<(), String> {
    let output = super::children::command()
        .args(["ca", "fetch", "--due", "--quiet", "--json", "--config"])
        .arg(&run.config)
        .arg("--state-dir")
        .arg(run.state_dir.path())
        .env_remove(passphrase::VARIABLE)
        .env_remove(passphrase::CREDENTIALS)
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(MOST, output)
        .await
        .map_err(|_| "the process that fetches did not end".to_owned())?
        .map_err(|error| format!("the process that fetches cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let all: Vec<Report> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the process that fetches said what is not understood: {error}"))?;
    for Report { ca, url, number, fault, newer, .. } in all {
        match fault {
            Some(fault) => tracing::error!(ca, url, fault, "a revocation list could not be fetched"),
            None if newer => tracing::info!(ca, url, number, "a revocation list was fetched"),
            None => {}
        }
    }
    Ok(())
}
