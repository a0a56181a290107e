//! Who was invited fetches one certificate, with a request of its own key; what opens nothing is answered alike.

use std::process::{Command, Stdio};

use examiner::{Certificate, cert::pem};
use serde_json::{Value, json};
use testkit::{CurlResult, Portal, PortalBuilder, free_port, openssl, tools};

use super::authority_process::ask;
use crate::support::binary;

pub const HOST: &str = "localhost";
pub const API: &str = "/api/v1/enrolments";

/// A portal with an enrolment address, and its port.
pub fn portal() -> (PortalBuilder, u16) {
    let port = free_port();
    let enrol = format!("[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://{HOST}:{port}\"\n");
    (Portal::build(&binary()).extra_toml(&enrol), port)
}

pub fn started() -> (Portal, u16) {
    let (builder, port) = portal();
    let mut portal = builder.prepare();
    portal.start_gate();
    (portal, port)
}

/// An invite as `party invite --json` tells of it, with its token as `token`.
pub fn invite(portal: &Portal, party: &str, more: &[&str]) -> Value {
    let base = ["party", "invite", party, "--site", "portal.test", "--json"];
    let mut made = portal.countersign(&[&base[..], more].concat()).ok().json();
    let url = made["url"].as_str().unwrap().to_owned();
    let (page, token) = url.split_once("/invite#").unwrap();
    assert!(page.starts_with("https://localhost:"), "{url}");
    made["token"] = json!(token);
    made
}

/// A new key NAME.key, and a request NAME.csr for it.
pub fn request(portal: &Portal, name: &str) {
    let (key, csr) = (format!("{name}.key"), format!("{name}.csr"));
    let args = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
        "-keyout",
        &key,
        "-out",
        &csr,
    ];
    openssl(portal.sandbox.dir(), &args, b"").ok();
}

/// The request NAME.csr brought with a token.
pub fn bring(portal: &Portal, port: u16, token: &str, name: &str, more: &[&str]) -> CurlResult {
    let (bearer, file) = (format!("Authorization: Bearer {token}"), format!("@{name}.csr"));
    let base = ["-H", &bearer, "-H", "Content-Type: application/pkcs10", "--data-binary", &file];
    tools::curl_at(portal.sandbox.dir(), HOST, port, None, API, &[&base[..], more].concat())
}

fn token(invite: &Value) -> &str {
    invite["token"].as_str().unwrap()
}

/// What was given, as NAME.pem; its first certificate.
fn keep(portal: &Portal, name: &str, given: &CurlResult) -> Certificate {
    let text = given.json()["pem"].as_str().unwrap().to_owned();
    portal.sandbox.write(&format!("{name}.pem"), &text);
    pem::certificates(text.as_bytes()).unwrap().swap_remove(0)
}

pub fn records(portal: &Portal, party: &str) -> Vec<Value> {
    let shown = portal.countersign(&["party", "show", party, "--json"]).ok().json();
    shown["certificates"].as_array().unwrap().clone()
}

#[test]
fn an_invite_gives_one_certificate_and_it_enters() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &["--profile", "service", "--label", "first"]);
    assert_eq!(
        (&made["party"], &made["profile"], &made["code"]),
        (&json!("svc"), &json!("service"), &Value::Null)
    );
    assert!(token(&made).len() == 32, "{made}");
    request(&portal, "svc");
    let given = bring(&portal, port, token(&made), "svc", &[]);
    assert_eq!((given.status, given.header("cache-control")), (201, Some("no-store")), "{}", given.text());
    let certificate = keep(&portal, "svc", &given);
    let told = given.json();
    assert_eq!(
        (&told["party"], &told["sites"]),
        (&json!("svc"), &json!([format!("https://portal.test:{}/", portal.port)]))
    );
    assert_eq!(told["thumbprint"], json!(certificate.thumbprint));
    assert_eq!(told["not_after"], json!(certificate.not_after));
    let record = &records(&portal, "svc")[0];
    assert_eq!((&record["label"], &record["profile"]), (&json!("first"), &json!("service")));
    // The gate knows it before it is given out.
    assert_eq!(portal.curl(Some("svc"), "/", &[]).status, 200);
    let again = bring(&portal, port, token(&made), "svc", &[]);
    assert_eq!((again.status, again.code()), (401, "enrolment-refused".into()));
    assert_eq!(records(&portal, "svc").len(), 1);
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    for word in ["made, `service`", "redeemed: certificate `first` added; by authority"] {
        assert!(log.contains(word), "{word}: {log}");
    }
    assert!(!log.contains(token(&made)));
}

