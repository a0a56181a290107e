//! WebSockets: through with a certificate, each on an upstream connection of its own, ended in good form.

use std::time::{Duration, Instant};

use gateway::Upstream;
use testkit::{Conn, RawUpstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::world::{World, until};

/// The key of RFC 6455's example, and what answers it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const GRANTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                       Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
/// A close frame of a server with 1008, policy violation, and 1001, going away.
pub const CLOSE_1008: [u8; 4] = [0x88, 2, 0x03, 0xf0];
const CLOSE_1001: [u8; 4] = [0x88, 2, 0x03, 0xe9];
/// A masked text frame "hello" of a client.
pub const HELLO: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];

const ASKED: [(&str, &str); 4] = [
    ("Connection", "keep-alive, Upgrade"),
    ("Upgrade", "websocket"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
];

pub async fn asked(conn: &mut Conn, more: &[(&str, &str)]) -> u16 {
    conn.send_request("GET", "/ws", &[&ASKED, more].concat(), b"").await.unwrap();
    conn.read_head().await.unwrap().status
}

pub async fn reads(conn: &mut Conn, wanted: &[u8]) {
    let mut got = Vec::new();
    while got.len() < wanted.len() {
        let some = conn.read_some().await.unwrap();
        assert!(!some.is_empty(), "ended after {got:?}");
        got.extend(some);
    }
    assert_eq!(got, wanted);
}

fn upstream(world: &World, port: u16) {
    let to = Upstream::http(format!("127.0.0.1:{port}"));
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = to);
}

#[tokio::test]
async fn a_websocket_passes_both_ways_with_a_certificate_and_not_without() {
    let world = World::new();
    let mut nobody = world.client().connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut nobody, &[]).await, 403);
    let mut bob = world.client().showing(&world.bob).connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut bob, &[]).await, 403);
    assert_eq!(world.echo.count(), 0);

    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    let more =
        [("Countersign-Party", "root"), ("Sec-WebSocket-Protocol", "chat"), ("Origin", "https://a.test")];
    assert_eq!(asked(&mut alice, &more).await, 101);
    let seen = world.echo.last();
    assert_eq!((seen.method.as_str(), seen.target.as_str()), ("GET", "/ws"));
    assert_eq!((seen.all("upgrade"), seen.all("sec-websocket-key")), (vec!["websocket"], vec![KEY]));
    assert_eq!((seen.all("countersign-party"), seen.all("origin")), (vec!["alice"], vec!["https://a.test"]));
    assert_eq!(seen.all("sec-websocket-protocol"), ["chat"]);
    assert_eq!(seen.all("client-cert").len(), 1);
    for _ in 0..3 {
        alice.send_raw(&HELLO).await.unwrap();
        reads(&mut alice, &HELLO).await;
    }
    let long: Vec<u8> = (0..1_000_000u32).map(|n| n as u8).collect();
    alice.send_raw(&[&[0x82, 127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40][..], &long].concat()).await.unwrap();
    reads(&mut alice, &[&[0x82, 127, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40][..], &long].concat()).await;
    assert_eq!(world.heard.lines.lock().unwrap().len(), 2, "it is in the log when it is over");

    // The end of one side is told to the other, and the bytes back still arrive.
    alice.send_raw(&HELLO).await.unwrap();
    alice.finish().await.unwrap();
    let (rest, _) = alice.ended_within(Duration::from_secs(5)).await.unwrap();
    assert_eq!(rest, HELLO);
    let line = world.lines(3).pop().unwrap();
    assert_eq!((line.status, line.bytes, line.verdict), (101, 1_000_054, "admitted"));
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn an_upgraded_connection_belongs_to_one_client_alone() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut other = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(other.get("/", &[]).await.unwrap().status, 200);
    let before = world.echo.connections();
    for round in 1..=3 {
        let mut one = alice.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(asked(&mut one, &[]).await, 101);
        assert_eq!(world.echo.connections(), before + round, "a kept connection was taken");
        one.send_raw(&HELLO).await.unwrap();
        reads(&mut one, &HELLO).await;
        assert_eq!(other.get("/", &[]).await.unwrap().status, 200);
    }
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn bytes_behind_the_handshake_reach_nobody_before_the_upstream_agrees() {
    let world = World::new();
    let raw = RawUpstream::start();
    upstream(&world, raw.port());
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    let fields: String = ASKED.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let both = format!(
        "GET /ws HTTP/1.1\r\nHost: portal.test\r\n{fields}\r\nGET /behind HTTP/1.1\r\nHost: elsewhere.test\r\n\r\n"
    );
    alice.send_raw(both.as_bytes()).await.unwrap();
    // The upstream answers 200: no WebSocket, and what follows is the next request, for another host.
    assert_eq!(alice.read_head().await.unwrap().status, 200);
    let mut rest = String::new();
    while !rest.contains("host-mismatch") {
        rest += &String::from_utf8(alice.read_some().await.unwrap()).unwrap();
    }
    assert!(rest.starts_with("okHTTP/1.1 421 "), "{rest}");
    assert!(!raw.text().contains("/behind"), "{}", raw.text());

    let raw = RawUpstream::answering(format!("{GRANTED}\r\n"));
    upstream(&world, raw.port());
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    alice
        .send_raw(format!("GET /ws HTTP/1.1\r\nHost: portal.test\r\n{fields}\r\nearly bytes").as_bytes())
        .await
        .unwrap();
    assert_eq!(alice.read_head().await.unwrap().status, 101);
    raw.wait_for("\r\n\r\nearly bytes");
}

