//! Requests, right and wrong: what is answered, with which headers, in how much time; and the end of the page.

use std::io::{Read, Write};
use std::time::Duration;

use testkit::{Response, Sandbox, eventually};

use super::page::path;
use super::*;
use crate::check_hosts::server::socket;

const VOID: [&str; 5] = ["meta", "link", "input", "img", "br"];

/// Panics unless the page is well-formed, and nothing in it is inline or from elsewhere.
#[track_caller]
pub fn is_clean(html: &str) {
    let mut rest =
        html.strip_prefix("<!doctype html>\n<html lang=\"en\">").unwrap_or_else(|| panic!("{html}"));
    let mut open = vec!["html".to_owned()];
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        for entity in text.split('&').skip(1) {
            let name = entity.split(';').next().unwrap();
            assert!(["amp", "lt", "gt", "quot", "#39"].contains(&name), "&{name}; in {text}");
        }
        let end = tag.find('>').unwrap_or_else(|| panic!("a tag is not closed: {tag}"));
        let inner = &tag[1..end];
        rest = &tag[end + 1..];
        let name = inner.trim_start_matches('/').split_whitespace().next().unwrap().to_owned();
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}: {inner}");
        assert_eq!(inner.matches('"').count() % 2, 0, "{inner}");
        assert!(name != "style" && name != "iframe" && name != "base", "{inner}");
        assert!(name != "script" || inner.starts_with('/') || inner.contains(" src=\""), "inline: {inner}");
        for attribute in inner.split('"').step_by(2).flat_map(str::split_whitespace) {
            assert!(!attribute.starts_with("style=") && !attribute.starts_with("on"), "inline: {inner}");
        }
        for place in ["href=\"", "src=\"", "action=\""] {
            let value = inner.split(place).nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
            assert!(!value.contains("//") && !value.contains("javascript:"), "from elsewhere: {inner}");
        }
        if let Some(closed) = inner.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "{html}");
        } else if !VOID.contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

/// Panics unless these are the headers of every answer.
#[track_caller]
fn is_guarded(answer: &Response) {
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{answer:?}"));
    let parts: Vec<&str> = policy.split("; ").collect();
    for part in [
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ] {
        assert!(parts.contains(&part), "{part}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert!(
        answer.header("cache-control").is_some() && answer.header("content-type").is_some(),
        "{answer:?}"
    );
    assert!(answer.header("set-cookie").is_none() && answer.header("access-control-allow-origin").is_none());
}

#[test]
fn every_answer_has_a_strict_policy_and_every_page_is_clean() {
    let bench = Bench::new();
    let server = bench.serve("leaf", "www", &[]);
    let host = format!("127.0.0.1:{}", server.port);
    let page = bench.page(&["--name", "Checks of <Example> & \"Sons\""]);
    let nginx = path("/", &host) + "&for=nginx";
    for at in
        ["/", &path("/", &host), &nginx, &path("/", "a b"), "/nothing", "/?host=a&host=b", &path("/", "")]
    {
        let answer = page.get(at);
        is_guarded(&answer);
        is_clean(&answer.text());
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{at}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{at}");
        assert!(answer.text().contains("Checks of &lt;Example&gt; &amp; &quot;Sons&quot;"), "{at}");
    }
    for at in ["/api/v1/check", "/api/v1/check/schema", "/robots.txt", "/health", &path("/report.svg", &host)]
    {
        is_guarded(&page.get(at));
    }
    // The style and the script come from paths of their own, and may be kept.
    let front = page.get("/").text();
    for (before, media_type) in [
        ("stylesheet\" href=\"", "text/css; charset=utf-8"),
        ("script src=\"", "text/javascript; charset=utf-8"),
    ] {
        let at = front.split(before).nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let answer = page.get(&format!("/{at}"));
        is_guarded(&answer);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(media_type)));
        assert!(answer.header("cache-control").unwrap().contains("immutable"));
        for foreign in ["http:", "https:", "@import", "url("] {
            assert!(!answer.text().contains(foreign), "{at}: {foreign}");
        }
    }
}

#[test]
fn the_page_is_only_read() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let page = bench.page(&[]);
    let host = format!("127.0.0.1:{}", server.port);
    let checked = path("/api/v1/check", &host);
    for at in ["/", &checked, "/robots.txt"] {
        let (get, head) = (page.get(at), page.ask("HEAD", at, &[]));
        assert_eq!((head.status, head.body.len()), (200, 0), "{at}");
        for name in ["content-length", "content-type", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{at} {name}");
        }
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            let answer = page.ask(method, at, &[]);
            assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{method} {at}");
            is_guarded(&answer);
        }
    }
    for at in ["/index.html", "/api/v1", "/api/v1/check/", "/..", "//", "/report.exe", "/%2e%2e/etc/passwd"] {
        assert_eq!(page.get(at).status, 404, "{at}");
        assert_eq!(page.ask("POST", at, &[]).status, 404, "{at}");
    }
    assert_eq!(page.get("/api/v2/check").code(), "not-found");
    let head = format!("GET {checked} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n");
    let answer = page.say(format!("{head}something").as_bytes());
    assert_eq!((answer.status, &*answer.code()), (413, "unexpected-body"));
    assert_eq!(page.get("/health").text(), "ok\n");
}