#[test]
fn only_the_key_is_taken_from_a_request() {
    let (portal, port) = started();
    let made = invite(&portal, "alice", &[]);
    let extensions = "subjectAltName=DNS:portal.test,email:root@portal.test\nbasicConstraints=critical,CA:TRUE\n\
                      extendedKeyUsage=serverAuth\nkeyUsage=keyCertSign";
    let config = format!("[req]\ndistinguished_name=dn\nreq_extensions=ext\n[dn]\n[ext]\n{extensions}\n");
    portal.sandbox.write("hostile.cnf", config);
    let args = [
        "req",
        "-new",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-config",
        "hostile.cnf",
        "-subj",
        "/O=Countersign/CN=operator",
        "-keyout",
        "hostile.key",
        "-out",
        "hostile.csr",
    ];
    openssl(portal.sandbox.dir(), &args, b"").ok();
    let given = bring(&portal, port, token(&made), "hostile", &[]);
    assert_eq!(given.status, 201, "{}", given.text());
    keep(&portal, "hostile", &given);
    let shown =
        openssl(portal.sandbox.dir(), &["x509", "-in", "hostile.pem", "-noout", "-text"], b"").ok().stdout;
    assert!(shown.contains("TLS Web Client Authentication") && shown.contains("CN = alice"), "{shown}");
    for word in ["portal.test", "CA:TRUE", "Server Authentication", "Certificate Sign", "CN = operator"] {
        assert!(!shown.contains(word), "{word}: {shown}");
    }
}

/// An answer without what differs each time.
fn alike(answer: &CurlResult) -> (u16, Vec<(String, String)>, Value) {
    let mut body = answer.json();
    body["reference"] = Value::Null;
    let headers = answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (answer.status, headers, body)
}

#[test]
fn unknown_used_ended_withdrawn_and_spent_tokens_are_answered_alike() {
    let (portal, port) = started();
    request(&portal, "svc");
    let used = invite(&portal, "used", &[]);
    request(&portal, "used");
    assert_eq!(bring(&portal, port, token(&used), "used", &[]).status, 201);
    let ended = invite(&portal, "ended", &[]);
    let end = format!("UPDATE invites SET expires_at = 0 WHERE id = '{}'", ended["id"].as_str().unwrap());
    let sqlite = Command::new("sqlite3").arg(portal.sandbox.path("state/registry.db")).arg(end).status();
    assert!(sqlite.unwrap().success());
    let withdrawn = invite(&portal, "withdrawn", &[]);
    portal.countersign(&["party", "invite", "--withdraw", withdrawn["id"].as_str().unwrap()]).ok();
    let suspended = invite(&portal, "suspended", &[]);
    portal.countersign(&["party", "suspend", "suspended"]).ok();
    let removed = invite(&portal, "removed", &[]);
    portal.countersign(&["party", "remove", "removed", "--yes"]).ok();
    let spent = invite(&portal, "spent", &["--code"]);
    let code = spent["code"].as_str().unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    for left in (0..5).rev() {
        let field = format!("Countersign-Code: {wrong}");
        let answer = bring(&portal, port, token(&spent), "svc", &["-H", &field]);
        assert_eq!((answer.status, answer.code()), (403, "code-wrong".into()), "{left}");
    }
    let right = format!("Countersign-Code: {code}");
    let unknown = alike(&bring(&portal, port, &"0".repeat(32), "svc", &[]));
    assert_eq!((unknown.0, &unknown.2["code"]), (401, &json!("enrolment-refused")));
    for (what, token) in [
        ("used", token(&used)),
        ("ended", token(&ended)),
        ("withdrawn", token(&withdrawn)),
        ("suspended", token(&suspended)),
        ("removed", token(&removed)),
        ("spent", token(&spent)),
        ("short", "x"),
    ] {
        assert_eq!(alike(&bring(&portal, port, token, "svc", &["-H", &right])), unknown, "{what}");
    }
    for party in ["ended", "withdrawn", "suspended", "spent"] {
        assert_eq!(records(&portal, party).len(), 0, "{party}");
    }
}

