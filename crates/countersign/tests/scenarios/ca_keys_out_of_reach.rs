//! Where the CA's keys are, and where not: in the memory of which process, and among its open files.

use std::fs::File;
use std::os::unix::fs::FileExt;

use serde_json::json;
use testkit::{Portal, free_port, openssl};

use crate::support::{binary, eventually};

/// How much of a process's memory is read at once, in octets.
const CHUNK: usize = 1 << 20;

/// A private key on P-256 as it may stand in memory: its 32 octets, and the same the other way round, as little-endian
/// machines keep numbers.
fn scalar(der: &[u8]) -> [Vec<u8>; 2] {
    // ECPrivateKey (RFC 5915): version 1, then the octet string.
    const BEFORE: [u8; 5] = [0x02, 0x01, 0x01, 0x04, 0x20];
    let at = der.windows(5).position(|part| part == BEFORE).expect("an EC private key") + 5;
    let plain = der[at..at + 32].to_vec();
    let reversed = plain.iter().rev().copied().collect();
    [plain, reversed]
}

/// The key in this file of the sandbox.
fn key(portal: &Portal, file: &str, more: &[&str]) -> [Vec<u8>; 2] {
    let args = [&["pkey", "-in", file, "-outform", "DER", "-out", "plain.der"], more].concat();
    openssl(portal.sandbox.dir(), &args, b"").ok();
    let der = std::fs::read(portal.sandbox.path("plain.der")).unwrap();
    std::fs::remove_file(portal.sandbox.path("plain.der")).unwrap();
    scalar(&der)
}

/// Whether one of these stands anywhere in the memory of the process; `None` where the system lets nobody look.
fn holds(pid: u32, needles: &[Vec<u8>]) -> Option<bool> {
    let memory = match File::open(format!("/proc/{pid}/mem")) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => return None,
        other => other.unwrap(),
    };
    let longest = needles.iter().map(Vec::len).max().unwrap();
    let mut bytes = vec![0; CHUNK + longest];
    for line in std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with('r') || rest.contains("[v") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
        for at in (start..end).step_by(CHUNK) {
            let wanted = usize::try_from(end - at).unwrap().min(bytes.len());
            // Pages may go while they are read.
            let Ok(read) = memory.read_at(&mut bytes[..wanted], at) else { continue };
            if needles.iter().any(|needle| contains(&bytes[..read], needle)) {
                return Some(true);
            }
        }
    }
    Some(false)
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    let first = needle[0];
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == first) {
        if rest[at..].starts_with(needle) {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

#[test]
fn no_ca_key_is_in_the_memory_or_the_open_files_of_the_gate() {
    let portal = Portal::start(&binary());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    // Something is signed, so that a key was in use while the gate ran.
    portal.countersign(&["party", "revoke", "alice"]).ok();
    let gate = portal.gate().gate_pid().expect("a gate");
    let passphrase = portal.sandbox.read("state/ca.passphrase").trim().as_bytes().to_vec();
    let Some(own) = holds(gate, &key(&portal, "state/server/portal.test.key", &[])) else { return };
    assert!(own, "the key of the site's certificate is in the gate, so the search finds what is there");
    for ca in ["root", "client", "server", "operator"] {
        let file = format!("state/ca/{ca}.key");
        let needles = key(&portal, &file, &["-passin", "file:state/ca.passphrase"]);
        assert_eq!(holds(gate, &needles), Some(false), "the key of the {ca} CA");
    }
    assert_eq!(holds(gate, &[passphrase]), Some(false), "the passphrase");
    for entry in std::fs::read_dir(format!("/proc/{gate}/fd")).unwrap().flatten() {
        let target = std::fs::read_link(entry.path()).unwrap_or_default();
        let shown = target.to_string_lossy().into_owned();
        assert!(!shown.contains("/state/ca") && !shown.ends_with(".key"), "{shown}");
    }
}

#[test]
fn the_authoritys_process_has_the_client_cas_key_once_it_issued_and_never_the_roots() {
    let portal = Portal::start(&binary());
    let authority = portal.gate().authority_pid().expect("an authority");
    let made = super::authority_process::key(&portal, "machine", &super::authority_process::P256);
    let request = super::authority_process::proposal("alice", &made, |_| {});
    let answer = super::authority_process::ask(&portal, &request);
    assert!(answer["issued"].is_object(), "{answer} {}", json!(request));
    let of = |ca: &str| {
        let file = format!("state/ca/{ca}.key");
        holds(authority, &key(&portal, &file, &["-passin", "file:state/ca.passphrase"]))
    };
    let Some(client) = of("client") else { return };
    assert!(client, "what signs has the key");
    assert_eq!((of("root"), of("operator")), (Some(false), Some(false)));
}

#[test]
fn gate_authority_and_responder_confine_themselves() {
    let http = format!("http = [\"127.0.0.1:{}\"]", free_port());
    let portal = Portal::build(&binary()).server_line(&http).start();
    let privileges = |pid: u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix("NoNewPrivs:")).unwrap().trim().to_owned()
    };
    let gate = portal.gate();
    let responder = eventually("the process that answers OCSP", || gate.responder_pid());
    assert_eq!(privileges(gate.pid()), "0", "the supervisor starts programs");
    let said = portal.countersign(&["status"]).both();
    if said.contains("this kernel has no Landlock") {
        return;
    }
    // A process gives up its privileges as it is confined.
    eventually("all are confined", || (privileges(responder) == "1").then_some(()));
    for pid in [gate.gate_pid().unwrap(), gate.authority_pid().unwrap(), responder] {
        assert_eq!(privileges(pid), "1", "{pid}");
    }
}
