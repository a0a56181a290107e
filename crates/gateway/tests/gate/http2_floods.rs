//! Floods of HTTP/2 frames: what each costs the gate and the upstream is bounded, the client is told to calm down, and
//! others are served.

use std::time::Duration;

use gateway::Upstream;
use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Fate, H2Frames, Heard};

use crate::world::{World, until};

const PATIENCE: Duration = Duration::from_secs(20);
const CALM: u32 = 11;
const END: u8 = flag::END_STREAM | flag::END_HEADERS;
const BAD: &str = "countersign_refusals_total{site=\"portal.test\",reason=\"bad-request\"}";

fn request(stream: u32, method: &str, path: &str, flags: u8) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "https"), (":authority", "portal.test"), (":path", path)];
    frame(kind::HEADERS, flags, stream, &block(&fields))
}

async fn open(world: &World) -> H2Frames {
    let alice = world.client().showing(&world.alice);
    let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
    // The windows of streams bound what comes, not that of the connection.
    conn.send(&frame(kind::WINDOW_UPDATE, 0, 0, &[0x3f, 0, 0, 0])).await.unwrap();
    conn
}

/// Somebody else is served as before.
async fn serves(world: &World) {
    let alice = world.client().showing(&world.alice);
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
}

/// Sends this again and again, at most `count` times, until the gate has had enough; what it says.
async fn flood(conn: &mut H2Frames, count: usize, part: impl Fn(usize) -> Vec<u8>) -> Fate {
    for number in 0..count {
        conn.send(&part(number)).await.unwrap();
    }
    conn.fate(u32::MAX, PATIENCE).await
}

/// The gate's memory, in kB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn requests_reset_as_soon_as_they_are_made_end_the_connection_and_reach_few() {
    let world = World::new();
    let reset = |stream| frame(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8]);
    // All at once.
    let mut conn = open(&world).await;
    let both = |number: usize| {
        let stream = 2 * number as u32 + 1;
        [request(stream, "GET", "/slow-stream?ms=50&chunks=1000", END), reset(stream)].concat()
    };
    let fate = flood(&mut conn, 1, |_| (0..3000).map(both).collect::<Vec<_>>().concat()).await;
    assert!(matches!(fate, Fate::GoAway(CALM)), "{fate:?}");
    assert!(world.echo.count() <= 100, "{} of 3000 reached the upstream", world.echo.count());
    let before = world.echo.count();
    // One by one, each given the time to reach the upstream.
    let mut conn = open(&world).await;
    let mut sent = 0;
    let fate = loop {
        conn.send(&request(2 * sent + 1, "GET", "/slow-stream?ms=50&chunks=1000", END)).await.unwrap();
        let mut begun = false;
        while !begun {
            match conn.next(Duration::from_millis(200)).await {
                Heard::Frame(one) if one.kind == kind::GOAWAY => break,
                Heard::Frame(one) => begun = one.kind == kind::HEADERS && one.stream == 2 * sent + 1,
                Heard::Silence | Heard::Closed => break,
            }
        }
        if !begun {
            break true;
        }
        conn.send(&reset(2 * sent + 1)).await.unwrap();
        sent += 1;
        if sent == 3000 {
            break false;
        }
    };
    assert!(fate, "three thousand requests one by one were made and reset");
    assert!(world.echo.count() - before < 1500, "{}", world.echo.count() - before);
    // What was given up is given up at the upstream too.
    until(|| world.echo.open_streams() == 0);
    until(|| world.metric(BAD) >= 2);
    let told = world.audited("bad-request");
    assert!(told.iter().any(|one| one.detail.contains("ENHANCE_YOUR_CALM")), "{told:?}");
    serves(&world).await;
}

