//! HTTP/2 written frame by frame: what would change its meaning as HTTP/1.1 is refused.

use std::time::Duration;

use testkit::{Conn, Portal};

use crate::support::{SITE, binary, block_on};

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Literal fields without indexing, without Huffman coding.
fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127);
            block.push(text.len() as u8);
            block.extend(text.as_bytes());
        }
    }
    block
}

async fn h2(portal: &Portal) -> Conn {
    let mut conn =
        portal.client_as("alice").alpn(&["h2"]).connect(portal.port, SITE).await.expect("a connection");
    conn.send_raw(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, &[])].concat())
        .await
        .unwrap();
    conn
}

/// The frames until the stream's end or the connection's, as (type, stream, payload).
async fn frames(conn: &mut Conn) -> Vec<(u8, u32, Vec<u8>)> {
    let (mut bytes, mut found) = (Vec::new(), Vec::new());
    while let Ok(Ok(more)) = tokio::time::timeout(Duration::from_secs(1), conn.read_some()).await {
        if more.is_empty() {
            break;
        }
        bytes.extend(more);
        while bytes.len() >= 9 {
            let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
            if bytes.len() < 9 + length {
                break;
            }
            let one: Vec<u8> = bytes.drain(..9 + length).collect();
            let stream = u32::from_be_bytes([one[5], one[6], one[7], one[8]]);
            let over = stream == 1 && (one[3] == 3 || one[4] & 1 == 1 && one[3] < 2) || one[3] == 7;
            found.push((one[3], stream, one[9..].to_vec()));
            if over {
                return found;
            }
        }
    }
    found
}

/// Sends one request without a body.
fn ask(portal: &Portal, fields: &[(&str, &str)]) -> Vec<(u8, u32, Vec<u8>)> {
    block_on(async {
        let mut conn = h2(portal).await;
        conn.send_raw(&frame(1, 5, 1, &block(fields))).await.unwrap();
        frames(&mut conn).await
    })
}

#[test]
fn fields_that_mean_something_else_in_http_1_are_refused() {
    let portal = Portal::start(&binary());
    let start = [(":method", "GET"), (":scheme", "https"), (":authority", SITE), (":path", "/x")];
    for (name, value) in [
        ("transfer-encoding", "chunked"),
        ("connection", "client-cert"),
        ("keep-alive", "x"),
        ("proxy-connection", "keep-alive"),
        ("upgrade", "websocket"),
        ("te", "gzip"),
        ("content-length", "5"),
        ("X-Upper", "x"),
        ("x y", "z"),
        ("", "x"),
        ("x:y", "z"),
        ("x\r\ny", "z"),
        ("x", "a\r\ncountersign-party: root"),
        ("x", "a\nb"),
        ("x", "a\0b"),
        ("host", "other.test"),
        (":path", "/again"),
        (":unknown", "x"),
    ] {
        let said = ask(&portal, &[&start[..], &[(name, value)]].concat());
        assert_eq!(portal.echo.count(), 0, "{name:?}: {value:?} reached the upstream: {said:?}");
        assert!(!said.is_empty(), "{name:?}: {value:?}: no word about it");
    }
    for path in ["/x y", "/x\r\ny", "/x HTTP/1.1\r\nX: y", "x", "", "//\0", "http://other.test/"] {
        let said =
            ask(&portal, &[(":method", "GET"), (":scheme", "https"), (":authority", SITE), (":path", path)]);
        assert_eq!(portal.echo.count(), 0, "{path:?} reached the upstream: {said:?}");
    }
    for method in ["G T", "GET / HTTP/1.1\r\nX:", "CONNECT", "TRACE", ""] {
        let said =
            ask(&portal, &[(":method", method), (":scheme", "https"), (":authority", SITE), (":path", "/x")]);
        assert_eq!(portal.echo.count(), 0, "{method:?} reached the upstream: {said:?}");
    }
    ask(&portal, &[(":method", "CONNECT"), (":authority", "portal.test:443")]);
    for protocol in ["connect-udp", "connect-ip", "webtransport", "h2c", "websocket2", ""] {
        let tunnel = [(":method", "CONNECT"), (":protocol", protocol)];
        let said = ask(&portal, &[&tunnel[..], &start[1..]].concat());
        assert_eq!(portal.echo.count(), 0, "{protocol:?} reached the upstream: {said:?}");
    }
    ask(&portal, &start);
    assert_eq!(portal.echo.count(), 1, "the good one passes");
}

#[test]
fn a_body_that_differs_from_its_length_is_no_second_request() {
    let portal = Portal::start(&binary());
    let inner = b"GET /inner HTTP/1.1\r\nHost: portal.test\r\n\r\n";
    for length in ["0", "5"] {
        block_on(async {
            let fields = [
                (":method", "POST"),
                (":scheme", "https"),
                (":authority", SITE),
                (":path", "/outer"),
                ("content-length", length),
            ];
            let mut conn = h2(&portal).await;
            conn.send_raw(&frame(1, 4, 1, &block(&fields))).await.unwrap();
            conn.send_raw(&frame(0, 1, 1, inner)).await.unwrap();
            frames(&mut conn).await;
        });
    }
    assert_eq!(portal.curl(Some("alice"), "/after", &[]).status, 200);
    let targets: Vec<String> = portal.echo.requests().into_iter().map(|seen| seen.target).collect();
    assert!(targets.iter().all(|target| target != "/inner"), "{targets:?}");
    assert_eq!(targets.last().map(String::as_str), Some("/after"));
}
