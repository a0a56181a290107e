//! Ordering certificates that are due, in a process of its own: neither the gate nor the authority speaks to an ACME server.

use std::time::Duration;

use super::Run;
use super::errand::{self, Errand};
use crate::cli::site::order::Report;

/// How often is looked whether one is due.
const EVERY: Duration = Duration::from_secs(60);

/// Has certificates ordered until it is dropped.
pub fn start(run: Run) -> Errand {
    let failed = "the certificates that are due could not be ordered";
    Errand::start(run, EVERY, failed, |run| async move { once(&run).await })
}

async fn once(run: &Run) -> Result<(), String> {
    let output = errand::output(run, &["site", "order", "--due"]).await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let all: Vec<Report> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the process that orders said what is not understood: {error}"))?;
    for Report { site, directory, until, ordered, fault, help, next, .. } in all {
        match (fault, until) {
            (Some(fault), _) => {
                let (help, next) = (help.unwrap_or_default(), next.map(|next| next.to_string()));
                tracing::error!(site, directory, fault, help, next, "no certificate was had");
            }
            (None, Some(until)) if ordered => {
                tracing::info!(site, directory, %until, "a certificate was ordered");
            }
            _ => {}
        }
    }
    Ok(())
}
