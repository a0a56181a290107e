//! What a process gives up for good when it starts: by Landlock (landlock(7)), where the kernel has it.
//!
//! Both may read what they may read as their user, since a reload can name any file. They write below the directories
//! that are theirs alone, and start no program. Landlock also keeps them from looking into the memory of processes that
//! are not confined with them: the gate cannot read the authority's.

use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use crate::config::StateDir;

/// The newest rights that are known here; an older kernel enforces those that it knows.
const KNOWN: ABI = ABI::V6;

/// Where the registry's library puts what it sorts on disk.
const TEMPORARY: [&str; 3] = ["/var/tmp", "/usr/tmp", "/tmp"];

/// What belongs to the system: libraries, and how names are resolved.
const SYSTEM: [&str; 9] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/dev",
    "/run/systemd/resolve",
    "/run/resolvconf",
    "/run/NetworkManager",
];

/// Variables that name a file which is made or written, beside the state directory.
const FILES_ELSEWHERE: [&str; 2] = ["COUNTERSIGN_SNAPSHOT_KEY_FILE", "COUNTERSIGN_AUDIT_KEY_FILE"];

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// It faces the internet, and connects to upstreams.
    Gate,
    /// It signs, and speaks over Unix sockets of the state directory only: no TCP, and no abstract socket of others.
    Authority,
    /// The same, with keys in a token: its vendor's library may speak to a service or over the network.
    AuthorityWithToken,
    /// It answers OCSP, and speaks as the authority does.
    Responder,
    /// It answers operators, and speaks as the authority does.
    Console,
    /// It looks at websites for operators: it connects anywhere, reads what belongs to the system alone, and writes nothing.
    Checker,
}

/// Confines this thread, and all that it starts from now on, for good. Returns whether the kernel has Landlock.
///
/// It may write below the state directory, `more`, and where temporary files go.
pub fn confine(duty: Duty, state: &StateDir, more: &[PathBuf]) -> Result<bool, String> {
    if duty == Duty::Checker {
        let confined = restrict(duty, &SYSTEM.map(PathBuf::from), &["/dev".into()]);
        return confined.map_err(|error| format!("this process cannot be confined: {error}"));
    }
    let mut writable: Vec<PathBuf> = vec![state.path().into(), "/dev".into(), std::env::temp_dir()];
    writable.extend(TEMPORARY.map(PathBuf::from));
    let elsewhere = FILES_ELSEWHERE.iter().filter_map(std::env::var_os);
    writable.extend(elsewhere.map(|file| folder(Path::new(&file)).to_owned()));
    writable.extend_from_slice(more);
    restrict(duty, &["/".into()], &writable)
        .map_err(|error| format!("this process cannot be confined: {error}"))
}

/// Keeps this process's memory from other processes of its user, and from core files (PR_SET_DUMPABLE, prctl(2)).
pub fn hide_memory() -> std::io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}

/// The directory that a file is in.
pub fn folder(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether the kernel has Landlock.
pub fn is_possible() -> bool {
    let made = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(Ruleset::create);
    made.is_ok()
}

fn restrict(duty: Duty, readable: &[PathBuf], writable: &[PathBuf]) -> Result<bool, RulesetError> {
    let reading: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let all = AccessFs::from_all(KNOWN);
    let mut rules = Ruleset::default().handle_access(all)?.scope(Scope::Signal)?;
    if duty != Duty::Gate {
        rules = rules.scope(Scope::AbstractUnixSocket)?;
    }
    if !matches!(duty, Duty::Gate | Duty::Checker) {
        rules = rules.handle_access(AccessNet::from_all(KNOWN))?;
    }
    let status = rules
        .create()?
        .add_rules(path_beneath_rules(readable, reading))?
        .add_rules(path_beneath_rules(writable, all & !AccessFs::Execute))?
        .restrict_self()?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    /// What a thread could do: write to its state, write elsewhere, read elsewhere, connect, start a program.
    fn abilities(state: &Path, elsewhere: &Path, door: &TcpListener) -> [bool; 5] {
        [
            std::fs::write(state.join("mine"), "x").is_ok(),
            std::fs::write(elsewhere.join("others"), "x").is_ok(),
            std::fs::read(elsewhere.join("read")).is_ok(),
            TcpStream::connect(door.local_addr().unwrap()).is_ok(),
            std::process::Command::new("true").status().is_ok(),
        ]
    }

    fn confined(duty: Option<Duty>) -> [bool; 5] {
        // Temporary directories are writable for everybody, so these are made elsewhere.
        let here = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
        let (state, elsewhere) = (here.path().join("state"), here.path().join("elsewhere"));
        for path in [&state, &elsewhere] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::write(elsewhere.join("read"), "x").unwrap();
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                if let Some(duty) = duty {
                    let enforced = confine(duty, &StateDir::at(&state), &[]).unwrap();
                    assert_eq!(enforced, is_possible());
                }
                abilities(&state, &elsewhere, &door)
            });
            thread.join().unwrap()
        })
    }

    #[test]
    fn memory_that_is_hidden_is_in_no_core_file() {
        use rustix::process::dumpable_behavior;
        hide_memory().unwrap();
        assert_eq!(dumpable_behavior().unwrap(), DumpableBehavior::NotDumpable);
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
    }

    #[test]
    fn a_confined_thread_writes_below_its_state_starts_nothing_and_the_authority_connects_nowhere() {
        assert_eq!(confined(None), [true; 5]);
        if !is_possible() {
            return;
        }
        assert_eq!(confined(Some(Duty::Gate)), [true, false, true, true, false]);
        assert_eq!(confined(Some(Duty::Checker)), [false, false, false, true, false]);
        for duty in [Duty::Responder, Duty::Console] {
            assert_eq!(confined(Some(duty)), confined(Some(Duty::Authority)));
        }
        let [mine, others, read, connects, starts] = confined(Some(Duty::Authority));
        assert_eq!([mine, others, read, starts], [true, false, true, false]);
        // Rights over TCP came with a later kernel than those over files.
        let kernel_restricts_tcp = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessNet::from_all(ABI::V4))
            .is_ok();
        assert_eq!(connects, !kernel_restricts_tcp);
    }
}
