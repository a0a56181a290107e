//! The limits on one connection and one request, each at both sides of its boundary, with the answer that it promises.

use std::time::Duration;

use gateway::Upstream;
use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Conn, Fate, H2Frames, Leaf, TestCert};

use crate::world::{World, until};

/// Ends a hang; promises nothing.
const PATIENCE: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(1500);
const END: u8 = flag::END_STREAM | flag::END_HEADERS;
const BAD: &str = "countersign_refusals_total{site=\"portal.test\",reason=\"bad-request\"}";

async fn alice(world: &World) -> Conn {
    world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap()
}

fn ask(stream: u32, method: &str, path: &str, more: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let fields = [(":method", method), (":scheme", "https"), (":authority", "portal.test"), (":path", path)];
    frame(kind::HEADERS, flags, stream, &block(&[&fields[..], more].concat()))
}

#[tokio::test]
async fn a_handshake_has_its_time_and_who_is_through_in_time_stays() {
    let world = World::with(|limits| {
        limits.handshake = SHORT;
        (limits.first_request, limits.headers) = (LONG, LONG);
    });
    let mut through = alice(&world).await;
    // Silent, in the middle of the hello's head, and in the middle of the hello.
    for sent in [&b""[..], b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01\x00"] {
        let mut slow = Conn::plain(world.port(), "portal.test").await.unwrap();
        slow.send_raw(sent).await.unwrap();
        let (said, _) = slow.ended_within(PATIENCE).await.expect("it is closed");
        assert_eq!(said, b"", "without a word");
    }
    let late = "countersign_handshakes_total{site=\"\",protocol=\"none\",result=\"timeout\"}";
    until(|| world.metric(late) == 3);
    assert_eq!(through.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_makes_its_first_request_in_time_and_may_idle_longer_then() {
    let world = World::with(|limits| (limits.first_request, limits.idle) = (SHORT, LONG));
    let client = world.client().showing(&world.alice);
    let mut used = alice(&world).await;
    assert_eq!(used.get("/", &[]).await.unwrap().status, 200);
    let used_h2 = client.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(used_h2.get("/", &[]).await.unwrap().status, 200);
    let mut idle = alice(&world).await;
    assert!(idle.ended_within(PATIENCE).await.is_some());
    let mut idle_h2 = client.open_frames(world.port(), "portal.test").await.unwrap();
    assert_eq!(idle_h2.fate(1, PATIENCE).await, Fate::Closed);
    assert_eq!(used.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(used_h2.get("/", &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_connection_idles_so_long_between_requests_and_no_longer() {
    let world = World::with(|limits| (limits.first_request, limits.idle) = (LONG, SHORT));
    let client = world.client().showing(&world.alice);
    let mut waiting = alice(&world).await;
    let waiting_h2 = client.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut used = alice(&world).await;
    // An answer that takes longer than an idle connection may stay is no idling.
    let answer = used.get("/slow-stream?ms=20&chunks=100", &[]).await.unwrap();
    assert_eq!((answer.status, answer.body.is_empty()), (200, false));
    let mut used_h2 = client.connect_h2(world.port(), "portal.test").await.unwrap();
    let answer = used_h2.get("/slow-stream?ms=20&chunks=100", &[]).await.unwrap();
    assert_eq!((answer.status, answer.body.is_empty()), (200, false));
    assert!(used.ended_within(PATIENCE).await.is_some());
    assert!(used_h2.ended_within(PATIENCE).await.is_some());
    assert_eq!(waiting.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(waiting_h2.get("/", &[]).await.unwrap().status, 200);
}

/// An address where nobody takes a connection: the system lets it wait for its place in a queue that is full.
struct Full {
    address: String,
    _queue: (tokio::net::TcpListener, Vec<tokio::net::TcpStream>),
}

impl Full {
    async fn new() -> Self {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        let connect = || tokio::net::TcpStream::connect(address);
        while let Ok(one) = tokio::time::timeout(Duration::from_millis(500), connect()).await {
            waiting.push(one.unwrap());
            assert!(waiting.len() < 100, "the queue has no end");
        }
        Self { address: address.to_string(), _queue: (listener, waiting) }
    }
}

#[tokio::test]
async fn an_upstream_that_takes_no_connection_in_time_is_504_and_one_that_does_is_asked() {
    let world = World::with(|limits| (limits.connect, limits.first_byte) = (SHORT, LONG));
    let full = Full::new().await;
    let address = full.address.clone();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let answer = alice(&world).await.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (504, "upstream-timeout".to_owned()));
    let reference = answer.json()["reference"].as_str().unwrap().to_owned();
    let line = &world.lines(1)[0];
    assert_eq!((line.status, &line.reference, line.verdict), (504, &reference, "admitted"));

    world.apply_site("portal.test", vec![], |_| {}, |_| {});
    // Once it is connected, an upstream may take longer than that.
    assert_eq!(alice(&world).await.get("/slow-stream?ms=20&chunks=100", &[]).await.unwrap().status, 200);
}

#[tokio::test]
async fn an_upstream_that_falls_silent_within_an_answer_is_cut_and_one_that_goes_on_is_not() {
    let world = World::with(|limits| limits.upstream_idle = SHORT);
    let mut conn = alice(&world).await;
    let whole = conn.get("/slow-stream?ms=20&chunks=100", &[]).await.unwrap();
    assert_eq!(whole.status, 200, "longer in all than it may be silent");
    let chunk = whole.body.len() / 100;
    conn.send_request("GET", "/slow-stream?ms=60000&chunks=3", &[], b"").await.unwrap();
    assert_eq!(conn.read_head().await.unwrap().status, 200);
    let (rest, _) = conn.ended_within(PATIENCE).await.expect("it is cut");
    assert!(!rest.ends_with(b"0\r\n\r\n"), "the end can be told from a whole answer");
    assert!(rest.len() < 2 * chunk + 32, "{}", String::from_utf8_lossy(&rest));

    let client = world.client().showing(&world.alice);
    let h2 = client.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut stream =
        h2.start("GET", "portal.test", "/slow-stream?ms=60000&chunks=3", &[], b"").await.unwrap();
    let end = async {
        while stream.next().await?.is_some() {}
        Ok::<_, testkit::Broken>(())
    };
    assert!(tokio::time::timeout(PATIENCE, end).await.expect("it is cut").is_err());
    assert_eq!(h2.get("/", &[]).await.unwrap().status, 200, "the connection goes on");
}

#[tokio::test]
async fn a_hundred_streams_run_at_once_and_the_next_is_refused() {
    let world = World::new();
    let client = world.client().showing(&world.alice);
    let mut conn = client.open_frames(world.port(), "portal.test").await.unwrap();
    for number in 0..100 {
        conn.send(&ask(2 * number + 1, "GET", "/slow-stream?ms=100&chunks=100000", &[], END)).await.unwrap();
    }
    until(|| world.echo.open_streams() == 100);
    conn.send(&ask(201, "GET", "/", &[], END)).await.unwrap();
    // REFUSED_STREAM: nothing was done with it, and it may be sent again (RFC 9113 section 8.7).
    assert_eq!(conn.fate(201, PATIENCE).await, Fate::Reset(7));
    assert_eq!((world.echo.count(), world.echo.open_streams()), (100, 100));
    conn.send(&frame(kind::RST_STREAM, 0, 1, &[0, 0, 0, 8])).await.unwrap();
    until(|| world.echo.open_streams() == 99);
    conn.send(&ask(203, "GET", "/", &[], END)).await.unwrap();
    assert_eq!(conn.fate(203, PATIENCE).await, Fate::Answer(200));
    until(|| world.metric(BAD) == 1);
    assert!(world.audited("bad-request")[0].detail.contains("REFUSED_STREAM"));
}

/// The gate's answer to a request over HTTP/1.1 whose head has exactly so many bytes.
async fn head_of(world: &World, bytes: usize) -> u16 {
    let mut conn = alice(world).await;
    let begin = "GET / HTTP/1.1\r\nHost: portal.test\r\nX: ";
    let head = format!("{begin}{}\r\n\r\n", "a".repeat(bytes - begin.len() - 4));
    assert_eq!(head.len(), bytes);
    conn.send_raw(head.as_bytes()).await.unwrap();
    let answer = conn.read_head().await.unwrap();
    if answer.status == 431 {
        conn.read_to_end().await.unwrap();
    }
    answer.status
}

#[tokio::test]
async fn a_head_of_64_kb_is_served_and_a_byte_more_is_431_and_logged() {
    let world = World::new();
    assert_eq!(head_of(&world, 65_536).await, 200);
    assert_eq!(head_of(&world, 65_537).await, 431);
    assert_eq!(world.echo.count(), 1);
    until(|| world.metric(BAD) == 1);
    let line = &world.lines(2)[1];
    assert_eq!((line.status, line.protocol, line.verdict), (431, "HTTP/1.1", "refused"));
    let entry = &world.audited("bad-request")[0];
    assert_eq!((entry.party.as_deref(), &entry.reference), (Some("alice"), &line.reference));
}

/// The frames of a request whose header list has so many bytes, each field counted with 32 more (RFC 9113 section
/// 6.5.2).
fn list_of(stream: u32, method: &str, bytes: usize, flags: u8) -> Vec<u8> {
    let mut fields = vec![
        (":method", method.to_owned()),
        (":scheme", "https".into()),
        (":authority", "portal.test".into()),
        (":path", "/".into()),
    ];
    let size = |fields: &[(&str, String)]| -> usize {
        fields.iter().map(|(name, value)| name.len() + value.len() + 32).sum()
    };
    while bytes - size(&fields) > 1100 {
        fields.push(("x", "a".repeat(1000)));
    }
    let rest = bytes - size(&fields) - 33;
    fields.push(("y", "a".repeat(rest)));
    assert_eq!(size(&fields), bytes);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let whole = block(&fields);
    let parts: Vec<&[u8]> = whole.chunks(16_384).collect();
    let mut all = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let end = if number + 1 == parts.len() { flag::END_HEADERS } else { 0 };
        let (kind, flags) =
            if number == 0 { (kind::HEADERS, flags | end) } else { (kind::CONTINUATION, end) };
        all.extend(frame(kind, flags, stream, part));
    }
    all
}

#[tokio::test]
async fn a_header_list_of_64_kb_is_served_and_a_byte_more_is_431_and_logged_each_time() {
    let world = World::new();
    let client = world.client().showing(&world.alice);
    // With and without a table for compressed fields: what is a bare 431 is known either way.
    for table in [0, 4096_u32] {
        let (seen, logged, bad) = (world.echo.count(), world.lines(0).len(), world.metric(BAD));
        let mut conn: H2Frames = client.open_frames(world.port(), "portal.test").await.unwrap();
        let setting = [&[0, 1][..], &table.to_be_bytes()].concat();
        conn.send(&frame(kind::SETTINGS, 0, 0, &setting)).await.unwrap();
        let cases = [
            ("GET", 65_536, flag::END_STREAM),
            ("GET", 65_537, flag::END_STREAM),
            ("HEAD", 65_537, flag::END_STREAM),
            ("HEAD", 1_000, flag::END_STREAM),
            ("POST", 65_537, 0),
            ("GET", 65_537, flag::END_STREAM),
        ];
        for (stream, (method, bytes, flags)) in (1..).step_by(2).zip(cases) {
            conn.send(&list_of(stream, method, bytes, flags)).await.unwrap();
            let fate = conn.fate(stream, PATIENCE).await;
            // With a table the status is a number in it, which this client does not look up.
            let known = if bytes > 65_536 { 431 } else { 200 };
            assert!(
                fate == Fate::Answer(known) || (table > 0 && fate == Fate::Answer(0)),
                "{table}, {method} of {bytes}: {fate:?}"
            );
        }
        until(|| world.metric(BAD) - bad == 4);
        assert_eq!(world.echo.count() - seen, 2, "{table}");
        let lines = world.lines(logged + 6).split_off(logged);
        let of = |status| lines.iter().filter(|line| line.status == status).collect::<Vec<_>>();
        assert_eq!((lines.len(), of(200).len(), of(431).len()), (6, 2, 4), "{table}: {lines:?}");
        assert!(of(431).iter().all(|line| (line.protocol, line.verdict) == ("HTTP/2.0", "refused")));
        assert!(of(431).iter().all(|line| line.reference == world.audited("bad-request")[0].reference));
    }
    let entry = &world.audited("bad-request")[0];
    assert_eq!(entry.party.as_deref(), Some("alice"));
    assert!(entry.detail.contains("header list"), "{}", entry.detail);
}

#[tokio::test]
async fn a_hundred_fields_are_served_and_one_more_is_431() {
    let world = World::new();
    let client = world.client().showing(&world.alice);
    let names: Vec<String> = (0..101).map(|n| format!("x-{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let h2 = client.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(h2.get("/", &fields[..100]).await.unwrap().status, 200);
    let answer = h2.get("/", &fields).await.unwrap();
    assert_eq!((answer.status, answer.code()), (431, "bad-request".to_owned()));
    // With Host it is one more.
    assert_eq!(alice(&world).await.get("/", &fields[..99]).await.unwrap().status, 200);
    assert_eq!(alice(&world).await.get("/", &fields[..100]).await.unwrap().status, 431);
    assert_eq!(world.echo.count(), 2);
    let statuses =
        |lines: Vec<gateway::AccessEntry>| lines.iter().map(|line| line.status).collect::<Vec<_>>();
    assert_eq!(statuses(world.lines(4)), [200, 431, 200, 431]);
}

#[tokio::test]
async fn a_body_within_the_limit_passes_on_http_2_and_a_byte_more_is_413() {
    let world = World::new();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.manners.max_body = Some(10));
    let client = world.client().showing(&world.alice);
    let mut conn = client.open_frames(world.port(), "portal.test").await.unwrap();
    let data = |stream, bytes: &[u8]| frame(kind::DATA, flag::END_STREAM, stream, bytes);
    let mut stream = 1;
    for said in [true, false] {
        for (body, status) in [(&b"ten bytes."[..], 200), (b"elevenbytes", 413)] {
            let length = body.len().to_string();
            let fields = [("content-length", length.as_str())];
            let fields = if said { &fields[..] } else { &[] };
            let head = ask(stream, "POST", "/sink", fields, flag::END_HEADERS);
            conn.send(&[head, data(stream, body)].concat()).await.unwrap();
            assert_eq!(conn.fate(stream, PATIENCE).await, Fate::Answer(status), "{said}, {length}");
            stream += 2;
        }
    }
    assert_eq!(world.echo.count(), 2, "none beyond the limit was heard of whole");
    let mut statuses: Vec<u16> = world.lines(4).iter().map(|line| line.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 413, 413]);
}

/// A certificate of exactly so many bytes.
fn of_bytes(bytes: usize) -> TestCert {
    let made = |filler: usize| {
        Leaf::new("fat").extension("1.3.6.1.4.1.55555.1.2", false, &vec![0; filler]).self_signed()
    };
    let filler = bytes - made(bytes / 2).der.len() + bytes / 2;
    // The length of a signature differs by a byte or two from one to the next.
    (0..1000).map(|_| made(filler)).find(|cert| cert.der.len() == bytes).expect("one of this length")
}

#[tokio::test]
async fn certificates_of_just_the_bytes_allowed_are_heard_and_a_byte_more_is_alert_42() {
    let world = World::with(|limits| limits.client_certificate_bytes = 4096);
    for (bytes, fits) in [(4096, true), (4097, false)] {
        let client = world.client().showing(&of_bytes(bytes));
        for client in [client.clone().tls12(), client.tls13()] {
            match client.knock(world.port(), "portal.test", "/").await {
                Ok(answer) => assert_eq!((answer.code().as_str(), fits), ("unknown-issuer", true)),
                Err(ended) => assert_eq!((ended.alert, fits), (Some(42), false), "{ended}"),
            }
        }
    }
    assert_eq!(world.echo.count(), 0);
}
