//! Others ask about single certificates: openssl and GnuTLS, by both methods and both hashes.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use testkit::response::Response;
use testkit::{Conn, Output, Portal, TestCa, block_on, free_port, openssl, process};

use crate::support::{binary, eventually};

/// A portal whose port without TLS is `http`, with alice and bob, once somebody answers there.
fn portal(http: u16) -> Portal {
    let built = Portal::build(&binary()).server_line(&format!("http = [\"127.0.0.1:{http}\"]"));
    let portal = built.party("alice").party("bob").start();
    portal.sandbox.write("client-ca.pem", portal.sandbox.read("state/ca/client.pem"));
    eventually("the first answer", || {
        ask(&portal, http, &["-cert", "alice.pem"]).both().contains("OK").then_some(())
    });
    portal
}

/// `openssl ocsp` about certificates of the client CA.
fn ask(portal: &Portal, http: u16, more: &[&str]) -> Output {
    let url = format!("http://127.0.0.1:{http}/ocsp");
    let args = [
        "ocsp",
        "-url",
        &url,
        "-issuer",
        "client-ca.pem",
        "-CAfile",
        "ca.pem",
        "-verify_other",
        "client-ca.pem",
    ];
    openssl(portal.sandbox.dir(), &[&args[..], more].concat(), b"")
}

#[track_caller]
fn says(output: &Output, expected: &str) {
    let text = output.both();
    assert!(text.contains("Response verify OK") && text.contains(expected), "{}", output.story());
}

fn connect<T>(http: u16, work: impl AsyncFnOnce(&mut Conn) -> T) -> T {
    block_on(async { work(&mut Conn::plain(http, "127.0.0.1").await.unwrap()).await })
}

/// The request that openssl makes, DER.
fn request(portal: &Portal, more: &[&str]) -> Vec<u8> {
    let args = ["ocsp", "-issuer", "client-ca.pem", "-reqout", "request.der"];
    openssl(portal.sandbox.dir(), &[&args[..], more].concat(), b"").ok();
    std::fs::read(portal.sandbox.path("request.der")).unwrap()
}

fn post(http: u16, kind: &str, body: &[u8]) -> Response {
    connect(http, async |connection| {
        connection.request("POST", "/ocsp", &[("content-type", kind)], body).await.unwrap()
    })
}

const KIND: &str = "application/ocsp-request";

#[test]
fn openssl_and_gnutls_hear_good_revoked_held_and_released_at_once() {
    let http = free_port();
    let portal = portal(http);
    let run = |args: &str| portal.countersign(&args.split(' ').collect::<Vec<_>>());
    for hash in ["-sha1", "-sha256"] {
        says(&ask(&portal, http, &[hash, "-cert", "alice.pem"]), "alice.pem: good");
        says(&ask(&portal, http, &["-no_nonce", hash, "-cert", "bob.pem"]), "bob.pem: good");
    }
    let both = ask(&portal, http, &["-cert", "alice.pem", "-cert", "bob.pem"]);
    says(&both, "alice.pem: good");
    says(&both, "bob.pem: good");
    assert!(!both.both().contains("WARNING: no nonce"), "{}", both.story());

    run("party revoke alice --reason key-compromise").ok();
    let revoked = ask(&portal, http, &["-cert", "alice.pem", "-cert", "bob.pem"]);
    says(&revoked, "alice.pem: revoked");
    says(&revoked, "Reason: keyCompromise");
    says(&revoked, "bob.pem: good");
    run("party revoke bob --reason certificate-hold").ok();
    says(&ask(&portal, http, &["-cert", "bob.pem"]), "Reason: certificateHold");

    let gnutls = |name: &str, more: &[&str]| {
        let url = format!("http://127.0.0.1:{http}/ocsp");
        let leaf = format!("--load-cert={name}.pem");
        let mut command = Command::new("ocsptool");
        command.current_dir(portal.sandbox.dir()).arg(format!("--ask={url}")).arg(leaf);
        command.args(["--load-issuer=client-ca.pem", "--load-trust=client-ca.pem"]).args(more);
        process::run(&mut command, b"", Duration::from_secs(60)).both()
    };
    let held = gnutls("bob", &["--nonce"]);
    assert!(held.contains("Certificate Status: revoked") && held.contains("Success"), "{held}");
    run("party resume bob --held").ok();
    let released = gnutls("bob", &[]);
    assert!(released.contains("Certificate Status: good") && released.contains("Success"), "{released}");
    says(&ask(&portal, http, &["-cert", "bob.pem"]), "bob.pem: good");
    assert_eq!(portal.echo.count(), 0, "no upstream hears of it");
}

