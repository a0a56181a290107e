//! RFC 9113 sections 5.1 and 8.1: the states of a stream, and the order of its frames.

use testkit::client::frames::{block, flag, frame, kind};

use super::case::*;

pub(super) fn streams() -> Vec<Case> {
    let priority = |stream| frame(kind::PRIORITY, 0, stream, &[0, 0, 0, 0, 1]);
    let more = frame(kind::CONTINUATION, flag::END_HEADERS, 1, &[]);
    let streams = (0..101).map(|n| open(2 * n + 1)).collect::<Vec<_>>().concat();
    vec![
        case("9113 5.1", "idle: DATA", data(1, 1, b"abc"), End(&[PROTOCOL])),
        case("9113 5.1", "idle: CONTINUATION", more.clone(), End(&[PROTOCOL])),
        case("9113 5.1", "half-closed: DATA", [get(1), data(1, 1, b"abc")].concat(), Reset(1, &[CLOSED])),
        case("9113 5.1", "half-closed: HEADERS", [get(1), get(1)].concat(), Reset(1, &[CLOSED])),
        case(
            "9113 5.1",
            "half-closed: CONTINUATION",
            [get(1), more.clone()].concat(),
            End(&[PROTOCOL, CLOSED]),
        ),
        case("9113 5.1", "half-closed: WINDOW_UPDATE", [get(1), window(1, 9)].concat(), Answer),
        case("9113 5.1", "half-closed: PRIORITY", [get(1), priority(1)].concat(), Answer),
        case("9113 5.1", "half-closed: RST_STREAM", [get(1), reset(1)].concat(), Serve),
        case(
            "9113 5.1",
            "reset: DATA",
            [open(1), reset(1), data(1, 1, b"abc")].concat(),
            Reset(1, &[CLOSED]),
        ),
        case(
            "9113 5.1",
            "reset: HEADERS",
            [open(1), reset(1), get(1)].concat(),
            Reset(1, &[CLOSED, PROTOCOL]),
        ),
        case(
            "9113 5.1",
            "reset: CONTINUATION",
            [open(1), reset(1), more.clone()].concat(),
            End(&[PROTOCOL, CLOSED]),
        ),
        case("9113 5.1", "reset: WINDOW_UPDATE", [open(1), reset(1), window(1, 9)].concat(), Serve),
        case("9113 5.1", "reset: RST_STREAM", [open(1), reset(1), reset(1)].concat(), Serve),
        case("9113 5.1", "reset: PRIORITY", [open(1), reset(1), priority(1)].concat(), Serve),
        after("9113 5.1", "closed: DATA", get(1), data(1, 1, b"abc"), Reset(1, &[CLOSED])),
        after("9113 5.1", "closed: HEADERS", get(1), get(1), Reset(1, &[CLOSED, PROTOCOL])),
        after("9113 5.1", "closed: CONTINUATION", get(1), more, End(&[PROTOCOL, CLOSED])),
        after("9113 5.1", "closed: WINDOW_UPDATE", get(1), window(1, 9), Serve),
        after("9113 5.1", "closed: RST_STREAM", get(1), reset(1), Serve),
        after("9113 5.1", "closed: PRIORITY", get(1), priority(1), Serve),
        case("9113 5.1.1", "a stream with an even number", get(2), End(&[PROTOCOL])),
        case(
            "9113 5.1.1",
            "a stream with a number that was passed over",
            [open(5), get(3)].concat(),
            End(&[PROTOCOL, CLOSED]),
        ),
        case("9113 5.1.1", "a stream that leaves numbers out", [get(1), get(77)].concat(), Answer),
        case(
            "9113 5.1.2",
            "more streams at once than were allowed",
            streams,
            Reset(201, &[PROTOCOL, REFUSED]),
        ),
        case(
            "9113 8.1",
            "trailers without an end",
            [open(1), data(1, 0, b"abc"), frame(kind::HEADERS, 4, 1, &block(&[("x", "y")]))].concat(),
            Malformed,
        ),
        case(
            "9113 8.1",
            "trailers",
            [open(1), data(1, 0, b"abc"), frame(kind::HEADERS, END, 1, &block(&[("x", "y")]))].concat(),
            Answer,
        ),
        case(
            "9113 8.1",
            "DATA behind trailers",
            [open(1), frame(kind::HEADERS, END, 1, &block(&[("x", "y")])), data(1, 1, b"abc")].concat(),
            Reset(1, &[CLOSED]),
        ),
        case("9113 8.1", "a body without bytes", [open(1), data(1, 1, b"")].concat(), Answer),
        case(
            "9113 8.1",
            "trailers without a body",
            [open(1), frame(kind::HEADERS, END, 1, &block(&[("x", "y")]))].concat(),
            Answer,
        ),
    ]
}
