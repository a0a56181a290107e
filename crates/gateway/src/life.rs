//! How far the gate is in its life: read by every request, waited for by whoever ends with it.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::watch;

/// How far the gate is in its life.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    /// Connections are accepted.
    Serving,
    /// No new connections: another gate accepts them. Those that are here end in their own time.
    Retired,
    /// No new connections; running requests are answered.
    Draining,
    /// Over.
    Ended,
}

impl Phase {
    const ALL: [Self; 4] = [Self::Serving, Self::Retired, Self::Draining, Self::Ended];

    /// Whether this gate takes new connections.
    pub(crate) fn accepts(self) -> bool {
        self == Self::Serving
    }

    /// Whether what is here is to come to its end now.
    pub(crate) fn hurries(self) -> bool {
        self > Self::Retired
    }
}

/// The phase that the gate is in; it only goes on.
pub(crate) struct Life {
    now: AtomicU8,
    told: watch::Sender<Phase>,
}

impl Life {
    /// It serves.
    pub(crate) fn new() -> Self {
        Self { now: AtomicU8::new(Phase::Serving as u8), told: watch::channel(Phase::Serving).0 }
    }

    /// The phase now, without a lock. Whoever is told of a phase finds it, or a later one, here.
    pub(crate) fn phase(&self) -> Phase {
        Phase::ALL[usize::from(self.now.load(Ordering::SeqCst))]
    }

    /// Goes on to a phase; nothing happens where it is over already.
    pub(crate) fn advance(&self, to: Phase) {
        self.now.fetch_max(to as u8, Ordering::SeqCst);
        self.told.send_if_modified(|told| {
            let is_later = *told < to;
            *told = to.max(*told);
            is_later
        });
    }

    /// To wait for a phase.
    pub(crate) fn subscribe(&self) -> watch::Receiver<Phase> {
        self.told.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_on_and_never_back() {
        let life = Life::new();
        let told = life.subscribe();
        assert_eq!(life.phase(), Phase::Serving);
        for (to, then) in [
            (Phase::Retired, Phase::Retired),
            (Phase::Serving, Phase::Retired),
            (Phase::Ended, Phase::Ended),
            (Phase::Draining, Phase::Ended),
        ] {
            life.advance(to);
            assert_eq!((life.phase(), *told.borrow()), (then, then));
        }
    }
}