#[test]
fn a_stranger_is_not_answered_for_and_a_serial_without_a_record_is_unknown() {
    let http = free_port();
    let portal = portal(http);
    let stranger = TestCa::new("Stranger CA");
    stranger.issue("eve").write(portal.sandbox.dir(), "eve");
    portal.sandbox.write("stranger-ca.pem", stranger.pem());
    let url = format!("http://127.0.0.1:{http}/ocsp");
    let args = ["ocsp", "-url", &url, "-issuer", "stranger-ca.pem", "-cert", "eve.pem", "-CAfile", "ca.pem"];
    let refused = openssl(portal.sandbox.dir(), &args, b"").both();
    assert!(refused.contains("unauthorized"), "{refused}");
    says(&ask(&portal, http, &["-serial", "0x0123456789abcdef"]), "unknown");
    let operator = ["-issuer", "state/ca/operator.pem", "-cert", "state/operator.pem"];
    says(&ask(&portal, http, &[&operator[..], &["-verify_other", "state/ca/operator.pem"]].concat()), "good");
    let mixed = ask(&portal, http, &["-cert", "alice.pem", "-issuer", "stranger-ca.pem", "-cert", "eve.pem"]);
    assert!(mixed.both().contains("unauthorized"), "no key signs for both: {}", mixed.story());
}

#[test]
fn an_answer_asked_by_its_path_may_be_kept_and_one_with_a_nonce_or_posted_may_not() {
    let http = free_port();
    let portal = portal(http);
    let der = request(&portal, &["-no_nonce", "-cert", "alice.pem"]);
    portal.sandbox.write("request.b64", &der);
    let text = openssl(portal.sandbox.dir(), &["base64", "-A", "-in", "request.b64"], b"").ok().stdout;
    let escaped = text.trim().replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for (method, path) in [("GET", text.trim()), ("GET", &escaped), ("HEAD", &escaped)] {
        let answer = connect(http, async |connection| {
            connection.request(method, &format!("/ocsp/{path}"), &[], b"").await.unwrap()
        });
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/ocsp-response")));
        let kept = answer.header("cache-control").unwrap();
        assert_eq!(kept, "max-age=300, public, no-transform, must-revalidate");
        for name in ["expires", "last-modified", "etag"] {
            assert!(answer.header(name).is_some(), "{name}");
        }
        if method == "GET" {
            portal.sandbox.write("answer.der", &answer.body);
            let args = ["-respin", "answer.der", "-no_nonce", "-cert", "alice.pem"];
            let args = [
                &["ocsp", "-issuer", "client-ca.pem", "-CAfile", "ca.pem", "-verify_other", "client-ca.pem"],
                &args[..],
            ];
            says(&openssl(portal.sandbox.dir(), &args.concat(), b""), "alice.pem: good");
        }
    }
    let posted = post(http, KIND, &der);
    assert_eq!((posted.status, posted.header("cache-control")), (200, Some("no-store")));
    let nonce = request(&portal, &["-cert", "alice.pem"]);
    portal.sandbox.write("request.b64", &nonce);
    let text = openssl(portal.sandbox.dir(), &["base64", "-A", "-in", "request.b64"], b"").ok().stdout;
    let path = format!("/ocsp/{}", text.trim());
    let answer = connect(http, async |connection| connection.request("GET", &path, &[], b"").await.unwrap());
    assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
}

#[test]
fn what_is_no_request_is_refused_and_ends_nothing() {
    let http = free_port();
    let portal = portal(http);
    let malformed = post(http, KIND, b"no request");
    assert_eq!((malformed.status, malformed.body.as_slice()), (200, &[0x30, 3, 0x0a, 1, 1][..]));
    assert_eq!(malformed.header("cache-control"), Some("no-store"));
    assert_eq!(post(http, KIND, &vec![0x30; 16 * 1024]).status, 200, "the longest that is read");
    assert_eq!(post(http, KIND, &vec![0x30; 16 * 1024 + 1]).status, 413);
    assert_eq!(post(http, "text/plain", b"x").status, 415);
    let get = |path: &str| connect(http, async |connection| connection.get(path, &[]).await.unwrap());
    assert_eq!(get("/ocsp/*").status, 400);
    assert_eq!(get("/ocsp/").status, 400);
    let put = connect(http, async |connection| connection.request("PUT", "/ocsp", &[], b"").await.unwrap());
    assert_eq!((put.status, put.header("allow")), (405, Some("GET, HEAD, POST")));
    says(&ask(&portal, http, &["-cert", "alice.pem"]), "alice.pem: good");
}

