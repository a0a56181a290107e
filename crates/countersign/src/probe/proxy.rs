//! The way through an HTTP proxy: CONNECT (RFC 9110 section 9.3.6), with a user's name and password where it wants them.
//!
//! Not one byte behind the proxy's answer is read: what follows is the server's, who may be the first to speak.

use std::time::Duration;

use data_encoding::BASE64;
use http::Uri;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// Octets that the head of the proxy's answer may have.
const MOST_HEAD: usize = 16 << 10;

/// A proxy.
#[derive(Debug)]
pub struct Proxy {
    /// Its host, an IPv6 address without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
    user: Option<String>,
    password: Option<Zeroizing<String>>,
}

/// Why there is no way through the proxy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The address is none of a proxy.
    #[error("the proxy `{0}` {1}")]
    Address(String, &'static str),
    /// It wants to know who asks.
    #[error("the proxy wants a user's name and password: it said {0}")]
    WantsCredentials(String),
    /// It does not lead there.
    #[error("the proxy does not lead to {to}: it said {said}")]
    Refused {
        /// Where it was to lead.
        to: String,
        /// The first line of its answer.
        said: String,
    },
    /// Its answer is none of a proxy.
    #[error("this is no HTTP proxy: it said {0}")]
    NoProxy(String),
    /// Its answer has no end.
    #[error("the proxy's answer is longer than {MOST_HEAD} octets")]
    TooMuch,
    /// It closed the connection.
    #[error("the proxy closed the connection")]
    Closed,
    /// Time is over.
    #[error("the proxy did not answer within {} seconds", .0.as_secs())]
    TooSlow(Duration),
    /// The connection broke.
    #[error("the connection to the proxy broke: {0}")]
    Broken(String),
}

impl Proxy {
    /// Parses `http://proxy.example:3128`, with `user@` before the host where it wants one.
    pub fn parse(text: &str) -> Result<Self, ProxyError> {
        // Whatever stands before the @ is not repeated.
        let shown = text.rsplit('@').next().unwrap_or_default().escape_debug().to_string();
        let fault = |why| ProxyError::Address(shown.clone(), why);
        let uri: Uri = text.parse().map_err(|_| fault("is no URL"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => return Err(fault("is one that is spoken to over TLS; give one of http://")),
            _ => return Err(fault("begins with another word than http://")),
        }
        let authority = uri.authority().ok_or_else(|| fault("names no host"))?;
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
        if user.is_some_and(|user| user.contains(':')) {
            return Err(fault("holds a password, which everybody can read there; put it in a file"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(fault("is more or less than a host and a port"));
        }
        let port = authority.port_u16().filter(|port| *port != 0);
        Ok(Self {
            host: host.to_ascii_lowercase(),
            port: port.ok_or_else(|| fault("has no port from 1 to 65535"))?,
            user: user.map(str::to_owned),
            password: None,
        })
    }

    /// With the password of its user.
    #[must_use]
    pub fn with_password(self, password: Zeroizing<String>) -> Self {
        Self { password: Some(password), ..self }
    }

    /// Has the proxy at the other end of `stream` lead to a host, within this time. What comes next is the host's.
    pub async fn lead<S>(
        &self,
        mut stream: S,
        host: &str,
        port: u16,
        within: Duration,
    ) -> Result<S, ProxyError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let to = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let asked = async {
            let broken = |error: std::io::Error| ProxyError::Broken(error.to_string());
            stream.write_all(self.request(&to).as_bytes()).await.map_err(broken)?;
            stream.flush().await.map_err(broken)?;
            judged(&head(&mut stream).await?, &to)
        };
        tokio::time::timeout(within, asked).await.unwrap_or(Err(ProxyError::TooSlow(within)))?;
        Ok(stream)
    }

    fn request(&self, to: &str) -> Zeroizing<String> {
        let mut request = Zeroizing::new(format!(
            "CONNECT {to} HTTP/1.1\r\nHost: {to}\r\nUser-Agent: countersign/{}\r\n",
            env!("CARGO_PKG_VERSION")
        ));
        if let Some(user) = &self.user {
            let password = self.password.as_ref().map_or("", |password| password.as_str());
            // RFC 7617 section 2.
            let both = Zeroizing::new(format!("{user}:{password}"));
            let encoded = Zeroizing::new(BASE64.encode(both.as_bytes()));
            request.push_str(&format!("Proxy-Authorization: Basic {}\r\n", encoded.as_str()));
        }
        request.push_str("\r\n");
        request
    }
}

/// The head of the proxy's answer, read octet by octet up to its end.
async fn head<S: AsyncRead + Unpin>(stream: &mut S) -> Result<Vec<u8>, ProxyError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == MOST_HEAD {
            return Err(ProxyError::TooMuch);
        }
        head.push(stream.read_u8().await.map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => ProxyError::Closed,
            _ => ProxyError::Broken(error.to_string()),
        })?);
        // What is no HTTP has no head to wait for.
        if !b"HTTP/1.".starts_with(&head[..head.len().min(7)]) {
            return Err(ProxyError::NoProxy(quoted(&head)));
        }
    }
    Ok(head)
}

fn judged(head: &[u8], to: &str) -> Result<(), ProxyError> {
    let line = head.split(|octet| *octet == b'\r').next().unwrap_or_default();
    let said = quoted(line.get(9..).unwrap_or_default());
    let status = line.get(8..12).and_then(|status| std::str::from_utf8(status).ok());
    match status.and_then(|status| status.strip_prefix(' ')?.parse::<u16>().ok()) {
        Some(200..=299) => Ok(()),
        Some(407) => Err(ProxyError::WantsCredentials(said)),
        Some(_) => Err(ProxyError::Refused { to: to.to_owned(), said }),
        None => Err(ProxyError::NoProxy(quoted(line))),
    }
}

/// Words between quotation marks, without what could act on a terminal.
fn quoted(bytes: &[u8]) -> String {
    let short: String = String::from_utf8_lossy(bytes).chars().take(200).collect();
    format!("“{}”", examiner::report::shown(&short))
}

#[cfg(test)]
mod tests;
