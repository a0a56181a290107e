//! What has to be complete by when, and admissions that end by themselves.

use std::sync::atomic::Ordering;
use std::time::Duration;

use examiner::UnixTime;
use policy::RecordChange;
use testkit::Conn;

use crate::world::{World, pinned};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(15);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// A request's header block: literal fields without indexing, without Huffman coding.
fn block(method: &str, path: &str) -> Vec<u8> {
    let mut block = Vec::new();
    let fields = [(":method", method), (":scheme", "https"), (":authority", "portal.test"), (":path", path)];
    for (name, value) in fields {
        block.extend([0, name.len() as u8]);
        block.extend(name.bytes());
        block.push(value.len() as u8);
        block.extend(value.bytes());
    }
    block
}

/// Only the end of a request's headers is limited to less than the test's patience.
fn hasty() -> World {
    World::with(|limits| {
        let long = Duration::from_secs(600);
        limits.headers = Duration::from_millis(400);
        (limits.first_request, limits.idle, limits.first_byte) = (long, long, long);
    })
}

async fn h2(world: &World) -> Conn {
    let alice = world.client().showing(&world.alice).alpn(&["h2"]);
    alice.connect(world.port(), "portal.test").await.unwrap()
}

#[tokio::test]
async fn half_a_request_is_closed_at_the_deadline_and_a_whole_one_is_answered() {
    let world = hasty();
    let idle = world.client().showing(&world.alice).connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(idle.get("/", &[]).await.unwrap().status, 200);
    let settings = [PREFACE, &frame(4, 0, 0, &[])].concat();
    let headers = frame(1, 1, 1, &block("GET", "/"));
    let busy = frame(1, 5, 1, &block("GET", "/slow-stream?ms=20&chunks=100000"));
    let next = frame(1, 1, 3, &block("GET", "/"));
    for (what, sent) in [
        ("half the preface", PREFACE[..10].to_vec()),
        ("half a frame", [&settings[..], &frame(6, 0, 0, &[0; 8])[..12]].concat()),
        ("half a frame's head", [&settings[..], &frame(6, 0, 0, &[0; 8])[..4]].concat()),
        ("headers without their end", [&settings[..], &headers].concat()),
        ("headers without their end beside a running stream", [&settings[..], &busy, &next].concat()),
    ] {
        let mut conn = h2(&world).await;
        conn.send_raw(&sent).await.unwrap();
        assert!(conn.ended_within(PATIENCE).await.is_some(), "{what} is waited for");
    }
    let mut h1 = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    h1.send_raw(b"GET / HTTP/1.1\r\nHost: por").await.unwrap();
    assert!(h1.ended_within(PATIENCE).await.is_some());

    // Who has nothing begun may wait, and a body may come slowly.
    assert_eq!(idle.get("/", &[]).await.unwrap().status, 200);
    let mut slow = h2(&world).await;
    let data = frame(0, 1, 1, b"body");
    let post = frame(1, 4, 1, &block("POST", "/sink"));
    slow.send_raw(&[&settings[..], &post, &data[..11]].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(800)).await;
    slow.send_raw(&data[11..]).await.unwrap();
    crate::world::until(|| world.echo.requests().iter().any(|seen| seen.body == "body"));
}

#[tokio::test]
async fn an_admission_that_ends_by_itself_ends_what_runs_and_refuses_what_comes() {
    let world = World::new();
    let end = world.now().seconds() + 100;
    let RecordChange::Certificate(thumbprint, mut record) = pinned("alice", &world.alice, None) else {
        return;
    };
    record.superseded_after = Some(UnixTime(end));
    world.apply(vec![RecordChange::Certificate(thumbprint, record)]);
    let alice = world.client().showing(&world.alice);
    let mut running = alice.connect(world.port(), "portal.test").await.unwrap();
    running.send_request("GET", "/slow-stream?ms=20&chunks=100000", &[], b"").await.unwrap();
    assert_eq!(running.read_head().await.unwrap().status, 200);
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    let mut strict = alice.connect(world.port(), "strict.test").await.unwrap();
    for conn in [&mut kept, &mut strict] {
        assert_eq!(conn.get("/", &[]).await.unwrap().status, 200);
    }

    world.clock.store(end, Ordering::SeqCst);
    assert_eq!(kept.get("/", &[]).await.unwrap().status, 200, "the last second is inside");
    assert!(!running.read_some().await.unwrap().is_empty());
    assert_eq!(world.echo.open_streams(), 1);

    world.clock.store(end + 1, Ordering::SeqCst);
    assert!(running.ended_within(PATIENCE).await.is_some(), "the download goes on");
    assert!(strict.ended_within(PATIENCE).await.is_some(), "the strict connection stays");
    let answer = kept.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "superseded".to_owned()));
    assert_eq!(alice.knock(world.port(), "strict.test", "/").await.unwrap_err().alert, Some(44));
    crate::world::until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn a_connection_at_rest_serves_who_is_admitted_and_nobody_who_is_so_no_more() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    let mut revoked = alice.connect(world.port(), "portal.test").await.unwrap();
    for conn in [&mut kept, &mut revoked] {
        assert_eq!(conn.get("/", &[]).await.unwrap().status, 200);
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
    let reached = world.echo.count();
    world.revoke_alice();
    // Refused, or ended: nothing of it goes on.
    if let Ok(answer) = revoked.get("/", &[]).await {
        assert_eq!(answer.status, 403);
    }
    assert_eq!(world.echo.count(), reached);
}