#[test]
fn a_code_is_asked_for_where_the_invite_has_one() {
    let (portal, port) = started();
    let made = invite(&portal, "alice", &["--code"]);
    request(&portal, "alice");
    for _ in 0..6 {
        // Asking what is wanted costs nothing.
        let wanted = bring(&portal, port, token(&made), "alice", &[]);
        assert_eq!((wanted.status, wanted.code()), (403, "code-wanted".into()));
    }
    let code = made["code"].as_str().unwrap();
    let json = json!({ "csr": portal.sandbox.read("alice.csr"), "code": code }).to_string();
    let bearer = format!("Authorization: Bearer {}", token(&made));
    let fields = ["-H", &bearer, "-H", "Content-Type: application/json", "--data-binary", &json];
    let given = tools::curl_at(portal.sandbox.dir(), HOST, port, None, API, &fields);
    assert_eq!(given.status, 201, "{}", given.text());
    keep(&portal, "alice", &given);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn the_same_request_again_gets_the_same_certificate() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &[]);
    for name in ["svc", "other"] {
        request(&portal, name);
    }
    let key = |text: &str| ["-H".to_owned(), format!("Idempotency-Key: {text}")];
    let with = |name: &str, text: &str| {
        let [flag, field] = key(text);
        bring(&portal, port, token(&made), name, &[&flag, &field])
    };
    let first = with("svc", "abc");
    assert_eq!(first.status, 201, "{}", first.text());
    for _ in 0..2 {
        let again = with("svc", "abc");
        assert_eq!((again.status, again.json()), (201, first.json()));
    }
    let other = with("other", "abc");
    assert_eq!((other.status, other.code()), (409, "enrolment-refused".into()));
    for name in ["svc", "other"] {
        assert_eq!(with(name, "abd").status, 401, "{name}");
    }
    assert_eq!(with("svc", &"x".repeat(256)).status, 400);
    assert_eq!(records(&portal, "svc").len(), 1);
    // As chosen by the client, the certificates alone.
    let accept = ["-H", "Accept: application/pem-certificate-chain", "-H", "Idempotency-Key: abc"];
    let chain = bring(&portal, port, token(&made), "svc", &accept);
    assert_eq!(chain.header("content-type"), Some("application/pem-certificate-chain"));
    assert_eq!(json!(chain.text()), first.json()["pem"]);
}

