//! Sending the notices that are due, in a process of its own: neither the gate nor the authority sends mail.

use std::time::Duration;

use super::Run;
use super::errand::{self, Errand};
use crate::cli::notices::Report;

/// How often is looked whether one is due.
const EVERY: Duration = Duration::from_secs(600);

/// Has notices sent until it is dropped.
pub fn start(run: Run) -> Errand {
    let failed = "notices of certificates that end could not be sent";
    Errand::start(run, EVERY, failed, |run| async move { once(&run).await })
}

async fn once(run: &Run) -> Result<(), String> {
    let output = errand::output(run, &["notices"]).await?;
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
