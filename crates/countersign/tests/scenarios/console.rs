//! The console and its API behind the admin address: who enters, what each role may, what is refused, what is shown.

use serde_json::{Value, json};
use testkit::{CurlResult, Portal, free_port, openssl, tools};

use crate::support::{binary, eventually};

mod access;
mod changes;
mod check_page;
mod described;
mod entering;
mod events;
mod first_day;
mod in_a_browser;
mod issuers;
mod pictures;
mod reading;
mod who_enters;

/// The operator that `init` makes, who is an owner.
const OWNER: &str = "state/operator";

/// A running portal with alice, a viewer `vic` and an operator `ops`.
fn portal() -> Portal {
    let enrol =
        format!("[enrol]\nlisten = \"127.0.0.1:{0}\"\nurl = \"https://localhost:{0}\"\n", free_port());
    let mut portal = Portal::build(&binary()).extra_toml(&enrol).party("alice").prepare();
    for (name, role) in [("vic", "viewer"), ("ops", "operator")] {
        portal.countersign(&["operator", "add", name, "--role", role, "--out", "."]).ok();
    }
    portal.start_gate();
    portal
}

/// curl at the admin address.
fn ask(portal: &Portal, cert: Option<&str>, path: &str, extra: &[&str]) -> CurlResult {
    tools::curl_at(portal.sandbox.dir(), "localhost", portal.admin_port, cert, path, extra)
}

/// A page or document, which is there.
fn get(portal: &Portal, cert: &str, path: &str) -> CurlResult {
    let got = ask(portal, Some(cert), path, &[]);
    assert_eq!(got.status, 200, "{path}: {}", got.text());
    got
}

/// A change by API, as a program makes it.
fn post(portal: &Portal, cert: &str, path: &str, key: &str, body: &Value) -> CurlResult {
    let (key, body) = (format!("Idempotency-Key: {key}"), body.to_string());
    let extra = ["-H", "Content-Type: application/json", "-H", &key, "--data-binary", &body];
    ask(portal, Some(cert), path, &extra)
}

/// The value of a hidden field of a page's first form.
fn hidden(page: &str, name: &str) -> String {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// A self-signed certificate NAME.pem with its key NAME.key, for this subject.
fn self_signed(portal: &Portal, name: &str, subject: &str) {
    let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
    let args = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "30",
        "-utf8",
        "-subj",
        subject,
        "-addext",
        "extendedKeyUsage=clientAuth",
        "-addext",
        "basicConstraints=critical,CA:FALSE",
        "-keyout",
        &key,
        "-out",
        &cert,
    ];
    openssl(portal.sandbox.dir(), &args, b"").ok();
}

/// The entry of the list of pending that has this subject, once it is there.
fn pending(portal: &Portal, subject: &str) -> Value {
    eventually("it is pending", || {
        let list = get(portal, "vic", "/api/v1/pending").json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["subject"].as_str().unwrap().contains(subject))
            .cloned()
    })
}

/// The audit's entries that say this.
fn changes_that_say(portal: &Portal, what: &str) -> Vec<Value> {
    let log = portal.countersign(&["log", "search", "--verdict", "changed", "--json"]).ok().json();
    let all = log.as_array().unwrap().iter();
    all.filter(|one| one["detail"].as_str().is_some_and(|detail| detail.contains(what))).cloned().collect()
}

fn nothing() -> Value {
    json!({})
}