#[tokio::test]
async fn a_client_that_gives_up_now_and_then_is_not_troubled() {
    let world = World::new();
    let mut conn = open(&world).await;
    for number in 0..400 {
        let stream = 4 * number + 1;
        conn.send(&request(stream, "GET", "/slow-stream?ms=50&chunks=1000", END)).await.unwrap();
        conn.send(&frame(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8])).await.unwrap();
        conn.send(&request(stream + 2, "GET", "/", END)).await.unwrap();
        assert_eq!(conn.fate(stream + 2, PATIENCE).await, Fate::Answer(200), "{number}");
    }
    assert_eq!(world.metric(BAD), 0);
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn header_blocks_without_end_and_beyond_all_size_end_the_connection() {
    let world = World::new();
    let begun = request(1, "GET", "/", flag::END_STREAM);
    // CONTINUATION frames without end: empty ones, small ones, and great ones.
    let before = memory();
    for size in [0, 10, 16_000] {
        let mut conn = open(&world).await;
        conn.send(&begun).await.unwrap();
        let field: Vec<u8> = block(&[("x", "a".repeat(90))]).repeat(1 + size / 95);
        let more = frame(kind::CONTINUATION, 0, 1, &field[..size.min(field.len())]);
        let fate = flood(&mut conn, 2000, |_| more.clone()).await;
        assert!(matches!(fate, Fate::GoAway(CALM | 1) | Fate::Closed), "{size}: {fate:?}");
    }
    // A remembered field of 4,000 bytes, named again and again: 16 kB that unpack to 60 MB.
    let mut conn = open(&world).await;
    let bomb = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'a'; 4000], &[0xbe; 12_000]].concat();
    let pseudo =
        block(&[(":method", "GET"), (":scheme", "https"), (":authority", "portal.test"), (":path", "/")]);
    conn.send(&frame(kind::HEADERS, END, 1, &[pseudo, bomb].concat())).await.unwrap();
    let fate = conn.fate(1, PATIENCE).await;
    assert!(matches!(fate, Fate::GoAway(CALM | 1) | Fate::Answer(431) | Fate::Reset(_)), "{fate:?}");
    assert!(memory() < before + 64 * 1024, "{} kB, then {} kB", before, memory());
    assert_eq!(world.echo.count(), 0);
    until(|| world.metric(BAD) >= 4);
    serves(&world).await;
}

#[tokio::test]
async fn frames_for_nothing_end_the_connection() {
    let world = World::new();
    let empty = frame(kind::DATA, 0, 1, &[]);
    let parts = [
        ("PING", frame(kind::PING, 0, 0, &[0; 8])),
        ("SETTINGS", frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 1, 0, 0])),
        ("empty SETTINGS", frame(kind::SETTINGS, 0, 0, &[])),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("unknown frames", frame(0xfe, 0, 0, &[])),
        ("empty DATA", empty.clone()),
        ("padding alone", frame(kind::DATA, flag::PADDED, 1, &[1, 0])),
    ];
    for (number, (what, part)) in (1..).zip(parts) {
        let mut conn = open(&world).await;
        if what == "empty DATA" || what == "padding alone" {
            conn.send(&request(1, "POST", "/sink", flag::END_HEADERS)).await.unwrap();
        }
        let fate = flood(&mut conn, 50, |_| part.repeat(200)).await;
        assert!(matches!(fate, Fate::GoAway(CALM)), "{what}: {fate:?}");
        until(|| world.metric(BAD) >= number);
        serves(&world).await;
    }
}

#[tokio::test]
async fn pings_of_a_client_that_gets_something_done_are_answered() {
    let world = World::new();
    let mut conn = open(&world).await;
    for number in 0..20 {
        conn.send(&frame(kind::PING, 0, 0, b"eightbyt").repeat(200)).await.unwrap();
        conn.send(&request(2 * number + 1, "GET", "/", END)).await.unwrap();
        assert_eq!(conn.fate(2 * number + 1, PATIENCE).await, Fate::Answer(200));
    }
    assert_eq!(world.metric(BAD), 0);
}

#[tokio::test]
async fn answers_that_nobody_takes_stay_at_the_upstream() {
    let world = World::with(|limits| limits.idle = Duration::from_secs(3));
    let before = memory();
    let mut conn = open(&world).await;
    // No window at all, or a byte at a time: a hundred answers of a gigabyte wait where they come from.
    conn.send(&frame(kind::SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 1])).await.unwrap();
    for number in 0..100 {
        conn.send(&request(2 * number + 1, "GET", "/bytes?n=1000000000", END)).await.unwrap();
    }
    until(|| world.echo.open_streams() == 100);
    for _ in 0..20 {
        for number in 0..100 {
            conn.send(&frame(kind::WINDOW_UPDATE, 0, 2 * number + 1, &[0, 0, 0, 1])).await.unwrap();
        }
    }
    conn.next(Duration::from_millis(500)).await;
    let more = memory().saturating_sub(before);
    assert!(more < 150 * 1024, "{more} kB more for a hundred answers");
    serves(&world).await;
    drop(conn);
    until(|| world.echo.open_streams() == 0);
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_given_up_though_more_comes_for_it() {
    let world = World::with(|limits| limits.idle = Duration::from_secs(2));
    let mut conn = open(&world).await;
    conn.send(&frame(kind::SETTINGS, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff])).await.unwrap();
    // The one fills all there is between the gate and the client; the other has a few bytes more again and again.
    conn.send(&request(1, "GET", "/bytes?n=1000000000", END)).await.unwrap();
    conn.send(&request(3, "GET", "/slow-stream?ms=50&chunks=100000", END)).await.unwrap();
    until(|| world.echo.open_streams() == 2);
    until(|| world.echo.open_streams() == 0);
    serves(&world).await;
}

