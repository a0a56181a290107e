//! A gate that leaves its sockets to another: what is here ends in its own time, and under the policy of the day.

use std::net::TcpStream as Plain;
use std::time::Duration;

use crate::websockets::{CLOSE_1008, HELLO, asked, reads};
use crate::world::{World, until};

/// Longer than any test may take: nothing here ends by one of these limits.
const NEVER: Duration = Duration::from_secs(600);

fn patient() -> World {
    World::with(|limits| {
        (limits.handshake, limits.headers, limits.first_request, limits.idle) = (NEVER, NEVER, NEVER, NEVER);
    })
}

#[tokio::test]
async fn it_takes_nobody_new_and_hurries_nobody() {
    let world = patient();
    let alice = world.client().showing(&world.alice);
    let mut idle = alice.connect(world.port(), "portal.test").await.unwrap();
    assert!(idle.get("/", &[]).await.unwrap().header("connection").is_none());
    let mut fresh = alice.connect(world.port(), "portal.test").await.unwrap();
    let mut socket = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut socket, &[]).await, 101);
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut stream = h2.start("GET", "portal.test", "/slow-stream?ms=20&chunks=100", &[], b"").await.unwrap();

    world.gate.retire();
    // The sockets close once their queues are empty; here nobody else has them.
    until(|| Plain::connect(("127.0.0.1", world.port())).is_err());
    for conn in [&mut idle, &mut fresh] {
        let last = conn.get("/", &[]).await.unwrap();
        assert_eq!((last.status, last.header("connection")), (200, Some("close")));
        assert!(conn.ended_within(Duration::from_secs(20)).await.is_some());
    }
    let mut text = Vec::new();
    while let Some(part) = stream.next().await.unwrap() {
        text.extend(part);
    }
    assert!(String::from_utf8(text).unwrap().ends_with("chunk 100\n"), "the stream was cut");
    assert!(h2.get("/", &[]).await.is_err(), "the connection takes no more");
    socket.send_raw(&HELLO).await.unwrap();
    reads(&mut socket, &HELLO).await;
    assert!(!world.gate.is_over(), "the WebSocket is open");
    drop(socket);
    until(|| world.gate.is_over());
}

#[tokio::test]
async fn it_is_over_after_its_time_whoever_is_still_there() {
    let world = World::with(|limits| limits.retired = Duration::from_millis(50));
    let mut socket = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut socket, &[]).await, 101);
    world.gate.retire();
    until(|| world.gate.is_over());
    socket.send_raw(&HELLO).await.unwrap();
    reads(&mut socket, &HELLO).await;
}

#[tokio::test]
async fn a_revocation_ends_what_runs_there() {
    let world = patient();
    let alice = world.client().showing(&world.alice);
    let mut socket = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(asked(&mut socket, &[]).await, 101);
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
    let before = world.echo.count();

    world.gate.retire();
    assert_eq!(world.revoke_alice(), 1, "the WebSocket");
    let (last, _) = socket.ended_within(Duration::from_secs(20)).await.expect("the WebSocket goes on");
    assert_eq!(last, CLOSE_1008);
    let answer = kept.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "revoked".to_owned()));
    assert_eq!(world.echo.count(), before);
    until(|| world.gate.is_over());
}

#[tokio::test]
async fn told_to_end_it_no_longer_waits() {
    let world = std::sync::Arc::new(patient());
    let alice = world.client().showing(&world.alice);
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
    world.gate.retire();
    let draining = world.clone();
    let drained = tokio::task::spawn_blocking(move || draining.gate.drain(NEVER));
    tokio::time::timeout(Duration::from_secs(60), drained).await.expect("something holds it up").unwrap();
    world.gate.retire();
    assert!(world.gate.is_over(), "what has ended does not come back");
}

#[test]
fn each_worker_comes_round_again_and_again() {
    let world = World::new();
    let before = world.gate.rounds();
    assert_eq!(before.len(), 2);
    until(|| world.gate.rounds().iter().zip(&before).all(|(now, then)| now > then));
}
