//! Raw HTTP/2, one row a case, judged by what the HTTP/1.1 upstream saw: refused, or sent on with one framing and one
//! meaning.

use std::time::Duration;

use gateway::Upstream;
use testkit::client::frames::{block, flag, frame, kind};
use testkit::{Fate, RawUpstream};

use crate::http1_table::{Seen, seen};
use crate::world::World;

/// What becomes of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expect {
    /// The upstream hears nothing of it.
    Refused,
    /// One whole request reaches the upstream and is answered; its head has these texts, and has not those.
    Passes(Vec<&'static str>, Vec<&'static str>),
    /// A request may begin at the upstream, and is never whole.
    Cut,
}
use Expect::{Cut, Passes, Refused};

/// A name, the frames of stream 1, what becomes of it.
type Row = (&'static str, Vec<u8>, Expect);
type Field = (Vec<u8>, Vec<u8>);

fn field(name: &str, value: &str) -> Field {
    // One character is one byte here, so that what is no UTF-8 can be written.
    let bytes = |text: &str| text.chars().map(|c| c as u8).collect();
    (bytes(name), bytes(value))
}

fn passes() -> Expect {
    Passes(vec![], vec![])
}

fn start(method: &str) -> Vec<Field> {
    [(":method", method), (":scheme", "https"), (":authority", "portal.test"), (":path", "/case")]
        .map(|(name, value)| field(name, value))
        .to_vec()
}

fn headers(fields: &[Field], flags: u8) -> Vec<u8> {
    let block = block(fields);
    // No frame is longer than 16,384 bytes.
    let mut parts = block.chunks(16_000);
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<Vec<u8>> = parts.map(|part| frame(kind::CONTINUATION, 0, 1, part)).collect();
    if let Some(last) = rest.last_mut() {
        last[4] = flag::END_HEADERS;
    }
    let ends = if rest.is_empty() { flag::END_HEADERS } else { 0 };
    [frame(kind::HEADERS, ends | flags, 1, first), rest.concat()].concat()
}

fn data(bytes: &[u8], flags: u8) -> Vec<u8> {
    frame(kind::DATA, flags, 1, bytes)
}

/// A request of these fields alone, without a body.
fn bare(fields: &[(&str, &str)]) -> Vec<u8> {
    let fields: Vec<Field> = fields.iter().map(|(name, value)| field(name, value)).collect();
    headers(&fields, flag::END_STREAM)
}

/// A GET with these fields.
fn get(fields: &[(&str, &str)]) -> Vec<u8> {
    let more = fields.iter().map(|(name, value)| field(name, value));
    headers(&start("GET").into_iter().chain(more).collect::<Vec<_>>(), flag::END_STREAM)
}

/// A POST with these fields and these frames behind them.
fn post(fields: &[(&str, &str)], rest: &[u8]) -> Vec<u8> {
    let more = fields.iter().map(|(name, value)| field(name, value));
    [headers(&start("POST").into_iter().chain(more).collect::<Vec<_>>(), 0), rest.to_vec()].concat()
}

/// A GET whose pseudo-header `name` is `value`.
fn with(name: &str, value: &str) -> Vec<u8> {
    let fields: Vec<Field> = start("GET")
        .into_iter()
        .map(|one| if one.0 == name.as_bytes() { field(name, value) } else { one })
        .collect();
    headers(&fields, flag::END_STREAM)
}

/// A GET without the pseudo-header `name`, with these fields.
fn without(name: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let fields = start("GET").into_iter().filter(|one| one.0 != name.as_bytes());
    let more = more.iter().map(|(name, value)| field(name, value));
    headers(&fields.chain(more).collect::<Vec<_>>(), flag::END_STREAM)
}

const METHOD: (&str, &str) = (":method", "GET");
const SCHEME: (&str, &str) = (":scheme", "https");
const HOST: (&str, &str) = (":authority", "portal.test");
const PATH: (&str, &str) = (":path", "/case");

fn pseudo() -> Vec<Row> {
    vec![
        ("a plain request", get(&[]), Passes(vec!["HTTP/1.1", "Host: portal.test"], vec![":path"])),
        ("pseudo-headers in another order", bare(&[PATH, HOST, SCHEME, METHOD]), passes()),
        ("a pseudo-header behind a field", bare(&[METHOD, SCHEME, HOST, ("x", "y"), PATH]), Refused),
        ("two methods", bare(&[METHOD, METHOD, SCHEME, HOST, PATH]), Refused),
        ("two schemes", bare(&[METHOD, SCHEME, SCHEME, HOST, PATH]), Refused),
        ("two authorities", bare(&[METHOD, SCHEME, HOST, HOST, PATH]), Refused),
        ("two paths", bare(&[METHOD, SCHEME, HOST, PATH, (":path", "/inner")]), Refused),
        ("no method", without(":method", &[]), Refused),
        ("no scheme", without(":scheme", &[]), Refused),
        ("no path", without(":path", &[]), Refused),
        ("no authority and no host", without(":authority", &[]), Refused),
        ("a host for the authority", without(":authority", &[("host", "portal.test")]), passes()),
        ("a status in a request", bare(&[METHOD, SCHEME, HOST, PATH, (":status", "200")]), Refused),
        ("an unknown pseudo-header", bare(&[METHOD, SCHEME, HOST, PATH, (":party", "root")]), Refused),
        ("a pseudo-header without a name", bare(&[METHOD, SCHEME, HOST, PATH, (":", "x")]), Refused),
        ("a pseudo-header in capitals", bare(&[(":METHOD", "GET"), SCHEME, HOST, PATH]), Refused),
        (
            "a protocol without CONNECT",
            bare(&[METHOD, (":protocol", "websocket"), SCHEME, HOST, PATH]),
            Refused,
        ),
        ("no field at all", headers(&[], flag::END_STREAM), Refused),
    ]
}

fn methods_and_paths() -> Vec<Row> {
    vec![
        ("a method of one's own", with(":method", "FROB"), passes()),
        ("a method in small letters", with(":method", "get"), passes()),
        ("a method with a space", with(":method", "G T"), Refused),
        ("a method that is a request line", with(":method", "GET /inner HTTP/1.1\r\nX:"), Refused),
        ("an empty method", with(":method", ""), Refused),
        ("TRACE", with(":method", "TRACE"), Refused),
        ("CONNECT to a port", bare(&[(":method", "CONNECT"), (":authority", "portal.test:443")]), Refused),
        ("CONNECT with a path", with(":method", "CONNECT"), Refused),
        (
            "CONNECT for UDP",
            bare(&[(":method", "CONNECT"), (":protocol", "connect-udp"), SCHEME, HOST, PATH]),
            Refused,
        ),
        ("an empty path", with(":path", ""), Refused),
        ("a path without a slash", with(":path", "case"), Refused),
        ("a path with a space", with(":path", "/case x"), Refused),
        ("a path with a version", with(":path", "/case HTTP/1.1\r\nX: y"), Refused),
        ("a path with CR", with(":path", "/case\rx"), Refused),
        ("a path with LF", with(":path", "/case\nx"), Refused),
        ("a path with NUL", with(":path", "/case\0"), Refused),
        ("a path with DEL", with(":path", "/case\u{7f}"), Refused),
        ("a whole URI for a path", with(":path", "https://other.test/case"), Refused),
        ("a query", with(":path", "/case?a=b&c"), Passes(vec!["?a=b&c HTTP/1.1"], vec![])),
        ("another scheme", with(":scheme", "http"), Passes(vec!["x-forwarded-proto: https"], vec![])),
        ("a scheme with a space", with(":scheme", "ht tps"), Refused),
        ("a scheme that is a URI", with(":scheme", "https://other.test/?"), Refused),
        ("a path of 70 kB", with(":path", &format!("/case{}", "a".repeat(70_000))), Refused),
    ]
}

fn hosts() -> Vec<Row> {
    vec![
        ("an authority in capitals", with(":authority", "PORTAL.TEST"), passes()),
        ("an authority with a dot behind", with(":authority", "portal.test."), passes()),
        ("an authority with a port", with(":authority", "portal.test:443"), passes()),
        ("an empty authority", with(":authority", ""), Refused),
        ("another host", with(":authority", "other.test"), Refused),
        ("another site", with(":authority", "strict.test"), Refused),
        ("user information", with(":authority", "a@portal.test"), Refused),
        ("a path in the authority", with(":authority", "portal.test/x"), Refused),
        ("a space in the authority", with(":authority", "portal.test x"), Refused),
        ("hosts in a list", with(":authority", "portal.test,other.test"), Refused),
        ("a port past all ports", with(":authority", "portal.test:99999"), Refused),
        ("the same host beside", get(&[("host", "portal.test")]), passes()),
        ("another host beside", get(&[("host", "other.test")]), Refused),
        ("another site beside", get(&[("host", "strict.test")]), Refused),
        ("two hosts beside", get(&[("host", "portal.test"), ("host", "portal.test")]), Refused),
        ("an empty host beside", get(&[("host", "")]), Refused),
    ]
}

fn names() -> Vec<Row> {
    let row = |what, name: &str| (what, get(&[(name, "b")]), Refused);
    vec![
        ("a plain field", get(&[("x-a", "b")]), Passes(vec!["x-a: b"], vec![])),
        row("a name in capitals", "X-Upper"),
        row("one capital in a name", "x-uppeR"),
        row("an empty name", ""),
        row("a space in a name", "x a"),
        row("a space behind a name", "x-a "),
        row("a tab in a name", "x\ta"),
        row("a CR in a name", "x\ra"),
        row("a line end in a name", "x\r\ncountersign-party"),
        row("a NUL in a name", "x\0a"),
        row("DEL in a name", "x\u{7f}a"),
        row("a colon in a name", "x:a"),
        row("a colon behind a name", "x-a:"),
        row("a name beyond ASCII", "x-\u{e9}"),
        row("a parenthesis in a name", "x(a)"),
    ]
}

fn values() -> Vec<Row> {
    let row = |what, value: &str| (what, get(&[("x-a", value)]), Refused);
    vec![
        row("a CR in a value", "a\rb"),
        row("an LF in a value", "a\nb"),
        row("a header line in a value", "a\r\ncountersign-party: root"),
        row("a request in a value", "a\r\n\r\nGET /inner HTTP/1.1\r\nHost: portal.test\r\n\r\n"),
        row("a NUL in a value", "a\0b"),
        row("a vertical tab in a value", "a\u{b}b"),
        row("DEL in a value", "a\u{7f}b"),
        row("a space before a value", " a"),
        row("a space behind a value", "a "),
        row("a tab before a value", "\ta"),
        row("a tab behind a value", "a\t"),
        ("an empty value", get(&[("x-a", "")]), passes()),
        ("a tab inside a value", get(&[("x-a", "a\tb")]), passes()),
        ("a value with bytes beyond ASCII", get(&[("x-a", "\u{e9}")]), passes()),
        ("a value of 60 kB", get(&[("x-a", &"a".repeat(60_000))]), passes()),
        ("a value of 70 kB", get(&[("x-a", &"a".repeat(70_000))]), Refused),
    ]
}

fn connection_fields() -> Vec<Row> {
    vec![
        ("Connection", get(&[("connection", "close")]), Refused),
        ("Connection that names our header", get(&[("connection", "client-cert")]), Refused),
        ("Keep-Alive", get(&[("keep-alive", "timeout=9")]), Refused),
        ("Proxy-Connection", get(&[("proxy-connection", "close")]), Refused),
        ("Upgrade", get(&[("upgrade", "websocket")]), Refused),
        (
            "a coding",
            post(&[("transfer-encoding", "chunked")], &data(b"0\r\n\r\n", flag::END_STREAM)),
            Refused,
        ),
        ("TE", get(&[("te", "trailers")]), Passes(vec!["te: trailers"], vec![])),
        ("TE with a coding", get(&[("te", "gzip")]), Refused),
        ("TE with a coding beside", get(&[("te", "trailers, gzip")]), Refused),
        (
            "settings of another protocol",
            get(&[("http2-settings", "AA")]),
            Passes(vec![], vec!["http2-settings"]),
        ),
        (
            "a name that only looks like a coding's",
            get(&[("transfer_encoding", "chunked")]),
            Passes(vec![], vec!["transfer-encoding: chunked"]),
        ),
    ]
}

fn lengths() -> Vec<Row> {
    let inner = b"GET /inner HTTP/1.1\r\nHost: portal.test\r\n\r\n";
    let abc = data(b"abc", flag::END_STREAM);
    let row = |what, length: &str, expect| (what, post(&[("content-length", length)], &abc), expect);
    let once = || Passes(vec!["content-length: 3"], vec!["transfer-encoding"]);
    vec![
        row("the right length", "3", once()),
        row("a length with zeros before", "0003", passes()),
        row("a length that is too small", "2", Cut),
        row("a length that is too big", "4", Cut),
        row("a length of nothing and a body", "0", Cut),
        row("a length with a sign", "+3", Refused),
        row("a negative length", "-3", Refused),
        row("a hexadecimal length", "0x3", Refused),
        row("an empty length", "", Refused),
        row("a list of lengths", "3, 3", Refused),
        row("a length past all numbers", "18446744073709551619", Refused),
        ("two lengths", post(&[("content-length", "3"), ("content-length", "4")], &abc), Refused),
        ("equal lengths", post(&[("content-length", "3"), ("content-length", "3")], &abc), Refused),
        ("a length and no body", get(&[("content-length", "5")]), Refused),
        ("a length of nothing and no body", get(&[("content-length", "0")]), passes()),
        ("no length", post(&[], &abc), Passes(vec!["transfer-encoding: chunked"], vec!["content-length"])),
        ("no length and no body", post(&[], &data(b"", flag::END_STREAM)), passes()),
        ("a body that is a request", post(&[], &data(inner, flag::END_STREAM)), passes()),
        (
            "a body that ends a chunked one",
            post(&[], &data(&[b"0\r\n\r\n", &inner[..]].concat(), flag::END_STREAM)),
            passes(),
        ),
        (
            "a name that only looks like a length's",
            post(&[("content_length", "0")], &abc),
            Passes(vec!["transfer-encoding: chunked"], vec![]),
        ),
        ("a body without an end", post(&[], &data(b"abc", 0)), Cut),
        (
            "a body that is reset",
            post(&[], &[data(b"abc", 0), frame(kind::RST_STREAM, 0, 1, &[0, 0, 0, 8])].concat()),
            Cut,
        ),
    ]
}

fn identities() -> Vec<Row> {
    let row = |what, name: &str| (what, get(&[(name, "root")]), passes());
    vec![
        row("our own header", "countersign-party"),
        row("our header with an underscore", "countersign_party"),
        row("our header with a dot", "countersign.party"),
        row("Client-Cert", "client-cert"),
        row("Client-Cert with an underscore", "client_cert"),
        row("Client-Cert-Chain", "client-cert-chain"),
        row("another proxy's header", "x-forwarded-client-cert"),
        row("another proxy's with underscores", "x_client_subject"),
        row("another proxy's with dots", "x.client.subject"),
        row("nginx' header", "ssl_client_s_dn"),
        row("the address", "x-forwarded-for"),
        row("the address with underscores", "x_forwarded_for"),
        row("Forwarded", "forwarded"),
        row("what observing tells", "countersign-would-refuse"),
        (
            "cookies in crumbs",
            get(&[("cookie", "a=1"), ("x-a", "b"), ("cookie", "b=2"), ("cookie", "c=3")]),
            Passes(vec!["cookie: a=1; b=2; c=3\r\n"], vec![]),
        ),
    ]
}

fn trailers() -> Vec<Row> {
    let trailed = |fields: &[(&str, &str)], flags| {
        let fields: Vec<Field> = fields.iter().map(|(name, value)| field(name, value)).collect();
        post(&[], &[data(b"abc", 0), headers(&fields, flags)].concat())
    };
    let end = flag::END_STREAM;
    vec![
        ("a trailer", trailed(&[("x-sum", "1")], end), passes()),
        ("a trailer that would be an identity", trailed(&[("countersign-party", "root")], end), passes()),
        ("a trailer that would be a framing", trailed(&[("content-length", "9")], end), passes()),
        ("a trailer without an end", trailed(&[("x-sum", "1")], 0), Cut),
        // A deviation from RFC 9113 section 8.1, which calls such a request malformed: the library takes pseudo-headers
        // out of trailers before anybody sees them. The upstream never has them, whatever is announced.
        (
            "a path among announced trailers",
            post(
                &[("trailer", "x-sum, :path")],
                &[data(b"abc", 0), headers(&[field(":path", "/inner"), field("x-sum", "1")], end)].concat(),
            ),
            passes(),
        ),
        ("a path among trailers", trailed(&[(":path", "/inner")], end), passes()),
        ("a method among trailers", trailed(&[(":method", "GET"), ("x-sum", "1")], end), passes()),
        ("a request's head twice", post(&[], &headers(&start("GET"), end)), passes()),
        ("capitals among trailers", trailed(&[("X-Sum", "1")], end), Cut),
        ("a line end in a trailer", trailed(&[("x-sum", "1\r\ncountersign-party: root")], end), Cut),
        ("a coding among trailers", trailed(&[("transfer-encoding", "chunked")], end), Cut),
    ]
}

fn frames() -> Vec<Row> {
    let whole = block(&start("GET"));
    let (first, second) = whole.split_at(7);
    let padded = [&[5][..], &whole, &[0; 5]].concat();
    let many: Vec<(String, &str)> = (0..101).map(|n| (format!("x-{n}"), "a")).collect();
    let some = |count: usize| {
        let fields: Vec<(&str, &str)> =
            many[..count].iter().map(|(name, value)| (name.as_str(), *value)).collect();
        get(&fields)
    };
    let end = flag::END_STREAM;
    vec![
        (
            "a head in pieces",
            [
                frame(kind::HEADERS, end, 1, first),
                frame(kind::CONTINUATION, 0, 1, &second[..3]),
                frame(kind::CONTINUATION, flag::END_HEADERS, 1, &second[3..]),
            ]
            .concat(),
            passes(),
        ),
        ("a head without its end", frame(kind::HEADERS, end, 1, &whole), Refused),
        ("a padded head", frame(kind::HEADERS, end | flag::END_HEADERS | flag::PADDED, 1, &padded), passes()),
        (
            "a head with more padding than there is",
            frame(kind::HEADERS, end | flag::END_HEADERS | flag::PADDED, 1, &[&[255][..], &whole].concat()),
            Refused,
        ),
        (
            "a padded body",
            post(&[("content-length", "3")], &frame(kind::DATA, end | flag::PADDED, 1, b"\x04abc\0\0\0\0")),
            Passes(vec!["content-length: 3"], vec![]),
        ),
        (
            "a body in pieces",
            post(
                &[("content-length", "3")],
                &[data(b"a", 0), data(b"", 0), data(b"bc", 0), data(b"", end)].concat(),
            ),
            Passes(vec!["content-length: 3"], vec![]),
        ),
        ("a hundred fields", some(100), passes()),
        ("a hundred and one fields", some(101), Refused),
    ]
}

#[tokio::test]
async fn each_case_is_refused_or_has_one_meaning() {
    let world = World::new();
    let raw = RawUpstream::start();
    let address = format!("127.0.0.1:{}", raw.port());
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let alice = world.client().showing(&world.alice);
    let rows = [
        pseudo(),
        methods_and_paths(),
        hosts(),
        names(),
        values(),
        connection_fields(),
        lengths(),
        identities(),
        trailers(),
        frames(),
    ]
    .concat();
    assert!(rows.len() >= 120, "{}", rows.len());
    let mut fates = Vec::new();
    for (number, (name, bytes, expect)) in rows.iter().enumerate() {
        let mut conn = alice.open_frames(world.port(), "portal.test").await.unwrap();
        conn.send(&numbered(bytes, number)).await.unwrap();
        // What is cut may stay without an answer: then the client goes, and the upstream's half request with it.
        let patience = if *expect == Cut { 300 } else { 10_000 };
        let half = *name == "a head without its end";
        fates.push(conn.fate(1, Duration::from_millis(if half { 300 } else { patience })).await);
    }
    assert!(!raw.text().contains("\n:"), "a pseudo-header reached the upstream");
    let seen = seen(&raw);
    assert!(seen.iter().all(|one| !one.head.contains(" /inner")), "a request came out of another");
    let mut wrong = Vec::new();
    for (number, (name, _, expect)) in rows.iter().enumerate() {
        let digits = format!("{number:03}");
        let of_case =
            |one: &&Seen| one.head.split(' ').nth(1).unwrap_or_default().starts_with(&format!("/c{digits}"));
        let reached: Vec<&Seen> = seen.iter().filter(of_case).collect();
        let whole = reached.iter().filter(|one| one.whole).count();
        let answered = fates[number] == Fate::Answer(200);
        let right = match expect {
            Refused => reached.is_empty() && !answered && fates[number] != Fate::Answer(0),
            Cut => whole == 0 && !answered,
            Passes(has, has_not) => {
                let head = reached.first().map(|one| format!("{}\r\n", one.head)).unwrap_or_default();
                let lower = head.to_ascii_lowercase();
                let has = has.iter().all(|text| lower.contains(&text.to_ascii_lowercase()));
                let lacks = has_not.iter().all(|text| !lower.contains(text));
                reached.len() == 1 && whole == 1 && answered && has && lacks
            }
        };
        if !right {
            let heads: Vec<&str> = reached.iter().map(|one| one.head.as_str()).collect();
            wrong.push(format!("{name}: {expect:?}, but {whole} whole of {heads:#?}; {:?}", fates[number]));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let refusals = world.metric("countersign_refusals_total{site=\"portal.test\",reason=\"bad-request\"}");
    let refused = rows.iter().filter(|(_, _, expect)| *expect == Refused).count() as u64;
    assert!(refusals >= refused * 3 / 4, "{refusals} of {refused} are counted");
}

/// The case's path with its number in it, of the same length.
fn numbered(bytes: &[u8], number: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let wanted = b"/case";
    let replaced = format!("/c{number:03}");
    for at in 0..bytes.len().saturating_sub(wanted.len()) + 1 {
        if bytes[at..].starts_with(wanted) {
            bytes[at..at + 5].copy_from_slice(replaced.as_bytes());
        }
    }
    bytes
}
