//! The upstreams return, count and record what reaches them.

use std::time::Duration;

use testkit::{Conn, Echo, RawUpstream, WEBSOCKET};

#[tokio::test]
async fn each_request_returns_as_json_and_is_counted() {
    let echo = Echo::start();
    let mut conn = Conn::plain(echo.port(), "portal.test").await.unwrap();

    let answer = conn.request("POST", "/a?b=c", &[("X-One", "1"), ("x-two", "2")], b"hello").await.unwrap();

    assert_eq!(answer.status, 200);
    let seen = answer.json();
    assert_eq!((seen["method"].as_str(), seen["target"].as_str()), (Some("POST"), Some("/a?b=c")));
    assert_eq!((seen["body"].as_str(), seen["body_len"].as_u64()), (Some("hello"), Some(5)));
    assert_eq!(seen["headers"][0], serde_json::json!(["host", "portal.test"]));
    assert_eq!(echo.last().header("X-Two"), Some("2"));

    assert_eq!(conn.get("/status/418", &[]).await.unwrap().status, 418);
    assert_eq!(conn.get("/bytes?n=200000", &[]).await.unwrap().body.len(), 200_000);
    let sunk = conn.request("PUT", "/sink", &[], &[b'y'; 100_000]).await.unwrap();
    assert_eq!(sunk.json()["body_len"], 100_000);
    let streamed = conn.get("/slow-stream?ms=1&chunks=3", &[]).await.unwrap();
    assert_eq!(streamed.text(), "chunk 1\nchunk 2\nchunk 3\n");
    assert_eq!((echo.count(), echo.requests().len(), echo.connections()), (5, 5, 1));
    assert_eq!(echo.open_streams(), 0);
}

#[tokio::test]
async fn an_upgraded_connection_returns_every_byte() {
    let echo = Echo::start();
    let mut conn = Conn::plain(echo.port(), "portal.test").await.unwrap();
    conn.send_request("GET", "/socket", &WEBSOCKET, b"").await.unwrap();
    let head = conn.read_head().await.unwrap();

    assert_eq!(head.status, 101);
    assert_eq!(head.header("Sec-WebSocket-Accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    conn.send_raw(b"\x81\x02hi").await.unwrap();
    assert_eq!(conn.read_some().await.unwrap(), b"\x81\x02hi");
    assert_eq!(echo.open_streams(), 1);
}

#[tokio::test]
async fn the_raw_upstream_keeps_every_byte_and_ends_when_dropped() {
    let raw = RawUpstream::start();
    let mut conn = Conn::plain(raw.port(), "portal.test").await.unwrap();
    conn.send_raw(b"GET /x HTTP/1.1\r\nHOST:  odd\r\n\r\n").await.unwrap();
    assert_eq!(conn.read_head().await.unwrap().status, 200);

    assert_eq!(raw.received(), [b"GET /x HTTP/1.1\r\nHOST:  odd\r\n\r\n"]);
    raw.wait_for("HOST:  odd");
    drop(raw);
    assert!(conn.ended_within(Duration::from_secs(5)).await.is_some());
}
