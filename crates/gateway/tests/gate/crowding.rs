//! The limits on who may be here at once, each with its answer, and with those who are let in unharmed.

use std::net::TcpStream;
use std::time::Duration;

use crate::world::{World, until};

/// A connection that says nothing, and counts as a handshake until it is dropped.
fn silent(world: &World) -> TcpStream {
    TcpStream::connect(("127.0.0.1", world.port())).unwrap()
}

/// The limits that turned somebody away so far, as the metric counts them; a limit is told before it has.
fn turned_away(world: &World) -> Vec<&'static str> {
    let all = ["connections", "concurrent_handshakes", "half_open_per_address"];
    let count = |limit: &str| {
        world.metric(&format!("countersign_connections_turned_away_total{{limit=\"{limit}\"}}"))
    };
    all.into_iter().filter(|limit| count(limit) > 0).collect()
}

#[tokio::test]
async fn handshakes_at_once_are_limited_and_a_place_comes_back() {
    let world = World::with(|limits| limits.handshakes = 3);
    let alice = world.client().showing(&world.alice);
    let mut open = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(open.get("/", &[]).await.unwrap().status, 200);
    let held: Vec<TcpStream> = (0..3).map(|_| silent(&world)).collect();
    let full = async { while alice.knock(world.port(), "portal.test", "/").await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), full).await.expect("a fourth is turned away");
    assert_eq!(turned_away(&world), ["concurrent_handshakes"]);
    assert_eq!(open.get("/", &[]).await.unwrap().status, 200, "who is in is served");
    drop(held);
    let free = async { while alice.knock(world.port(), "portal.test", "/").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.expect("there is room again");
}

#[tokio::test]
async fn half_open_connections_of_one_address_are_limited() {
    let world = World::with(|limits| limits.half_open_per_address = 2);
    let alice = world.client().showing(&world.alice);
    let held: Vec<TcpStream> = (0..2).map(|_| silent(&world)).collect();
    let full = async { while alice.knock(world.port(), "portal.test", "/").await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(20), full).await.expect("a third is turned away");
    assert_eq!(turned_away(&world), ["half_open_per_address"]);
    drop(held);
    let free = async { while alice.knock(world.port(), "portal.test", "/").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.expect("there is room again");
    // Whoever has finished the handshake is no longer half open.
    let mut many = Vec::new();
    for _ in 0..5 {
        many.push(alice.connect(world.port(), "portal.test").await.unwrap());
    }
    for connection in &mut many {
        assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
    }
}

#[tokio::test]
async fn connections_at_once_are_limited() {
    let world = World::with(|limits| limits.slots = 3);
    let alice = world.client().showing(&world.alice);
    let mut many = Vec::new();
    for _ in 0..3 {
        let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
        many.push(connection);
    }
    assert!(turned_away(&world).is_empty(), "as many as there may be");
    assert!(alice.knock(world.port(), "portal.test", "/").await.is_err(), "a fourth is turned away");
    assert_eq!(turned_away(&world), ["connections"]);
    for connection in &mut many {
        assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
    }
    drop(many);
    let free = async { while alice.knock(world.port(), "portal.test", "/").await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(20), free).await.expect("there is room again");
}

#[tokio::test]
async fn a_stranger_lives_for_so_long_and_has_small_headers() {
    let world = World::with(|limits| {
        limits.stranger_life = Duration::from_millis(300);
        limits.stranger_header_bytes = 2048;
    });
    let fat = "a".repeat(4000);
    let mut stranger = world.client().connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(stranger.get("/", &[("x-fat", &fat)]).await.unwrap().status, 431);
    let mut idle = world.client().connect(world.port(), "portal.test").await.unwrap();
    assert!(idle.ended_within(Duration::from_secs(10)).await.is_some());
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(alice.get("/", &[("x-fat", &fat)]).await.unwrap().status, 200);
    until(|| world.metric("countersign_open_connections{site=\"portal.test\"}") == 1);
    assert_eq!(alice.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(world.echo.count(), 2);
}
