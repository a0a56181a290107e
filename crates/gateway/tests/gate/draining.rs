//! The end of a gate: what runs is answered, who waits is let go, and nobody holds it up.

use std::net::TcpStream as Plain;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use gateway::Limits;
use tokio::task::JoinHandle;

use crate::world::{World, until};

/// Longer than any test may take: whatever waits for one of these limits holds the drain up.
const NEVER: Duration = Duration::from_secs(600);

fn patient(limits: &mut Limits) {
    (limits.handshake, limits.headers, limits.first_request, limits.idle) = (NEVER, NEVER, NEVER, NEVER);
    limits.stranger_life = NEVER;
}

fn drain(world: &Arc<World>) -> JoinHandle<()> {
    let world = world.clone();
    tokio::task::spawn_blocking(move || world.gate.drain(NEVER))
}

async fn ends(drain: JoinHandle<()>) {
    tokio::time::timeout(Duration::from_secs(60), drain).await.expect("something holds it up").unwrap();
}

#[tokio::test]
async fn idle_connections_do_not_hold_it_up_however_far_they_came() {
    let world = Arc::new(World::with(patient));
    let alice = world.client().showing(&world.alice);
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
    let mut kept_h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(kept_h2.get("/", &[]).await.unwrap().status, 200);
    let mut fresh = alice.connect(world.port(), "portal.test").await.unwrap();
    let mut stranger = world.client().connect(world.port(), "portal.test").await.unwrap();
    let silent = Plain::connect(("127.0.0.1", world.port())).unwrap();

    ends(drain(&world)).await;
    for conn in [&mut kept, &mut fresh, &mut stranger] {
        assert!(conn.ended_within(Duration::from_secs(5)).await.is_some());
    }
    assert!(kept_h2.ended_within(Duration::from_secs(5)).await.is_some());
    assert!(Plain::connect(("127.0.0.1", world.port())).is_err(), "nobody listens any more");
    assert_eq!(world.echo.count(), 2);
    drop(silent);
}

#[tokio::test]
async fn what_runs_is_finished_and_what_comes_on_a_kept_connection_is_the_last() {
    let world = Arc::new(World::with(patient));
    let alice = world.client().showing(&world.alice);
    let mut running = alice.connect(world.port(), "portal.test").await.unwrap();
    running.send_request("GET", "/slow-stream?ms=20&chunks=100", &[], b"").await.unwrap();
    assert!(running.read_head().await.unwrap().header("connection").is_none());
    let mut kept = alice.connect(world.port(), "portal.test").await.unwrap();
    assert!(kept.get("/", &[]).await.unwrap().header("connection").is_none());
    kept.send_raw(b"GET / HTTP/1.1\r\nHost: portal.test\r\n").await.unwrap();
    let mut kept_h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut stream =
        kept_h2.start("GET", "portal.test", "/slow-stream?ms=20&chunks=100", &[], b"").await.unwrap();
    let mut idle_h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(idle_h2.get("/", &[]).await.unwrap().status, 200);

    let draining = drain(&world);
    // An idle HTTP/2 connection ends at once: from here on the gate drains.
    assert!(idle_h2.ended_within(Duration::from_secs(20)).await.is_some());
    kept.send_raw(b"\r\n").await.unwrap();
    let last = kept.read_head().await.unwrap();
    assert_eq!((last.status, last.header("connection")), (200, Some("close")));
    let mut text = Vec::new();
    while let Some(part) = stream.next().await.unwrap() {
        text.extend(part);
    }
    assert!(String::from_utf8(text).unwrap().ends_with("chunk 100\n"), "the stream was cut");
    assert!(kept_h2.get("/", &[]).await.is_err(), "the connection takes no more");
    assert!(kept_h2.ended_within(Duration::from_secs(20)).await.is_some());
    let text = String::from_utf8(running.read_to_end().await.unwrap()).unwrap();
    assert!(text.contains("chunk 100\n") && text.ends_with("0\r\n\r\n"), "the download was cut: {text}");
    ends(draining).await;
    assert_eq!(world.echo.count(), 5);
}

#[test]
fn who_stands_in_the_queue_is_still_answered() {
    let held = Arc::new(AtomicBool::new(false));
    let inside = Arc::new(AtomicUsize::new(0));
    let (hold, count) = (held.clone(), inside.clone());
    // Every look at the clock waits while the gate is held: its threads do nothing else then.
    let world = World::made(patient, move |_| {
        if hold.load(Ordering::SeqCst) {
            count.fetch_add(1, Ordering::SeqCst);
            until(|| !hold.load(Ordering::SeqCst));
        }
    });
    let world = Arc::new(world);
    held.store(true, Ordering::SeqCst);
    until(|| inside.load(Ordering::SeqCst) == 2);
    let queued: Vec<_> = (0..5)
        .map(|_| {
            let (client, port) = (world.client().showing(&world.alice), world.port());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(client.knock(port, "portal.test", "/"))
            })
        })
        .collect();
    until(|| waiting(world.port()) == 5);
    let (draining, (done, ended)) = (world.clone(), std::sync::mpsc::channel());
    std::thread::spawn(move || {
        draining.gate.drain(NEVER);
        done.send(()).unwrap();
    });
    held.store(false, Ordering::SeqCst);
    for answer in queued {
        assert_eq!(answer.join().unwrap().unwrap().status, 200);
    }
    ended.recv_timeout(Duration::from_secs(60)).expect("something holds it up");
    assert_eq!(world.echo.count(), 5);
}

/// Connections in the queue of the socket that listens on this port, as the system tells (`rx_queue` of a listener).
fn waiting(port: u16) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let listening = format!("0100007F:{port:04X}");
    let mut fields = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let line = fields.find(|line| line.get(1) == Some(&listening.as_str()) && line.get(3) == Some(&"0A"));
    let queues = line.expect("the gate listens")[4];
    usize::from_str_radix(queues.split_once(':').unwrap().1, 16).unwrap()
}
