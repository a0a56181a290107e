//! How much an HTTP/2 client may ask for that is worth nothing (RFC 9113 section 10.5).
//!
//! A stream that is reset as soon as it was begun has cost a request to the upstream, and counts for no limit of
//! streams at once. A PING costs an answer, a SETTINGS too. Each connection has a budget of such frames; what it gets
//! done fills the budget up again, so that honest clients never come near the end of it.

use tokio::time::Instant;

use crate::spoken::Worth;
use crate::wire::{ACK, CONTINUATION, DATA, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE};

/// Frames in a row that carry nothing, while no answer goes out.
const IDLE: u32 = 1_000;
/// One reset is forgiven in so many milliseconds.
const FORGIVEN_MS: u128 = 100;

/// What a connection has spent.
pub(crate) struct Calm {
    /// Resets at once: as many as streams may be open at once.
    most: u32,
    resets: u32,
    since: Option<Instant>,
    idle: u32,
}

impl Calm {
    pub(crate) fn new(streams: u32) -> Self {
        Self { most: streams, resets: 0, since: None, idle: 0 }
    }

    /// Whether it is enough.
    pub(crate) fn is_over(&self) -> bool {
        self.resets > self.most || self.idle > IDLE
    }

    /// A client's frame begins.
    pub(crate) fn came(&mut self, kind: u8, flags: u8, length: usize, now: Instant) {
        match kind {
            RST_STREAM => self.reset(now),
            HEADERS | CONTINUATION | WINDOW_UPDATE => {}
            DATA if length > 0 || flags & END_STREAM != 0 => {}
            SETTINGS | PING if flags & ACK != 0 => {}
            _ => self.idle += 1,
        }
    }

    fn reset(&mut self, now: Instant) {
        if let Some(since) = self.since {
            let forgiven = now.duration_since(since).as_millis() / FORGIVEN_MS;
            self.resets = self.resets.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
            if forgiven > 0 {
                self.since = Some(now);
            }
        } else {
            self.since = Some(now);
        }
        self.resets += 1;
    }

    /// Frames of answers went out.
    pub(crate) fn went(&mut self, worth: Worth) {
        if worth.frames > 0 {
            self.idle = 0;
        }
        self.resets = self.resets.saturating_sub(worth.answers);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn as_many_resets_as_streams_are_fine_and_one_more_is_not() {
        let (mut calm, now) = (Calm::new(100), Instant::now());
        for _ in 0..100 {
            calm.came(RST_STREAM, 0, 4, now);
        }
        assert!(!calm.is_over());
        calm.came(RST_STREAM, 0, 4, now);
        assert!(calm.is_over());
    }

    #[test]
    fn time_and_whole_answers_make_up_for_resets() {
        let (mut calm, mut now) = (Calm::new(10), Instant::now());
        for _ in 0..1000 {
            calm.came(RST_STREAM, 0, 4, now);
            now += Duration::from_millis(100);
        }
        assert!(!calm.is_over(), "ten a second");
        let mut calm = Calm::new(10);
        for _ in 0..1000 {
            calm.came(RST_STREAM, 0, 4, now);
            calm.went(Worth { frames: 0, answers: 1 });
        }
        assert!(!calm.is_over(), "one for each answer");
        let mut calm = Calm::new(10);
        for _ in 0..1000 {
            calm.came(RST_STREAM, 0, 4, now);
            now += Duration::from_millis(50);
        }
        assert!(calm.is_over(), "twenty a second");
    }

    #[test]
    fn a_thousand_frames_for_nothing_are_too_many_unless_something_is_done() {
        for (kind, flags, length, counts) in [
            (PING, 0, 8, true),
            (SETTINGS, 0, 6, true),
            (2, 0, 5, true),
            (0xbe, 0, 0, true),
            (DATA, 0, 0, true),
            (PING, ACK, 8, false),
            (SETTINGS, ACK, 0, false),
            (DATA, END_STREAM, 0, false),
            (DATA, 0, 1, false),
            (WINDOW_UPDATE, 0, 4, false),
        ] {
            let (mut calm, now) = (Calm::new(100), Instant::now());
            for _ in 0..1000 {
                calm.came(kind, flags, length, now);
            }
            assert!(!calm.is_over());
            calm.came(kind, flags, length, now);
            assert_eq!(calm.is_over(), counts, "{kind} {flags} {length}");
            calm.went(Worth { frames: 1, answers: 0 });
            assert!(!calm.is_over());
        }
    }
}
