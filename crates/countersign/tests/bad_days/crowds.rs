//! Many bad clients at once: the admitted are served all the same, memory is bounded, every descriptor comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use testkit::{Client, Conn, Portal};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{
    SITE, assert_alive, assert_descriptors_return, assert_serves, binary, block_on, forget_peak, numbers,
};

/// As many as there are of each kind.
const SLOW: usize = 300;
/// Kilobytes that each slow client may cost: buffers of both its connections and of TLS.
const EACH_KB: u64 = 1024;

/// With room for all of them at one address, and deadlines that a test can wait for.
fn portal() -> Portal {
    let limits =
        "[limits]\nhalf_open_per_address = 10000\nhandshake_seconds = 20\nrequest_header_seconds = 20\n";
    Portal::build(&binary()).extra_toml(limits).party("alice").start()
}

/// `make` opens connections and leaves them in the middle; alice is served meanwhile and afterwards.
#[track_caller]
fn slow<T>(what: &str, make: impl AsyncFn(&Client, u16) -> T) {
    let mut portal = portal();
    assert_serves(&portal, "the start");
    forget_peak(&portal);
    let before = numbers(&portal);
    block_on(async {
        let alice = portal.client_as("alice");
        let mut kept = alice.connect(portal.port, SITE).await.unwrap();
        let mut held = Vec::new();
        for n in 0..SLOW {
            held.push(make(&alice, portal.port).await);
            if n % 30 == 0 {
                assert_eq!(kept.get("/", &[]).await.unwrap().status, 200, "{what}: with {n} of them");
                assert_eq!(
                    alice.knock(portal.port, SITE, "/").await.unwrap().status,
                    200,
                    "{what}: with {n}"
                );
            }
        }
        assert_ne!(
            portal.client().knock(portal.port, SITE, "/").await.map_or(0, |answer| answer.status),
            200
        );
        let during = numbers(&portal);
        println!("{what}: before {before:?}, with {SLOW} of them {during:?}");
        assert!(during.descriptors >= before.descriptors + SLOW / 2, "{what}: they are held: {during:?}");
        let most = before.resident_kb + SLOW as u64 * EACH_KB;
        assert!(during.peak_kb < most, "{what}: {before:?}, then {during:?}");
    });
    assert_descriptors_return(&portal, before, what);
    assert_serves(&portal, what);
    assert_alive(&mut portal);
}

#[test]
fn slow_handshakes_keep_nobody_out() {
    slow("slow handshakes", async |_, port| {
        let mut tcp = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        tcp.write_all(&[0x16, 3, 1, 2]).await.unwrap();
        tcp
    });
}

async fn begun(client: &Client, port: u16, bytes: &[u8]) -> Conn {
    let mut conn = client.connect(port, SITE).await.unwrap();
    conn.send_raw(bytes).await.unwrap();
    conn
}

#[test]
fn slow_headers_keep_nobody_out() {
    slow("slow headers", async |alice, port| begun(alice, port, b"GET / HTTP/1.1\r\nHost: por").await);
}

#[test]
fn slow_bodies_keep_nobody_out() {
    let head = format!("POST /sink HTTP/1.1\r\nHost: {SITE}\r\nContent-Length: 1000000\r\n\r\nten bytes.");
    slow("slow bodies", async |alice, port| begun(alice, port, head.as_bytes()).await);
}

#[test]
fn slow_readers_keep_nobody_out() {
    let head = format!("GET /bytes?n=1000000000 HTTP/1.1\r\nHost: {SITE}\r\n\r\n");
    slow("slow readers", async |alice, port| begun(alice, port, head.as_bytes()).await);
}

#[test]
fn eight_thousand_strangers_in_a_rush_keep_no_admitted_request_unanswered() {
    const STRANGERS: u64 = 8_000;
    /// As many as the machine makes, up to these.
    const EACH_SECOND: u64 = 2_000;
    let mut portal = portal();
    assert_serves(&portal, "the start");
    forget_peak(&portal);
    let (before, seen) = (numbers(&portal), portal.echo.count());
    let (over, met) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (client, port) = (portal.client(), portal.port);
    let strangers = std::thread::spawn({
        let (over, met) = (over.clone(), met.clone());
        move || {
            block_on(async {
                let began = Instant::now();
                let mut coming = tokio::task::JoinSet::new();
                for n in 0..STRANGERS {
                    let due = began + Duration::from_micros(n * 1_000_000 / EACH_SECOND);
                    tokio::time::sleep_until(due.into()).await;
                    while coming.len() >= 800 {
                        coming.join_next().await;
                    }
                    let (client, met) = (client.clone(), met.clone());
                    coming.spawn(async move {
                        let status = client.knock(port, SITE, "/").await.map_or(0, |answer| answer.status);
                        assert_ne!(status, 200);
                        met.fetch_add(1, Ordering::SeqCst);
                    });
                }
                while let Some(one) = coming.join_next().await {
                    one.unwrap();
                }
                over.store(true, Ordering::SeqCst);
                began.elapsed()
            })
        }
    });
    let answered = block_on(async {
        let alice = portal.client_as("alice");
        let mut kept = alice.connect(port, SITE).await.unwrap();
        let h2 = alice.connect_h2(port, SITE).await.unwrap();
        let mut answered = 0;
        while !over.load(Ordering::SeqCst) && !strangers.is_finished() {
            assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
            assert_eq!(h2.get("/", &[]).await.unwrap().status, 200);
            assert_eq!(alice.knock(port, SITE, "/").await.unwrap().status, 200);
            answered += 3;
            // Whoever is admitted asks now and then; the machine's cores are the strangers' and the gate's.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        answered
    });
    let took = strangers.join().unwrap();
    let after = numbers(&portal);
    println!(
        "{} strangers in {took:?}, {answered} requests of alice; {before:?}, then {after:?}",
        met.load(Ordering::SeqCst)
    );
    assert_eq!(met.load(Ordering::SeqCst), STRANGERS);
    assert_eq!(portal.echo.count(), seen + answered, "the upstream saw alice alone");
    assert!(after.peak_kb < before.resident_kb + 800 * EACH_KB, "{before:?}, then {after:?}");
    assert_descriptors_return(&portal, before, "the strangers");
    assert_serves(&portal, "the strangers");
    assert_alive(&mut portal);
}
