//! RFC 9113 section 6.5 and RFC 8441 section 3: SETTINGS.

use testkit::client::frames::{frame, kind};

use super::case::*;

pub(super) fn settings() -> Vec<Case> {
    let mut all = vec![
        case("9113 6.5", "SETTINGS on a stream", frame(kind::SETTINGS, 0, 1, &[]), End(&[PROTOCOL])),
        case(
            "9113 6.5",
            "an answer to SETTINGS with a payload",
            frame(kind::SETTINGS, 1, 0, &[0; 6]),
            End(&[SIZE]),
        ),
        case("9113 6.5", "no setting at all", frame(kind::SETTINGS, 0, 0, &[]), Serve),
        case(
            "9113 6.5.3",
            "a setting twice, the second counts",
            [setting(5, 16_384), setting(5, 20_000)].concat(),
            Serve,
        ),
        case("9113 6.5.2", "an unknown setting", setting(0xfff, 7), Serve),
        case("9113 6.5.2", "a setting of number 0", setting(0, 7), Serve),
    ];
    for (what, id, value, must) in [
        ("push off", 2, 0, Serve),
        ("push on", 2, 1, Serve),
        ("push 2", 2, 2, End(&[PROTOCOL])),
        ("no streams at once", 3, 0, Serve),
        ("a window of 2^31-1", 4, 0x7fff_ffff, Serve),
        ("a window of 2^31", 4, 1 << 31, End(&[FLOW])),
        ("a window of 2^32-1", 4, u32::MAX, End(&[FLOW])),
        ("frames of 16,383 bytes", 5, 16_383, End(&[PROTOCOL])),
        ("frames of 16,384 bytes", 5, 16_384, Serve),
        ("frames of 2^24-1 bytes", 5, 0xff_ffff, Serve),
        ("frames of 2^24 bytes", 5, 1 << 24, End(&[PROTOCOL])),
        ("a header list of no bytes", 6, 0, Serve),
        ("a header table of no bytes", 1, 0, Serve),
        ("a header table of 2^32-1 bytes", 1, u32::MAX, Serve),
        ("extended CONNECT 1", 8, 1, Serve),
        ("extended CONNECT 2", 8, 2, End(&[PROTOCOL])),
    ] {
        let clause = if id == 8 { "8441 3" } else { "9113 6.5.2" };
        all.push(case(clause, what, setting(id, value), must));
    }
    all
}
