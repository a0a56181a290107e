//! RFC 9113 sections 4.2, 5.2 and 6.9: no more is sent than the other side takes.

use std::time::Duration;

use testkit::client::frames::{block, frame, kind};
use testkit::{Fate, H2Frames, Heard};

use super::case::*;
use crate::world::World;

/// Asks for a thousand bytes under this window; bytes of the body until nothing comes any more.
async fn body(conn: &mut H2Frames, stream: u32) -> usize {
    let mut bytes = 0;
    while let Heard::Frame(one) = conn.next(Duration::from_millis(500)).await {
        if one.kind == kind::DATA && one.stream == stream {
            bytes += one.payload.len();
        }
    }
    bytes
}

pub(super) fn ask_for(stream: u32, path: &str) -> Vec<u8> {
    let fields = [(":method", "GET"), (":scheme", "https"), (":authority", "portal.test"), (":path", path)];
    frame(kind::HEADERS, END, stream, &block(&fields))
}

#[tokio::test]
async fn no_more_is_sent_than_the_windows_allow() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    // RFC 9113 section 6.9.2: the setting counts for streams to come, and changes those that are there.
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&[setting(4, 10), ask_for(1, "/bytes?n=1000")].concat()).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 10);
    conn.send(&window(1, 5)).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 5);
    conn.send(&setting(4, 30)).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 20);
    // A window may become less than nothing.
    conn.send(&[setting(4, 0), window(1, 20)].concat()).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 0);
    conn.send(&window(1, 11)).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 1);
    conn.send(&setting(4, 65_535)).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 1000 - 36);

    // RFC 9113 section 6.9.1: the connection's window bounds all streams together, and SETTINGS do not change it.
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&[setting(4, 1_000_000), ask_for(1, "/bytes?n=200000")].concat()).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 65_535);
    conn.send(&window(0, 200_000)).await.unwrap();
    assert_eq!(body(&mut conn, 1).await, 200_000 - 65_535);

    // RFC 9113 section 4.2: no frame is longer than was asked for.
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&[setting(4, 1_000_000), window(0, 1_000_000), ask_for(1, "/bytes?n=100000")].concat())
        .await
        .unwrap();
    let mut bytes = 0;
    while bytes < 100_000 {
        let Heard::Frame(one) = conn.next(PATIENCE).await else { panic!("{bytes} bytes came") };
        assert!(one.payload.len() <= 16_384);
        bytes += if one.kind == kind::DATA { one.payload.len() } else { 0 };
    }
}

#[tokio::test]
async fn who_sends_more_than_the_windows_allow_is_ended() {
    let world = World::new();
    // The system takes the connection; nobody ever reads from it.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = gateway::Upstream::http(address));
    let alice = world.client().showing(&world.alice);
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&open(1)).await.unwrap();
    let part = data(1, 0, &[b'x'; 16_384]);
    let sending = async {
        for _ in 0..4_000 {
            if conn.send(&part).await.is_err() {
                break;
            }
        }
        conn.fate(1, PATIENCE).await
    };
    let fate = tokio::time::timeout(Duration::from_secs(60), sending).await.expect("the gate reads or ends");
    assert!(matches!(fate, Fate::GoAway(FLOW) | Fate::Reset(FLOW) | Fate::Closed), "{fate:?}");
}