#[test]
fn of_twenty_redemptions_at_once_one_gets_a_certificate() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &[]);
    let bearer = format!("Authorization: Bearer {}", token(&made));
    let all: Vec<_> = (0..20)
        .map(|number| {
            let name = format!("svc{number}");
            request(&portal, &name);
            name
        })
        .map(|name| {
            let mut curl = Command::new("curl");
            curl.current_dir(portal.sandbox.dir()).args([
                "-q",
                "-sS",
                "--noproxy",
                "*",
                "--cacert",
                "ca.pem",
            ]);
            curl.args(["--resolve", &format!("{HOST}:{port}:127.0.0.1"), "-H", &bearer, "-o", "/dev/null"]);
            curl.args(["-H", "Content-Type: application/pkcs10", "-w", "%{http_code}"]);
            curl.args(["--data-binary", &format!("@{name}.csr"), &format!("https://{HOST}:{port}{API}")]);
            curl.stdout(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    let mut codes: Vec<String> = all
        .into_iter()
        .map(|child| String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap())
        .collect();
    codes.sort();
    let expected = [vec!["201".to_owned()], vec!["401".to_owned(); 19]].concat();
    assert_eq!(codes, expected);
    assert_eq!(records(&portal, "svc").len(), 1);
}

#[test]
fn what_is_no_sound_request_is_refused_and_leaves_the_invite_open() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &[]);
    request(&portal, "svc");
    let dir = portal.sandbox.dir();
    // A request whose signature is another's, a weak key, and no request.
    openssl(dir, &["req", "-in", "svc.csr", "-outform", "DER", "-out", "broken.csr"], b"").ok();
    let mut der = std::fs::read(portal.sandbox.path("broken.csr")).unwrap();
    *der.last_mut().unwrap() ^= 1;
    portal.sandbox.write("broken.csr", der);
    let weak = [
        "req", "-new", "-newkey", "rsa:1024", "-nodes", "-subj", "/CN=x", "-keyout", "weak.key", "-out",
        "weak.csr",
    ];
    openssl(dir, &weak, b"").ok();
    portal.sandbox.write("none.csr", "hello");
    for (name, status) in [("broken", 422), ("weak", 422), ("none", 422)] {
        let refused = bring(&portal, port, token(&made), name, &[]);
        assert_eq!((refused.status, refused.code()), (status, "enrolment-refused".into()), "{name}");
        assert_eq!(refused.header("content-type"), Some("application/problem+json"));
    }
    let bare = |fields: &[&str]| tools::curl_at(dir, HOST, port, None, API, fields);
    let bearer = format!("Authorization: Bearer {}", token(&made));
    let type_of = "Content-Type: application/pkcs10";
    let no_token = bare(&["-H", type_of, "--data-binary", "@svc.csr"]);
    assert_eq!(
        (no_token.status, no_token.header("www-authenticate")),
        (401, Some("Bearer realm=\"enrolment\""))
    );
    assert_eq!(bare(&["-H", &bearer, "--data-binary", "@svc.csr"]).status, 415);
    assert_eq!(bare(&["-H", &bearer]).status, 405);
    portal.sandbox.write("long", "x".repeat(9 * 1024));
    assert_eq!(bare(&["-H", &bearer, "-H", type_of, "--data-binary", "@long"]).status, 413);
    // In the address a token is nothing.
    let path = format!("{API}?token={}", token(&made));
    let asked = ["-H", type_of, "--data-binary", "@svc.csr"];
    assert_eq!(tools::curl_at(dir, HOST, port, None, &path, &asked).status, 401);
    // The key of somebody else.
    let add = ["party", "add", "bob", "--csr", "bob.csr", "--out", "bobs"];
    request(&portal, "bob");
    portal.countersign(&add).ok();
    let taken = bring(&portal, port, token(&made), "bob", &[]);
    assert_eq!(taken.status, 422);
    assert!(!taken.text().contains("party"), "whose key it is, is not told: {}", taken.text());
    assert_eq!(records(&portal, "svc").len(), 0);
    assert_eq!(bring(&portal, port, token(&made), "svc", &[]).status, 201);
}

#[test]
fn the_authority_looks_at_the_token_itself() {
    let (portal, _) = started();
    let made = invite(&portal, "svc", &[]);
    request(&portal, "svc");
    let csr = portal.sandbox.read("svc.csr");
    let code = |change: &dyn Fn(&mut Value)| {
        let mut asked = json!({ "redeem": { "token": token(&made), "request": csr } });
        change(&mut asked["redeem"]);
        ask(&portal, &asked)["refused"]["code"].as_str().unwrap_or("none").to_owned()
    };
    assert_eq!(code(&|one| one["token"] = json!("")), "token");
    assert_eq!(code(&|one| one["token"] = made["id"].clone()), "token");
    assert_eq!(code(&|one| one["party"] = json!("bob")), "token");
    assert_eq!(code(&|one| one["request"] = json!("x")), "rules");
    assert_eq!(code(&|one| one["key"] = json!("00")), "unreadable");
    for extra in ["profile", "names", "not_after", "label", "is_ca"] {
        assert_eq!(code(&|one| one[extra] = json!("x")), "unreadable", "{extra}");
    }
    assert_eq!(records(&portal, "svc").len(), 0);
    assert_eq!(code(&|one| one["party"] = json!("svc")), "none");
}

#[test]
fn no_site_and_no_admin_address_enrols() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &[]);
    request(&portal, "svc");
    let seen = portal.echo.count();
    let bearer = format!("Authorization: Bearer {}", token(&made));
    let asked = ["-H", &bearer, "-H", "Content-Type: application/pkcs10", "--data-binary", "@svc.csr"];
    for path in [API, "/invite", "/.well-known/est/cacerts", "/.well-known/est/simpleenroll"] {
        assert_eq!(portal.curl(None, path, &asked).status, 403, "{path}");
        let admin = tools::curl_at(portal.sandbox.dir(), HOST, portal.admin_port, None, path, &asked);
        assert_eq!((admin.status, admin.code()), (403, "no-certificate".into()), "{path}");
    }
    assert_eq!(portal.echo.count(), seen);
    assert_eq!(records(&portal, "svc").len(), 0);
    // And the enrolment address has no site's host.
    let other = bring(&portal, port, token(&made), "svc", &["-H", "Host: portal.test"]);
    assert_eq!((other.status, other.code()), (421, "host-mismatch".into()));
}

