//! systemd's side: what the service manager is told, the sockets it passes, and the units that we give it.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Gate, Portal, Sandbox, free_port, process};

use crate::support::binary;

/// A service manager that listens.
struct Manager(UnixDatagram);

impl Manager {
    fn of(sandbox: &Sandbox) -> Self {
        Self(UnixDatagram::bind(sandbox.path("notify")).unwrap())
    }

    /// The next message that has this line. Those before it are returned as well, in front of it.
    #[track_caller]
    fn until(&self, wanted: &str) -> Vec<String> {
        let mut heard = Vec::new();
        self.0.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        loop {
            let mut bytes = [0; 4096];
            let length = self.0.recv(&mut bytes).unwrap_or_else(|_| panic!("no `{wanted}` after {heard:?}"));
            heard.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
            if heard.last().unwrap().lines().any(|line| line.starts_with(wanted)) {
                return heard;
            }
        }
    }

    /// Everything that is said within `while_`.
    fn hears(&self, while_: Duration) -> Vec<String> {
        let (mut heard, end) = (Vec::new(), Instant::now() + while_);
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return heard;
            }
            self.0.set_read_timeout(Some(left)).unwrap();
            let mut bytes = [0; 4096];
            if let Ok(length) = self.0.recv(&mut bytes) {
                heard.push(String::from_utf8(bytes[..length].to_vec()).unwrap());
            }
        }
    }
}

fn value<'a>(message: &'a str, name: &str) -> &'a str {
    message
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn told(portal: &Portal) -> Command {
    let mut command = portal.sandbox.command(&["run"]);
    command.env("NOTIFY_SOCKET", portal.sandbox.path("notify"));
    command
}

#[test]
fn it_is_told_of_each_step_of_a_service_s_life() {
    let mut portal = Portal::build(&binary()).party("alice").prepare();
    let manager = Manager::of(&portal.sandbox);
    portal.gate = Some(Gate::start(told(&portal)));
    let ready = manager.until("READY=1").pop().unwrap();
    assert!(value(&ready, "STATUS=").starts_with("ready: 1 site"), "{ready}");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);

    let before = monotonic();
    portal.countersign(&["reload"]).ok();
    let reloading = manager.until("RELOADING=1").pop().unwrap();
    let at: u128 = value(&reloading, "MONOTONIC_USEC=").parse().unwrap();
    assert!((before..=monotonic()).contains(&at), "{reloading}");
    assert!(manager.until("READY=1").pop().unwrap().contains("STATUS=reloaded"));

    let file = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", "upsteam");
    portal.gate().hang_up();
    manager.until("RELOADING=1");
    assert!(manager.until("READY=1").pop().unwrap().contains("the old policy stays in force"));
    portal.countersign(&["upgrade"]).exited(3);
    let failed = manager.until("STATUS=the upgrade failed").pop().unwrap();
    assert_eq!(failed.lines().count(), 1, "a reason of several lines stays one line: {failed}");
    portal.sandbox.write("countersign.toml", &file);

    let heir = portal.upgrade();
    assert_eq!(value(&manager.until("MAINPID=").pop().unwrap(), "MAINPID="), heir.pid().to_string());
    manager.until("READY=1");
    assert!(heir.terminate(Duration::from_secs(30)));
    manager.until("STOPPING=1");
}

/// Microseconds of the monotonic clock, as systemd compares them.
fn monotonic() -> u128 {
    let uptime = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    uptime.tv_sec as u128 * 1_000_000 + uptime.tv_nsec as u128 / 1_000
}

#[test]
fn it_hears_that_all_is_alive_only_while_the_gate_is() {
    let mut portal = Portal::build(&binary()).party("alice").prepare();
    let manager = Manager::of(&portal.sandbox);
    let mut command = told(&portal);
    command.env("WATCHDOG_USEC", "4000000");
    portal.gate = Some(Gate::start(command));
    manager.until("WATCHDOG=1");
    manager.until("WATCHDOG=1");

    // A registry that is away is no reason to end: the last policy is served.
    let (database, away) = (portal.sandbox.path("state/registry.db"), portal.sandbox.path("state/away"));
    std::fs::rename(&database, &away).unwrap();
    portal.gate().wait_stderr("the last one stays in force", Duration::from_secs(30));
    portal.curl(None, "/", &[]);
    for _ in 0..3 {
        manager.until("WATCHDOG=1");
    }
    std::fs::rename(&away, &database).unwrap();

    let gate = Pid::from_raw(portal.gate().gate_pid().unwrap().try_into().unwrap()).unwrap();
    kill_process(gate, Signal::STOP).unwrap();
    // What was on its way arrives in this time, and nothing after it.
    manager.hears(Duration::from_secs(2));
    assert_eq!(
        manager.hears(Duration::from_secs(3)),
        Vec::<String>::new(),
        "a gate that stands still is called alive"
    );
    kill_process(gate, Signal::CONT).unwrap();
    manager.until("WATCHDOG=1");

    // The process that takes over is watched too, though WATCHDOG_PID was another's.
    let heir = portal.upgrade();
    manager.until("MAINPID=");
    manager.until("READY=1");
    manager.until("WATCHDOG=1");
    drop(heir);
}

