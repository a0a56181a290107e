//! HTTP/1.1 that two readers could read in two ways.

use std::time::Duration;

use testkit::{Portal, RawUpstream};

use crate::support::{SITE, binary, block_on};

const INNER: &str = "GET /inner HTTP/1.1\r\nHost: portal.test\r\n\r\n";

/// Sends the bytes as alice and gives what came back until the end, or for a second.
fn send(portal: &Portal, bytes: &[u8]) -> String {
    block_on(async {
        let mut conn = portal.client_as("alice").connect(portal.port, SITE).await.unwrap();
        conn.send_raw(bytes).await.unwrap();
        let mut said = Vec::new();
        while let Ok(Ok(more)) = tokio::time::timeout(Duration::from_secs(1), conn.read_some()).await {
            if more.is_empty() {
                break;
            }
            said.extend(more);
        }
        String::from_utf8_lossy(&said).into_owned()
    })
}

/// A head with the site's Host and these lines, and what follows it.
fn request(start: &str, lines: &str, rest: &str) -> Vec<u8> {
    format!("{start}\r\nHost: {SITE}\r\n{lines}\r\n{rest}").into_bytes()
}

#[test]
fn what_cannot_be_read_in_one_way_is_refused() {
    let portal = Portal::start(&binary());
    let post = "POST /x HTTP/1.1";
    let chunks = "0\r\n\r\n";
    let inner = format!("{chunks}{INNER}");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("two lengths", request(post, "Content-Length: 3\r\nContent-Length: 4\r\n", "abcd")),
        ("a list of two lengths", request(post, "Content-Length: 3, 4\r\n", "abcd")),
        ("a signed length", request(post, "Content-Length: +3\r\n", "abc")),
        ("a negative length", request(post, "Content-Length: -3\r\n", "abc")),
        ("a hexadecimal length", request(post, "Content-Length: 0x3\r\n", "abc")),
        ("an empty length", request(post, "Content-Length: \r\n", INNER)),
        ("a length past all numbers", request(post, "Content-Length: 99999999999999999999999\r\n", "abc")),
        ("an unknown coding", request(post, "Transfer-Encoding: xchunked\r\n", &inner)),
        ("chunked not last", request(post, "Transfer-Encoding: chunked, identity\r\n", &inner)),
        ("a coding in HTTP/1.0", request("POST /x HTTP/1.0", "Transfer-Encoding: chunked\r\n", &inner)),
        ("a bare CR in a value", request("GET /x HTTP/1.1", "X: a\rY: b\r\n", "")),
        ("a bare CR as line end", request("GET /x HTTP/1.1", "X: a\rTransfer-Encoding: chunked\r\n", &inner)),
        ("a folded line", request("GET /x HTTP/1.1", "X: a\r\n b\r\n", "")),
        ("a NUL in a value", request("GET /x HTTP/1.1", "X: a\0b\r\n", "")),
        ("a space before the colon", request(post, "Content-Length : 3\r\n", "abc")),
        ("an empty name", request("GET /x HTTP/1.1", ": x\r\n", "")),
        ("a space in a name", request("GET /x HTTP/1.1", "X Y: x\r\n", "")),
        ("a space in Host", format!("GET /x HTTP/1.1\r\nHost: {SITE} x\r\n\r\n").into_bytes()),
        ("two Hosts", request("GET /x HTTP/1.1", "Host: other.test\r\n", "")),
        ("the same Host twice", request("GET /x HTTP/1.1", &format!("Host: {SITE}\r\n"), "")),
        ("no Host", b"GET /x HTTP/1.1\r\n\r\n".to_vec()),
        ("a space in the path", request("GET /x y HTTP/1.1", "", "")),
        ("a bare CR in the path", request("GET /x\ry HTTP/1.1", "", "")),
        ("another version", request("GET /x HTTP/3.9", "", "")),
        ("no version", request("GET /x", "", "")),
    ];
    for (what, bytes) in cases {
        let said = send(&portal, &bytes);
        let refused = said.is_empty() || said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.0 4");
        assert!(refused, "{what}: {said}");
        assert!(!said.contains("HTTP/1.1 200") && !said.contains("HTTP/1.0 200"), "{what}: {said}");
        let seen = portal.echo.requests();
        assert_eq!(portal.echo.count(), 0, "{what} reached the upstream: {seen:?}");
    }
    assert!(send(&portal, &request(post, "Content-Length: 3\r\n", "abc")).starts_with("HTTP/1.1 200"));
    assert_eq!(portal.echo.count(), 1);
}

