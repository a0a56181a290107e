//! Mixed traffic and rules that change all the time: no error, and in the end nothing has grown.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use testkit::{Client, Portal, WEBSOCKET};

use crate::support::{
    SITE, assert_alive, assert_descriptors_return, assert_serves, binary, block_on, eventually, long, numbers,
};

/// Kilobytes that the gate may have grown by between a fifth of the time and its end.
const ROOM_KB: u64 = 24 * 1024;
const HELLO: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];

#[derive(Default)]
struct Counts {
    http1: AtomicU64,
    http2: AtomicU64,
    frames: AtomicU64,
    downloads: AtomicU64,
    strangers: AtomicU64,
    refused: AtomicU64,
    changes: AtomicU64,
}

fn one(count: &AtomicU64) {
    count.fetch_add(1, Ordering::SeqCst);
}

const PAUSE: Duration = Duration::from_millis(10);

async fn http1(client: &Client, port: u16, until: Instant, counts: &Counts) {
    let mut conn = client.connect(port, SITE).await.unwrap();
    for n in 1.. {
        if Instant::now() > until {
            break;
        }
        if n % 50 == 0 {
            conn = client.connect(port, SITE).await.unwrap();
        }
        assert_eq!(conn.request("POST", "/", &[], b"body").await.unwrap().status, 200);
        one(&counts.http1);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn http2(client: &Client, port: u16, until: Instant, counts: &Counts) {
    while Instant::now() < until {
        let conn = client.connect_h2(port, SITE).await.unwrap();
        for _ in 0..50 {
            let (a, b) = tokio::join!(conn.get("/", &[]), conn.get("/bytes?n=20000", &[]));
            assert_eq!((a.unwrap().status, b.unwrap().body.len()), (200, 20_000));
            one(&counts.http2);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn websocket(client: &Client, port: u16, until: Instant, counts: &Counts) {
    while Instant::now() < until {
        let mut conn = client.connect(port, SITE).await.unwrap();
        conn.send_request("GET", "/ws", &WEBSOCKET, b"").await.unwrap();
        assert_eq!(conn.read_head().await.unwrap().status, 101);
        for _ in 0..50 {
            conn.send_raw(&HELLO).await.unwrap();
            assert_eq!(conn.read_some().await.unwrap(), HELLO);
            one(&counts.frames);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

async fn downloads(client: &Client, port: u16, until: Instant, counts: &Counts) {
    while Instant::now() < until {
        let mut conn = client.connect(port, SITE).await.unwrap();
        assert_eq!(conn.get("/bytes?n=3000000", &[]).await.unwrap().body.len(), 3_000_000);
        one(&counts.downloads);
        // Every other one is left in the middle.
        let mut conn = client.connect(port, SITE).await.unwrap();
        conn.send_request("GET", "/bytes?n=100000000", &[], b"").await.unwrap();
        assert_eq!(conn.read_head().await.unwrap().status, 200);
        drop(conn);
        tokio::time::sleep(5 * PAUSE).await;
    }
}

async fn kept_out(client: &Client, port: u16, until: Instant, count: &AtomicU64) {
    while Instant::now() < until {
        assert_ne!(client.knock(port, SITE, "/").await.map_or(0, |answer| answer.status), 200);
        one(count);
        tokio::time::sleep(5 * PAUSE).await;
    }
}

/// carol comes and goes; nobody else is touched.
fn changes(portal: &Portal, until: Instant, counts: &Counts) {
    while Instant::now() < until {
        for (args, status) in [
            (vec!["party", "suspend", "carol"], 403),
            (vec!["party", "resume", "carol"], 200),
            (vec!["party", "ungrant", "carol", "--site", SITE], 403),
            (vec!["party", "grant", "carol", "--site", SITE], 200),
            (vec!["reload"], 200),
        ] {
            portal.countersign(&args).ok();
            one(&counts.changes);
            let carol = portal.client_as("carol");
            let asked = || block_on(carol.knock(portal.port, SITE, "/")).unwrap().status;
            if status == 200 {
                // Denials are waited for by their command; what lets in follows within a second.
                eventually(&format!("{args:?}"), || (asked() == 200).then_some(()));
            }
            assert_eq!(asked(), status, "{args:?}");
        }
    }
}

#[test]
fn under_mixed_traffic_and_changing_rules_nothing_fails_and_nothing_grows() {
    let limits = "[limits]\nstrangers_per_minute = 100000\n";
    let mut portal =
        Portal::build(&binary()).extra_toml(limits).party("alice").party("mallory").party("carol").start();
    portal.countersign(&["party", "revoke", "mallory"]).ok();
    assert_serves(&portal, "the start");
    let time = Duration::from_secs(if long() { 600 } else { 20 });
    let idle = numbers(&portal);
    let (began, counts, port) = (Instant::now(), Counts::default(), portal.port);
    let until = began + time;
    let [alice, mallory, nobody] = [portal.client_as("alice"), portal.client_as("mallory"), portal.client()];
    let early = std::thread::scope(|scope| {
        let traffic = scope.spawn(|| {
            block_on(async {
                tokio::join!(
                    http1(&alice, port, until, &counts),
                    http1(&alice, port, until, &counts),
                    http2(&alice, port, until, &counts),
                    websocket(&alice, port, until, &counts),
                    downloads(&alice, port, until, &counts),
                    kept_out(&nobody, port, until, &counts.strangers),
                    kept_out(&mallory, port, until, &counts.refused),
                )
            })
        });
        let changing = scope.spawn(|| changes(&portal, until, &counts));
        std::thread::sleep(time / 5);
        let early = numbers(&portal);
        traffic.join().expect("the traffic");
        changing.join().expect("the changes");
        early
    });
    let late = numbers(&portal);
    let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
    println!(
        "{time:?}: {} HTTP/1.1, {} HTTP/2 pairs, {} frames, {} downloads, {} strangers, {} refused, {} changes",
        of(&counts.http1),
        of(&counts.http2),
        of(&counts.frames),
        of(&counts.downloads),
        of(&counts.strangers),
        of(&counts.refused),
        of(&counts.changes),
    );
    println!("idle {idle:?}; after a fifth {early:?}; at the end {late:?}");
    for seen in portal.echo.requests() {
        assert!(
            ["alice", "carol"].contains(&seen.header("countersign-party").unwrap_or_default()),
            "{seen:?}"
        );
    }
    assert!(late.resident_kb < early.resident_kb + ROOM_KB, "{early:?}, then {late:?}");
    assert_descriptors_return(&portal, idle, "the soak");
    assert_serves(&portal, "the soak");
    portal.countersign(&["log", "verify"]).ok();
    assert_alive(&mut portal);
}
