//! Machines renew their certificates by showing them: once, as a daemon, after a long sleep; and nobody else does.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use examiner::{Certificate, cert::pem};
use serde_json::{Value, json};
use testkit::{CurlResult, Gate, Portal, PortalBuilder, eventually, free_port, openssl, tools};

use super::authority_process::{P256, ask, key};
use crate::support::binary;

const HOST: &str = "localhost";

/// A portal with an enrolment address, and its port.
fn portal() -> (PortalBuilder, u16) {
    let port = free_port();
    let enrol = format!("[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://{HOST}:{port}\"\n");
    (Portal::build(&binary()).extra_toml(&enrol), port)
}

/// A running portal with the service `svc`.
fn started() -> (Portal, u16) {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    add(&portal, "svc", &[]);
    portal.start_gate();
    (portal, port)
}

/// A service with NAME.pem and NAME.key that may enter the site.
fn add(portal: &Portal, name: &str, more: &[&str]) {
    let add = ["party", "add", name, "--site", "portal.test", "--profile", "service", "--pem", "--out", "."];
    portal.countersign(&[&add[..], more].concat()).ok();
}

fn arguments(name: &str, port: u16, more: &[&str]) -> Vec<String> {
    let (cert, key) = (format!("{name}.pem"), format!("{name}.key"));
    let url = format!("https://{HOST}:{port}");
    let all = ["renew", "--cert", &cert, "--key", &key, "--cacert", "ca.pem", "--url", &url];
    all.iter().chain(more).map(|one| (*one).to_owned()).collect()
}

fn renew(portal: &Portal, name: &str, port: u16, more: &[&str]) -> testkit::Output {
    let all = arguments(name, port, more);
    portal.countersign(&all.iter().map(String::as_str).collect::<Vec<_>>())
}

/// curl at the enrolment address.
fn knock(portal: &Portal, port: u16, cert: Option<&str>, path: &str, extra: &[&str]) -> CurlResult {
    tools::curl_at(portal.sandbox.dir(), HOST, port, cert, path, extra)
}

fn certificate(portal: &Portal, file: &str) -> Certificate {
    pem::certificates(portal.sandbox.read(file).as_bytes()).unwrap().swap_remove(0)
}

fn records(portal: &Portal, party: &str) -> Vec<Value> {
    let shown = portal.countersign(&["party", "show", party, "--json"]).ok().json();
    shown["certificates"].as_array().unwrap().clone()
}

fn copy(portal: &Portal, from: &str, to: &str) {
    for extension in ["pem", "key"] {
        let text = portal.sandbox.read(&format!("{from}.{extension}"));
        portal.sandbox.write(&format!("{to}.{extension}"), text);
    }
}

fn enters(portal: &Portal, name: &str) {
    eventually(&format!("{name} enters"), || (portal.curl(Some(name), "/", &[]).status == 200).then_some(()));
}

#[test]
fn a_machine_renews_with_a_new_key_and_the_old_certificate_holds_for_the_overlap() {
    let (portal, port) = started();
    let early = renew(&portal, "svc", port, &["--json"]).ok().json();
    assert_eq!(early["renewed"], false, "{early}");
    let before = certificate(&portal, "svc.pem");
    copy(&portal, "svc", "old");

    let dry = renew(&portal, "svc", port, &["--force", "--dry-run"]).ok();
    assert!(dry.stderr.contains("would ask"), "{}", dry.story());
    assert_eq!(records(&portal, "svc").len(), 1);

    let done =
        renew(&portal, "svc", port, &["--force", "--then", "echo renewed > told", "--json"]).ok().json();
    let after = certificate(&portal, "svc.pem");
    assert_eq!((&done["renewed"], &done["thumbprint"]), (&json!(true), &json!(after.thumbprint)));
    assert_ne!(after.key_pin, before.key_pin, "a new key");
    assert_eq!(after.subject_alt_names, before.subject_alt_names);
    assert_eq!(portal.sandbox.read("told"), "renewed\n");
    let mode = portal.sandbox.path("svc.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    for left in ["svc.key.next", "svc.pem.next"] {
        assert!(!portal.sandbox.path(left).exists(), "{left}");
    }
    // Both enter, and the record says until when the old one does.
    enters(&portal, "svc");
    enters(&portal, "old");
    let all = records(&portal, "svc");
    assert_eq!(all.len(), 2, "{all:?}");
    assert_eq!(all[0]["superseded_after"], done["old_until"], "{all:?}");
    assert!(all[1]["superseded_after"].is_null(), "{all:?}");
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(log.contains("by authority"), "{log}");
    // What it got it can renew again.
    renew(&portal, "svc", port, &["--force"]).ok();
    enters(&portal, "svc");
}

