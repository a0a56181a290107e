//! Upstreams: one that returns each request as JSON and counts, one that records exact bytes.
//!
//! Both listen on 127.0.0.1 on a thread and runtime of their own, so that plain and async tests can use them, and
//! end when dropped.

mod answers;
mod raw;
mod server;

use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

pub use raw::{RawUpstream, chunked_end};
use server::Server;

/// How many requests [`Echo::requests`] remembers.
pub const REMEMBERED: usize = 200;

/// A request as the echo upstream saw it; the JSON it answers with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// The request target as it stood in the request line.
    pub target: String,
    /// Header fields, names in lower case, values in their order.
    pub headers: Vec<(String, String)>,
    /// Length of the whole body.
    pub body_len: u64,
    /// The body's first 4 kB, invalid UTF-8 replaced.
    pub body: String,
}

impl Seen {
    /// All values of the header field `name`, in any case.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.headers.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }

    /// The first value of the header field `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        crate::response::find(&self.headers, name)
    }
}

/// The echo upstream.
///
/// Any path answers 200 with the request as JSON ([`Seen`]), except:
/// `/slow-stream?ms=100&chunks=50` sends lines `chunk N` with pauses, `/bytes?n=…` sends n bytes, `/sink` reads the
/// body and answers `{"body_len":…}`, `/status/NNN` answers that status. A request with `Upgrade` is answered
/// 101 (with a right `Sec-WebSocket-Accept`), then every byte returns as it came.
pub struct Echo {
    server: Server,
    journal: Arc<Journal>,
}

/// What has reached an echo upstream.
#[derive(Default)]
pub(crate) struct Journal {
    inner: Mutex<(u64, std::collections::VecDeque<Seen>)>,
    streams: std::sync::atomic::AtomicI64,
}

impl Echo {
    /// Starts on a free port.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    /// Starts on this port; 0 for a free one.
    pub fn start_on(port: u16) -> Self {
        let journal = Arc::new(Journal::default());
        let shared = journal.clone();
        let server = Server::start(port, move |socket| answers::serve(socket, shared.clone()));
        Self { server, journal }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.server.port
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Requests that have reached it, special paths included.
    pub fn count(&self) -> u64 {
        self.journal.lock().0
    }

    /// The last requests, oldest first; at most [`REMEMBERED`].
    pub fn requests(&self) -> Vec<Seen> {
        self.journal.lock().1.iter().cloned().collect()
    }

    /// The last request; panics if there was none.
    #[track_caller]
    pub fn last(&self) -> Seen {
        self.journal.lock().1.back().cloned().expect("a request reached the upstream")
    }

    /// Streams (`/slow-stream`, `/bytes`) and upgraded connections that run at this moment.
    pub fn open_streams(&self) -> i64 {
        self.journal.streams.load(std::sync::atomic::Ordering::SeqCst)
    }

    /// Connections it has accepted.
    pub fn connections(&self) -> u64 {
        self.server.accepted()
    }
}

impl Journal {
    fn lock(&self) -> std::sync::MutexGuard<'_, (u64, std::collections::VecDeque<Seen>)> {
        self.inner.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn record(&self, seen: Seen) {
        let mut inner = self.lock();
        inner.0 += 1;
        inner.1.push_back(seen);
        while inner.1.len() > REMEMBERED {
            inner.1.pop_front();
        }
    }

    /// Counts a running stream until the returned value is dropped.
    fn stream(self: &Arc<Self>) -> Running {
        self.streams.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        Running(self.clone())
    }
}

pub(crate) struct Running(Arc<Journal>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
    }
}
