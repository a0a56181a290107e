//! A site's own certificate by ACME: from Pebble, which asks for real by tls-alpn-01 and http-01, and with the faults that
//! servers have.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use testkit::{Client, Gate, Portal, block_on, free_port, openssl};

use crate::support::{binary, eventually};

mod front;
mod own_server;
mod pebble;

use front::{Front, Mood};
use pebble::{Asked, Pebble, directory};

const PATIENCE: Duration = Duration::from_secs(30);
const SITE: &str = "portal.test";

/// A portal with alice, prepared; its site asks for nothing by ACME yet.
fn portal(http: Option<u16>) -> Portal {
    let built =
        Portal::build(&binary()).party("alice").server_line("fetch_private = [\"127.0.0.0/8\", \"::1\"]");
    let built = match http {
        Some(port) => built.server_line(&format!("http = [\"127.0.0.1:{port}\"]")),
        None => built,
    };
    built.prepare()
}

/// Has the site's certificate come from there.
fn by_acme(portal: &Portal, directory: &str, more: &str) {
    let head = format!("[site.\"{SITE}\"]\n");
    let text = portal.sandbox.read("countersign.toml");
    let kept: Vec<&str> = text.lines().filter(|line| !line.starts_with("certificate =")).collect();
    let line = format!("certificate = {{ acme = \"{directory}\", roots = \"acme-root.pem\"{more} }}\n");
    let text = kept.join("\n").replacen(&head, &format!("{head}{line}"), 1) + "\n";
    assert!(text.contains(&line), "{text}");
    portal.sandbox.write("countersign.toml", text);
}

/// The chain that a new handshake shows, whoever vouches for it.
fn shown(portal: &Portal) -> Vec<examiner::Certificate> {
    let at = format!("127.0.0.1:{}", portal.port);
    let args = ["s_client", "-connect", &at, "-servername", SITE, "-showcerts"];
    let text = openssl(portal.sandbox.dir(), &args, b"").stdout;
    examiner::cert::pem::certificates(text.as_bytes()).unwrap_or_else(|_| panic!("{text}"))
}

fn is_from_pebble(chain: &[examiner::Certificate]) -> bool {
    chain[0].issuer.to_string().contains("Pebble")
}

/// Waits until the site shows another certificate of Pebble's than this one.
fn next_shown(portal: &Portal, before: Option<&examiner::Certificate>) -> examiner::Certificate {
    eventually("a certificate that was ordered is shown", || {
        let chain = shown(portal);
        let is_next =
            is_from_pebble(&chain) && before.is_none_or(|before| before.thumbprint != chain[0].thumbprint);
        is_next.then(|| chain[0].clone())
    })
}

fn status(portal: &Portal) -> (Value, i32) {
    let output = portal.countersign(&["status", "--json"]);
    let (code, json) = (output.code, output.json());
    (json, code)
}

/// What `status` says of the site's certificate, and whether that calls for attention.
fn told(portal: &Portal) -> (Value, String, bool) {
    let (status, _) = status(portal);
    let one =
        status["certificates"].as_array().unwrap().iter().find(|one| one["site"] == SITE).unwrap().clone();
    let find = |key: &str| -> Option<String> {
        let all = status[key].as_array()?.iter().filter_map(Value::as_str);
        all.map(str::to_owned).find(|one| one.contains("certificate of portal.test"))
    };
    match find("attention") {
        Some(text) => (one, text, true),
        None => (one, find("mentions").unwrap_or_default(), false),
    }
}

fn alice_enters(portal: &Portal, root: &str) -> u16 {
    let read = |name: &str| portal.sandbox.read(name);
    let client = Client::trusting(root).showing_pem(&read("alice.pem"), &read("alice.key"));
    block_on(async { client.knock(portal.port, SITE, "/").await.unwrap().status })
}