#[test]
fn the_key_can_stay_or_be_of_another_kind() {
    let (portal, port) = started();
    let before = certificate(&portal, "svc.pem");
    renew(&portal, "svc", port, &["--force", "--same-key"]).ok();
    let after = certificate(&portal, "svc.pem");
    assert_eq!(after.key_pin, before.key_pin);
    assert_ne!(after.thumbprint, before.thumbprint);
    for (kind, shown) in [("rsa-3072", "RSA 3072 bit"), ("ed25519", "Ed25519"), ("ecdsa-p384", "ECDSA P-384")]
    {
        renew(&portal, "svc", port, &["--force", "--key-type", kind]).ok();
        assert_eq!(certificate(&portal, "svc.pem").public_key.to_string(), shown);
    }
    enters(&portal, "svc");
    // The kind stays where none is named.
    renew(&portal, "svc", port, &["--force"]).ok();
    assert_eq!(certificate(&portal, "svc.pem").public_key.to_string(), "ECDSA P-384");
}

#[test]
fn certificate_and_key_can_share_one_file() {
    let (portal, port) = started();
    let both = portal.sandbox.read("svc.pem") + &portal.sandbox.read("svc.key");
    let file = portal.sandbox.write("both.pem", both);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let url = format!("https://{HOST}:{port}");
    let args =
        ["renew", "--cert", "both.pem", "--key", "both.pem", "--cacert", "ca.pem", "--url", &url, "--force"];
    portal.countersign(&args).ok();
    portal.countersign(&args).ok();
    assert_eq!(records(&portal, "svc").len(), 3);
    assert!(portal.sandbox.read("both.pem").contains("PRIVATE KEY"));
}

#[test]
fn who_may_not_enter_may_not_renew() {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    for name in ["svc", "revoked", "suspended", "held"] {
        add(&portal, name, &[]);
    }
    portal.countersign(&["party", "revoke", "revoked", "--reason", "superseded"]).ok();
    portal.countersign(&["party", "revoke", "held", "--reason", "certificate-hold"]).ok();
    portal.countersign(&["party", "suspend", "suspended"]).ok();
    // A stranger, and a partner whose certificate is pinned.
    for name in ["stranger", "pinned"] {
        let key = format!("{name}.key");
        let cert = format!("{name}.pem");
        let subject = format!("/CN={name}");
        let args = [
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            &key,
            "-out",
            &cert,
            "-subj",
            &subject,
            "-days",
            "30",
            "-addext",
            "extendedKeyUsage=clientAuth",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ];
        openssl(portal.sandbox.dir(), &args, b"").ok();
    }
    portal
        .countersign(&[
            "party",
            "add",
            "partner",
            "--cert",
            "pinned.pem",
            "--pin",
            "cert",
            "--site",
            "portal.test",
        ])
        .ok();
    portal.start_gate();
    for (name, word) in [
        ("revoked", "revoked"),
        ("held", "revoked"),
        ("suspended", "suspended"),
        ("stranger", "does not open"),
        ("pinned", "Only certificates of this authority"),
        ("state/operator", ""),
    ] {
        let before = portal.sandbox.read(&format!("{name}.pem"));
        let refused = renew(&portal, name, port, &["--force"]).exited(1);
        let said = refused.stderr.to_lowercase();
        assert!(said.contains(&word.to_lowercase()), "{name}: {}", refused.story());
        assert!(refused.stderr.contains("help:"), "{}", refused.story());
        assert_eq!(portal.sandbox.read(&format!("{name}.pem")), before, "{name}");
    }
    let bare = knock(&portal, port, None, "/renew", &["--data", "{}"]);
    assert_eq!((bare.status, bare.json()["code"].clone()), (403, json!("no-certificate")));
    // A stranger at this address is no entry for the owner to approve.
    assert_eq!(portal.countersign(&["pending", "list", "--json"]).ok().json(), json!([]));
    // Who may, does.
    renew(&portal, "svc", port, &["--force"]).ok();
}