#[test]
fn without_an_enrolment_address_nobody_is_invited() {
    let portal = Portal::build(&binary()).prepare();
    let refused = portal.countersign(&["party", "invite", "svc", "--site", "portal.test"]).exited(3);
    for word in ["there is no enrolment address", "[enrol]", "listen = \"0.0.0.0:8444\""] {
        assert!(refused.stderr.contains(word), "{}", refused.story());
    }
    portal.countersign(&["party", "show", "svc"]).exited(5);
}

#[test]
fn invites_are_listed_withdrawn_and_bounded() {
    let portal = portal().0.prepare();
    let none = portal.countersign(&["party", "invite", "--list"]).ok();
    assert!(none.stdout.contains("no invite is open"), "{}", none.story());
    let unknown = portal.countersign(&["party", "invite", "svc"]).exited(5);
    assert!(unknown.stderr.contains("--site HOST"), "{}", unknown.story());
    let made = invite(&portal, "svc", &["--profile", "service", "--expires", "2h", "--code"]);
    let id = made["id"].as_str().unwrap();
    let listed = portal.countersign(&["party", "invite", "--list", "--json"]).ok().json();
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &json!(id)));
    assert_eq!((&listed[0]["profile"], &listed[0]["has_code"]), (&json!("service"), &json!(true)));
    assert_eq!(listed[0]["expires"], made["expires"]);
    for secret in [token(&made), made["code"].as_str().unwrap()] {
        assert!(!listed.to_string().contains(secret), "{listed}");
    }
    for (more, exit, word) in [
        (&["--expires", "8d"][..], 2, "7d"),
        (&["--expires", "30s"], 2, "7d"),
        (&["--profile", "operator"], 2, "no profile `operator`"),
        (&["--profile", "server"], 2, "no profile `server`"),
        (&["--withdraw", "x"], 2, "cannot be used with"),
    ] {
        let refused = portal.countersign(&[&["party", "invite", "svc"], more].concat()).exited(exit);
        assert!(refused.stderr.contains(word), "{more:?}: {}", refused.story());
    }
    portal.countersign(&["party", "invite", "new", "--site", "portal.test", "--dry-run"]).ok();
    portal.countersign(&["party", "show", "new"]).exited(5);
    portal.countersign(&["party", "invite", "--withdraw", "nothing"]).exited(5);
    portal.countersign(&["party", "invite", "--withdraw", id]).ok();
    portal.countersign(&["party", "invite", "--withdraw", id]).exited(5);
    let gone = portal.countersign(&["party", "invite", "--list", "--json"]).ok().json();
    assert_eq!(gone, json!([]));
    // A known party needs no site.
    portal.countersign(&["party", "invite", "svc"]).ok();
}

#[test]
fn looking_at_the_page_uses_nothing_up() {
    let (portal, port) = started();
    let made = invite(&portal, "svc", &[]);
    let get = |more: &[&str]| tools::curl_at(portal.sandbox.dir(), HOST, port, None, "/invite", more);
    for _ in 0..3 {
        let page = get(&["-A", "LinkPreview/1.0"]);
        assert_eq!((page.status, page.header("referrer-policy")), (200, Some("no-referrer")));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert!(!page.text().contains("style=") && !page.text().contains("http://"), "{}", page.text());
    }
    assert_eq!(get(&["-I"]).status, 200);
    assert_eq!(get(&["--data", token(&made)]).status, 405);
    request(&portal, "svc");
    assert_eq!(bring(&portal, port, token(&made), "svc", &[]).status, 201);
}

#[test]
fn an_address_may_try_so_often_and_no_more() {
    let (portal, port) = started();
    request(&portal, "svc");
    let tries = (0..300).map(|number| bring(&portal, port, &format!("{number:032x}"), "svc", &[]));
    let mut others = tries.skip_while(|answer| answer.status == 401);
    let first = others.next().expect("a limit");
    assert_eq!((first.status, first.code()), (429, "enrolment-refused".into()));
    assert!(first.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().unwrap() >= 1));
}