#[test]
fn another_process_s_watchdog_is_not_fed() {
    let mut portal = Portal::build(&binary()).party("alice").prepare();
    let manager = Manager::of(&portal.sandbox);
    let mut command = told(&portal);
    command.env("WATCHDOG_USEC", "400000").env("WATCHDOG_PID", "1");
    portal.gate = Some(Gate::start(command));
    manager.until("READY=1");
    assert_eq!(manager.hears(Duration::from_secs(1)), Vec::<String>::new());
}

/// `countersign run` under systemd-socket-activate, which listens and starts it when somebody comes.
fn activated(portal: &Portal, options: &[&str]) -> Command {
    let mut command = Command::new("systemd-socket-activate");
    command.args(options).arg(portal.sandbox.command(&[]).get_program()).arg("run");
    command.current_dir(portal.sandbox.dir());
    command
}

#[test]
fn it_serves_on_the_socket_that_systemd_passes_and_so_does_the_next_process() {
    for name in [None, Some("--fdname=listen")] {
        let mut portal = Portal::build(&binary()).party("alice").prepare();
        let listen = format!("--listen=127.0.0.1:{}", portal.port);
        let options: Vec<&str> = [listen.as_str()].into_iter().chain(name).collect();
        let gate = Gate::spawn(activated(&portal, &options));
        gate.wait_stderr("Listening on", Duration::from_secs(20));
        // The first visitor waits in the queue until the gate is ready.
        let answer = portal.curl(Some("alice"), "/", &[]);
        assert_eq!(answer.status, 200, "{answer:?}\n{}", gate.stderr());
        portal.gate = Some(gate);
        // The admin address was not passed; it is made.
        assert!(TcpListener::bind(("127.0.0.1", portal.admin_port)).is_err());
        let heir = portal.upgrade();
        assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
        drop(heir);
    }
}

#[test]
fn a_socket_for_no_address_of_the_configuration_is_an_error_that_names_it() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let other = free_port();
    for (port, name) in [(other, "web"), (portal.port, "http"), (portal.port, "admin")] {
        let address = format!("127.0.0.1:{port}");
        let options = [format!("--listen={address}"), format!("--fdname={name}")];
        let mut gate = Gate::spawn(activated(&portal, &[&options[0], &options[1]]));
        gate.wait_stderr("Listening on", Duration::from_secs(20));
        let _ = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        assert_eq!(gate.wait_exit(Duration::from_secs(30)), Some(3), "{}", gate.stderr());
        let said = gate.stderr();
        assert!(said.contains(&format!("{address} ({name})")) && said.contains("ListenStream"), "{said}");
    }
}

#[test]
fn a_socket_of_another_kind_is_an_error() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let path = portal.sandbox.path("socket");
    let mut gate = Gate::spawn(activated(&portal, &[&format!("--listen={}", path.display())]));
    gate.wait_stderr("Listening on", Duration::from_secs(20));
    let _ = std::os::unix::net::UnixStream::connect(&path).unwrap();
    assert_eq!(gate.wait_exit(Duration::from_secs(30)), Some(1), "{}", gate.stderr());
    assert!(gate.stderr().contains("no TCP socket"), "{}", gate.stderr());
}

#[test]
fn sockets_passed_to_another_process_are_left_alone() {
    let mut portal = Portal::build(&binary()).party("alice").prepare();
    let mut command = portal.sandbox.command(&["run"]);
    command.env("LISTEN_PID", "1").env("LISTEN_FDS", "1").env("LISTEN_FDNAMES", "web");
    portal.gate = Some(Gate::start(command));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

/// The units of `packaging/systemd`, with the program at its place here.
fn units(into: &Path) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/systemd");
    let mut units = Vec::new();
    for entry in folder.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("/usr/bin/countersign") || path.extension().unwrap() == "service");
        // A template is looked at as one of its instances.
        let name = path.file_name().unwrap().to_str().unwrap().replace("@.", "@svc.");
        let text = text.replace("/usr/bin/countersign", env!("CARGO_BIN_EXE_countersign"));
        std::fs::write(into.join(&name), text).unwrap();
        units.push(name);
    }
    units.sort();
    units
}

