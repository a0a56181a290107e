//! Fetching what is due, in a process of its own: neither the gate nor the supervisor asks other hosts for lists.

use std::time::Duration;

use super::Run;
use super::errand::{self, Errand};
use crate::cli::ca::fetch::Report;

/// How often is looked whether a list is due.
const EVERY: Duration = Duration::from_secs(60);

/// Has lists fetched until it is dropped.
pub fn start(run: Run) -> Errand {
    let failed = "the revocation lists that are due could not be fetched";
    Errand::start(run, EVERY, failed, |run| async move { once(&run).await })
}

async fn once(run: &Run) -> Result<(), String> {
    let output = errand::output(run, &["ca", "fetch", "--due"]).await?;
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