#[test]
fn a_site_gets_its_certificate_by_tls_alpn_01_though_nonces_are_refused() {
    let mut portal = portal(None);
    let asked = Asked { refused_nonces: 15, ..Asked::at(portal.port, free_port()) };
    let pebble = Pebble::start(&portal.sandbox, &asked);
    by_acme(&portal, &pebble.directory(), ", contact = [\"ops@example.com\"]");
    portal.countersign(&["validate"]).ok();
    portal.start_gate();
    let first = next_shown(&portal, None);
    assert_eq!(alice_enters(&portal, &pebble.issuing_root()), 200);
    assert_eq!(portal.echo.count(), 1, "nothing of the challenge reached the upstream");
    portal.gate().wait_stderr("challenge was answered by tls-alpn-01", PATIENCE);
    portal.gate().wait_stderr("a certificate was ordered", PATIENCE);

    // Nothing of it is left open, and only the owner reads what is kept.
    let answers = portal.sandbox.path("state/acme/answers");
    assert_eq!(std::fs::read_dir(&answers).unwrap().count(), 0);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&portal.sandbox.path("state/acme/real/portal.test.pem")), 0o600);
    let accounts = std::fs::read_dir(portal.sandbox.path("state/acme/accounts")).unwrap();
    for entry in
        accounts.map(Result::unwrap).filter(|entry| entry.path().extension().is_some_and(|e| e == "key"))
    {
        assert_eq!(mode(&entry.path()), 0o600);
    }

    let (one, line, presses) = told(&portal);
    assert_eq!((one["source"].as_str(), one["challenge"].as_str()), (Some("acme"), Some("tls-alpn-01")));
    assert!(!presses && line.contains(&format!("by ACME from {}", pebble.directory())), "{line}");
    let life = first.not_after.seconds() - first.not_before.seconds();
    let renewal = first.not_before.plus(life / 3 * 2).to_string();
    assert_eq!(one["renewal"], renewal, "without advice of the server, at two thirds");
    eventually("the log tells of the file", || {
        let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok();
        log.stdout.contains("state/acme/real/portal.test.pem").then_some(())
    });
    let url = format!("https://localhost:{}/metrics", portal.admin_port);
    let metrics = Command::new("curl").args(["-sk", &url]).output().unwrap().stdout;
    let metrics = String::from_utf8(metrics).unwrap();
    let name = "countersign_server_certificate_not_after_timestamp_seconds{site=\"portal.test\"} ";
    assert!(metrics.contains(&format!("{name}{}", first.not_after.seconds())), "{metrics}");
    let handshakes = "countersign_handshakes_total{site=\"portal.test\",protocol=\"TLSv1.3\",result=\"challenge-answered\"}";
    assert!(metrics.contains(handshakes), "{metrics}");
    portal.countersign(&["doctor"]).ok();

    // The next one takes its place, and the present one is not ordered again without need.
    let order = portal.countersign(&["site", "order"]).ok();
    assert!(order.stdout.contains("there, until"), "{}", order.story());
    portal.countersign(&["site", "order", SITE, "--again"]).ok();
    next_shown(&portal, Some(&first));
}

#[test]
fn by_http_01_for_several_names_under_an_external_account() {
    let http = free_port();
    let mut portal = portal(Some(http));
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let pebble =
        Pebble::start(&portal.sandbox, &Asked { external: Some(key), ..Asked::at(free_port(), http) });
    let more = ", challenge = \"http-01\", names = [\"www.portal.test\"]";
    by_acme(&portal, &pebble.directory(), more);
    portal.start_gate();
    eventually("the order without a key fails", || {
        let (_, line, presses) = told(&portal);
        (presses && line.contains("externalAccountRequired")).then_some(())
    });
    let (_, line, _) = told(&portal);
    assert!(line.contains("eab = {") && line.contains("stands in for it"), "{line}");
    assert!(shown(&portal)[0].issuer.to_string().contains("Countersign"), "the own authority's stands in");
    assert_eq!(alice_enters(&portal, &portal.ca_pem), 200);

    portal.sandbox.write("eab.key", key);
    let path = portal.sandbox.path("eab.key");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    by_acme(
        &portal,
        &pebble.directory(),
        &format!("{more}, eab = {{ kid = \"kid-1\", key = {{ file = \"eab.key\" }} }}"),
    );
    let view = portal.countersign(&["config", "show", "--json"]).ok();
    assert!(view.stdout.contains("kid-1") && !view.stdout.contains(key), "{}", view.story());
    portal.countersign(&["reload"]).ok();
    portal.countersign(&["site", "order", SITE]).ok();
    let cert = next_shown(&portal, None);
    let names: Vec<String> = cert.subject_alt_names.iter().map(|name| format!("{name:?}")).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names.iter().any(|name| name.contains("www.portal.test")), "{names:?}");
    assert_eq!(told(&portal).0["challenge"], "http-01");

    // Nothing is given out when no challenge is open: the path is redirected as any other.
    let url = format!("http://127.0.0.1:{http}/.well-known/acme-challenge/token");
    let output = Command::new("curl")
        .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: portal.test", &url])
        .output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), "308");
}