#[tokio::test]
async fn a_revocation_closes_with_1008_at_the_end_of_a_frame_or_just_ends() {
    for (said, rest) in [
        (&b"\x81\x02hi"[..], &CLOSE_1008[..]),
        // In the middle of a frame there is no place for another.
        (b"\x81\x05hi", b""),
        (b"\x81\x7e\x01", b""),
    ] {
        let world = World::new();
        let raw = RawUpstream::answering([format!("{GRANTED}\r\n").as_bytes(), said].concat());
        upstream(&world, raw.port());
        let alice = world.client().showing(&world.alice);
        let mut one = alice.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(asked(&mut one, &[]).await, 101);
        reads(&mut one, said).await;
        let since = Instant::now();
        assert_eq!(world.revoke_alice(), 1);
        let (last, _) = one.ended_within(Duration::from_secs(5)).await.expect("it goes on");
        assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
        assert_eq!(last, rest, "after {said:?}");
        assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().code(), "revoked");
    }
}

#[tokio::test]
async fn over_http_2_it_is_the_same() {
    let world = World::new();
    let alice = world.client().showing(&world.alice).connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(alice.get("/", &[]).await.unwrap().status, 200);
    let (status, one) =
        alice.websocket("/ws", &[("client-cert", ":AAAA:"), ("origin", "https://a.test")]).await.unwrap();
    let (_, two) = alice.websocket("/two", &[]).await.unwrap();
    let (mut one, mut two) = (one.unwrap(), two.unwrap());
    assert_eq!(status, 200);
    let seen = world.echo.requests().into_iter().find(|seen| seen.target == "/ws").unwrap();
    assert_eq!((seen.method.as_str(), seen.all("connection")), ("GET", vec!["upgrade"]));
    assert_eq!((seen.all("upgrade"), seen.all("sec-websocket-key").len()), (vec!["websocket"], 1));
    assert_eq!((seen.all("countersign-party"), seen.all("origin")), (vec!["alice"], vec!["https://a.test"]));
    assert!(seen.header("client-cert").is_some_and(|value| value != ":AAAA:"));
    let mut back = [0; HELLO.len()];
    for stream in [&mut one, &mut two] {
        stream.write_all(&HELLO).await.unwrap();
        stream.read_exact(&mut back).await.unwrap();
        assert_eq!(back, HELLO);
    }
    two.shutdown().await.unwrap();
    assert_eq!(two.read(&mut back).await.unwrap(), 0, "the end of one stream ends its other side");
    until(|| world.echo.open_streams() == 1);

    let since = Instant::now();
    assert_eq!(world.revoke_alice(), 1);
    let mut last = Vec::new();
    let _ = one.read_to_end(&mut last).await;
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
    assert_eq!(last, CLOSE_1008);
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn over_http_2_only_an_upstream_that_agrees_makes_a_websocket() {
    let world = World::new();
    let nobody = world.client().showing(&world.bob).connect_h2(world.port(), "open.test").await.unwrap();
    assert_eq!(nobody.get("/health", &[]).await.unwrap().status, 200);
    assert_eq!(nobody.websocket("/ws", &[]).await.unwrap().0, 403);
    assert_eq!(world.echo.count(), 1);

    for (answer, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(), 502),
        ("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n".to_owned(), 426),
        // The accept value of another key.
        (format!("{GRANTED}\r\n"), 502),
    ] {
        let raw = RawUpstream::answering(answer);
        upstream(&world, raw.port());
        let alice =
            world.client().showing(&world.alice).connect_h2(world.port(), "portal.test").await.unwrap();
        assert!(alice.get("/", &[]).await.is_ok());
        assert_eq!(alice.websocket("/ws", &[]).await.unwrap().0, status);
    }
}

