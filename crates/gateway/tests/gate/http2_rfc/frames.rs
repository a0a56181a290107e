//! RFC 9113 sections 4.1, 4.2 and 6: what frames are made of, each type's form and place.

use testkit::client::frames::{block, flag, frame, kind};

use super::case::*;

pub(super) fn frames() -> Vec<Case> {
    let mut all = vec![
        case("9113 4.1", "a frame of an unknown type on the connection", frame(0xfe, 0, 0, b"x"), Serve),
        case("9113 4.1", "a frame of an unknown type on an idle stream", frame(0xfe, 0, 1, b"x"), Serve),
        case(
            "9113 5.5",
            "a frame of an unknown type within a body",
            [open(1), frame(0xfe, 0, 1, b"x"), data(1, 1, b"abc")].concat(),
            Answer,
        ),
        case("9113 4.1", "undefined flags on PING", frame(kind::PING, 0xfe, 0, &[0; 8]), Serve),
        case("9113 4.1", "undefined flags on SETTINGS", frame(kind::SETTINGS, 0xfe, 0, &[]), Serve),
        case("9113 4.1", "undefined flags on HEADERS", head(1, END | 0xc2, "GET"), Answer),
        case("9113 4.1", "undefined flags on DATA", [open(1), data(1, 0xf7, b"abc")].concat(), Answer),
        case("9113 4.1", "the reserved bit on HEADERS", get(1 | 1 << 31), Answer),
        case("9113 4.1", "the reserved bit on PING", frame(kind::PING, 0, 1 << 31, &[0; 8]), Serve),
        case("9113 4.1", "the reserved bit on WINDOW_UPDATE", window(1 << 31, 1), Serve),
        case("9113 6.9", "the reserved bit of an increment", window(0, 1 | 1 << 31), Serve),
        case(
            "9113 4.2",
            "DATA of the greatest length",
            [open(1), data(1, 1, &[b'x'; 16_384])].concat(),
            Answer,
        ),
        case(
            "9113 4.2",
            "DATA of one byte more",
            [open(1), data(1, 1, &[b'x'; 16_385])].concat(),
            Reset(1, &[SIZE]),
        ),
        case(
            "9113 4.2",
            "HEADERS of one byte more",
            frame(kind::HEADERS, END, 1, &[0; 16_385]),
            End(&[SIZE]),
        ),
        case(
            "9113 4.2",
            "SETTINGS of too many bytes",
            frame(kind::SETTINGS, 0, 0, &[0; 16_386]),
            End(&[SIZE]),
        ),
        case("9113 4.2", "an unknown type of too many bytes", frame(0xfe, 0, 0, &[0; 16_385]), End(&[SIZE])),
        case("9113 6.1", "DATA on the connection", data(0, 1, b"abc"), End(&[PROTOCOL])),
        case(
            "9113 6.1",
            "DATA with padding as long as itself",
            [open(1), data(1, 1 | flag::PADDED, &[3, 0, 0])].concat(),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 6.1",
            "padded DATA without the padding's length",
            [open(1), data(1, 1 | flag::PADDED, &[])].concat(),
            End(&[PROTOCOL, SIZE]),
        ),
        case(
            "9113 6.1",
            "padded DATA",
            [open(1), data(1, 1 | flag::PADDED, b"\x02abc\0\0")].concat(),
            Answer,
        ),
        case(
            "9113 6.1",
            "DATA of padding alone",
            [open(1), data(1, 1 | flag::PADDED, b"\x02\0\0")].concat(),
            Answer,
        ),
        case("9113 6.2", "HEADERS on the connection", get(0), End(&[PROTOCOL])),
        case(
            "9113 6.2",
            "HEADERS with too much padding",
            frame(kind::HEADERS, END | flag::PADDED, 1, &[&[200][..], &block(&request("GET"))].concat()),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 6.2",
            "padded HEADERS",
            frame(
                kind::HEADERS,
                END | flag::PADDED,
                1,
                &[&[2][..], &block(&request("GET")), &[0; 2]].concat(),
            ),
            Answer,
        ),
        case(
            "9113 6.2",
            "HEADERS with a priority",
            frame(
                kind::HEADERS,
                END | flag::PRIORITY,
                1,
                &[&[0, 0, 0, 0, 9][..], &block(&request("GET"))].concat(),
            ),
            Answer,
        ),
        case(
            "9113 6.2",
            "HEADERS too short for their priority",
            frame(kind::HEADERS, END | flag::PRIORITY, 1, &[0; 4]),
            End(&[PROTOCOL, SIZE]),
        ),
        case(
            "9113 6.3",
            "PRIORITY on the connection",
            frame(kind::PRIORITY, 0, 0, &[0, 0, 0, 0, 1]),
            End(&[PROTOCOL]),
        ),
        case("9113 6.3", "PRIORITY on an idle stream", frame(kind::PRIORITY, 0, 9, &[0, 0, 0, 0, 1]), Serve),
        case(
            "9113 6.4",
            "RST_STREAM on the connection",
            frame(kind::RST_STREAM, 0, 0, &number(8)),
            End(&[PROTOCOL]),
        ),
        case("9113 6.4", "RST_STREAM of an idle stream", reset(1), End(&[PROTOCOL])),
        case(
            "9113 7",
            "RST_STREAM with an unknown code",
            [open(1), frame(kind::RST_STREAM, 0, 1, &number(0xff))].concat(),
            Serve,
        ),
        case(
            "9113 6.6",
            "PUSH_PROMISE of a client",
            frame(kind::PUSH_PROMISE, 4, 1, &[0, 0, 0, 2, 0x82]),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 8.4",
            "PUSH_PROMISE of a client on an open stream",
            [open(1), frame(kind::PUSH_PROMISE, 4, 1, &[&number(2)[..], &block(&request("GET"))].concat())]
                .concat(),
            End(&[PROTOCOL]),
        ),
        case("9113 6.7", "PING on a stream", frame(kind::PING, 0, 1, &[0; 8]), End(&[PROTOCOL])),
        case("9113 6.7", "an answer to no PING", frame(kind::PING, flag::ACK, 0, &[0; 8]), Serve),
        case("9113 6.8", "GOAWAY on a stream", frame(kind::GOAWAY, 0, 1, &[0; 8]), End(&[PROTOCOL])),
        case("9113 6.9", "an increment of nothing on the connection", window(0, 0), End(&[PROTOCOL])),
        case(
            "9113 6.9",
            "an increment of nothing on a stream",
            [open(1), window(1, 0)].concat(),
            Reset(1, &[PROTOCOL]),
        ),
        case("9113 6.9", "WINDOW_UPDATE on an idle stream", window(1, 1), End(&[PROTOCOL])),
        case(
            "9113 6.9.1",
            "a connection's window past 2^31-1",
            [window(0, 0x7fff_ffff), window(0, 1)].concat(),
            End(&[FLOW]),
        ),
        case(
            "9113 6.9.1",
            "a stream's window past 2^31-1",
            [open(1), window(1, 0x7fff_ffff), window(1, 1)].concat(),
            Reset(1, &[FLOW]),
        ),
        case("9113 6.9.1", "a connection's window of 2^31-1", window(0, 0x7fff_ffff - 65_535), Serve),
        case(
            "9113 6.9.2",
            "a stream's window past 2^31-1 by a setting",
            [open(1), window(1, 0x7fff_ffff - 65_535), setting(4, 65_536)].concat(),
            End(&[FLOW]),
        ),
    ];
    for (kind, name, good) in [
        (kind::PRIORITY, "PRIORITY", 5),
        (kind::RST_STREAM, "RST_STREAM", 4),
        (kind::PING, "PING", 8),
        (kind::WINDOW_UPDATE, "WINDOW_UPDATE", 4),
        (kind::SETTINGS, "SETTINGS", 6),
    ] {
        for length in [good - 1, good + 1] {
            let stream = u32::from(!matches!(kind, kind::PING | kind::SETTINGS));
            let bytes = [open(1), frame(kind, 0, stream, &vec![1; length])].concat();
            let must = if kind == kind::PRIORITY { Reset(1, &[SIZE]) } else { End(&[SIZE]) };
            all.push(case("9113 6", format!("{name} of {length} bytes"), bytes, must));
        }
    }
    all.push(case("9113 6.8", "GOAWAY of 7 bytes", frame(kind::GOAWAY, 0, 0, &[0; 7]), End(&[SIZE])));
    all.push(case(
        "9113 6.9",
        "WINDOW_UPDATE of 3 bytes on the connection",
        frame(kind::WINDOW_UPDATE, 0, 0, &[0; 3]),
        End(&[SIZE]),
    ));
    all
}
