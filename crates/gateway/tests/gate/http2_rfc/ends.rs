//! RFC 9113 sections 3.4 and 6.8: how a connection begins, and how it goes.

use testkit::client::frames::{PREFACE, flag, frame, kind};
use testkit::{Fate, Heard};

use super::case::*;
use super::windows::ask_for;
use crate::world::World;

#[tokio::test]
async fn a_connection_begins_with_the_preface_and_settings_on_both_sides() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let wrong = b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n";
    for (what, first) in [
        ("another preface", [&wrong[..], &frame(kind::SETTINGS, 0, 0, &[])].concat()),
        ("HTTP/1.1", b"GET / HTTP/1.1\r\nHost: portal.test\r\n\r\n".to_vec()),
    ] {
        let mut conn = alice.connect_frames(world.port(), "portal.test").await.unwrap();
        conn.send(&first).await.unwrap();
        let fate = conn.fate(1, PATIENCE).await;
        assert!(matches!(fate, Fate::GoAway(PROTOCOL) | Fate::Closed), "{what}: {fate:?}");
    }
    assert_eq!(world.echo.count(), 0);
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    let Heard::Frame(first) = conn.next(PATIENCE).await else { panic!("nothing comes") };
    assert_eq!((first.kind, first.flags, first.stream), (kind::SETTINGS, 0, 0), "the server's SETTINGS");
    let list: Vec<(u16, u32)> = first
        .payload
        .chunks(6)
        .map(|one| {
            (u16::from_be_bytes([one[0], one[1]]), u32::from_be_bytes([one[2], one[3], one[4], one[5]]))
        })
        .collect();
    assert!(list.contains(&(3, 100)), "streams at once: {list:?}");
    assert!(list.contains(&(6, 65_537)), "bytes of a header list: {list:?}");
    assert!(list.contains(&(8, 1)), "extended CONNECT: {list:?}");
    loop {
        // RFC 9113 section 6.5.3: SETTINGS are answered.
        let Heard::Frame(next) = conn.next(PATIENCE).await else { panic!("no answer to SETTINGS") };
        if next.kind == kind::SETTINGS && next.flags == flag::ACK {
            assert!(next.payload.is_empty());
            break;
        }
    }
}

#[tokio::test]
async fn a_preface_without_settings_changes_nothing_about_who_is_let_in() {
    // A deviation from RFC 9113 section 3.4, by which the SETTINGS of the client come before all other frames: the
    // library takes requests without them, under the values that hold where none are set (section 6.5.2).
    let world = World::new();
    let first = [PREFACE, &get(1)].concat();
    let mut conn = world.client().connect_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&first).await.unwrap();
    assert_eq!(conn.fate(1, PATIENCE).await, Fate::Answer(403));
    assert_eq!(world.echo.count(), 0);
    let alice = world.client().showing(&world.alice);
    let mut conn = alice.connect_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&first).await.unwrap();
    assert_eq!(conn.fate(1, PATIENCE).await, Fate::Answer(200));
    assert_eq!(world.echo.count(), 1);
}

#[tokio::test]
async fn a_goaway_lets_what_runs_end_and_takes_nothing_new() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    // RFC 9113 section 6.8, from the client: its streams are still answered, and the connection ends behind them.
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    let goaway = frame(kind::GOAWAY, 0, 0, &[0; 8]);
    conn.send(&[ask_for(1, "/slow-stream?ms=20&chunks=5"), goaway].concat()).await.unwrap();
    assert_eq!(conn.fate(1, PATIENCE).await, Fate::Answer(200));
    // From the gate, when a stranger was refused: what comes behind it reaches nobody.
    let mut conn = world.client().open_frames(world.port(), "portal.test").await.unwrap();
    conn.send(&get(1)).await.unwrap();
    assert_eq!(conn.fate(1, PATIENCE).await, Fate::Answer(403));
    conn.send(&get(3)).await.unwrap();
    let fate = conn.fate(3, PATIENCE).await;
    assert!(matches!(fate, Fate::Closed | Fate::Reset(REFUSED) | Fate::Answer(403)), "{fate:?}");
    assert_eq!(world.echo.count(), 1);
}
