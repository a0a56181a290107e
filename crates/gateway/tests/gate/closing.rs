//! The end of a connection: close_notify comes before it (RFC 8446 section 6.1), and the last words arrive.

use std::time::Duration;

use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Fate, Heard};

use crate::world::World;

/// Ends a hang; promises nothing.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn who_says_goodbye_hears_goodbye_before_the_end() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    for (version, client) in [(0x0304, alice.clone().tls13()), (0x0303, alice.tls12())] {
        for requests in [0, 1, 2] {
            let mut conn = client.connect(world.port(), "portal.test").await.unwrap();
            assert_eq!(conn.version(), Some(version));
            for _ in 0..requests {
                assert_eq!(conn.get("/", &[]).await.unwrap().status, 200);
            }
            conn.finish().await.unwrap();
            // An end without close_notify would be a failure, as would be a reset.
            assert_eq!(conn.ended_within(PATIENCE).await, Some((Vec::new(), Ok(()))), "{requests} requests");
        }
        let mut h2 = client.alpn(&["h2"]).connect(world.port(), "portal.test").await.unwrap();
        let settings = frame(kind::SETTINGS, 0, 0, &[]);
        h2.send_raw(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &settings[..]].concat()).await.unwrap();
        assert!(!h2.read_some().await.unwrap().is_empty(), "its own settings");
        h2.finish().await.unwrap();
        let (_, end) = h2.ended_within(PATIENCE).await.expect("it ends");
        assert_eq!(end, Ok(()), "over HTTP/2");
    }
}

#[tokio::test]
async fn an_answer_that_ends_the_connection_is_whole_and_has_goodbye_behind_it() {
    let world = World::new();
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(alice.get("/", &[("Connection", "close")]).await.unwrap().status, 200);
    assert_eq!(alice.ended_within(PATIENCE).await, Some((Vec::new(), Ok(()))));
    // Nobody is admitted on it: one request.
    let mut nobody = world.client().connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(nobody.get("/", &[]).await.unwrap().status, 403);
    assert_eq!(nobody.ended_within(PATIENCE).await, Some((Vec::new(), Ok(()))));
}

#[tokio::test]
async fn last_words_arrive_though_the_client_still_sends() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let more = vec![b'x'; 100_000];

    let mut h1 = alice.connect(world.port(), "portal.test").await.unwrap();
    h1.send_raw(&[b"no request\r\n\r\n", &more[..]].concat()).await.unwrap();
    let said = String::from_utf8(h1.read_to_end().await.expect("no reset")).unwrap();
    assert!(said.starts_with("HTTP/1.1 400 "), "{said}");

    let mut h2 = alice.open_frames(world.port(), "portal.test").await.unwrap();
    // A body for a stream that was never begun, and so much behind it.
    let stray = frame(kind::DATA, 0, 1, b"x");
    h2.send(&[&stray, &more[..]].concat()).await.unwrap();
    assert_eq!(h2.fate(1, PATIENCE).await, Fate::GoAway(1));
    while h2.next(PATIENCE).await != Heard::Closed {}
}

#[tokio::test]
async fn who_says_goodbye_within_a_request_gets_the_end_and_others_are_served() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let head = [(":method", "GET"), (":scheme", "https"), (":authority", "portal.test"), (":path", "/")];
    let request = frame(kind::HEADERS, flag::END_HEADERS | flag::END_STREAM, 1, &block(&head));
    let halves =
        [(&["h2"][..], &request[..request.len() / 2]), (&["http/1.1"], b"GET / HTTP/1.1\r\nHost: por")];
    for (protocol, half) in halves {
        let mut conn = alice.clone().alpn(protocol).connect(world.port(), "portal.test").await.unwrap();
        conn.send_raw(half).await.unwrap();
        conn.finish().await.unwrap();
        assert!(conn.ended_within(PATIENCE).await.is_some(), "{protocol:?}");
        assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    }
}
