//! Where the HTTP/2 library says another code than the clause names.
//!
//! The connection or stream ends all the same, and nothing goes to an upstream: a peer may treat all codes alike
//! (RFC 9113 sections 5.4 and 7). The code only helps who looks for the fault.

use super::case::*;

/// Why, the code that comes, and the cases by name.
struct Deviation(&'static str, u32, &'static [&'static str]);

const DEVIATIONS: &[Deviation] = &[
    Deviation(
        "a frame of a wrong length is one that cannot be read, with one code for all that is wrong in it",
        PROTOCOL,
        &[
            "PRIORITY of 4 bytes",
            "PRIORITY of 6 bytes",
            "RST_STREAM of 3 bytes",
            "RST_STREAM of 5 bytes",
            "PING of 7 bytes",
            "PING of 9 bytes",
            "WINDOW_UPDATE of 3 bytes",
            "WINDOW_UPDATE of 5 bytes",
            "WINDOW_UPDATE of 3 bytes on the connection",
            "SETTINGS of 5 bytes",
            "SETTINGS of 7 bytes",
            "an answer to SETTINGS with a payload",
            "GOAWAY of 7 bytes",
        ],
    ),
    Deviation(
        "a setting out of its range is one that cannot be read, whatever it sets",
        PROTOCOL,
        &["a window of 2^31", "a window of 2^32-1"],
    ),
    Deviation(
        "what comes behind the end of a stream is taken for an error of the connection's protocol",
        PROTOCOL,
        &["half-closed: DATA", "half-closed: HEADERS", "DATA behind trailers"],
    ),
    Deviation(
        "a header block that cannot be decoded ends the connection as a frame that cannot be read",
        PROTOCOL,
        &[
            "a block that ends within a field",
            "index 0",
            "an index behind both tables",
            "a name's index behind both tables",
            "an integer that never ends",
            "a string longer than its block",
            "Huffman padding of zeros",
            "Huffman padding of a byte and more",
            "EOS within a Huffman string",
            "a change of the table's size behind a field",
            "a field never remembered, by index",
            "an integer with zeros behind",
            "a table of 4,097 bytes",
            "what is remembered no more",
        ],
    ),
];

/// Whether this code is known to come where the case names another.
pub(super) fn holds(case: &Case, code: u32) -> bool {
    DEVIATIONS.iter().any(|Deviation(_, comes, cases)| *comes == code && cases.contains(&&*case.what))
}

/// Names of the list that are not those of one case each, or whose case names the code itself.
pub(super) fn unfit(cases: &[Case]) -> Vec<String> {
    let is_fit = |comes: u32, name: &str| {
        let mut named = cases.iter().filter(|case| case.what == name);
        let fits = named.next().is_some_and(|case| match &case.must {
            End(codes) | Reset(_, codes) => !codes.contains(&comes),
            Malformed | Serve | Answer => false,
        });
        fits && named.next().is_none()
    };
    let mut unfit = Vec::new();
    for Deviation(why, comes, names) in DEVIATIONS {
        let wrong = names.iter().filter(|name| !is_fit(*comes, name));
        unfit.extend(wrong.map(|name| format!("{name} is no deviation ({why})")));
    }
    unfit
}
