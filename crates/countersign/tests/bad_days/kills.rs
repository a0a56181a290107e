//! Everything that signs and records, killed at random moments of a loop of issuing, renewing, revoking and listing. After
//! each restart: no certificate without a record, no serial number twice, no revocation lost, no list's number given again.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use testkit::{Portal, openssl};

use crate::support::{assert_serves, binary, eventually, long};

/// Random enough to hit every moment, and the same again for the same seed, which a failure names.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Self(u64::from(since.subsec_nanos()) << 20 | 1)
    }

    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What is done in one round, in this order.
fn steps(round: usize) -> Vec<Vec<String>> {
    let (new, before) = (format!("p{round}"), format!("p{}", round.saturating_sub(1)));
    let list = |which: &str| format!("ca crl --out list-{round}-{which}.crl");
    [
        format!("party add {new} --site portal.test --pem --out ."),
        list("a"),
        format!("party renew {new} --overlap 1s --pem --out ."),
        format!("party revoke {before} --reason key-compromise"),
        "upkeep".to_owned(),
        list("b"),
    ]
    .map(|line| line.split(' ').map(str::to_owned).collect())
    .into()
}

/// Runs them until one is killed; the arguments of those that ended well.
fn worker(steps: Vec<(Vec<String>, Command)>, running: &Mutex<Slot>) -> Vec<Vec<String>> {
    let mut done = Vec::new();
    for (args, mut command) in steps {
        {
            let mut slot = running.lock().unwrap();
            if slot.is_over {
                break;
            }
            slot.child = Some(command.spawn().unwrap());
        }
        let status = loop {
            let mut slot = running.lock().unwrap();
            match slot.child.as_mut().unwrap().try_wait().unwrap() {
                Some(status) => break status,
                None => drop(slot),
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        if status.success() {
            done.push(args);
        }
    }
    done
}

#[derive(Default)]
struct Slot {
    child: Option<Child>,
    is_over: bool,
}

/// What is known from outside: it only ever grows.
#[derive(Default)]
struct Known {
    revoked: BTreeSet<String>,
    number: u128,
}

fn sql(portal: &Portal, query: &str) -> Vec<String> {
    let done = Command::new("sqlite3")
        .args(["-cmd", ".timeout 5000"])
        .arg(portal.sandbox.path("state/registry.db"))
        .arg(query)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    String::from_utf8(done.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// The number of a list and the serial numbers on it, once openssl verified it.
fn list(portal: &Portal, file: &str) -> (u128, BTreeSet<String>) {
    let args = [
        "crl",
        "-inform",
        "DER",
        "-in",
        file,
        "-CAfile",
        "state/ca/client.pem",
        "-noout",
        "-crlnumber",
        "-text",
    ];
    let shown = openssl(portal.sandbox.dir(), &args, b"").ok().both();
    assert!(shown.contains("verify OK"), "{file}: {shown}");
    let number = shown.lines().find_map(|line| line.strip_prefix("crlNumber=0x")).expect("a number");
    let serials = shown.lines().filter_map(|line| line.trim().strip_prefix("Serial Number: "));
    let serials = serials.map(|serial| serial.trim().to_lowercase()).collect();
    (u128::from_str_radix(number.trim(), 16).unwrap(), serials)
}

fn files(portal: &Portal, fits: impl Fn(&str) -> bool) -> Vec<String> {
    let all = std::fs::read_dir(portal.sandbox.dir()).unwrap().flatten();
    all.filter_map(|one| one.file_name().into_string().ok()).filter(|name| fits(name)).collect()
}

/// What holds after every crash.
fn assert_whole(portal: &Portal, known: &mut Known, done: &[Vec<String>], when: &str) {
    assert_eq!(sql(portal, "PRAGMA integrity_check"), ["ok"], "{when}");
    let twice =
        "SELECT hex(serial) FROM certificates WHERE origin = 'own' GROUP BY serial HAVING count(*) > 1";
    assert_eq!(sql(portal, twice), [""; 0], "serial numbers given twice, {when}");
    let on_record: BTreeSet<String> =
        sql(portal, "SELECT lower(hex(thumbprint)) FROM certificates").into_iter().collect();
    for file in
        files(portal, |name| name.starts_with('p') && (name.ends_with(".pem") || name.ends_with(".pem.old")))
    {
        let bytes = std::fs::read(portal.sandbox.path(&file)).unwrap();
        // A file that was not written to its end holds nothing yet.
        for one in examiner::cert::pem::certificates(&bytes).unwrap_or_default().iter().take(1) {
            assert!(on_record.contains(&one.thumbprint.to_string()), "{file} is not on record, {when}");
        }
    }
    let revoked =
        "SELECT lower(hex(serial)) FROM certificates WHERE revoked_at IS NOT NULL AND issued_by = 'client'";
    let revoked: BTreeSet<String> = sql(portal, revoked).into_iter().collect();
    let lost: Vec<_> = known.revoked.difference(&revoked).collect();
    assert!(lost.is_empty(), "revocations lost, {when}: {lost:?}");
    known.revoked = revoked;
    for args in done.iter().filter(|args| args.get(1).is_some_and(|word| word == "revoke")) {
        let open =
            format!("SELECT label FROM certificates WHERE holder = '{}' AND revoked_at IS NULL", args[2]);
        assert_eq!(sql(portal, &open), [""; 0], "{} was told to be revoked, {when}", args[2]);
    }
    for file in files(portal, |name| name.starts_with("list-")) {
        let (number, _) = list(portal, &file);
        assert!(number > known.number, "list {number} after {}, {when}", known.number);
        // The first of a round is the smaller one, whichever comes first here.
        std::fs::remove_file(portal.sandbox.path(&file)).unwrap();
        portal.sandbox.write(&format!("seen-{number}"), "");
    }
    let seen = files(portal, |name| name.starts_with("seen-"));
    let numbers = seen.iter().filter_map(|name| name.strip_prefix("seen-")?.parse::<u128>().ok());
    known.number = numbers.max().unwrap_or(0).max(list(portal, "state/crl/own.crl").0);
    portal.countersign(&["ca", "crl", "--out", "fresh.crl"]).ok();
    let (number, listed) = list(portal, "fresh.crl");
    assert!(number > known.number, "list {number} after {}, {when}", known.number);
    known.number = number;
    assert_eq!(listed, known.revoked, "what is on the list, {when}");
    portal.countersign(&["log", "verify"]).ok();
}

/// Ends all processes of the gate at once: nobody can tidy up after another.
fn kill_all(portal: &mut Portal) {
    let gate = portal.gate();
    let children = [gate.gate_pid(), gate.authority_pid(), gate.responder_pid()];
    let children: Vec<u32> = children.into_iter().flatten().collect();
    for pid in &children {
        let _ = kill_process(Pid::from_raw((*pid).try_into().unwrap()).unwrap(), Signal::KILL);
    }
    portal.gate.as_mut().unwrap().kill();
    portal.gate = None;
    eventually("the end of all", || {
        children.iter().all(|pid| !Path::new(&format!("/proc/{pid}")).exists()).then_some(())
    });
}

#[test]
fn nothing_is_half_made_or_lost_after_a_kill_at_any_moment() {
    let limits = "[limits]\nstrangers_per_minute = 10000\n";
    let mut portal = Portal::build(&binary()).extra_toml(limits).party("alice").party("p0").start();
    let (mut dice, mut known) = (Dice::new(), Known::default());
    let mut whole = Duration::from_millis(1);
    for round in 1..=if long() { 100 } else { 10 } {
        let seed = dice.0;
        let commands: Vec<_> = steps(round)
            .into_iter()
            .map(|args| {
                let words: Vec<&str> = args.iter().map(String::as_str).collect();
                let mut command = portal.sandbox.command(&words);
                command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
                command.stderr(std::process::Stdio::null());
                (args, command)
            })
            .collect();
        let (running, began) = (Mutex::new(Slot::default()), Instant::now());
        // The first round is left alone: it says how long one takes.
        let wait =
            (round > 1).then(|| Duration::from_micros(dice.below(whole.as_micros().try_into().unwrap())));
        let done = std::thread::scope(|scope| {
            let work = scope.spawn(|| worker(commands, &running));
            if let Some(wait) = wait {
                std::thread::sleep(wait);
                let mut slot = running.lock().unwrap();
                slot.is_over = true;
                let _ = slot.child.as_mut().map(Child::kill);
                drop(slot);
                kill_all(&mut portal);
            }
            work.join().unwrap()
        });
        let when = format!("round {round}, seed {seed}, after {wait:?} of {whole:?}");
        if wait.is_none() {
            assert_eq!(done.len(), steps(round).len(), "without a kill all of it is done: {done:?}");
            whole = began.elapsed();
        } else {
            portal.start_gate();
        }
        assert_serves(&portal, &when);
        assert_whole(&portal, &mut known, &done, &when);
    }
    assert!(!known.revoked.is_empty());
}
