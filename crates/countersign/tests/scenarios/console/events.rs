//! What is new comes by itself, and no longer than its listener is an operator.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

/// curl that listens, ended with the test.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listen(portal: &Portal, cert: &str, path: &str) -> Listening {
    let url = format!("https://localhost:{}{path}", portal.admin_port);
    let (pem, key) = (format!("./{cert}.pem"), format!("./{cert}.key"));
    let mut command = Command::new("curl");
    command.current_dir(portal.sandbox.dir());
    command.args([
        "-q",
        "-sSN",
        "--max-time",
        "60",
        "--cacert",
        "ca.pem",
        "--cert",
        &pem,
        "--key",
        &key,
        &url,
    ]);
    Listening(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn an_entry_of_the_log_and_a_knock_are_heard_as_they_come() {
    let portal = portal();
    let last = get(&portal, "vic", "/api/v1/log?limit=1").json()["items"][0]["id"].as_i64().unwrap();
    let mut listening = listen(&portal, "vic", &format!("/api/v1/events?after={last}"));
    let mut lines = BufReader::new(listening.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert_eq!(lines.next().as_deref(), Some("retry: 2000"));
    self_signed(&portal, "frank", "/CN=frank");
    assert_eq!(portal.curl(Some("frank"), "/", &[]).status, 403);
    let mut seen = Vec::new();
    while !(seen.iter().any(|line: &String| line.contains("\"code\":\"unknown-issuer\""))
        && seen.iter().any(|line| line.contains("\"pending\":1")))
    {
        seen.push(lines.next().unwrap_or_else(|| panic!("it ended: {seen:?}")));
    }
    assert!(
        seen.iter().any(|line| line == "event: log") && seen.iter().any(|line| line == "event: pending"),
        "{seen:?}"
    );
}

#[test]
fn it_ends_with_its_listeners_admission() {
    let portal = portal();
    let mut listening = listen(&portal, "ops", "/api/v1/events");
    let mut lines = BufReader::new(listening.0.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "retry: 2000");
    portal.countersign(&["operator", "revoke", "ops"]).ok();
    // To the end of the stream, which comes with the gate's cut.
    for _ in lines.by_ref() {}
    assert!(listening.0.wait().is_ok());
    assert_eq!(ask(&portal, Some("ops"), "/api/v1/events", &[]).code(), "revoked");
}
