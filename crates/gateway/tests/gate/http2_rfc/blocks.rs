//! RFC 9113 sections 4.3 and 6.10, and RFC 7541: header blocks and their compression.

use testkit::client::frames::{block, flag, frame, kind};

use super::case::*;

pub(super) fn blocks() -> Vec<Case> {
    let whole = block(&request("GET"));
    let begun = frame(kind::HEADERS, flag::END_STREAM, 1, &whole);
    let more = |flags, stream, bytes: &[u8]| frame(kind::CONTINUATION, flags, stream, bytes);
    let mut all = vec![
        case(
            "9113 6.10",
            "a block in three",
            [frame(kind::HEADERS, 1, 1, &whole[..9]), more(0, 1, &whole[9..20]), more(4, 1, &whole[20..])]
                .concat(),
            Answer,
        ),
        case("9113 6.10", "a block with an empty rest", [begun.clone(), more(4, 1, &[])].concat(), Answer),
        case(
            "9113 6.10",
            "CONTINUATION of another stream",
            [begun.clone(), more(4, 3, &[])].concat(),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 6.10",
            "CONTINUATION of the connection",
            [begun.clone(), more(4, 0, &[])].concat(),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 6.10",
            "CONTINUATION behind a whole block",
            [get(1), more(4, 1, &[])].concat(),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 6.10",
            "CONTINUATION behind DATA",
            [open(1), data(1, 0, b"abc"), more(4, 1, &[])].concat(),
            End(&[PROTOCOL]),
        ),
        case(
            "9113 4.3",
            "a block that ends within a field",
            raw(&whole[..whole.len() - 2]),
            End(&[COMPRESSION]),
        ),
    ];
    for (what, between) in [
        ("PING", ping()),
        ("SETTINGS", frame(kind::SETTINGS, 0, 0, &[])),
        ("DATA", data(1, 0, b"abc")),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("RST_STREAM", reset(1)),
        ("WINDOW_UPDATE", window(0, 1)),
        ("GOAWAY", frame(kind::GOAWAY, 0, 0, &[0; 8])),
        ("other HEADERS", get(3)),
        ("an unknown frame", frame(0xfe, 0, 0, b"x")),
    ] {
        let bytes = [begun.clone(), between, more(4, 1, &[])].concat();
        all.push(case("9113 4.3", format!("{what} within a block"), bytes, End(&[PROTOCOL])));
    }
    for (clause, what, rest, must) in [
        ("7541 6.1", "index 0", &[0x80][..], End(&[COMPRESSION])),
        ("7541 2.3.3", "an index behind both tables", &[0xff, 0], End(&[COMPRESSION])),
        ("7541 2.3.3", "a name's index behind both tables", &[0x7f, 0x40, 1, b'x'], End(&[COMPRESSION])),
        (
            "7541 5.1",
            "an integer that never ends",
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f],
            End(&[COMPRESSION]),
        ),
        (
            "7541 5.2",
            "a string longer than its block",
            &[0, 0x7f, 0x80, 0x80, 0x80, 0x10],
            End(&[COMPRESSION]),
        ),
        ("7541 5.2", "Huffman padding of zeros", &[0, 1, b'x', 0x81, 0x00], End(&[COMPRESSION])),
        (
            "7541 5.2",
            "Huffman padding of a byte and more",
            &[0, 1, b'x', 0x82, 0x1f, 0xff],
            End(&[COMPRESSION]),
        ),
        (
            "7541 5.2",
            "EOS within a Huffman string",
            &[0, 1, b'x', 0x84, 0xff, 0xff, 0xff, 0xff],
            End(&[COMPRESSION]),
        ),
        ("7541 4.2", "a change of the table's size behind a field", &[0x20], End(&[COMPRESSION])),
        ("7541 6.2.1", "a field to be remembered", &[0x40, 1, b'x', 1, b'y'], Answer),
        ("7541 2.3.2", "a remembered field again", &[0x40, 1, b'x', 1, b'y', 0xbe], Answer),
        ("7541 6.2.3", "a field never to be remembered", &[0x10, 1, b'x', 1, b'y'], Answer),
        (
            "7541 6.2.3",
            "a field never remembered, by index",
            &[0x10, 1, b'x', 1, b'y', 0xbe],
            End(&[COMPRESSION]),
        ),
        ("7541 6.1", "a field of the fixed table", &[0x90], Answer),
        ("7541 5.2", "a Huffman-coded value", &[0, 1, b'x', 0x81, 0x1f], Answer),
        (
            "7541 5.1",
            "an integer with zeros behind",
            &[0, 1, b'x', 0x7f, 0x81, 0x80, 0x00],
            End(&[COMPRESSION]),
        ),
    ] {
        all.push(case(clause, what, coded(rest), must));
    }
    let sized = |sizes: &[u8]| raw(&[sizes, &block(&request("GET"))].concat());
    all.extend([
        case("7541 6.3", "a table of no bytes", sized(&[0x20]), Answer),
        case("7541 6.3", "a table of 4,096 bytes", sized(&[0x3f, 0xe1, 0x1f]), Answer),
        case("7541 4.2", "two changes of the table's size", sized(&[0x20, 0x3f, 0xe1, 0x1f]), Answer),
        case("7541 6.3", "a table of 4,097 bytes", sized(&[0x3f, 0xe2, 0x1f]), End(&[COMPRESSION])),
        case(
            "7541 4.4",
            "what is remembered no more",
            raw(&[&[0x40, 1, b'x', 1, b'y', 0x20][..], &block(&request("GET"))].concat()),
            End(&[COMPRESSION]),
        ),
        after(
            "9113 4.3",
            "a refused block is remembered all the same",
            fields(&[(":path", "")]).into_iter().collect::<Vec<_>>(),
            frame(kind::HEADERS, END, 3, &block(&request("GET"))),
            Serve,
        ),
    ]);
    all
}