#[test]
fn systemd_takes_the_units_and_finds_them_closed() {
    let folder = tempfile::tempdir().unwrap();
    let units = units(folder.path());
    let renewal = ["countersign-renew@svc.service", "countersign-renew@svc.timer"];
    assert_eq!(units, [renewal[0], renewal[1], "countersign.service", "countersign.socket"]);
    let analyze = |args: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        command.args(args).current_dir(folder.path());
        process::run(&mut command, b"", Duration::from_secs(60))
    };
    for unit in &units {
        let said = analyze(&["verify", "--man=no", &format!("./{unit}")]).ok();
        assert_eq!(said.both(), "", "{unit}");
    }
    // Of 100, how far it is open; a service without any of the settings has 96.
    for service in ["./countersign.service", "./countersign-renew@svc.service"] {
        analyze(&["security", "--offline=yes", "--threshold=20", "--no-pager", service]).ok();
    }
}

#[test]
fn the_unit_for_machines_runs_a_command_that_there_is() {
    let unit = include_str!("../../../../packaging/systemd/countersign-renew@.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/countersign ")).unwrap();
    let line =
        line.replace("%i", "svc").replace("${URL}", "https://localhost:1").replace("$OPTIONS", "--same-key");
    let sandbox = Sandbox::new(&binary());
    let refused = sandbox.countersign(&line.split(' ').collect::<Vec<_>>());
    // Understood, and only the files are missing here.
    assert_eq!(refused.code, 5, "{}", refused.story());
    assert!(refused.stderr.contains("/etc/countersign/renew/svc/cert.pem"), "{}", refused.story());
}

/// The system calls of a filter of systemd, sets in it resolved.
fn calls_of(set: &str) -> BTreeSet<String> {
    let mut command = Command::new("systemd-analyze");
    command.args(["syscall-filter", "--no-pager", set]);
    let said = process::run(&mut command, b"", Duration::from_secs(60)).ok().stdout;
    let mut calls = BTreeSet::new();
    for word in said.lines().skip(1).map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('#'))
    {
        if word.starts_with('@') { calls.extend(calls_of(word)) } else { calls.extend([word.to_owned()]) }
    }
    calls
}

#[test]
fn whatever_the_service_does_its_system_call_filter_allows() {
    let service = include_str!("../../../../packaging/systemd/countersign.service");
    let lines: Vec<&str> =
        service.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")).collect();
    let landlock = "landlock_create_ruleset landlock_add_rule landlock_restrict_self";
    assert_eq!(lines, ["@system-service", landlock, "~@privileged @resources", "setpriority"]);
    let taken_away: BTreeSet<String> = ["@privileged", "@resources"].into_iter().flat_map(calls_of).collect();
    let mut allowed: BTreeSet<String> =
        calls_of("@system-service").difference(&taken_away).cloned().collect();
    allowed.extend(landlock.split(' ').chain(["setpriority"]).map(str::to_owned));

    let mut portal = Portal::build(&binary()).party("alice").prepare();
    let run = portal.sandbox.command(&[]);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "calls"]).arg(run.get_program()).arg("run");
    command.current_dir(portal.sandbox.dir());
    portal.gate = Some(Gate::start(command));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
    portal.countersign(&["reload"]).ok();
    let heir = portal.upgrade();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    portal.countersign(&["party", "revoke", "alice"]).ok();
    assert!(heir.terminate(Duration::from_secs(30)));
    portal.gate.as_mut().unwrap().wait_exit(Duration::from_secs(30));

    let traced = portal.sandbox.read("calls");
    let name = |line: &str| Some(line.split_once(' ')?.1.trim_start().split_once('(')?.0.to_owned());
    // A thread that ends within a call is told as a call without a name, of a negative number.
    let is_name = |name: &String| {
        let is_word = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        is_word && !name.starts_with("syscall_0xffff")
    };
    let made: BTreeSet<String> = traced.lines().filter_map(name).filter(is_name).collect();
    for call in ["accept4", "recvmsg", "sendmsg", "execve"] {
        assert!(made.contains(call), "{call} was traced: {made:?}");
    }
    // As root, and only then, SQLite gives its files to the owner of the database; the service is never root.
    let is_roots = |call: &str| call == "fchown" && rustix::process::geteuid().is_root();
    let refused: Vec<&String> = made.difference(&allowed).filter(|call| !is_roots(call)).collect();
    assert_eq!(refused, Vec::<&String>::new());
}