#[test]
fn the_enrolment_address_has_nothing_else() {
    let (portal, port) = started();
    let seen = portal.echo.count();
    for path in
        ["/", "/renew/", "/metrics", "/readyz", "/.well-known/est/", "/invite/", "/api/v1/parties", "/acme"]
    {
        let answer = knock(&portal, port, Some("svc"), path, &[]);
        assert_eq!((answer.status, answer.json()["code"].clone()), (404, json!("not-found")), "{path}");
    }
    let get = knock(&portal, port, Some("svc"), "/renew", &[]);
    assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    for (body, status) in
        [("{}", 400), ("", 400), ("[1]", 400), (r#"{"request":"x","made_at":"now","proof":""}"#, 400)]
    {
        let answer = knock(&portal, port, Some("svc"), "/renew", &["--data", body]);
        assert_eq!(
            (answer.status, answer.json()["code"].clone()),
            (status, json!("renewal-refused")),
            "{body}"
        );
    }
    portal.sandbox.write("long", "x".repeat(17 * 1024));
    let long = knock(&portal, port, Some("svc"), "/renew", &["--data-binary", "@long"]);
    assert_eq!(long.status, 413);
    let other = knock(&portal, port, Some("svc"), "/renew", &["-H", "Host: portal.test", "--data", "{}"]);
    assert_eq!((other.status, other.json()["code"].clone()), (421, json!("host-mismatch")));
    // And a site has no such path: it goes to the website.
    assert_eq!(portal.curl(Some("svc"), "/renew", &["--data", "{}"]).status, 200);
    assert_eq!(portal.echo.count(), seen + 1);
    assert_eq!(records(&portal, "svc").len(), 1);
}

/// What a gate could ask of the authority by itself.
fn request_at_socket(portal: &Portal, present: &Certificate, change: impl FnOnce(&mut Value)) -> Value {
    let dir = portal.sandbox.dir();
    key(portal, "next", &P256);
    openssl(dir, &["req", "-new", "-key", "next.key", "-subj", "/CN=x", "-out", "next.csr"], b"").ok();
    let mut request = json!({ "renew": {
        "thumbprint": present.thumbprint,
        "request": portal.sandbox.read("next.csr"),
        "made_at": now(),
        "proof": "",
    } });
    change(&mut request["renew"]);
    request
}

fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    examiner::UnixTime(i64::try_from(since.as_secs()).unwrap()).to_string()
}

/// The proof of NAME.key over the request.
fn proof(portal: &Portal, name: &str, request: &Value) -> String {
    let text = |key: &str| request[key].as_str().unwrap().to_owned();
    let der = openssl(
        portal.sandbox.dir(),
        &["req", "-outform", "DER", "-out", "next.der", "-in", "next.csr"],
        b"",
    );
    der.ok();
    let der = std::fs::read(portal.sandbox.path("next.der")).unwrap();
    let head = format!("countersign renewal, version 1\n{}\n{}\n", text("thumbprint"), text("made_at"));
    portal.sandbox.write("proved", [head.as_bytes(), &der].concat());
    let sign = ["dgst", "-sha256", "-sign", &format!("{name}.key"), "-out", "proof", "proved"];
    openssl(portal.sandbox.dir(), &sign, b"").ok();
    let made = std::fs::read(portal.sandbox.path("proof")).unwrap();
    made.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_authority_takes_nobodys_word_for_who_holds_a_key() {
    let (builder, _) = portal();
    let mut portal = builder.prepare();
    for name in ["svc", "other"] {
        add(&portal, name, &[]);
    }
    portal.start_gate();
    let (svc, other) = (certificate(&portal, "svc.pem"), certificate(&portal, "other.pem"));
    let code =
        |request: &Value| ask(&portal, request)["refused"]["code"].as_str().unwrap_or("none").to_owned();
    let by = |signer: &str, present: &Certificate, change: &dyn Fn(&mut Value)| {
        let mut request = request_at_socket(&portal, present, |_| {});
        let made = proof(&portal, signer, &request["renew"]);
        request["renew"]["proof"] = json!(made);
        change(&mut request["renew"]);
        code(&request)
    };
    let as_is = |_: &mut Value| {};
    // Without a proof, with the proof of another key, of the new key, and for another certificate.
    assert_eq!(code(&request_at_socket(&portal, &svc, |_| {})), "proof");
    assert_eq!(by("other", &svc, &as_is), "proof");
    assert_eq!(by("next", &svc, &as_is), "proof");
    assert_eq!(by("svc", &other, &as_is), "proof");
    // With anything else put in its place afterwards.
    assert_eq!(by("svc", &svc, &|one| one["thumbprint"] = json!(other.thumbprint)), "proof");
    let at = |seconds: i64| examiner::UnixTime::parse(&now()).unwrap().plus(seconds).to_string();
    assert_eq!(by("svc", &svc, &|one| one["made_at"] = json!(at(-2))), "proof");
    for seconds in [-400, 400] {
        assert_eq!(by("svc", &svc, &|one| one["made_at"] = json!(at(seconds))), "expired");
    }
    // Requests that their own key did not sign, weak ones, and what is none.
    assert_eq!(by("svc", &svc, &|one| one["request"] = json!("x")), "rules");
    for extra in ["profile", "names", "not_after", "party", "is_ca"] {
        assert_eq!(by("svc", &svc, &|one| one[extra] = json!("x")), "unreadable", "{extra}");
    }
    assert_eq!(by("svc", &svc, &|one| one["thumbprint"] = json!("00".repeat(32))), "unknown-party");
    let operator = certificate(&portal, "state/operator.pem");
    assert_eq!(by("state/operator", &operator, &as_is), "unknown-party");
    portal.countersign(&["party", "suspend", "other"]).ok();
    assert_eq!(by("other", &other, &as_is), "suspended");
    portal.countersign(&["party", "revoke", "other"]).ok();
    assert_eq!(by("other", &other, &as_is), "ended");
    assert_eq!((records(&portal, "svc").len(), records(&portal, "other").len()), (1, 1));
    // What is sound is done.
    assert_eq!(by("svc", &svc, &as_is), "none");
    assert_eq!(records(&portal, "svc").len(), 2);
}

#[test]
fn a_machine_that_renews_in_a_loop_has_to_wait_and_keeps_nobody_else_from_it() {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    for name in ["svc", "other"] {
        add(&portal, name, &[]);
    }
    portal.start_gate();
    let mut ends = (0..30).map(|_| renew(&portal, "svc", port, &["--force"]));
    let refused = ends.find(|one| one.code != 0).expect("a refusal").exited(4);
    for part in ["too many renewals", "asking again later"] {
        assert!(refused.stderr.contains(part), "{}", refused.story());
    }
    let answer = knock(&portal, port, Some("svc"), "/renew", &["--data", "{}"]);
    assert_eq!((answer.status, answer.json()["code"].clone()), (429, json!("renewal-refused")));
    let wait: u32 = answer.header("retry-after").and_then(|text| text.parse().ok()).expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    renew(&portal, "other", port, &["--force"]).ok();
    assert_eq!(records(&portal, "other").len(), 2);
    // What it got is good, and after a while it may again.
    enters(&portal, "svc");
    eventually("a renewal", || (renew(&portal, "svc", port, &["--force"]).code == 0).then_some(()));
}

/// Debian's libfaketime.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("/usr/lib").flatten().map(|entry| entry.path());
    let mut places = folders.map(|folder| folder.join("faketime/libfaketime.so.1"));
    places.find(|place| place.exists()).expect("libfaketime; Debian's package `faketime`")
}

fn timed(command: &mut Command, offset: &std::path::Path) {
    command.env("LD_PRELOAD", faketime()).env("FAKETIME_TIMESTAMP_FILE", offset);
    command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

#[test]
fn it_is_due_after_two_thirds_of_its_life_and_a_sleeper_has_grace() {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    for name in ["svc", "sleeper", "late"] {
        add(&portal, name, &[]);
    }
    let offset = portal.sandbox.write("offset", "+0\n");
    let mut command = portal.sandbox.command(&["run"]);
    timed(&mut command, &offset);
    portal.gate = Some(Gate::start(command));
    let jump = |days: u32| {
        let aside = portal.sandbox.write("offset.new", format!("+{days}d\n"));
        std::fs::rename(aside, &offset).unwrap();
        // The own certificates of gate and enrolment address are renewed too, when the supervisor looks after them.
        portal.countersign(&["reload"]).ok();
    };
    let renewed = |name: &str| {
        let args = arguments(name, port, &["--json"]);
        let mut command = portal.sandbox.command(&args.iter().map(String::as_str).collect::<Vec<_>>());
        timed(&mut command, &offset);
        testkit::process::run(&mut command, b"", std::time::Duration::from_secs(60))
    };
    let done = |name: &str| renewed(name).ok().json()["renewed"].clone();
    assert_eq!(done("svc"), false);
    jump(59);
    assert_eq!(done("svc"), false);
    jump(68);
    eventually("svc is renewed", || {
        let tried = renewed("svc");
        (tried.code == 0 && tried.json()["renewed"] == true).then_some(())
    });
    assert_eq!(done("svc"), false, "once is enough");
    // Twenty days after its end it enters nowhere, and is renewed all the same.
    jump(110);
    eventually("the sleeper is expired", || {
        let answer = portal.curl(Some("sleeper"), "/", &["-k"]);
        (answer.status == 403 && answer.json()["code"] == "expired").then_some(())
    });
    eventually("the sleeper is renewed", || {
        let tried = renewed("sleeper");
        (tried.code == 0 && tried.json()["renewed"] == true).then_some(())
    });
    eventually("the sleeper enters", || {
        (portal.curl(Some("sleeper"), "/", &["-k"]).status == 200).then_some(())
    });
    // After thirty days it is not.
    jump(121);
    let refused = renewed("late").exited(1);
    assert!(refused.stderr.contains("expired") || refused.stderr.contains("ended"), "{}", refused.story());
}

/// A process that is ended when dropped.
struct Running(Child);

impl Running {
    fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(portal: &Portal, name: &str, port: u16, more: &[&str]) -> Command {
    let args = arguments(name, port, more);
    portal.sandbox.command(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn a_daemon_renews_what_is_due_and_stays() {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    // A life of which more than three quarters are over when it begins: it began a minute ago.
    let end = examiner::UnixTime::parse(&now()).unwrap().plus(12).to_string();
    add(&portal, "svc", &["--not-after", &end]);
    portal.start_gate();
    let before = certificate(&portal, "svc.pem");
    let mut daemon =
        Running::start(command(&portal, "svc", port, &["--daemon", "--then", "echo x >> times"]));
    eventually("a renewal", || {
        (certificate(&portal, "svc.pem").thumbprint != before.thumbprint).then_some(())
    });
    eventually("what comes after it", || portal.sandbox.path("times").exists().then_some(()));
    enters(&portal, "svc");
    assert!(daemon.0.try_wait().unwrap().is_none(), "it stays");
    assert_eq!(portal.sandbox.read("times"), "x\n");
    assert_eq!(records(&portal, "svc").len(), 2);
}

#[test]
fn a_renewal_that_is_killed_leaves_a_pair_that_works_and_its_key_for_the_next() {
    let (portal, port) = started();
    let pair = (portal.sandbox.read("svc.pem"), portal.sandbox.read("svc.key"));
    // Somebody who takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let nowhere = silent.local_addr().unwrap().port();
    let killed = Running::start(command(&portal, "svc", nowhere, &["--force"]));
    let next = portal.sandbox.path("svc.key.next");
    eventually("the next key", || next.exists().then_some(()));
    drop(killed);
    assert_eq!((portal.sandbox.read("svc.pem"), portal.sandbox.read("svc.key")), pair);
    assert_eq!(next.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    enters(&portal, "svc");
    let kept = portal.sandbox.read("svc.key.next");
    renew(&portal, "svc", port, &["--force"]).ok();
    assert_eq!(portal.sandbox.read("svc.key"), kept);
    enters(&portal, "svc");
}

#[test]
fn where_nobody_renews_the_command_says_what_to_do() {
    let (mut portal, port) = started();
    let wrong_root = renew(&portal, "svc", port, &["--force", "--cacert", "svc.pem"]);
    assert_ne!(wrong_root.code, 0);
    let mut no_root = arguments("svc", port, &["--force"]);
    no_root.retain(|one| one != "--cacert" && one != "ca.pem");
    let no_root = portal.countersign(&no_root.iter().map(String::as_str).collect::<Vec<_>>()).exited(4);
    assert!(no_root.stderr.contains("--cacert"), "{}", no_root.story());
    let site = portal.url("").replace("portal.test", HOST);
    for (change, code, word) in [
        (&["--url", &site, "--same-key", "--force"][..], 4, "is --url the [enrol] url"),
        (&["--url", "http://localhost:1"], 2, "https://"),
        (&["--url", "https://localhost:1/x"], 2, "no path"),
        (&["--url", "ftp://x"], 2, "http"),
        (&["--key", "ca.pem"], 1, ""),
        (&["--cert", "missing.pem"], 5, "missing.pem"),
        (&["--daemon", "--force"], 2, "--force"),
    ] {
        let mut args = arguments("svc", port, &[]);
        for pair in change.chunks(2) {
            match args.iter().position(|one| one == pair[0]) {
                Some(at) => args[at + 1] = pair[1].to_owned(),
                None => args.extend(pair.iter().map(|one| (*one).to_owned())),
            }
        }
        let refused = portal.countersign(&args.iter().map(String::as_str).collect::<Vec<_>>()).exited(code);
        assert!(refused.stderr.contains(word), "{change:?}: {}", refused.story());
    }
    portal.stop_gate();
    let away = renew(&portal, "svc", port, &["--force"]).exited(4);
    assert!(away.stderr.contains("does its gate run"), "{}", away.story());
}
