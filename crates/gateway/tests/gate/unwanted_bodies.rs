//! Bodies that nobody wants, over HTTP/2: the answer arrives also where the client still sends, and what it sends is
//! read on for a bounded while.

use std::time::Duration;

use gateway::Upstream;
use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Fate, H2Frames, Heard};

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(20);
const NO_ERROR: [u8; 4] = [0; 4];
const STREAM: u32 = 1;

/// A POST whose body is still to come.
fn begins(fields: &[(&str, &str)]) -> Vec<u8> {
    let head = [(":method", "POST"), (":scheme", "https"), (":authority", "portal.test"), (":path", "/x")];
    frame(kind::HEADERS, flag::END_HEADERS, STREAM, &block(&[&head[..], fields].concat()))
}

fn data(flags: u8, length: usize) -> Vec<u8> {
    frame(kind::DATA, flags, STREAM, &vec![b'x'; length])
}

/// A connection of alice's where this request has its answer.
async fn answered(world: &World, fields: &[(&str, &str)], status: u16) -> H2Frames {
    let alice = world.client().showing(&world.alice);
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&begins(fields)).await.unwrap();
    assert_eq!(conn.fate(STREAM, PATIENCE).await, Fate::Answer(status), "{fields:?}");
    conn
}

/// Whether the stream is reset, without fault of anybody, before the gate answers a PING.
async fn is_reset(conn: &mut H2Frames) -> bool {
    conn.send(&frame(kind::PING, 0, 0, b"whatever")).await.unwrap();
    let mut reset = false;
    loop {
        match conn.next(PATIENCE).await {
            Heard::Frame(frame) if frame.kind == kind::PING => return reset,
            Heard::Frame(frame) if frame.kind == kind::RST_STREAM => {
                assert_eq!((frame.stream, &frame.payload[..]), (STREAM, &NO_ERROR[..]));
                reset = true;
            }
            Heard::Frame(_) => {}
            end => panic!("no answer to a PING: {end:?}"),
        }
    }
}

#[tokio::test]
async fn a_body_that_comes_after_its_answer_resets_nothing() {
    let world = World::new();
    for (case, fields, status) in [
        ("another site's page", vec![("sec-fetch-site", "cross-site")], 403),
        ("announced too long", vec![("content-length", "30000")], 413),
        ("two lengths", vec![("content-length", "30000"), ("content-length", "30000")], 400),
        ("no upstream", vec![], 502),
    ] {
        world.apply_site(
            "portal.test",
            vec![],
            |_| {},
            |site| match case {
                "announced too long" => site.manners.max_body = Some(1000),
                "no upstream" => site.upstream = Upstream::http("127.0.0.1:1"),
                _ => {}
            },
        );
        let mut conn = answered(&world, &fields, status).await;
        assert!(!is_reset(&mut conn).await, "{case}");
        conn.send(&data(0, 15_000)).await.unwrap();
        conn.send(&data(flag::END_STREAM, 15_000)).await.unwrap();
        assert!(!is_reset(&mut conn).await, "{case}");
    }
    assert_eq!(world.echo.count(), 0);
}

#[tokio::test]
async fn a_body_that_goes_on_and_on_is_not_read_to_its_end() {
    let world = World::new();
    let mut conn = answered(&world, &[("sec-fetch-site", "cross-site")], 403).await;
    for _ in 0..4 {
        conn.send(&data(0, 16_384)).await.unwrap();
    }
    assert!(!is_reset(&mut conn).await, "64 kB are read");
    conn.send(&data(0, 1)).await.unwrap();
    while !is_reset(&mut conn).await {}
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let world = World::new();
    let mut conn = answered(&world, &[("sec-fetch-site", "cross-site")], 403).await;
    while !is_reset(&mut conn).await {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