#[tokio::test]
async fn an_upgrade_that_was_not_asked_for_or_agrees_to_something_else_is_502() {
    let world = World::new();
    for answer in [
        format!("{GRANTED}\r\n").replace("s3pP", "AAAA"),
        format!("{GRANTED}\r\n").replace("websocket", "h2c"),
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n".to_owned(),
    ] {
        let raw = RawUpstream::answering(answer);
        upstream(&world, raw.port());
        let mut alice =
            world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(asked(&mut alice, &[]).await, 502);
        assert_eq!(alice.read_some().await.unwrap()[0], b'{');
        let mut plain =
            world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(plain.get("/", &[]).await.unwrap().status, 502);
    }
}

#[tokio::test]
async fn a_handshake_that_is_none_is_400_and_a_word_of_another_upgrade_is_lost() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    for (key, body) in [("short", ""), ("", ""), (KEY, "body")] {
        let mut one = alice.connect(world.port(), "portal.test").await.unwrap();
        let fields = [ASKED[0], ASKED[1], ASKED[2], ("Sec-WebSocket-Key", key)];
        let answer = one.request("GET", "/ws", &fields, body.as_bytes()).await.unwrap();
        assert_eq!((answer.status, answer.code()), (400, "bad-request".to_owned()), "{key} {body}");
    }
    assert_eq!(world.echo.count(), 0);
    for fields in [
        vec![("Connection", "Upgrade"), ("Upgrade", "tls/1.0"), ASKED[3]],
        vec![("Upgrade", "websocket"), ASKED[3]],
    ] {
        let mut one = alice.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(one.get("/plain", &fields).await.unwrap().status, 200, "{fields:?}");
        assert!(world.echo.last().header("upgrade").is_none());
        assert_eq!(one.request("POST", "/post", &ASKED, b"x").await.unwrap().status, 200);
        assert!(world.echo.last().header("upgrade").is_none());
    }
}

#[tokio::test]
async fn a_websocket_on_which_nothing_moves_ends_and_one_that_moves_stays() {
    let world = World::with(|limits| limits.websocket_idle = Duration::from_millis(1500));
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut alice, &[]).await, 101);
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(3) {
        alice.send_raw(&HELLO).await.unwrap();
        reads(&mut alice, &HELLO).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(alice.ended_within(Duration::from_secs(5)).await.is_some());
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn a_gate_that_drains_says_that_it_goes_away() {
    let world = std::sync::Arc::new(World::new());
    let alice = world.client().showing(&world.alice);
    let mut one = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut one, &[]).await, 101);
    one.send_raw(&HELLO).await.unwrap();
    // Echoed bytes are no frames of a server, but they end where frames end.
    reads(&mut one, &HELLO).await;
    let draining = world.clone();
    let drained = tokio::task::spawn_blocking(move || draining.gate.drain(Duration::from_secs(60)));
    let (last, _) = one.ended_within(Duration::from_secs(5)).await.expect("it holds the drain up");
    assert_eq!(last, CLOSE_1001);
    tokio::time::timeout(Duration::from_secs(20), drained).await.expect("something holds it up").unwrap();
}