/// The heads of all requests on these connections, read with the strictest of framing.
fn heads(connections: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for bytes in connections {
        let mut rest = String::from_utf8_lossy(bytes).into_owned();
        while let Some((head, after)) = rest.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let lengths: Vec<usize> = lower
                .lines()
                .filter_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .collect();
            let codings = lower.lines().filter(|line| line.starts_with("transfer-encoding:")).count();
            assert!(lengths.len() + codings <= 1, "more than one framing:\n{head}");
            assert_eq!(lower.lines().filter(|line| line.starts_with("host:")).count(), 1, "{head}");
            assert!(!head.replace("\r\n", "").contains(['\r', '\n', '\0']), "{head:?}");
            found.push(head.to_owned());
            rest = if codings == 1 {
                let end =
                    if after.starts_with("0\r\n\r\n") { 5 } else { after.find("\r\n0\r\n\r\n").unwrap() + 7 };
                after[end..].to_owned()
            } else {
                after[lengths.first().copied().unwrap_or(0)..].to_owned()
            };
        }
        assert_eq!(rest, "", "bytes outside any request");
    }
    found
}

#[test]
fn what_goes_on_has_one_framing() {
    let raw = RawUpstream::start();
    let portal = Portal::build(&binary()).upstream(&raw.url()).party("alice").start();
    let both = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n";
    let turned = "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n";
    let body = "3\r\nabc\r\n0\r\n\r\n";
    let inner = format!("{body}{INNER}");
    // Each may be refused too; nothing that was not asked for in its own right may come out.
    send(&portal, &request("POST /length-first HTTP/1.1", both, &inner));
    send(&portal, &request("POST /coding-first HTTP/1.1", turned, &inner));
    let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
    send(&portal, &request("POST /coding-twice HTTP/1.1", twice, body));
    send(&portal, &request("POST /equal HTTP/1.1", "Content-Length: 3\r\nContent-Length: 3\r\n", "abc"));
    send(&portal, format!("GET /bare-lf HTTP/1.1\nHost: {SITE}\nX: y\n\n").as_bytes());
    let odd = "5;x=\"y\"\r\nabcde\r\n0\r\n\r\n";
    send(&portal, &request("POST /extension HTTP/1.1", "Transfer-Encoding: chunked\r\n", odd));
    let hidden = "3\r\nabcX\r\n0\r\n\r\n";
    send(&portal, &request("POST /wrong-size HTTP/1.1", "Transfer-Encoding: chunked\r\n", hidden));
    let overflow = format!("fffffffffffffffff\r\nabc\r\n{INNER}");
    send(&portal, &request("POST /overflow HTTP/1.1", "Transfer-Encoding: chunked\r\n", &overflow));
    send(&portal, &request("GET /get-with-body HTTP/1.1", "Content-Length: 46\r\n", &format!("{INNER:46}")));
    let good = request("POST /good HTTP/1.1", "Content-Length: 3\r\n", "abc");
    assert!(send(&portal, &good).starts_with("HTTP/1.1 200"));
    let complete: Vec<Vec<u8>> =
        raw.received().into_iter().filter(|one| !has(one, "/wrong-size") && !has(one, "/overflow")).collect();
    let heads = heads(&complete);
    assert!(heads.iter().any(|head| head.starts_with("POST /good ")), "{heads:?}");
    assert!(!heads.iter().any(|head| head.starts_with("GET /inner")), "{heads:?}");
    for head in &heads {
        assert!(head.to_ascii_lowercase().contains("countersign-party: alice"), "{head}");
    }
}

fn has(bytes: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(bytes).contains(text)
}
