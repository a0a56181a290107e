//! Asking hosts inside whether they prove their names, in a process of its own: neither the gate nor the authority connects
//! to them.

use std::time::Duration;

use super::Run;
use super::errand::{self, Errand};
use crate::cli::prove::Report;

/// How often is looked whether one is to be asked, beside when the gate says so.
const EVERY: Duration = Duration::from_secs(600);

/// Has hosts asked until it is dropped.
pub fn start(run: Run) -> Errand {
    let failed = "the hosts that are to prove their names could not be asked";
    Errand::start(run, EVERY, failed, |run| async move { once(&run).await })
}

async fn once(run: &Run) -> Result<(), String> {
    let output = errand::output(run, &["prove"]).await?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let all: Vec<Report> = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("the process that asks hosts said what is not understood: {error}"))?;
    for Report { name, way, fault } in all {
        match fault {
            Some(fault) => tracing::warn!(name, way, fault, "a host did not prove its name"),
            None => tracing::info!(name, way, "a host proved its name"),
        }
    }
    Ok(())
}