#[test]
fn the_last_good_certificate_stays_whatever_the_server_and_the_disk_do() {
    let mut portal = portal(None);
    let pebble = Pebble::start(&portal.sandbox, &Asked::at(portal.port, free_port()));
    let (front, own, port) = (Front::start(&pebble), pebble.directory(), pebble.port);
    by_acme(&portal, &own, "");
    portal.start_gate();
    let good = next_shown(&portal, None);
    by_acme(&portal, &front.directory(), "");
    let order = |code: i32| portal.countersign(&["site", "order", SITE, "--again"]).exited(code);
    let stays = |what: &str| assert_eq!(shown(&portal)[0].thumbprint, good.thumbprint, "{what}");

    let problem = |kind: &str| {
        format!(
            "{{\"type\":\"urn:ietf:params:acme:error:{kind}\",\"detail\":\"too many certificates\\u001b[2J\"}}"
        )
    };
    front.is(Mood::OrdersAnswered(429, "retry-after: 7200\r\n".into(), problem("rateLimited")));
    let output = order(1);
    assert!(output.stdout.contains("rateLimited: too many certificates\\u{1b}[2J"), "{}", output.story());
    assert!(output.stdout.contains("as long as the server wants"), "{}", output.story());
    let (one, line, presses) = told(&portal);
    assert!(!presses && line.contains("the last attempt failed"), "{line}");
    let next = examiner::UnixTime::parse(one["next"].as_str().unwrap()).unwrap();
    assert!(next > testkit::times::clock().plus(7000), "it waits as long as the server wants: {next}");
    stays("rate-limited");

    // A server that never takes a nonce is given up; one that is broken, or speaks nonsense, too.
    front.is(Mood::OrdersAnswered(400, String::new(), problem("badNonce")));
    assert!(order(1).stdout.contains("badNonce"));
    front.is(Mood::OrdersAnswered(201, "location: https://localhost:1/order\r\n".into(), "{}".into()));
    assert!(order(1).stdout.contains("not understood"));
    front.is(Mood::AllAnswered(503));
    assert!(order(1).stdout.contains("status 503"));
    let (_, line, presses) = told(&portal);
    assert!(
        presses && line.contains("should have been renewed") && line.contains("4 times in a row"),
        "{line}"
    );
    // The order is lost at its last step: refused, or told to have failed after that.
    front.is(Mood::FinalizeAnswered(403, problem("badCSR")));
    assert!(order(1).stdout.contains("badCSR"));
    stays("finalize is refused");
    let invalid = "{\"status\":\"invalid\",\"finalize\":\"https://localhost:1/\",\"error\":{\"type\":\
                   \"urn:ietf:params:acme:error:serverInternal\",\"detail\":\"the signer is away\"}}";
    front.is(Mood::OrdersEndAs(invalid.into()));
    let output = order(1);
    assert!(output.stdout.contains("the signer is away"), "{}", output.story());
    stays("the order is invalid");
    let other = testkit::TestCa::new("Other").issue_server(SITE);
    front.is(Mood::Certificate(other.chain_pem.clone()));
    assert!(order(1).stdout.contains("it is for another key"));
    stays("all of that");
    pebble.end();
    by_acme(&portal, &own, "");
    assert!(order(1).stdout.contains("no connection"));
    stays("the server is away");

    // A restart shows the last good one as well, and half a file is not taken.
    portal.stop_gate();
    portal.start_gate();
    assert_eq!(shown(&portal)[0].thumbprint, good.thumbprint, "after a restart");
    let path = portal.sandbox.path("state/acme/real/portal.test.pem");
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 3]).unwrap();
    portal.gate().wait_stderr("the certificate in force stays until both files fit", PATIENCE);
    assert_eq!(shown(&portal)[0].thumbprint, good.thumbprint, "half a file");
    let (_, line, presses) = told(&portal);
    assert!(presses && line.contains("it is ordered anew"), "{line}");
    portal.stop_gate();
    portal.start_gate();
    portal.gate().wait_stderr("the own authority's stands in for it", PATIENCE);
    assert_eq!(alice_enters(&portal, &portal.ca_pem), 200, "a gate starts without it");

    // The server is there again: it knows the account no longer, and the site gets its certificate all the same.
    let pebble = Pebble::start(&portal.sandbox, &Asked { port, ..Asked::at(portal.port, free_port()) });
    portal.countersign(&["site", "order", SITE]).ok();
    next_shown(&portal, Some(&good));
    assert_eq!(alice_enters(&portal, &pebble.issuing_root()), 200);
    assert!(!told(&portal).2);
}