#[tokio::test]
async fn malformed_requests_are_counted_each_and_end_a_connection_that_makes_nothing_else() {
    let world = World::new();
    let mut conn = open(&world).await;
    let broken = |stream| {
        let fields = [(":method", "GET"), (":scheme", "https"), (":authority", "portal.test"), (":path", "")];
        frame(kind::HEADERS, END, stream, &block(&fields))
    };
    for number in 0..5 {
        conn.send(&broken(2 * number + 1)).await.unwrap();
        assert_eq!(conn.fate(2 * number + 1, PATIENCE).await, Fate::Reset(1));
    }
    until(|| world.metric(BAD) == 5);
    let lines = world.lines(5);
    assert!(
        lines.iter().all(|line| (line.status, line.protocol, line.verdict) == (400, "HTTP/2.0", "refused"))
    );
    let entry = &world.audited("bad-request")[0];
    assert_eq!(entry.party.as_deref(), Some("alice"));
    assert!(entry.detail.contains("PROTOCOL_ERROR"), "{}", entry.detail);
    // More header than may be is answered.
    let fat =
        [
            &block(&[
                (":method", "GET"),
                (":scheme", "https"),
                (":authority", "portal.test"),
                (":path", "/"),
            ])[..],
            &block(&[("x", "a".repeat(16_000))]),
        ]
        .concat();
    let more = block(&[("y", "a".repeat(16_000))]);
    for (stream, flags) in [(21, flag::END_STREAM), (23, 0)] {
        let mut parts = frame(kind::HEADERS, flags, stream, &fat);
        for number in 0..4 {
            let flags = if number == 3 { flag::END_HEADERS } else { 0 };
            parts.extend(frame(kind::CONTINUATION, flags, stream, &more));
        }
        conn.send(&parts).await.unwrap();
        assert_eq!(conn.fate(stream, PATIENCE).await, Fate::Answer(431));
    }
    // One line each, whether or not a body was to come.
    until(|| world.metric(BAD) == 7);
    let lines = world.lines(7);
    assert!(lines[5..].iter().all(|line| (line.status, line.verdict) == (431, "refused")));
    assert_eq!(lines.len(), 7);
    assert_eq!(world.echo.count(), 0);
    // The connection goes on.
    conn.send(&request(25, "GET", "/", END)).await.unwrap();
    assert_eq!(conn.fate(25, PATIENCE).await, Fate::Answer(200));
    let fate = flood(&mut conn, 1, |_| (50..3000).flat_map(|number| broken(2 * number + 1)).collect()).await;
    assert!(matches!(fate, Fate::GoAway(CALM)), "{fate:?}");
    serves(&world).await;
}

#[tokio::test]
async fn a_stranger_has_one_stream_and_small_header_lists() {
    let world = World::new();
    let raw = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = raw.local_addr().unwrap().to_string();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let mut conn = world.client().open_frames(world.port(), "portal.test").await.unwrap();
    let Heard::Frame(settings) = conn.next(PATIENCE).await else { panic!("no SETTINGS") };
    let one =
        |id: u8| settings.payload.chunks(6).find(|one| one[..2] == [0, id]).map(|one| one[2..].to_vec());
    assert_eq!(one(3), Some(vec![0, 0, 0, 1]));
    assert_eq!(one(6), Some((16 * 1024_u32 + 1).to_be_bytes().to_vec()));
    assert!(one(8).is_none_or(|value| value == [0; 4]), "no WebSocket");
    let many =
        (0..50).map(|n| request(2 * n + 1, "POST", "/", flag::END_HEADERS)).collect::<Vec<_>>().concat();
    conn.send(&many).await.unwrap();
    let mut answers = 0;
    while let Heard::Frame(one) = conn.next(PATIENCE).await {
        answers += u32::from(one.kind == kind::HEADERS);
    }
    assert!(answers <= 1, "{answers} answers");
    raw.set_nonblocking(true).unwrap();
    assert!(raw.accept().is_err(), "the upstream was called");
}
