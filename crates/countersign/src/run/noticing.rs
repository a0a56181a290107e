//! Sending the notices that are due, in a process of its own: neither the gate nor the authority sends mail.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Run;
use crate::cli::notices::Report;
use crate::config::passphrase;

/// How often is looked whether one is due.
const EVERY: Duration = Duration::from_secs(600);
/// A process that sends is ended after this.
const MOST: Duration = Duration::from_secs(600);

/// Has notices sent until it is dropped.
pub struct Noticing {
    task: JoinHandle<()>,
    now: Arc<Notify>,
}

impl Noticing {
    /// Begins at once.
    pub fn start(run: Run) -> Self {
        let now = Arc::new(Notify::new());
        let asked = now.clone();
        let task = tokio::spawn(async move {
            let mut last = None;
            loop {
                let fault = once(&run).await.err();
                // The same fault once: it is tried again and again.
                if let Some(error) = fault.as_ref().filter(|_| fault != last) {
                    tracing::error!(error, "notices of certificates that end could not be sent");
                }
                last = fault;
                tokio::select! {
                    () = tokio::time::sleep(EVERY) => {}
                    () = asked.notified() => {}
                }
            }
        });
        Self { task, now }
    }

    /// Looks now: the configuration may name another receiver.
    pub fn look(&self) {
        self.now.notify_one();
    }
}

impl Drop for Noticing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn once(run: &Run) -> Result<(), String> {
    let output = super::children::command()
        .args(["notices", "--quiet", "--json", "--config"])
        .arg(&run.config)
        .arg("--state-dir")
        .arg(run.state_dir.path())
        .env_remove(passphrase::VARIABLE)
        .env_remove(passphrase::CREDENTIALS)
        .stdin(Stdio::null())
        .output();
    let output = tokio::time::timeout(MOST, output)
        .await
        .map_err(|_| "the process that sends them did not end".to_owned())?
        .map_err(|error| format!("the process that sends them cannot be started: {error}"))?;
    let Ok(all) = serde_json::from_slice::<Vec<Report>>(&output.stdout) else {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    };
    for Report { channel, sent, .. } in all.iter().filter(|one| one.sent > 0) {
        tracing::info!(channel, sent, "notices of certificates that end were sent");
    }
    let faults: Vec<String> =
        all.into_iter().filter_map(|one| Some(format!("{}: {}", one.channel, one.fault?))).collect();
    if faults.is_empty() { Ok(()) } else { Err(faults.join("; ")) }
}