#[test]
fn the_process_that_answers_is_one_of_its_own_and_without_it_the_gate_says_try_later() {
    let http = free_port();
    let portal = portal(http);
    let gate = portal.gate();
    let responder = gate.responder_pid().expect("the process that answers");
    assert!(Some(responder) != gate.gate_pid() && Some(responder) != gate.authority_pid());
    let keys = std::fs::read_dir(portal.sandbox.path("state/ca")).unwrap().flatten();
    let of_cas = keys.filter(|one| one.path().extension().is_some_and(|ending| ending == "key")).count();
    assert_eq!(of_cas, 4, "no key for answers is on the disk");
    let about = std::fs::symlink_metadata(portal.sandbox.path("state/ocsp.sock")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let named = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(named.contains("key for the OCSP answers of the client CA named until"), "{named}");

    let der = request(&portal, &["-no_nonce", "-cert", "alice.pem"]);
    let send =
        |what: Signal| kill_process(Pid::from_raw(responder.try_into().unwrap()).unwrap(), what).unwrap();
    send(Signal::STOP);
    let late = post(http, KIND, &der);
    assert_eq!((late.status, late.body.as_slice()), (200, &[0x30, 3, 0x0a, 1, 3][..]));
    assert_eq!(late.header("cache-control"), Some("no-store"));
    send(Signal::KILL);
    eventually("another process answers", || {
        ask(&portal, http, &["-cert", "alice.pem"]).both().contains("alice.pem: good").then_some(())
    });
    assert_ne!(portal.gate().responder_pid(), Some(responder));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "the gate went on");
}

#[test]
fn both_generations_of_a_ca_are_answered_for_and_a_restored_registry_is_not_believed() {
    let http = free_port();
    let mut portal = portal(http);
    portal.sandbox.write("old-ca.pem", portal.sandbox.read("state/ca/client.pem"));
    portal.countersign(&["ca", "rollover", "start", "--yes"]).ok();
    portal.add_party("carol");
    portal.sandbox.write("client-ca.pem", portal.sandbox.read("state/ca/client.pem"));
    portal.countersign(&["party", "revoke", "bob"]).ok();
    says(&ask(&portal, http, &["-cert", "carol.pem"]), "carol.pem: good");
    // An openssl that is given the old generation asks about what it issued.
    let of_old = |more: &[&str]| {
        let url = format!("http://127.0.0.1:{http}/ocsp");
        let args = [
            "ocsp",
            "-url",
            &url,
            "-issuer",
            "old-ca.pem",
            "-CAfile",
            "ca.pem",
            "-verify_other",
            "old-ca.pem",
        ];
        openssl(portal.sandbox.dir(), &[&args[..], more].concat(), b"")
    };
    says(&of_old(&["-cert", "alice.pem"]), "alice.pem: good");
    says(&of_old(&["-cert", "bob.pem"]), "bob.pem: revoked");
    let pem = portal.sandbox.read("carol.pem");
    let serial = examiner::cert::pem::certificates(pem.as_bytes()).unwrap()[0].serial_hex();
    says(&of_old(&["-serial", &format!("0x{serial}")]), "unknown");

    portal.countersign(&["state", "backup", "--out", "copy"]).ok();
    portal.countersign(&["party", "revoke", "alice"]).ok();
    portal.stop_gate();
    portal.countersign(&["state", "restore", "copy", "--json"]).ok();
    portal.start_gate();
    let doubtful = ask(&portal, http, &["-cert", "carol.pem"]).both();
    assert!(doubtful.contains("trylater"), "{doubtful}");
    portal.countersign(&["reload", "--accept-restored"]).ok();
    eventually("answers from the registry that is accepted", || {
        ask(&portal, http, &["-cert", "carol.pem"]).both().contains("carol.pem: good").then_some(())
    });
}

#[test]
fn a_supervisor_that_took_over_has_a_process_that_answers() {
    let http = free_port();
    let portal = portal(http);
    let first = portal.gate().responder_pid().expect("the process that answers");
    let _heir = portal.upgrade();
    eventually("the end of the first", || {
        (!std::path::Path::new(&format!("/proc/{first}")).exists()).then_some(())
    });
    eventually("an answer of the second", || {
        ask(&portal, http, &["-cert", "alice.pem"]).both().contains("alice.pem: good").then_some(())
    });
}
