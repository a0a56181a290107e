//! One `run` a state directory: a locked file that holds the pid of the process to signal.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::config::StateDir;

/// Takes the lock and writes this process's id into it; held until the file is dropped.
///
/// `Err` names the pid of the process that has it.
pub fn take(state_dir: &StateDir) -> Result<File, String> {
    let path = state_dir.lock();
    let shown = path.display();
    let file = open(&path).map_err(|error| format!("{shown}: {error}"))?;
    if file.try_lock().is_err() {
        let pid = signed(&path).unwrap_or_default();
        return Err(format!("a gate already runs on {} (pid {pid})", state_dir.path().display()));
    }
    sign(&file).map_err(|error| format!("{shown}: {error}"))?;
    Ok(file)
}

/// Writes this process's id into the locked file: signals come here from now on. At no moment is there none in it.
pub fn sign(file: &File) -> std::io::Result<()> {
    let line = format!("{}\n", std::process::id());
    file.write_all_at(line.as_bytes(), 0)?;
    file.set_len(line.len() as u64)
}

/// The id in the file, as text.
fn signed(path: &Path) -> std::io::Result<String> {
    Ok(std::fs::read_to_string(path)?.lines().next().unwrap_or_default().to_owned())
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)
}

/// Says, while it lives, that the gate of this process serves: alone, or beside the one that it takes over from.
pub struct Presence {
    _file: File,
    path: PathBuf,
}

impl Presence {
    /// From now on; clears away what was left by processes that were killed.
    pub fn begin(state_dir: &StateDir) -> std::io::Result<Self> {
        let folder = state_dir.gates();
        std::fs::create_dir_all(&folder)?;
        for entry in std::fs::read_dir(&folder)?.flatten() {
            let nobodys = File::open(entry.path()).is_ok_and(|file| file.try_lock_shared().is_ok());
            if nobodys {
                let _ = std::fs::remove_file(entry.path());
            }
        }
        let path = folder.join(gate_name(std::process::id().into()));
        let file = open(&path)?;
        file.try_lock()?;
        Ok(Self { _file: file, path })
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The pid of the process that holds the lock, where one does.
pub fn running(state_dir: &StateDir) -> Option<i32> {
    let file = std::fs::File::open(state_dir.lock()).ok()?;
    if file.try_lock_shared().is_ok() {
        return None;
    }
    signed(&state_dir.lock()).ok()?.parse().ok()
}

/// The name under which the gate of the process that holds the lock reports.
pub fn gate_name(pid: i64) -> String {
    format!("gate-{pid}")
}

/// The receipts of gates that run now on this state directory: one, and those that an upgrade left to drain.
pub fn live(state_dir: &StateDir, mut receipts: Vec<registry::Receipt>) -> Vec<registry::Receipt> {
    receipts.retain(|receipt| {
        let file = File::open(state_dir.gates().join(&receipt.gate));
        file.is_ok_and(|file| file.try_lock_shared().is_err())
    });
    receipts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_id_leaves_nothing_of_a_longer_one() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::at(folder.path());
        std::fs::write(state_dir.lock(), "12345678901").unwrap();
        let lock = take(&state_dir).unwrap();
        let ours = std::process::id();
        assert_eq!(running(&state_dir), i32::try_from(ours).ok());
        assert_eq!(std::fs::read_to_string(state_dir.lock()).unwrap().trim(), ours.to_string());
        assert!(take(&state_dir).unwrap_err().contains(&format!("(pid {ours})")));
        drop(lock);
        assert_eq!(running(&state_dir), None);
    }

    #[test]
    fn a_gate_is_present_as_long_as_its_process_says_so_and_what_others_left_goes() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = StateDir::at(folder.path());
        std::fs::create_dir(state_dir.gates()).unwrap();
        std::fs::write(state_dir.gates().join("gate-1"), "").unwrap();
        let present = Presence::begin(&state_dir).unwrap();
        let names = || -> Vec<_> {
            state_dir.gates().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect()
        };
        assert_eq!(names(), [gate_name(std::process::id().into()).as_str()]);
        drop(present);
        assert!(names().is_empty());
    }
}
