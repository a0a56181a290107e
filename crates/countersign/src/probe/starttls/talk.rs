//! Lines and bytes of a server, few enough: what every protocol here stands on.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::StartTlsError;

/// Octets that one line, packet or element may have.
const MOST_AT_ONCE: usize = 8 << 10;
/// Octets that the server may say in all.
const MOST: usize = 64 << 10;
/// Lines or elements that it may say in all.
const MOST_PIECES: usize = 200;
/// Characters of its words that are repeated to the user.
const MOST_QUOTED: usize = 200;

/// A conversation with a server.
pub struct Talk<S> {
    stream: S,
    protocol: &'static str,
    /// What was read and not taken.
    waiting: Vec<u8>,
    read: usize,
    pieces: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    /// Before the first word; `protocol` is its name.
    pub fn new(stream: S, protocol: &'static str) -> Self {
        Self { stream, protocol, waiting: Vec::new(), read: 0, pieces: 0 }
    }

    /// The connection, and what the server said beyond what was taken.
    pub fn end(self) -> (S, Vec<u8>) {
        (self.stream, self.waiting)
    }

    /// Says it.
    pub async fn say(&mut self, bytes: &[u8]) -> Result<(), StartTlsError> {
        let broken = |error: std::io::Error| StartTlsError::Broken(error.to_string());
        self.stream.write_all(bytes).await.map_err(broken)?;
        self.stream.flush().await.map_err(broken)
    }

    /// The next line, without its end.
    pub async fn line(&mut self) -> Result<String, StartTlsError> {
        let bytes = self.until(b'\n').await?;
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        Ok(String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned())
    }

    /// Everything up to and with this octet.
    pub async fn until(&mut self, last: u8) -> Result<Vec<u8>, StartTlsError> {
        self.piece()?;
        loop {
            match self.waiting.iter().position(|octet| *octet == last) {
                Some(at) if at < MOST_AT_ONCE => return Ok(self.waiting.drain(..=at).collect()),
                None if self.waiting.len() < MOST_AT_ONCE => self.more().await?,
                _ => return Err(StartTlsError::TooMuch("8192 octets in one line")),
            }
        }
    }

    /// The next octets, so many.
    pub async fn octets(&mut self, count: usize) -> Result<Vec<u8>, StartTlsError> {
        self.piece()?;
        if count > MOST_AT_ONCE {
            return Err(StartTlsError::TooMuch("8192 octets at once"));
        }
        while self.waiting.len() < count {
            self.more().await?;
        }
        Ok(self.waiting.drain(..count).collect())
    }

    fn piece(&mut self) -> Result<(), StartTlsError> {
        self.pieces += 1;
        if self.pieces > MOST_PIECES { Err(StartTlsError::TooMuch("200 lines")) } else { Ok(()) }
    }

    async fn more(&mut self) -> Result<(), StartTlsError> {
        let mut some = [0; 1024];
        let read = self.stream.read(&mut some).await;
        let read = read.map_err(|error| StartTlsError::Broken(error.to_string()))?;
        self.read += read;
        match read {
            0 => Err(StartTlsError::Closed),
            _ if self.read > MOST => Err(StartTlsError::TooMuch("65536 octets")),
            _ => {
                self.waiting.extend_from_slice(&some[..read]);
                Ok(())
            }
        }
    }

    /// The error for words that do not belong here.
    pub fn unexpected(&self, said: &str) -> StartTlsError {
        StartTlsError::Unexpected { protocol: self.protocol, said: quoted(said) }
    }
}

/// The error for a server that does not offer the command.
pub fn not_offered(what: &'static str, said: &str) -> StartTlsError {
    StartTlsError::NotOffered { what, said: quoted(said) }
}

/// The error for a server that refuses the command.
pub fn refused(what: &'static str, said: &str) -> StartTlsError {
    StartTlsError::Refused { what, said: quoted(said) }
}

/// A server's words between quotation marks, without what could act on a terminal.
fn quoted(said: &str) -> String {
    let short: String = said.chars().take(MOST_QUOTED).collect();
    let more = if short.len() < said.len() { "…" } else { "" };
    format!("“{}{more}”", examiner::report::shown(&short))
}
