//! The identity headers and what passes beside them.

use testkit::{Portal, RawUpstream};

use crate::support::{SITE, binary, block_on};

#[test]
fn connection_cannot_take_our_headers_away() {
    let portal = Portal::start(&binary());
    let all = "Connection: client-cert, countersign-party, Countersign-Reference, host, x-forwarded-for, \
               forwarded, x-forwarded-proto";
    for more in ["--http1.1", "--http2"] {
        // HTTP/2 knows no such field: it is refused there.
        let answer = portal.curl(Some("alice"), "/", &["-H", all, more]);
        if more == "--http1.1" {
            assert_eq!(answer.status, 200, "{}", answer.stderr);
        }
    }
    assert!(portal.echo.count() >= 1);
    for seen in portal.echo.requests() {
        assert_eq!(seen.all("countersign-party"), ["alice"]);
        for name in [
            "client-cert",
            "countersign-reference",
            "host",
            "x-forwarded-for",
            "x-forwarded-proto",
            "forwarded",
        ] {
            assert_eq!(seen.all(name).len(), 1, "{name}: {seen:?}");
        }
        assert!(seen.header("connection").is_none_or(|value| !value.contains("client-cert")), "{seen:?}");
    }
}

#[test]
fn a_trailer_cannot_bring_an_identity() {
    let raw = RawUpstream::start();
    let portal = Portal::build(&binary()).upstream(&raw.url()).party("alice").start();
    let request = format!(
        "POST /trailer HTTP/1.1\r\nHost: {SITE}\r\nTE: trailers\r\nTrailer: Countersign-Party, Client-Cert, X-Kept\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nCountersign-Party: root\r\nClient_Cert: :AAAA:\r\n\r\n"
    );
    block_on(async {
        let mut conn = portal.client_as("alice").connect(portal.port, SITE).await.unwrap();
        conn.send_raw(request.as_bytes()).await.unwrap();
        assert_eq!(conn.read_head().await.unwrap().status, 200);
    });
    let text = raw.wait_for("abc").to_ascii_lowercase();
    assert!(text.contains("countersign-party: alice"), "{text}");
    assert!(!text.contains("root") && !text.contains(":aaaa:"), "{text}");
}

#[test]
fn upgrades_and_tunnels_do_not_pass() {
    let portal = Portal::start(&binary());
    let alice = portal.client_as("alice");
    let ask = |request: String| {
        block_on(async {
            let mut conn = alice.connect(portal.port, SITE).await.unwrap();
            conn.send_raw(request.as_bytes()).await.unwrap();
            conn.read_head().await.unwrap().status
        })
    };
    let inside = format!("GET /inside HTTP/1.1\r\nHost: {SITE}\r\n\r\n");
    let websocket = format!(
        "GET /ws HTTP/1.1\r\nHost: {SITE}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: guessed\r\n\r\n{inside}"
    );
    assert_eq!(ask(websocket), 400);
    for request in [
        format!("CONNECT {SITE}:443 HTTP/1.1\r\nHost: {SITE}:443\r\n\r\n{inside}"),
        format!("CONNECT 127.0.0.1:{} HTTP/1.1\r\nHost: {SITE}\r\n\r\n", portal.echo.port()),
        format!("TRACE / HTTP/1.1\r\nHost: {SITE}\r\n\r\n"),
    ] {
        let status = ask(request.clone());
        assert!(matches!(status, 400 | 405 | 421 | 501), "{request}: {status}");
    }
    assert!(portal.echo.requests().iter().all(|seen| seen.method == "GET" && seen.target == "/inside"));

    // Another protocol than websocket is no upgrade: the request goes on without the word.
    let h2c = format!(
        "GET /h2c HTTP/1.1\r\nHost: {SITE}\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    );
    assert_eq!(ask(h2c), 200);
    // The request behind the refused handshake may still arrive; nothing else may.
    let (h2c, others): (Vec<_>, Vec<_>) =
        portal.echo.requests().into_iter().partition(|seen| seen.target == "/h2c");
    assert!(others.iter().all(|seen| seen.method == "GET" && seen.target == "/inside"), "{others:?}");
    let [seen] = &h2c[..] else { panic!("one request came of it: {h2c:?}") };
    assert!(seen.header("upgrade").is_none() && seen.header("http2-settings").is_none(), "{seen:?}");
}
