//! Raw HTTP/1.1, one row a case, judged by what the upstream saw: refused, or sent on with one framing and one meaning.

use std::time::Duration;

use gateway::Upstream;
use testkit::{Client, RawUpstream, chunked_end};

use crate::world::World;

/// What becomes of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// The upstream hears nothing of it.
    Refused,
    /// So many whole requests reach the upstream, each with an answer of its own.
    Passes(usize),
    /// A request may begin at the upstream, and is never whole.
    Cut,
}
use Expect::{Cut, Passes, Refused};

const INNER: &str = "GET /inner HTTP/1.1\r\nHost: portal.test\r\n\r\n";

/// A head with the site's host and these lines, then the rest.
fn request(start: &str, lines: &str, rest: &str) -> Vec<u8> {
    format!("{start}\r\nHost: portal.test\r\n{lines}\r\n{rest}").into_bytes()
}

fn get(lines: &str) -> Vec<u8> {
    request("GET /case HTTP/1.1", lines, "")
}

fn post(lines: &str, body: &str) -> Vec<u8> {
    request("POST /case HTTP/1.1", lines, body)
}

fn chunked(body: &str) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn start(line: &str) -> Vec<u8> {
    request(line, "", "")
}

fn hosted(lines: &str) -> Vec<u8> {
    format!("GET /case HTTP/1.1\r\n{lines}\r\n").into_bytes()
}

