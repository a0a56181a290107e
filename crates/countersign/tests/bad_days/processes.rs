//! Each process of `run` killed again and again: the gate serves afterwards, and nobody else enters.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testkit::Portal;

use crate::support::{assert_serves, binary, eventually, long};

#[test]
fn whichever_process_is_killed_the_gate_serves_again_and_no_denial_is_lost() {
    let limits = "[limits]\nstrangers_per_minute = 10000\n";
    let mut portal = Portal::build(&binary()).extra_toml(limits).party("alice").party("mallory").start();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    for round in 0..if long() { 100 } else { 10 } {
        let gate = portal.gate().gate_pid().expect("a gate");
        kill_process(Pid::from_raw(gate.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        eventually("another gate", || portal.gate().gate_pid().filter(|pid| *pid != gate));
        eventually("an answer", || (portal.curl(Some("alice"), "/", &[]).status == 200).then_some(()));
        assert_serves(&portal, &format!("the gate's end, round {round}"));

        let mut upkeep = portal.sandbox.command(&["upkeep"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(round * 7 % 100));
        let _ = upkeep.kill();
        let _ = upkeep.wait();
        let args = ["crl", "-inform", "DER", "-in", "state/crl/own.crl", "-noout"];
        testkit::openssl(portal.sandbox.dir(), &args, b"").ok();
        assert_serves(&portal, &format!("upkeep's end, round {round}"));

        let gate = portal.gate().gate_pid().expect("a gate");
        portal.gate.as_mut().unwrap().kill();
        let gone = || (!std::path::Path::new(&format!("/proc/{gate}")).exists()).then_some(());
        eventually("the gate's end", gone);
        portal.gate = None;
        portal.start_gate();
        assert_serves(&portal, &format!("the supervisor's end, round {round}"));
    }
    portal.countersign(&["log", "verify"]).ok();
    assert_eq!(portal.curl(Some("mallory"), "/", &[]).json()["code"], "revoked");
}
