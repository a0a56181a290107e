//! Text of a certificate where people and programs read it.

use std::time::{Duration, Instant};

use testkit::{Leaf, Portal};

use crate::support::{SITE, assert_alive, binary, block_on};

const NAMES: [&str; 9] = [
    "al\0ice\u{2028}line\u{2029}paragraph",
    "a\r\nX-Evil: yes\r\n\r\nHTTP/1.1 200 OK",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "\u{202e}ecila\u{2066}\u{200f}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'; DROP TABLE certificate; --",
    "../../../../tmp/evil",
    "=HYPERLINK(\"http://evil.test\")\u{85}${jndi:ldap://x}",
];

/// Fails at a character that moves the cursor, turns the text or starts a line of its own.
#[track_caller]
fn assert_tame(what: &str, text: &str) {
    let wild = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found: Vec<String> =
        text.chars().filter(|c| wild(*c)).map(|c| c.escape_unicode().to_string()).collect();
    assert!(found.is_empty(), "{what} holds {found:?}:\n{}", text.escape_debug());
    assert!(
        !text.lines().any(|line| line.starts_with("X-Evil") || line.starts_with("HTTP/1.1 200")),
        "{what} has a forged line:\n{text}"
    );
}

fn files(portal: &Portal) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(portal.sandbox.dir())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_strangers_names_are_escaped_wherever_they_are_shown() {
    let mut portal = Portal::start(&binary());
    let before = files(&portal);
    for name in NAMES {
        let stranger = Leaf::new(name).subject(&[("CN", name), ("O", name)]).email("x@y").self_signed();
        let client = portal.client().showing(&stranger);
        for accept in ["application/problem+json", "text/html"] {
            let answer = block_on(async {
                let mut conn = client.connect(portal.port, SITE).await.unwrap();
                conn.get("/", &[("Accept", accept)]).await.unwrap()
            });
            assert_eq!(answer.status, 403, "{name:?}");
            assert!(answer.header("x-evil").is_none(), "{answer:?}");
            assert_tame(accept, &answer.text());
            if accept == "text/html" {
                assert!(
                    answer.header("content-type").unwrap_or_default().starts_with("text/html"),
                    "{answer:?}"
                );
                for tag in ["<script>alert", "<img src"] {
                    assert!(!answer.text().contains(tag), "{}", answer.text());
                }
                let policy = answer.header("content-security-policy").unwrap_or_default();
                assert!(policy.contains("default-src 'none'"), "{policy}");
                assert!(!policy.contains("script-src 'unsafe-inline'"), "{policy}");
            } else {
                assert_eq!(answer.json()["code"], "unknown-issuer");
            }
        }
    }
    assert_eq!(portal.echo.count(), 0);
    let start = Instant::now();
    while portal.countersign(&["pending", "list", "--json"]).ok().json().as_array().unwrap().len()
        < NAMES.len()
    {
        assert!(start.elapsed() < Duration::from_secs(10), "not all became pending");
        std::thread::sleep(Duration::from_millis(100));
    }
    for args in [
        &["pending", "list"][..],
        &["pending", "list", "--json"],
        &["log", "search", "--since", "1h"],
        &["log", "search", "--since", "1h", "--json"],
        &["status"],
    ] {
        let shown = portal.countersign(args);
        assert_tame(&args.join(" "), &shown.both());
    }
    let gate = portal.gate();
    assert_tame("the access log", &gate.stdout());
    assert_tame("the gate's messages", &gate.stderr());
    for line in gate.stdout().lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok(), "{line}");
    }
    assert_eq!(files(&portal), before, "a name became a file");
    assert_alive(&mut portal);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn an_admitted_certificates_names_never_become_header_lines() {
    let portal = Portal::build(&binary()).prepare();
    for (number, name) in NAMES.iter().enumerate() {
        let file = format!("odd{number}");
        Leaf::new(name).self_signed().write(portal.sandbox.dir(), &file);
        let pem = format!("{file}.pem");
        let added =
            portal.countersign(&["party", "add", &file, "--cert", &pem, "--pin", "cert", "--site", SITE]);
        assert_tame("party add", &added.both());
        assert_tame("cert thumbprint", &portal.countersign(&["cert", "thumbprint", &pem]).both());
    }
    for args in [&["party", "list"][..], &["party", "list", "--json"]] {
        assert_tame(&args.join(" "), &portal.countersign(args).ok().both());
    }
    let mut portal = portal;
    portal.start_gate();
    let mut admitted = 0;
    for (number, name) in NAMES.iter().enumerate() {
        let file = format!("odd{number}");
        let answer = block_on(portal.client_as(&file).knock(portal.port, SITE, "/")).unwrap();
        if answer.status != 200 {
            assert_eq!(answer.status, 403, "{name:?}");
            continue;
        }
        admitted += 1;
        let seen = portal.echo.last();
        assert_eq!(seen.all("countersign-party"), [file.as_str()], "{name:?}");
        assert_eq!(seen.all("client-cert").len(), 1);
        assert!(seen.header("x-evil").is_none(), "{seen:?}");
        assert!(seen.headers.iter().all(|(_, value)| value.is_ascii()), "{seen:?}");
    }
    assert!(admitted > 0);
    assert_eq!(portal.echo.count(), admitted);
    assert_tame("the log", &portal.countersign(&["log", "search", "--since", "1h"]).both());
    assert_alive(&mut portal);
}