#[test]
fn what_is_no_request_gets_no_answer_of_the_page() {
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &[]);
    for (bytes, status) in [
        (format!("GET /?host={} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(20_000)), 431),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "x-a: b\r\n".repeat(100)), 431),
        ("GET / HTTP/1.1\nHost a\r\n\r\n".to_owned(), 400),
        ("\u{16}\u{3}\u{1}\u{0}".to_owned() + "\r\n\r\n", 400),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), 400),
    ] {
        let answer = page.say(bytes.as_bytes());
        let told: String = bytes.chars().take(60).collect();
        assert!(answer.status == status || answer.status == 0, "{told}: {}", answer.status);
    }
    assert_eq!(page.get("/").status, 200);
}

/// A head that comes slowly, and connections on which nothing comes: they end, and hold up nobody.
#[test]
fn slow_visitors_end_and_hold_up_nobody() {
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &[]);
    let mut crowd: Vec<_> = (0..31).map(|_| page.connect()).collect();
    for stream in &mut crowd {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
    }
    assert_eq!(page.get("/").status, 200, "one more than they has a place");
    for stream in &mut crowd {
        let mut answer = Vec::new();
        // An end or a reset: both are one. The time that it may take is the stream's.
        let ended = stream.read_to_end(&mut answer);
        assert!(
            !ended.is_err_and(|error| matches!(
                error.kind(),
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
            )),
            "it is still open"
        );
        assert!(!answer.starts_with(b"HTTP/1.1 200"));
    }
    assert_eq!(page.get("/").status, 200);
}

#[test]
fn a_page_of_another_site_may_lead_here_and_not_ask_in_the_background() {
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &[]);
    let told = |at: &str, dest: &str| {
        page.ask("GET", at, &[("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Dest", dest)])
    };
    assert_eq!(told("/", "document").status, 200);
    let refused = told("/api/v1/check?host=www.example.com", "image");
    assert_eq!((refused.status, &*refused.code()), (403, "cross-site"));
    assert_eq!(told("/", "iframe").status, 403);
}

#[test]
fn where_inner_hosts_are_looked_at_a_foreign_name_is_not_answered() {
    let sandbox = Sandbox::new(&binary());
    let status = |page: &Page, host: &str| page.ask("GET", "/", &[("Host", host)]).status;
    let page = Page::start(&sandbox, &["--allow-private"]);
    for (host, expected) in
        [("127.0.0.1", 200), ("localhost:8480", 200), ("[::1]", 200), ("rebound.example", 421)]
    {
        assert_eq!(status(&page, host), expected, "{host}");
    }
    let page = Page::start(&sandbox, &["--allow-private", "--host", "check.example"]);
    for (host, expected) in [("check.example", 200), ("127.0.0.1", 200), ("rebound.example", 421)] {
        assert_eq!(status(&page, host), expected, "{host}");
    }
    // A page for everybody is nobody's secret.
    assert_eq!(status(&Page::start(&sandbox, &[]), "any.example"), 200);
}

#[test]
fn at_its_end_what_was_asked_is_answered() {
    let bench = Bench::new();
    let mut page = bench.page(&[]);
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let saw = seen.clone();
    let port = socket(move |mut stream| {
        saw.store(true, std::sync::atomic::Ordering::SeqCst);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let mut stream = page.connect();
    let at = path("/api/v1/check", &format!("127.0.0.1:{port}"));
    stream.write_all(format!("GET {at} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").as_bytes()).unwrap();
    eventually("the look", || seen.load(std::sync::atomic::Ordering::SeqCst).then_some(()));
    page.gate.ask_to_end();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("shows no certificate"), "{answer}");
    assert_eq!(page.gate.wait_exit(Duration::from_secs(60)), Some(0));
    assert!(page.gate.stderr().contains("ended"), "{}", page.gate.stderr());
}

#[test]
fn an_address_that_is_taken_and_wrong_words_are_told() {
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &[]);
    let taken = format!("127.0.0.1:{}", page.port);
    let told = sandbox.countersign(&["check", "serve", "--listen", &taken]).exited(4);
    assert!(
        told.stderr.contains("cannot be listened on") && told.stderr.contains("--listen"),
        "{}",
        told.story()
    );
    for wrong in [
        &["--listen", "localhost"][..],
        &["--rate", "0"],
        &["--ports", "https"],
        &["--allow-private=10.0.0.1/8"],
        &["--behind", "proxy.example"],
        &["--host", "a b"],
        &["--name", ""],
        &["--at-once", "0"],
        &["www.example.com"],
    ] {
        sandbox.countersign(&[&["check", "serve"], wrong].concat()).exited(2);
    }
    let help = sandbox.countersign(&["check", "serve", "--help"]).ok();
    assert!(help.stdout.contains("Examples:") && help.stdout.contains("--allow-private"), "{}", help.story());
}
