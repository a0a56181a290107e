//! A real systemd as process 1 of namespaces of its own, over a view of this machine's files that is thrown away.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::process::{Output, run};
use crate::waiting::eventually;

const BOOT: &str = include_str!("boot.sh");

/// Takes the control groups of an ended one away. In mounts of its own, as the boot's.
const SWEEP: &str = "mount -t cgroup2 none \"$1/groups\"
find \"$1/groups/${1##*/}\" -depth -type d -exec rmdir {} +";

/// What stands on the disk before it starts.
#[derive(Debug)]
pub struct Disk(TempDir);

impl Disk {
    /// This machine's files, none changed, and no unit but those of the distribution's packages.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["upper", "units"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        Self(folder)
    }

    /// Puts a file at `place`, such as `etc/hosts`, with this mode; its folder is the machine's or made for all to read.
    pub fn put(&self, place: &str, mode: u32, content: impl AsRef<[u8]>) -> &Self {
        use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
        let path = self.0.path().join("upper").join(place);
        let folder = path.parent().expect("a file in a folder");
        std::fs::DirBuilder::new().recursive(true).mode(0o755).create(folder).expect("a folder");
        std::fs::write(&path, content).expect("a file");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).expect("its mode");
        self
    }

    /// Puts a unit, or the drop-in of one (`NAME.d/more.conf`), into `/etc/systemd/system`.
    pub fn unit(&self, name: &str, text: &str) -> &Self {
        let path = self.0.path().join("units").join(name);
        std::fs::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
        std::fs::write(path, text).expect("a unit");
        self
    }

    /// Starts it and waits until it runs. Only root may: panics for others.
    #[track_caller]
    pub fn boot(self) -> Systemd {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", BOOT, "boot"]).arg(self.0.path());
        let log = std::fs::File::create(self.0.path().join("log")).expect("a log");
        command.stdin(Stdio::null()).stdout(log.try_clone().expect("a log")).stderr(log);
        let outer = command.spawn().expect("unshare");
        let mut systemd = Systemd { outer, disk: self, init: 0 };
        systemd.init = eventually("systemd begins", || systemd.found());
        eventually("systemd runs", || {
            let state = systemd.run(&["systemctl", "is-system-running"]).stdout;
            assert_ne!(state.trim(), "degraded", "{}", systemd.run(&["systemctl", "--failed"]).both());
            (state.trim() == "running").then_some(())
        });
        systemd
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

/// A systemd that runs; ended, with everything that it started, when dropped.
#[derive(Debug)]
pub struct Systemd {
    outer: Child,
    disk: Disk,
    /// Its number outside.
    init: u32,
}

impl Systemd {
    /// The number of process 1, once it is systemd.
    fn found(&mut self) -> Option<u32> {
        let log = || std::fs::read_to_string(self.disk.0.path().join("log")).unwrap_or_default();
        let ended = self.outer.try_wait().expect("its state");
        assert!(ended.is_none(), "no systemd in namespaces here ({ended:?}):\n{}", log());
        let outer = self.outer.id();
        let children = std::fs::read_to_string(format!("/proc/{outer}/task/{outer}/children")).ok()?;
        let init = children.trim().parse().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{init}/comm")).ok()?;
        (name.trim() == "systemd").then_some(init)
    }

    /// Runs a command inside, as root, to its end.
    #[track_caller]
    pub fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.init.to_string(), "--mount", "--pid", "--uts", "--ipc", "--cgroup"]);
        command.args(["--wd=/", "--"]).args(words);
        run(&mut command, b"", Duration::from_secs(120))
    }

    /// What was logged for a unit since the start.
    #[track_caller]
    pub fn journal(&self, unit: &str) -> String {
        self.run(&["journalctl", "--no-pager", "--output=cat", "--unit", unit]).ok().stdout
    }

    /// A file inside.
    #[track_caller]
    pub fn read(&self, place: &str) -> String {
        let path = Path::new("/proc").join(self.init.to_string()).join("root").join(place);
        std::fs::read_to_string(&path).unwrap_or_else(|wrong| panic!("{place}: {wrong}"))
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
        // The groups are empty once all of its processes are gone.
        let mut sweep = Command::new("unshare");
        sweep
            .args(["--mount", "--propagation", "private", "sh", "-c", SWEEP, "sweep"])
            .arg(self.disk.0.path());
        for _ in 0..50 {
            if sweep.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
