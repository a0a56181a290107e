//! The signals that both processes listen to.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// From when it is made, these signals no longer end the process by themselves.
pub struct Signals {
    /// SIGTERM: drain and end.
    pub terminate: Signal,
    /// SIGINT, from a terminal: the same.
    pub interrupt: Signal,
    /// SIGHUP: reload.
    pub hang_up: Signal,
    /// SIGUSR2: hand over to a new process of the program as it is on disk now. The gate's process leaves that to the
    /// supervisor.
    pub upgrade: Signal,
}

impl Signals {
    /// Listens. Needs a runtime.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            upgrade: signal(SignalKind::user_defined2())?,
        })
    }
}
