//! One `run` a state directory: a locked file that holds the pid of the process to signal.

use std::io::Write;

use crate::config::StateDir;

/// Takes the lock and writes this process's id into it; held until the file is dropped.
///
/// `Err` names the pid of the process that has it.
pub fn take(state_dir: &StateDir) -> Result<std::fs::File, String> {
    let path = state_dir.lock();
    let shown = path.display();
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .map_err(|error| format!("{shown}: {error}"))?;
    if file.try_lock().is_err() {
        let pid = std::fs::read_to_string(&path).unwrap_or_default();
        return Err(format!("a gate already runs on {} (pid {})", state_dir.path().display(), pid.trim()));
    }
    file.set_len(0)
        .and_then(|()| write!(file, "{}", std::process::id()))
        .map_err(|error| format!("{shown}: {error}"))?;
    Ok(file)
}

/// The pid of the process that holds the lock, where one does.
pub fn running(state_dir: &StateDir) -> Option<i32> {
    let file = std::fs::File::open(state_dir.lock()).ok()?;
    if file.try_lock_shared().is_ok() {
        return None;
    }
    std::fs::read_to_string(state_dir.lock()).ok()?.trim().parse().ok()
}

/// The name under which the gate of the process that holds the lock reports.
pub fn gate_name(pid: i64) -> String {
    format!("gate-{pid}")
}

/// The receipts of gates that run now on this state directory.
pub fn live(state_dir: &StateDir, mut receipts: Vec<registry::Receipt>) -> Vec<registry::Receipt> {
    let name = running(state_dir).map(|pid| gate_name(pid.into()));
    receipts.retain(|receipt| Some(&receipt.gate) == name.as_ref());
    receipts
}
