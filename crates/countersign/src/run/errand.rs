//! What is done outside every lasting process: this program, started again and again with a command that ends.

use std::process::{Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::Run;
use crate::config::passphrase;

/// A process that does not end by itself is ended after this.
const MOST: Duration = Duration::from_secs(600);

/// Something that is done at once and then again and again, until this is dropped.
pub struct Errand {
    task: JoinHandle<()>,
    now: Arc<Notify>,
}

impl Errand {
    /// Does it now, and again after each time of `every`. That it failed is told as `failed`, the same fault once.
    pub fn start<W, D>(run: Run, every: Duration, failed: &'static str, work: W) -> Self
    where
        W: Fn(Run) -> D + Send + 'static,
        D: Future<Output = Result<(), String>> + Send + 'static,
    {
        let now = Arc::new(Notify::new());
        let asked = now.clone();
        let task = tokio::spawn(async move {
            let mut last = None;
            loop {
                let fault = work(run.clone()).await.err();
                if let Some(error) = fault.as_ref().filter(|_| fault != last) {
                    tracing::error!(error, "{failed}");
                }
                last = fault;
                tokio::select! {
                    () = tokio::time::sleep(every) => {}
                    () = asked.notified() => {}
                }
            }
        });
        Self { task, now }
    }

    /// Does it now: the configuration may ask for something else.
    pub fn look(&self) {
        self.now.notify_one();
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Runs this program with these arguments, on the supervisor's configuration and state; what opens the CA's keys is not for
/// it. What it printed, once it ended.
pub async fn output(run: &Run, arguments: &[&str]) -> Result<Output, String> {
    let output = super::children::command()
        .args(arguments)
        .args(["--quiet", "--json", "--config"])
        .arg(&run.config)
        .arg("--state-dir")
        .arg(run.state_dir.path())
        .env_remove(passphrase::VARIABLE)
        .env_remove(passphrase::CREDENTIALS)
        .stdin(Stdio::null())
        .output();
    let command = arguments.join(" ");
    tokio::time::timeout(MOST, output)
        .await
        .map_err(|_| format!("`{command}` did not end"))?
        .map_err(|error| format!("`{command}` cannot be started: {error}"))
}
