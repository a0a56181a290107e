//! What the tests share: the binary, and the numbers of a process.

use std::process::Child;

use testkit::{Binary, Portal};

pub use testkit::{SITE, block_on, eventually};

/// The binary under test.
pub fn binary() -> Binary {
    Binary::new(env!("CARGO_BIN_EXE_countersign"))
}

/// Whether the long form was asked for.
pub fn long() -> bool {
    std::env::var_os("COUNTERSIGN_LONG").is_some()
}

/// alice enters and reaches the upstream once; nobody, and mallory where she is known, do not reach it.
#[track_caller]
pub fn assert_serves(portal: &Portal, after: &str) {
    let before = portal.echo.count();
    let answer = portal.curl(Some("alice"), "/", &[]);
    assert_eq!(answer.status, 200, "alice after {after}: {answer:?}");
    assert_ne!(portal.curl(None, "/", &[]).status, 200, "nobody after {after}");
    if portal.sandbox.path("mallory.pem").exists() {
        assert_ne!(portal.curl(Some("mallory"), "/", &[]).status, 200, "mallory after {after}");
    }
    assert_eq!(portal.echo.count(), before + 1, "the upstream saw alice alone after {after}");
}

/// Memory and descriptors of a process.
#[derive(Clone, Copy, Debug)]
pub struct Numbers {
    /// Resident now, kB.
    pub resident_kb: u64,
    /// The most resident since the last [`forget_peak`], kB.
    pub peak_kb: u64,
    /// Open descriptors.
    pub descriptors: usize,
}

/// The numbers of the process that faces the internet.
#[track_caller]
pub fn numbers(portal: &Portal) -> Numbers {
    let pid = portal.gate().gate_pid().expect("a gate");
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a number of /proc");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    };
    let descriptors = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
    Numbers { resident_kb: field("VmRSS:"), peak_kb: field("VmHWM:"), descriptors }
}

/// Sets the peak to what is resident now (proc(5), `clear_refs`).
#[track_caller]
pub fn forget_peak(portal: &Portal) {
    let pid = portal.gate().gate_pid().expect("a gate");
    std::fs::write(format!("/proc/{pid}/clear_refs"), "5").expect("the peak can be set back");
}

/// Waits until no more than a few descriptors over `before` are open.
#[track_caller]
pub fn assert_descriptors_return(portal: &Portal, before: Numbers, after: &str) {
    eventually(&format!("descriptors back to {} after {after}", before.descriptors), || {
        (numbers(portal).descriptors <= before.descriptors + 16).then_some(())
    });
}

/// The gate has not ended, and no part of it panicked.
#[track_caller]
pub fn assert_alive(portal: &mut Portal) {
    let gate = portal.gate.as_mut().expect("a gate");
    assert_eq!(gate.exited(), None, "the gate ended: {}", gate.stderr());
    assert!(!gate.stderr().contains("panicked"), "{}", gate.stderr());
}

/// Ended with the test that started it.
pub struct Held(pub Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