#[test]
fn what_the_ca_cannot_validate_by_one_challenge_is_tried_by_the_other() {
    let (http, nobody) = (free_port(), free_port());
    let mut portal = portal(Some(http));
    let pebble = Pebble::start(&portal.sandbox, &Asked::at(nobody, http));
    by_acme(&portal, &pebble.directory(), "");
    portal.start_gate();
    eventually("the first attempt fails", || (told(&portal).0["failures"] == 1).then_some(()));
    let (_, line, presses) = told(&portal);
    assert!(presses && line.contains("portal.test was not validated by tls-alpn-01"), "{line}");
    assert!(line.contains("port 443"), "{line}");
    portal.countersign(&["site", "order", SITE]).ok();
    next_shown(&portal, None);
    assert_eq!(told(&portal).0["challenge"], "http-01");
}

#[test]
fn a_renewal_follows_the_window_that_the_server_suggests_and_says_what_it_replaces() {
    let mut portal = portal(None);
    let pebble = Pebble::start(&portal.sandbox, &Asked::at(portal.port, free_port()));
    let front = Front::start(&pebble);
    let at = |days: i64| testkit::times::clock().plus(days * testkit::times::DAY).date() + "T00:00:00Z";
    front.suggests(&at(70), &at(71));
    by_acme(&portal, &front.directory(), "");
    portal.start_gate();
    let first = next_shown(&portal, None);
    let renewal = eventually("the server was asked", || {
        let (one, ..) = told(&portal);
        let renewal = one["renewal"].as_str()?.to_owned();
        (one["explanation"] == "https://acme.test/why").then_some(renewal)
    });
    assert!(at(70) <= renewal && renewal < at(71), "{renewal}");
    assert!(portal.countersign(&["site", "order", SITE]).ok().stdout.contains("there, until"));

    // The CA wants it replaced at once.
    front.suggests(&at(-2), &at(-1));
    assert!(portal.countersign(&["site", "order", SITE]).ok().stdout.contains("ordered, until"));
    next_shown(&portal, Some(&first));
    let orders = front.orders();
    assert!(orders[0].get("replaces").is_none() && orders.len() == 2, "{orders:#?}");
    let replaced = orders[1]["replaces"].as_str().unwrap();
    let serial = data_encoding::BASE64URL_NOPAD.encode(&first.serial);
    assert!(replaced.ends_with(&format!(".{serial}")), "{replaced}");
    assert!(front.asked().contains(&replaced.to_owned()), "{:?}", front.asked());
}

#[test]
fn staging_never_takes_the_place_of_the_real_certificate_and_is_told() {
    let mut portal = portal(None);
    let pebble = Pebble::start(&portal.sandbox, &Asked::at(portal.port, free_port()));
    let real = directory(free_port());
    by_acme(&portal, &real, &format!(", staging = \"{}\"", pebble.directory()));
    let validate = portal.countersign(&["validate"]).ok();
    assert!(validate.both().contains("to try it out"), "{}", validate.story());
    portal.start_gate();
    let tried = next_shown(&portal, None);
    assert!(portal.sandbox.path("state/acme/staging/portal.test.pem").exists());
    assert!(!portal.sandbox.path("state/acme/real").exists());
    // Without the switch, what was tried is not shown.
    by_acme(&portal, &real, "");
    portal.countersign(&["reload"]).ok();
    eventually("the tried one is gone", || (shown(&portal)[0].thumbprint != tried.thumbprint).then_some(()));
    assert!(shown(&portal)[0].issuer.to_string().contains("Countersign"));
}