type Row = (&'static str, Vec<u8>, Expect);

fn lengths() -> Vec<Row> {
    let row = |name, value: &str, body: &str, expect| {
        (name, post(&format!("Content-Length:{value}\r\n"), body), expect)
    };
    vec![
        row("a length", " 3", "abc", Passes(1)),
        row("a length without a space", "3", "abc", Passes(1)),
        row("a length with spaces and tabs around", " \t3 \t", "abc", Passes(1)),
        row("a length with zeros before", " 0003", "abc", Passes(1)),
        row("a length of nothing", " 0", "", Passes(1)),
        row("a list of two lengths", " 3, 4", "abcd", Refused),
        row("a length with a sign", " +3", "abc", Refused),
        row("a negative length", " -3", "abc", Refused),
        row("a hexadecimal length", " 0x3", "abc", Refused),
        row("an empty length", " ", INNER, Refused),
        row("a length past all numbers", " 99999999999999999999999", "abc", Refused),
        row("a length just past 64 bit", " 18446744073709551616", "abc", Refused),
        row("a length with letters behind", " 3a", "abc", Refused),
        row("a broken length", " 3.0", "abc", Refused),
        row("a length with an exponent", " 1e1", "abcdefghij", Refused),
        row("a length in two words", " 3 3", "abc", Refused),
        row("a length in quotes", " \"3\"", "abc", Refused),
        row("a length with a NUL", " 3\0", "abc", Refused),
        row("a length in other digits", " \u{0663}", "abc", Refused),
        ("two lengths", post("Content-Length: 3\r\nContent-Length: 4\r\n", "abcd"), Refused),
        ("two lengths, the second empty", post("Content-Length: 3\r\nContent-Length:\r\n", "abc"), Refused),
        ("equal lengths", post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc"), Passes(1)),
        ("a length and a request behind it", post("Content-Length: 0\r\n", INNER), Passes(2)),
        (
            "a GET with a body that is a request",
            request("GET /case HTTP/1.1", &format!("Content-Length: {}\r\n", INNER.len()), INNER),
            Passes(1),
        ),
        (
            "a length and a name that only looks like one",
            post("Content-Length: 3\r\nContent_Length: 0\r\n", "abc"),
            Passes(1),
        ),
    ]
}

fn codings() -> Vec<Row> {
    let body = "3\r\nabc\r\n0\r\n\r\n";
    let row = |name, value: &str, expect| {
        (name, post(&format!("Transfer-Encoding:{value}\r\n"), &format!("{body}{INNER}")), expect)
    };
    let both = |name, lines: &str, expect| (name, post(lines, body), expect);
    vec![
        ("chunked", chunked(body), Passes(1)),
        ("chunked in capitals", post("TRANSFER-ENCODING: CHUNKED\r\n", body), Passes(1)),
        ("chunked with spaces", post("Transfer-Encoding: \t chunked \t\r\n", body), Passes(1)),
        row("an unknown coding", " xchunked", Refused),
        row("chunked not last", " chunked, identity", Refused),
        row("identity", " identity", Refused),
        row("an empty coding", "", Refused),
        row("chunked in quotes", " \"chunked\"", Refused),
        row("chunked with a parameter", " chunked;q=1", Refused),
        row("chunked behind a vertical tab", " \u{b}chunked", Refused),
        row("chunked behind a NUL", " \0chunked", Refused),
        row("chunked spelled with a Kelvin sign", " chun\u{212a}ed", Refused),
        (
            "a coding in HTTP/1.0",
            request("POST /case HTTP/1.0", "Transfer-Encoding: chunked\r\n", body),
            Refused,
        ),
        both("a space before the coding's colon", "Transfer-Encoding : chunked\r\n", Refused),
        both("a coding behind a bare CR", "X: a\rTransfer-Encoding: chunked\r\n", Refused),
        both("a folded coding", "Transfer-Encoding:\r\n chunked\r\n", Refused),
        both("length, then coding", "Content-Length: 60\r\nTransfer-Encoding: chunked\r\n", Passes(1)),
        both("coding, then length", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", Passes(1)),
        both("coding and a wrong length", "Transfer-Encoding: chunked\r\nContent-Length: x\r\n", Passes(1)),
    ]
}

fn chunks() -> Vec<Row> {
    let row = |name, body: &str, expect| (name, chunked(body), expect);
    vec![
        row("an extension", "3;x=\"y\"\r\nabc\r\n0\r\n\r\n", Passes(1)),
        row("a size in capitals", "A\r\nabcdefghij\r\n0\r\n\r\n", Passes(1)),
        row("a size with zeros before", "0003\r\nabc\r\n0\r\n\r\n", Passes(1)),
        row("a last chunk of many zeros", "3\r\nabc\r\n0000\r\n\r\n", Passes(1)),
        row("no chunk but the last", "0\r\n\r\n", Passes(1)),
        row("a size with a sign", "+3\r\nabc\r\n0\r\n\r\n", Cut),
        row("a size with 0x", "0x3\r\nabc\r\n0\r\n\r\n", Cut),
        row("a negative size", "-3\r\nabc\r\n0\r\n\r\n", Cut),
        row("no size", "\r\nabc\r\n0\r\n\r\n", Cut),
        row("a size with letters behind", "3g\r\nabc\r\n0\r\n\r\n", Cut),
        row("a size past all numbers", "fffffffffffffffff\r\nabc\r\n0\r\n\r\n", Cut),
        row("a size that wraps around", "10000000000000003\r\nabc\r\n0\r\n\r\n", Cut),
        row("more data than the size", "3\r\nabcX\r\n0\r\n\r\n", Cut),
        row("less data than the size", "5\r\nabc\r\n0\r\n\r\n", Cut),
        row("no line end behind the data", "3\r\nabc0\r\n\r\n", Cut),
        row("a bare LF behind the size", "3\nabc\r\n0\r\n\r\n", Cut),
        row("a bare CR behind the size", "3\rabc\r\n0\r\n\r\n", Cut),
        row("a line feed in an extension", "3;x\nabc\r\n0\r\n\r\n", Cut),
        row("a trailer", "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n", Passes(1)),
        row(
            "a trailer that would be an identity",
            "3\r\nabc\r\n0\r\nCountersign-Party: root\r\n\r\n",
            Passes(1),
        ),
        row("a trailer that would be a framing", "3\r\nabc\r\n0\r\nContent-Length: 9\r\n\r\n", Passes(1)),
        row("a request behind the last chunk", &format!("0\r\n\r\n{INNER}"), Passes(2)),
    ]
}

fn lines() -> Vec<Row> {
    let row = |name, line: &str, expect| (name, get(&format!("{line}\r\n")), expect);
    vec![
        row("a plain field", "X-A: b", Passes(1)),
        row("an empty value", "X-A:", Passes(1)),
        row("a value with bytes beyond ASCII", "X-A: \u{e9}", Passes(1)),
        row("a bare CR in a value", "X-A: a\rX-B: b", Refused),
        row("a NUL in a value", "X-A: a\0b", Refused),
        row("a vertical tab in a value", "X-A: a\u{b}b", Refused),
        row("DEL in a value", "X-A: a\u{7f}b", Refused),
        row("a folded line", "X-A: a\r\n b", Refused),
        row("a line folded by a tab", "X-A: a\r\n\tb", Refused),
        row("a space before the colon", "X-A : b", Refused),
        row("a tab before the colon", "X-A\t: b", Refused),
        row("an empty name", ": b", Refused),
        row("a space in a name", "X A: b", Refused),
        row("a NUL in a name", "X\0A: b", Refused),
        row("a name beyond ASCII", "X-\u{e9}: b", Refused),
        row("a parenthesis in a name", "X(A): b", Refused),
        row("a line without a colon", "X-A", Refused),
        (
            "white space before the first field",
            b"GET /case HTTP/1.1\r\n Host: portal.test\r\n\r\n".to_vec(),
            Refused,
        ),
        (
            "line feeds alone as line ends",
            b"GET /case HTTP/1.1\nHost: portal.test\nX: y\n\n".to_vec(),
            Passes(1),
        ),
        (
            "carriage returns alone as line ends",
            b"GET /case HTTP/1.1\rHost: portal.test\r\r".to_vec(),
            Refused,
        ),
        ("an empty line before the request", [b"\r\n".to_vec(), get("")].concat(), Passes(1)),
        ("a space before the request", [b" ".to_vec(), get("")].concat(), Refused),
    ]
}

fn starts() -> Vec<Row> {
    let row = |name, line: &str, expect| (name, start(line), expect);
    vec![
        row("a method of one's own", "FROB /case HTTP/1.1", Passes(1)),
        row("a query", "GET /case?a=b&c HTTP/1.1", Passes(1)),
        row("an absolute target of the same host", "GET https://portal.test/case HTTP/1.1", Passes(1)),
        row("an absolute target of another host", "GET https://other.test/case HTTP/1.1", Refused),
        row("an absolute target of a site that exists", "GET https://strict.test/case HTTP/1.1", Refused),
        row("a target with user information", "GET https://a@portal.test/case HTTP/1.1", Refused),
        row("a target without a slash", "GET case HTTP/1.1", Refused),
        row("a space in the path", "GET /case x HTTP/1.1", Refused),
        row("a bare CR in the path", "GET /case\rx HTTP/1.1", Refused),
        row("a NUL in the path", "GET /case\0 HTTP/1.1", Refused),
        row("another version", "GET /case HTTP/3.9", Refused),
        row("HTTP/2 by name alone", "GET /case HTTP/2.0", Refused),
        row("a version in small letters", "GET /case http/1.1", Refused),
        row("no version", "GET /case", Refused),
        row("a space behind the version", "GET /case HTTP/1.1 ", Refused),
        row("no method", " /case HTTP/1.1", Refused),
        row("a method that is no word", "G(T /case HTTP/1.1", Refused),
        row("CONNECT", "CONNECT portal.test:443 HTTP/1.1", Refused),
        row("TRACE", "TRACE /case HTTP/1.1", Refused),
        ("HTTP/0.9", b"GET /case\r\n\r\n".to_vec(), Refused),
        ("HTTP/2's preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), Refused),
        (
            "a hello in the clear inside",
            b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00\r\n\r\n".to_vec(),
            Refused,
        ),
    ]
}

fn hosts() -> Vec<Row> {
    let row = |name, lines: &str, expect| (name, hosted(lines), expect);
    vec![
        row("a host in capitals", "HOST: PORTAL.TEST\r\n", Passes(1)),
        row("a host with a dot behind", "Host: portal.test.\r\n", Passes(1)),
        row("a host with a port", "Host: portal.test:443\r\n", Passes(1)),
        row("no host", "", Refused),
        row("an empty host", "Host:\r\n", Refused),
        row("two hosts", "Host: portal.test\r\nHost: other.test\r\n", Refused),
        row("the same host twice", "Host: portal.test\r\nHost: portal.test\r\n", Refused),
        row("hosts in a list", "Host: portal.test, other.test\r\n", Refused),
        row("a space in the host", "Host: portal.test x\r\n", Refused),
        row("another host", "Host: other.test\r\n", Refused),
        row("another site", "Host: strict.test\r\n", Refused),
        row("user information", "Host: a@portal.test\r\n", Refused),
        row("a port past all ports", "Host: portal.test:99999\r\n", Refused),
        row("a path in the host", "Host: portal.test/x\r\n", Refused),
        row("a host with a NUL", "Host: portal.test\0\r\n", Refused),
        ("no host in HTTP/1.0", b"GET /case HTTP/1.0\r\n\r\n".to_vec(), Refused),
    ]
}

fn hops() -> Vec<Row> {
    let row = |name, lines: &str, expect| (name, get(lines), expect);
    vec![
        row(
            "Connection names our headers",
            "Connection: client-cert, countersign-party, host\r\n",
            Passes(1),
        ),
        row("an identity is brought along", "Countersign-Party: root\r\nClient_Cert: x\r\n", Passes(1)),
        row(
            "an upgrade to h2c",
            "Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n",
            Passes(1),
        ),
        row("TE", "TE: trailers, gzip\r\nConnection: te\r\n", Passes(1)),
        row("Keep-Alive and its kin", "Keep-Alive: timeout=9\r\nProxy-Connection: close\r\n", Passes(1)),
        (
            "Connection names the length",
            post("Connection: content-length\r\nContent-Length: 3\r\n", "abc"),
            Passes(1),
        ),
        (
            "Connection names the coding",
            post("Connection: transfer-encoding\r\nTransfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n"),
            Passes(1),
        ),
        ("two requests at once", [get(""), INNER.into()].concat(), Passes(2)),
        (
            "a bad one behind a good one",
            [get(""), b"GET /inner HTTP/1.1\r\n\r\n".to_vec()].concat(),
            Passes(1),
        ),
        ("a request behind the last one", [get("Connection: close\r\n"), INNER.into()].concat(), Passes(1)),
        ("a head of 70 kB", get(&format!("X-A: {}\r\n", "a".repeat(70_000))), Refused),
        ("a path of 70 kB", start(&format!("GET /case{} HTTP/1.1", "a".repeat(70_000))), Refused),
        (
            "a hundred and one fields",
            get(&(0..101).map(|n| format!("X-{n}: a\r\n")).collect::<String>()),
            Refused,
        ),
    ]
}

/// A request that the upstream saw: its head, and whether its body is whole.
pub struct Seen {
    pub head: String,
    pub whole: bool,
}

/// What stands on the upstream's connections, read with the strictest of framing.
pub fn seen(raw: &RawUpstream) -> Vec<Seen> {
    let mut all = Vec::new();
    for bytes in raw.received() {
        // One byte is one character, so that lengths stay right.
        let ascii = bytes.iter().map(|byte| if byte.is_ascii() { *byte as char } else { '?' });
        let mut rest: String = ascii.collect();
        while let Some((head, after)) = rest.split_once("\r\n\r\n") {
            let lower = head.to_ascii_lowercase();
            let lengths: Vec<usize> = lower
                .lines()
                .filter_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok())
                .collect();
            let codings = lower.lines().filter(|line| line.starts_with("transfer-encoding:")).count();
            assert!(lengths.len() + codings <= 1, "more than one framing:\n{head}");
            assert_eq!(lower.lines().filter(|line| line.starts_with("host:")).count(), 1, "{head}");
            assert_eq!(lower.matches("\r\ncountersign-party: alice").count(), 1, "{head}");
            assert_eq!(lower.matches("client-cert: :").count(), 1, "{head}");
            assert!(
                !lower.contains("root") && !head.replace("\r\n", "").contains(['\r', '\n', '\0']),
                "{head:?}"
            );
            let end = match (codings, lengths.first()) {
                (1, _) => chunked_end(after.as_bytes()),
                (_, length) => length.copied().or(Some(0)).filter(|length| *length <= after.len()),
            };
            all.push(Seen { head: head.to_owned(), whole: end.is_some() });
            rest = match end {
                Some(end) => after[end..].to_owned(),
                None => String::new(),
            };
        }
        assert_eq!(rest, "", "bytes outside any request");
    }
    all
}

/// Sends the bytes, and reads until as many answers are there as are expected, or the end.
async fn send(client: &Client, port: u16, bytes: &[u8], expect: Expect) -> String {
    let mut connection = client.connect(port, "portal.test").await.unwrap();
    connection.send_raw(bytes).await.unwrap();
    let wanted = if let Passes(count) = expect { count } else { 1 };
    let mut said = String::new();
    // What is cut may stay without an answer: then the client goes, and the upstream's half request with it.
    let patience = Duration::from_millis(if expect == Cut { 300 } else { 10_000 });
    while said.matches("HTTP/1.1 ").count() < wanted {
        match tokio::time::timeout(patience, connection.read_some()).await {
            Ok(Ok(more)) if !more.is_empty() => said += &String::from_utf8_lossy(&more),
            _ => break,
        }
    }
    said
}

#[tokio::test]
async fn each_case_is_refused_or_has_one_meaning() {
    let world = World::new();
    let raw = RawUpstream::start();
    let address = format!("127.0.0.1:{}", raw.port());
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let alice = world.client().showing(&world.alice);
    let rows = [lengths(), codings(), chunks(), lines(), starts(), hosts(), hops()].concat();
    assert!(rows.len() >= 100, "{}", rows.len());
    let mut wrong = Vec::new();
    let mut said = Vec::new();
    for (number, (_, bytes, expect)) in rows.iter().enumerate() {
        // Latin-1 for what lies beyond ASCII; a number in each path tells the cases apart.
        let text = String::from_utf8(bytes.clone()).unwrap();
        let text =
            text.replace("/case", &format!("/case{number}.")).replace("/inner", &format!("/inner{number}."));
        said.push(send(&alice, world.port(), text.as_bytes(), *expect).await);
    }
    let seen = seen(&raw);
    for (number, (name, _, expect)) in rows.iter().enumerate() {
        let of_case = |one: &&Seen| {
            [format!("/case{number}."), format!("/inner{number}.")].iter().any(|path| {
                one.head.split(' ').nth(1).is_some_and(|target| target.starts_with(path.as_str()))
            })
        };
        let reached: Vec<&Seen> = seen.iter().filter(of_case).collect();
        let whole = reached.iter().filter(|one| one.whole).count();
        let answered = said[number].matches("HTTP/1.1 200").count();
        let right = match expect {
            Refused => reached.is_empty() && answered == 0,
            Passes(count) => whole == *count && reached.len() == *count && answered == *count,
            Cut => whole == 0 && answered == 0,
        };
        if !right {
            let heads: Vec<&str> = reached.iter().map(|one| one.head.as_str()).collect();
            let first = said[number].lines().next().unwrap_or_default();
            wrong.push(format!("{name}: {expect:?}, but {whole} whole of {heads:#?}; answer: {first}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
