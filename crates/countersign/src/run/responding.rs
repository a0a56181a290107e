//! The process that answers OCSP is kept running where there is a listener that takes questions.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Run;

/// How long after its end it is started again.
const PAUSE: Duration = Duration::from_secs(1);
/// How often is looked whether there is a listener now.
const EVERY: Duration = Duration::from_secs(60);

/// Keeps it running until it is dropped.
pub struct Responding {
    task: JoinHandle<()>,
    now: Arc<Notify>,
}

impl Responding {
    /// Begins at once.
    pub fn start(run: Run) -> Self {
        let now = Arc::new(Notify::new());
        let asked = now.clone();
        let task = tokio::spawn(async move {
            loop {
                let rest = match once(&run).await {
                    Ok(true) => EVERY,
                    Ok(false) => PAUSE,
                    Err(error) => {
                        tracing::error!(%error, "the OCSP responder cannot be started");
                        EVERY
                    }
                };
                tokio::select! {
                    () = tokio::time::sleep(rest) => {}
                    () = asked.notified() => {}
                }
            }
        });
        Self { task, now }
    }

    /// Looks now: the configuration may have listeners that it had not.
    pub fn look(&self) {
        self.now.notify_one();
    }
}

impl Drop for Responding {
    fn drop(&mut self) {
        // With the task its child goes: it is killed when nobody holds it.
        self.task.abort();
    }
}

/// Runs it to its end; whether it ended because there is nothing to answer.
async fn once(run: &Run) -> std::io::Result<bool> {
    let mut child = super::children::command()
        .args(["ocsp", "--quiet", "--config"])
        .arg(&run.config)
        .arg("--state-dir")
        .arg(run.state_dir.path())
        .stdin(Stdio::piped())
        .spawn()?;
    // It ends when this ends; waiting would close it.
    let held_open = child.stdin.take();
    let status = child.wait().await?;
    drop(held_open);
    if !status.success() {
        tracing::error!(%status, "the OCSP responder ended; it is started again");
    }
    Ok(status.success())
}
