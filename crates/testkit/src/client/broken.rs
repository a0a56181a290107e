//! A connection that did not go the way it should.

use std::io;

/// Why a connection, a request or an answer failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The TLS alert the server sent, as its number (RFC 8446 section 6); `None` if it sent none.
    pub alert: Option<u8>,
    /// The failure in words.
    pub text: String,
}

impl Broken {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self { alert: None, text: text.into() }
    }
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.alert {
            Some(alert) => write!(f, "{} (alert {alert})", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl std::error::Error for Broken {}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self { alert: alert_of(&error), text: error.to_string() }
    }
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        let mut text = error.to_string();
        let mut alert = None;
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            text = format!("{text}: {inner}");
            if let Some(io) = inner.downcast_ref::<io::Error>() {
                alert = alert.or(alert_of(io));
            }
            cause = inner.source();
        }
        Self { alert, text }
    }
}

fn alert_of(error: &io::Error) -> Option<u8> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::AlertReceived(alert) => Some(u8::from(*alert)),
        _ => None,
    }
}