#[test]
fn a_good_ocsp_response_is_shown_with_the_certificate_and_any_other_is_not() {
    let mut portal = portal(None);
    let ocsp = free_port();
    let pebble =
        Pebble::start(&portal.sandbox, &Asked { ocsp: Some(ocsp), ..Asked::at(portal.port, free_port()) });
    by_acme(&portal, &pebble.directory(), "");
    portal.start_gate();
    let cert = next_shown(&portal, None);
    let stapled = |portal: &Portal| {
        let at = format!("127.0.0.1:{}", portal.port);
        let args = ["s_client", "-connect", &at, "-servername", SITE, "-status"];
        openssl(portal.sandbox.dir(), &args, b"").stdout.contains("Cert Status: good")
    };
    assert!(!stapled(&portal));
    assert!(told(&portal).1.contains("no OCSP response"), "{}", told(&portal).1);

    let (issuer, key) = pebble.issuer();
    portal.sandbox.write("issuer.pem", issuer);
    portal.sandbox.write("issuer.key", key);
    let responder = |state: &str| {
        let line = format!(
            "{state}\t300101000000Z\t{}\t{}\tunknown\t/CN=portal.test\n",
            if state == "R" { "260101000000Z" } else { "" },
            cert.serial_hex().to_ascii_uppercase()
        );
        portal.sandbox.write("index", line);
        let mut command = Command::new("openssl");
        command.args(["ocsp", "-index", "index", "-port", &ocsp.to_string(), "-rsigner", "issuer.pem"]);
        command.args(["-rkey", "issuer.key", "-CA", "issuer.pem", "-ndays", "3"]);
        let responder = Gate::spawn({
            command.current_dir(portal.sandbox.dir()).stdin(Stdio::null());
            command
        });
        // It waits for what a connection says, and for nobody else meanwhile.
        responder.wait_stderr("waiting for OCSP client connections", PATIENCE);
        responder
    };
    let mut revoked = responder("R");
    portal.countersign(&["site", "order", SITE]).ok();
    assert!(told(&portal).1.contains("Revoked"), "{}", told(&portal).1);
    assert!(!stapled(&portal));
    revoked.kill();
    let _good = responder("V");
    portal.countersign(&["site", "order", SITE]).ok();
    eventually("the response is shown", || stapled(&portal).then_some(()));
    // Half a response is not shown again after the next look.
    std::fs::write(portal.sandbox.path("state/acme/real/portal.test.ocsp"), b"0").unwrap();
    portal.countersign(&["site", "order", SITE]).ok();
    eventually("a whole one is there again", || stapled(&portal).then_some(()));
}

#[test]
fn what_cannot_work_is_told_before_it_is_tried() {
    let portal = portal(None);
    let real = "https://acme.example.com/directory";
    for (directory, more, told) in [
        ("http://acme.example.com/directory", "", "is not https://"),
        (real, ", staging = true", "no staging of"),
        (real, ", challenge = \"http-01\"", "[server] http is empty"),
        (real, ", names = [\"*.portal.test\"]", "a wildcard needs the challenge dns-01"),
        (real, ", names = [\"192.0.2.1\"]", "is an address"),
        (real, ", names = [\"portal.test\"]", "is named twice"),
        (real, ", contact = [\"nobody\"]", "is no mail address"),
        (real, ", eab = { kid = \"k\" }", "a secret is in a file or in a variable"),
        (real, ", contcat = [\"a@b.c\"]", "did you mean `contact`?"),
        (real, ", cert = \"a.pem\"", "unknown key `cert`"),
    ] {
        by_acme(&portal, directory, more);
        let output = portal.countersign(&["validate"]).exited(3);
        assert!(output.both().contains(told), "{more}: {}", output.story());
    }
    by_acme(&portal, real, "");
    let output = portal.countersign(&["validate"]).ok();
    assert!(
        output.both().contains("asks by tls-alpn-01 on port 443, and nothing listens there"),
        "{}",
        output.story()
    );
}
