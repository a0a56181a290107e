//! The process that signs, and its socket: what it does for its own user, and what it does for nobody.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use examiner::UnixTime;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use testkit::{Portal, openssl};

use crate::support::{binary, eventually};

/// The longest request, in octets.
const MOST: usize = 16 * 1024;

/// Sends these octets to the socket and reads the answer.
fn send(portal: &Portal, octets: &[u8]) -> Value {
    let mut stream = UnixStream::connect(portal.sandbox.path("state/authority.sock")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // A peer that refuses early may close before everything is written.
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(Shutdown::Write);
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut text = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut text).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn frame(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

pub fn ask(portal: &Portal, request: &Value) -> Value {
    send(portal, &frame(request.to_string().as_bytes()))
}

/// The code of a refusal.
fn code(answer: &Value) -> &str {
    answer["refused"]["code"].as_str().unwrap_or_else(|| panic!("{answer}"))
}

fn now() -> UnixTime {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UnixTime(i64::try_from(since.as_secs()).unwrap())
}

/// A new key, NAME.key, and a certificate request that it signed; PEM.
pub fn key(portal: &Portal, name: &str, kind: &[&str]) -> String {
    let file = format!("{name}.key");
    openssl(portal.sandbox.dir(), &[&["genpkey", "-out", &file], kind].concat(), b"").ok();
    request_of(portal, &file)
}

/// A certificate request that the key in this file signed; PEM.
fn request_of(portal: &Portal, file: &str) -> String {
    let sign = ["req", "-new", "-key", file, "-passin", "file:state/ca.passphrase", "-subj", "/CN=anybody"];
    openssl(portal.sandbox.dir(), &[&sign[..], &["-out", "made.csr"]].concat(), b"").ok();
    portal.sandbox.read("made.csr")
}

/// The request with the public key of `other` put in its place, as long as the one that signed it.
fn forged(request: &str, other: &str) -> String {
    let der = |pem: &str| authority::csr::to_der(pem.as_bytes()).unwrap();
    let spki = |der: &[u8]| authority::csr::read(der).unwrap().into_spki();
    let mut made = der(request);
    let (mine, theirs) = (spki(&made), spki(&der(other)));
    let at = made.windows(mine.len()).position(|part| part == mine).unwrap();
    made[at..at + mine.len()].copy_from_slice(&theirs);
    examiner::cert::pem::encode("CERTIFICATE REQUEST", &made)
}

pub const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];

/// A sound proposal for `party` with the key of this certificate request, changed by `change`.
pub fn proposal(party: &str, made: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut request = json!({ "issue": {
        "party": party, "profile": "service", "request": made, "made_at": now().to_string(),
    } });
    change(&mut request["issue"]);
    request
}

fn certificates_of(portal: &Portal, party: &str) -> usize {
    let shown = portal.countersign(&["party", "show", party, "--json"]).ok().json();
    shown["certificates"].as_array().unwrap().len()
}

#[test]
fn a_party_gets_a_certificate_over_the_socket_and_enters_with_it() {
    let portal = Portal::start(&binary());
    let made = key(&portal, "machine", &P256);
    let answer = ask(&portal, &proposal("alice", &made, |_| {}));
    portal
        .sandbox
        .write("machine.pem", answer["issued"]["pem"].as_str().unwrap_or_else(|| panic!("{answer}")));
    eventually("its entry", || (portal.curl(Some("machine"), "/", &[]).status == 200).then_some(()));
    assert_eq!(certificates_of(&portal, "alice"), 2);
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(
        log.contains("certificate `cert-2` added; by authority"),
        "who issued it stands in the log: {log}"
    );
    let looked = ask(&portal, &json!({ "upkeep": {} }));
    assert!(looked["done"].is_object(), "{looked}");
}

#[test]
fn what_is_no_request_is_refused_and_the_process_goes_on() {
    let portal = Portal::start(&binary());
    let process = portal.gate().authority_pid().expect("an authority");
    let long = vec![b' '; MOST + 1];
    let sound = proposal("alice", &key(&portal, "machine", &P256), |_| {});
    let half = &frame(sound.to_string().as_bytes())[..40];
    for (octets, expected) in [
        (frame(&long), "too-long"),
        (frame(&long[..MOST]), "unreadable"),
        (u32::MAX.to_be_bytes().to_vec(), "too-long"),
        (Vec::new(), "unreadable"),
        (vec![0, 0], "unreadable"),
        (half.to_vec(), "unreadable"),
        (frame(b"\xff\xfe\x00garbage"), "unreadable"),
        (frame(b"GET / HTTP/1.1\r\n\r\n"), "unreadable"),
        (frame(br#"{"revoke":{}}"#), "unreadable"),
        (frame(br#"{"upkeep":{"as":"root"}}"#), "unreadable"),
        (frame("[".repeat(MOST).as_bytes()), "unreadable"),
    ] {
        let answer = send(&portal, &octets);
        let shown = String::from_utf8_lossy(&octets[..octets.len().min(40)]).into_owned();
        assert_eq!(code(&answer), expected, "{shown}");
    }
    for extra in ["is_ca", "extensions", "issuer", "not_before", "party_uuid"] {
        let request = proposal("alice", "3000", |one| one[extra] = json!(true));
        assert_eq!(code(&ask(&portal, &request)), "unreadable", "{extra}");
    }
    assert!(ask(&portal, &sound)["issued"].is_object());
    assert_eq!(portal.gate().authority_pid(), Some(process));
}

#[test]
fn a_plan_against_the_rules_or_the_record_is_refused_with_the_reason() {
    let portal = Portal::start(&binary());
    portal.add_party("bob");
    portal.countersign(&["party", "suspend", "bob"]).ok();
    let made = key(&portal, "machine", &P256);
    let weak = key(&portal, "weak", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let refused = |request: Value| code(&ask(&portal, &request)).to_owned();
    for profile in ["operator", "server", "ca", "root", "client", ""] {
        let request = proposal("alice", &made, |one| one["profile"] = json!(profile));
        assert_eq!(refused(request), "profile", "{profile}");
    }
    for seconds in [-120, 3600] {
        let made = now().plus(seconds).to_string();
        assert_eq!(
            refused(proposal("alice", &made, |one| one["made_at"] = json!(made))),
            "expired",
            "{seconds}"
        );
    }
    for party in ["nobody", "operator", "ca/acme", "../alice", ""] {
        assert_eq!(refused(proposal(party, &made, |_| {})), "unknown-party", "{party}");
    }
    assert_eq!(refused(proposal("bob", &made, |_| {})), "suspended");
    for name in
        ["dns:portal.test", "email:ceo@portal.test", "uri:urn:uuid:0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa"]
    {
        assert_eq!(refused(proposal("alice", &made, |one| one["names"] = json!([name]))), "name", "{name}");
    }
    for (what, made) in [
        ("a weak key", weak),
        ("no request", "3000".to_owned()),
        ("the client CA's own", request_of(&portal, "state/ca/client.key")),
        ("the root's own", request_of(&portal, "state/ca/root.key")),
        ("another party's", request_of(&portal, "bob.key")),
    ] {
        assert_eq!(refused(proposal("alice", &made, |_| {})), "rules", "{what}");
    }
    for seconds in [-1, 91 * 86_400, 3650 * 86_400] {
        let end = now().plus(seconds).to_string();
        assert_eq!(
            refused(proposal("alice", &made, |one| one["not_after"] = json!(end))),
            "rules",
            "{seconds}"
        );
    }
    assert_eq!((certificates_of(&portal, "alice"), certificates_of(&portal, "bob")), (1, 1));
    // What is sound is issued all the same.
    assert!(ask(&portal, &proposal("alice", &made, |_| {}))["issued"].is_object());
}

#[test]
fn a_key_is_certified_only_for_whoever_proves_to_hold_it() {
    let portal = Portal::start(&binary());
    portal.add_party("bob");
    let made = key(&portal, "machine", &P256);
    let stranger = key(&portal, "stranger", &P256);
    let der = authority::csr::to_der(made.as_bytes()).unwrap();
    let pem = |der: &[u8]| examiner::cert::pem::encode("CERTIFICATE REQUEST", der);
    let flipped = |at: usize| {
        let mut der = der.clone();
        der[at] ^= 1;
        pem(&der)
    };
    let public = ["pkey", "-in", "stranger.key", "-pubout", "-out", "stranger.pub"];
    openssl(portal.sandbox.dir(), &public, b"").ok();
    let sha1 = ["req", "-new", "-key", "machine.key", "-sha1", "-subj", "/CN=x", "-out", "sha1.csr"];
    openssl(portal.sandbox.dir(), &sha1, b"").ok();
    let cases = [
        ("a key that nobody has seen, signed by another", forged(&made, &stranger), "proof"),
        ("another party's key, signed by one's own", forged(&made, &request_of(&portal, "bob.key")), "proof"),
        (
            "a CA's key, signed by one's own",
            forged(&made, &request_of(&portal, "state/ca/client.key")),
            "proof",
        ),
        ("one's own key, signed by another", forged(&stranger, &made), "proof"),
        ("a signature that is broken", flipped(der.len() - 1), "proof"),
        (
            "a name changed after it was signed",
            flipped(der.windows(7).position(|part| part == b"anybody").unwrap()),
            "proof",
        ),
        ("a signature that proves nothing any more", portal.sandbox.read("sha1.csr"), "proof"),
        ("a public key alone", portal.sandbox.read("stranger.pub"), "rules"),
        ("a certificate", portal.sandbox.read("bob.pem"), "rules"),
        ("two requests", format!("{made}{stranger}"), "rules"),
        ("octets behind it", pem(&[&der[..], &[0]].concat()), "rules"),
        ("half of it", pem(&der[..der.len() / 2]), "rules"),
        ("nothing", String::new(), "rules"),
    ];
    let delegation =
        |made: &str| json!({ "delegate": { "ca": "client", "request": made, "made_at": now().to_string() } });
    for (what, made, expected) in &cases {
        assert_eq!(code(&ask(&portal, &proposal("alice", made, |_| {}))), *expected, "{what}");
    }
    // What has no key but its hex digits is no request at all.
    for name in ["spki", "key", "proof"] {
        let request = proposal("alice", &made, |one| one[name] = json!("3000"));
        assert_eq!(code(&ask(&portal, &request)), "unreadable", "{name}");
    }
    let without = proposal("alice", &made, |one| drop(one.as_object_mut().unwrap().remove("request")));
    assert_eq!(code(&ask(&portal, &without)), "unreadable");
    assert_eq!((certificates_of(&portal, "alice"), certificates_of(&portal, "bob")), (1, 1));
    // A key for OCSP answers is proved in the same way; it has a slower pace.
    for (what, made, expected) in &cases[..4] {
        assert_eq!(code(&ask(&portal, &delegation(made))), *expected, "{what}");
    }
    assert!(ask(&portal, &proposal("alice", &made, |_| {}))["issued"].is_object());
    assert!(ask(&portal, &delegation(&stranger))["delegated"].is_object());
}

#[test]
fn a_party_that_asks_in_a_loop_is_refused_and_leaves_the_others_theirs() {
    let portal = Portal::start(&binary());
    portal.add_party("bob");
    let (mine, theirs) = (key(&portal, "machine", &P256), key(&portal, "other", &P256));
    let mut issued = 0;
    let hasty = (0..200).any(|_| {
        let answer = ask(&portal, &proposal("alice", &mine, |_| {}));
        issued += usize::from(answer["issued"].is_object());
        answer["refused"]["code"] == "too-fast"
    });
    assert!(hasty && (1..100).contains(&issued), "{issued} and nothing was too fast");
    let told = ask(&portal, &proposal("alice", &mine, |_| {}))["refused"]["what"].to_string();
    assert!(told.contains("`alice`"), "{told}");
    assert!(
        ask(&portal, &proposal("bob", &theirs, |_| {}))["issued"].is_object(),
        "bob has a pace of his own"
    );
}

#[test]
fn a_key_is_named_for_answers_by_the_two_cas_that_have_them_and_for_nothing_else() {
    let portal = Portal::start(&binary());
    let made = key(&portal, "answers", &P256);
    let weak = key(&portal, "weak", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let own = request_of(&portal, "state/ca/client.key");
    let wanted = |change: &dyn Fn(&mut Value)| {
        let mut request =
            json!({ "delegate": { "ca": "client", "request": made, "made_at": now().to_string() } });
        change(&mut request["delegate"]);
        request
    };
    let refused = |change: &dyn Fn(&mut Value)| code(&ask(&portal, &wanted(change))).to_owned();
    for ca in ["root", "server", "acme", ""] {
        assert_eq!(refused(&|one| one["ca"] = json!(ca)), "profile", "{ca}");
    }
    assert_eq!(refused(&|one| one["made_at"] = json!(now().plus(-120).to_string())), "expired");
    assert_eq!(refused(&|one| one["old"] = json!(true)), "failed", "there is no old generation");
    for more in ["is_ca", "not_after", "purpose", "subject"] {
        assert_eq!(refused(&|one| one[more] = json!(true)), "unreadable", "{more}");
    }
    // What is refused counts as well: the next process begins anew.
    let first = portal.gate().authority_pid().unwrap();
    kill_process(Pid::from_raw(first.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    eventually("another authority", || portal.gate().authority_pid().filter(|pid| *pid != first));
    for (what, made) in [("weak", &weak), ("the client CA's own", &own)] {
        assert_eq!(refused(&|one| one["request"] = json!(made)), "rules", "{what}");
    }
    let answer = ask(&portal, &wanted(&|_| {}));
    let pem = answer["delegated"]["pem"].as_str().unwrap_or_else(|| panic!("{answer}"));
    portal.sandbox.write("answers.pem", pem);
    let shown =
        openssl(portal.sandbox.dir(), &["x509", "-in", "answers.pem", "-noout", "-text"], b"").ok().both();
    for expected in ["OCSP Signing", "OCSP No Check", "CA:FALSE", "CN = OCSP responder of the client CA"] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    // It enters nowhere.
    let enters = portal.curl(Some("answers"), "/", &[]);
    assert_eq!(enters.status, 403, "{enters:?}");
    let hasty = (0..20).any(|_| ask(&portal, &wanted(&|_| {}))["refused"]["code"] == "too-fast");
    assert!(hasty, "nothing was too fast");
}

#[test]
fn more_than_the_pace_allows_is_refused_and_what_is_due_is_still_signed() {
    let portal = Portal::start(&binary());
    let request = proposal("alice", "3000", |one| one["profile"] = json!("operator"));
    let hasty = (0..5000).any(|_| code(&ask(&portal, &request)) == "too-fast");
    assert!(hasty, "nothing was too fast");
    assert!(ask(&portal, &json!({ "upkeep": {} }))["done"].is_object());
    // After a pause there is room again.
    let made = key(&portal, "machine", &P256);
    eventually("a certificate", || {
        ask(&portal, &proposal("alice", &made, |_| {}))["issued"].is_object().then_some(())
    });
}

#[test]
fn the_socket_is_its_users_alone() {
    let portal = Portal::start(&binary());
    let socket = portal.sandbox.path("state/authority.sock");
    let about = std::fs::symlink_metadata(&socket).unwrap();
    assert!(about.file_type().is_socket());
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    if !rustix::process::geteuid().is_root() {
        // Nobody but root can be somebody else here.
        return;
    }
    // Were the file open to everybody, the process would still look at who asks.
    for path in [socket.as_path(), &portal.sandbox.path("state"), portal.sandbox.dir()] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o777)).unwrap();
    }
    // Perl is where every user can start it. Who is refused before anything is read may still be writing.
    let script = r#"$SIG{PIPE} = "IGNORE";
        $s = IO::Socket::UNIX->new(Peer => $ARGV[0]) or die "no way to the socket: $!";
        syswrite($s, "\0\0\0\x0d{\"upkeep\":{}}"); sysread($s, $answer, 4096); print $answer"#;
    let as_user = |user: &str| {
        let output = std::process::Command::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--clear-groups", "perl", "-MIO::Socket", "-e", script])
            .arg(&socket)
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    assert!(as_user("65534").contains("stranger"), "{}", as_user("65534"));
    assert!(as_user("0").contains("done"), "{}", as_user("0"));
}

#[test]
fn an_authority_that_dies_is_started_again_and_none_outlives_the_supervisor() {
    let mut portal = Portal::start(&binary());
    let (first, gate) = (portal.gate().authority_pid().expect("an authority"), portal.gate().gate_pid());
    kill_process(Pid::from_raw(first.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
    // It may have taken a connection up just before it died: that one is lost with it.
    let state = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    eventually("its death", || (!state(first).contains(") ") || state(first).contains(") Z")).then_some(()));
    // The supervisor holds the socket: whoever asks meanwhile waits.
    assert!(ask(&portal, &json!({ "upkeep": {} }))["done"].is_object());
    let second =
        eventually("another authority", || portal.gate().authority_pid().filter(|pid| *pid != first));
    assert_eq!(portal.gate().gate_pid(), gate, "the gate goes on");
    portal.gate.as_mut().unwrap().kill();
    eventually("its end", || (!std::path::Path::new(&format!("/proc/{second}")).exists()).then_some(()));
    portal.gate = None;
    portal.start_gate();
    assert!(ask(&portal, &json!({ "upkeep": {} }))["done"].is_object(), "a socket left behind is replaced");
}

#[test]
fn what_the_supervisor_asks_while_the_authority_is_away_keeps_nothing_from_starting_it_again() {
    let portal = Portal::start(&binary());
    let mut last = 0;
    // The second time it waits a while before it starts the process.
    for _ in 0..2 {
        let pid = eventually("an authority", || portal.gate().authority_pid().filter(|pid| *pid != last));
        kill_process(Pid::from_raw(pid.try_into().unwrap()).unwrap(), Signal::KILL).unwrap();
        last = pid;
    }
    // The gate has the supervisor ask for a list.
    portal.countersign(&["party", "revoke", "alice"]).ok();
    eventually("another authority", || portal.gate().authority_pid().filter(|pid| *pid != last));
    assert!(ask(&portal, &json!({ "upkeep": {} }))["done"].is_object());
}

#[test]
fn a_supervisor_that_took_over_has_an_authority_of_its_own() {
    let portal = Portal::start(&binary());
    let first = portal.gate().authority_pid().expect("an authority");
    let _heir = portal.upgrade();
    eventually("the end of the first", || {
        (!std::path::Path::new(&format!("/proc/{first}")).exists()).then_some(())
    });
    let made = key(&portal, "machine", &P256);
    let answer = ask(&portal, &proposal("alice", &made, |_| {}));
    assert!(answer["issued"].is_object(), "{answer}");
}
