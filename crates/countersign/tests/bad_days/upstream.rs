//! An upstream that stalls, in every phase: its request fails in time, and every other is served.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use testkit::Portal;

use crate::support::{assert_alive, assert_descriptors_return, binary, numbers};

const LIMITS: &str =
    "[limits]\nupstream_connect_seconds = 1\nupstream_first_byte_seconds = 1\nupstream_idle_seconds = 1\n";

/// Stalls as the path says, until the gate hangs up; `/` is answered.
fn serve(mut socket: TcpStream) {
    let mut head = Vec::new();
    let mut block = [0; 4096];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        match socket.read(&mut block) {
            Ok(length @ 1..) => head.extend_from_slice(&block[..length]),
            _ => return,
        }
    }
    let path = String::from_utf8_lossy(&head).split(' ').nth(1).unwrap_or_default().to_owned();
    let said: &[u8] = match path.as_str() {
        "/before-head" => b"",
        "/in-head" => b"HTTP/1.1 200 OK\r\nContent-Le",
        "/in-body" => b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "/in-chunk" => b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf",
        "/never-closing" => b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it",
        _ => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    };
    let _ = socket.write_all(said);
    if path != "/" {
        while let Ok(1..) = socket.read(&mut block) {}
    }
}

fn accept(listener: TcpListener) {
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || serve(socket));
        }
    });
}

#[test]
fn an_upstream_that_stalls_in_any_phase_fails_its_own_request_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    accept(listener);
    let mut portal = Portal::build(&binary()).upstream(&url).extra_toml(LIMITS).party("alice").start();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).text(), "ok");
    let before = numbers(&portal);
    for protocol in ["--http1.1", "--http2"] {
        for path in ["/before-head", "/in-head"] {
            let answer = portal.curl(Some("alice"), path, &[protocol]);
            assert_eq!(answer.status, 504, "{path} {protocol}: {answer:?}");
            assert_eq!(portal.curl(Some("alice"), "/", &[protocol]).text(), "ok", "after {path}");
        }
        for path in ["/in-body", "/in-chunk", "/never-closing"] {
            let answer = portal.curl(Some("alice"), path, &[protocol]);
            assert_eq!(answer.status, 200, "{path} {protocol}: {answer:?}");
            assert_ne!(answer.exit, 0, "{path}: half an answer looks like a whole one");
            assert_eq!(portal.curl(Some("alice"), "/", &[protocol]).text(), "ok", "after {path}");
        }
    }
    assert_ne!(portal.curl(None, "/", &[]).status, 200);
    assert_descriptors_return(&portal, before, "the stalls");
    assert_alive(&mut portal);
}

#[test]
fn an_upstream_that_never_accepts_is_given_up_and_served_when_it_does() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let mut portal = Portal::build(&binary())
        .upstream(&format!("http://{address}"))
        .extra_toml(LIMITS)
        .party("alice")
        .start();
    // Its queue is full: a further connection is never made.
    let mut queued = Vec::new();
    while let Ok(one) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        queued.push(one);
        assert!(queued.len() < 10_000, "the queue has no end");
    }
    let answer = portal.curl(Some("alice"), "/", &[]);
    assert!([502, 504].contains(&answer.status), "{answer:?}");
    assert_ne!(portal.curl(None, "/", &[]).status, 200);
    drop(queued);
    accept(listener);
    crate::support::eventually("an answer", || {
        (portal.curl(Some("alice"), "/", &[]).status == 200).then_some(())
    });
    assert_alive(&mut portal);
}
