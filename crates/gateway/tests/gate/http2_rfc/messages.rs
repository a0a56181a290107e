//! RFC 9113 sections 8.1 to 8.5 and RFC 8441 section 4: what is a request.

use testkit::client::frames::{block, flag, frame, kind};

use super::case::*;

pub(super) fn messages() -> Vec<Case> {
    let mut all = Vec::new();
    for (clause, what, change) in [
        ("9113 8.2", "a name in capitals", ("X-Upper", "x")),
        ("9113 8.2.1", "a NUL in a name", ("x\0y", "x")),
        ("9113 8.2.1", "a CR in a name", ("x\ry", "x")),
        ("9113 8.2.1", "an LF in a name", ("x\ny", "x")),
        ("9113 8.2.1", "a space in a name", ("x y", "x")),
        ("9113 8.2.1", "DEL in a name", ("x\x7fy", "x")),
        ("9113 8.2.1", "bytes beyond ASCII in a name", ("x\u{e9}", "x")),
        ("9113 8.2.1", "a colon in a name", ("x:y", "x")),
        ("9113 8.2.1", "an empty name", ("", "x")),
        ("9113 8.2.1", "a NUL in a value", ("x", "a\0b")),
        ("9113 8.2.1", "a CR in a value", ("x", "a\rb")),
        ("9113 8.2.1", "an LF in a value", ("x", "a\nb")),
        ("9113 8.2.1", "a space before a value", ("x", " a")),
        ("9113 8.2.1", "a space behind a value", ("x", "a ")),
        ("9113 8.2.1", "a tab before a value", ("x", "\ta")),
        ("9113 8.2.1", "a tab behind a value", ("x", "a\t")),
        ("9113 8.2.2", "Connection", ("connection", "close")),
        ("9113 8.2.2", "Proxy-Connection", ("proxy-connection", "close")),
        ("9113 8.2.2", "Keep-Alive", ("keep-alive", "timeout=1")),
        ("9113 8.2.2", "Transfer-Encoding", ("transfer-encoding", "chunked")),
        ("9113 8.2.2", "Upgrade", ("upgrade", "h2c")),
        ("9113 8.2.2", "TE with something else", ("te", "gzip")),
        ("9113 8.3", "an unknown pseudo-header", (":foo", "x")),
        ("9113 8.3", "a pseudo-header of responses", (":status", "200")),
        ("9113 8.3.1", "an empty path", (":path", "")),
        ("9113 8.3.1", "a path without a slash", (":path", "case")),
        ("9113 8.3.1", "user information in the authority", (":authority", "a@portal.test")),
        ("9113 8.3.1", "a host that differs from the authority", ("host", "other.test")),
        ("9113 8.1.1", "a length without a body", ("content-length", "3")),
        ("9113 8.1.1", "a length that is no number", ("content-length", "x")),
        ("8441 4", "a protocol without CONNECT", (":protocol", "websocket")),
    ] {
        all.push(case(clause, what, fields(&[change]), Malformed));
    }
    let [method, scheme, host, path] =
        [(":method", "GET"), (":scheme", "https"), (":authority", "portal.test"), (":path", "/case")];
    let connect = (":method", "CONNECT");
    let protocol = (":protocol", "websocket");
    for (clause, what, list) in [
        ("9113 8.3.1", "no method", vec![scheme, host, path]),
        ("9113 8.3.1", "no scheme", vec![method, host, path]),
        ("9113 8.3.1", "no path", vec![method, scheme, host]),
        ("9113 8.3", "a pseudo-header behind a field", vec![method, scheme, host, ("x", "y"), path]),
        ("9113 8.3", "two methods", vec![method, method, scheme, host, path]),
        ("9113 8.3", "two schemes", vec![method, scheme, scheme, host, path]),
        ("9113 8.3", "two authorities", vec![method, scheme, host, host, path]),
        ("9113 8.3", "two paths", vec![method, scheme, host, path, path]),
        ("9113 8.5", "CONNECT with a scheme and a path", vec![connect, scheme, host, path]),
        ("9113 8.5", "CONNECT with a path", vec![connect, host, path]),
        ("9113 8.5", "CONNECT without an authority", vec![connect]),
        ("8441 4", "extended CONNECT without a path", vec![connect, protocol, scheme, host]),
        ("8441 4", "extended CONNECT without a scheme", vec![connect, protocol, host, path]),
        ("8441 4", "two protocols", vec![connect, protocol, protocol, scheme, host, path]),
    ] {
        all.push(case(clause, what, only(&list), Malformed));
    }
    let long = |length: &'static str| {
        let fields = [request("POST"), vec![("content-length", length)]].concat();
        frame(kind::HEADERS, flag::END_HEADERS, 1, &block(&fields))
    };
    all.extend([
        case(
            "9113 8.1.1",
            "a body shorter than its length",
            [long("4"), data(1, 1, b"abc")].concat(),
            Malformed,
        ),
        case(
            "9113 8.1.1",
            "a body longer than its length",
            [long("2"), data(1, 1, b"abc")].concat(),
            Malformed,
        ),
        case(
            "9113 8.1.1",
            "a body in parts longer than its length",
            [long("3"), data(1, 0, b"ab"), data(1, 1, b"cd")].concat(),
            Malformed,
        ),
        case(
            "9113 8.1.1",
            "a body in parts of its length",
            [long("4"), data(1, 0, b"ab"), data(1, 1, b"cd")].concat(),
            Answer,
        ),
        // Not malformed to the library, which drops it: no upstream hears of it, and the request is what it was.
        case(
            "9113 8.3",
            "a pseudo-header among trailers",
            [open(1), frame(kind::HEADERS, END, 1, &block(&[(":path", "/")]))].concat(),
            Answer,
        ),
        case(
            "9113 8.2",
            "capitals among trailers",
            [open(1), frame(kind::HEADERS, END, 1, &block(&[("X", "y")]))].concat(),
            Malformed,
        ),
        case("9113 8.2.2", "TE: trailers", fields(&[("te", "trailers")]), Answer),
        case("9113 8.2.3", "cookies in crumbs", fields(&[("cookie", "a=1"), ("cookie", "b=2")]), Answer),
        case(
            "9113 8.3.1",
            "a host for the authority",
            only(&[method, scheme, path, ("host", "portal.test")]),
            Answer,
        ),
    ]);
    all
}
