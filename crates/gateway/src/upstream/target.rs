//! Where a site's requests go, as settings.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::uri::Authority;
use policy::HostName;

use super::tls::UpstreamTls;

/// Where a site's requests go: one upstream, or several that do the same.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// At least one, each once.
    pub targets: Vec<Target>,
    /// How those with `https://` are verified.
    pub tls: Option<Arc<UpstreamTls>>,
    /// How they are asked whether they are well.
    pub check: Option<HealthCheck>,
    /// Whether connections begin with a PROXY header, those of the gate's own requests too.
    pub proxied: bool,
}

impl Upstream {
    /// This one, over plain HTTP/1.1: `host:port`.
    pub fn http(address: impl Into<String>) -> Self {
        let target = Target { scheme: Scheme::Http, address: Address::Tcp(address.into()) };
        Self { targets: vec![target], tls: None, check: None, proxied: false }
    }
}

/// One upstream's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// What is spoken.
    pub scheme: Scheme,
    /// Where.
    pub address: Address,
}

/// What is spoken with an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// HTTP/1.1 without TLS.
    Http,
    /// HTTP/2 without TLS, known beforehand.
    H2c,
    /// TLS, with HTTP/2 or HTTP/1.1 as the upstream chooses.
    Https,
}

/// Where an upstream listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `host:port`.
    Tcp(String),
    /// A Unix socket.
    Unix(PathBuf),
}

/// How an upstream is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheck {
    /// The path that is asked for.
    pub path: String,
    /// From one check to the next, and the longest that one may take.
    pub interval: Duration,
    /// The status that a well one answers with.
    pub status: StatusCode,
}

impl FromStr for Target {
    type Err = String;

    /// Scheme, host and port alone, or `unix:/path`. A port that is not named is the scheme's own.
    fn from_str(text: &str) -> Result<Self, String> {
        let shown = text.escape_debug();
        if let Some(path) = text.strip_prefix("unix:") {
            let fine = path.starts_with('/') && !path.ends_with('/') && !path.contains('\0');
            if !fine {
                return Err(format!("`{shown}` names no socket: write it like unix:/run/app.sock"));
            }
            return Ok(Self { scheme: Scheme::Http, address: Address::Unix(path.into()) });
        }
        let schemes =
            [("http://", Scheme::Http, 80), ("https://", Scheme::Https, 443), ("h2c://", Scheme::H2c, 80)];
        let found =
            schemes.iter().find_map(|(word, scheme, port)| Some((text.strip_prefix(word)?, *scheme, *port)));
        let Some((rest, scheme, port)) = found else {
            return Err(format!("`{shown}` starts with none of http://, https://, h2c:// and unix:"));
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('/') {
            return Err(format!("`{shown}` has a path: requests keep their own"));
        }
        let no_host = || format!("`{shown}` names no host");
        HostName::parse_authority(authority).map_err(|_| no_host())?;
        let parsed: Authority = authority.parse().map_err(|_| no_host())?;
        let port = match parsed.as_str()[parsed.host().len()..].strip_prefix(':') {
            Some(_) => parsed
                .port_u16()
                .filter(|port| *port > 0)
                .ok_or_else(|| format!("`{shown}` names no port"))?,
            None => port,
        };
        Ok(Self { scheme, address: Address::Tcp(format!("{}:{port}", parsed.host())) })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.address {
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::Tcp(address) => {
                let scheme = match self.scheme {
                    Scheme::Http => "http",
                    Scheme::H2c => "h2c",
                    Scheme::Https => "https",
                };
                write!(f, "{scheme}://{address}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_is_scheme_host_and_port_or_a_socket() {
        for (text, shown) in [
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://app.test/", "http://app.test:80"),
            ("https://10.0.0.5", "https://10.0.0.5:443"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            ("h2c://localhost:50051", "h2c://localhost:50051"),
            ("unix:/run/app.sock", "unix:/run/app.sock"),
        ] {
            let target: Target = text.parse().unwrap();
            assert_eq!(target.to_string(), shown);
            assert_eq!(shown.parse::<Target>().unwrap(), target);
        }
        for text in [
            "",
            "127.0.0.1:3000",
            "ftp://a.test",
            "http://",
            "http://a.test/path",
            "http://a.test:0",
            "http://a.test:port",
            "http://a.test:99999",
            "http://user@a.test",
            "unix:run/app.sock",
            "unix:/",
            "unix:",
            "http://a.test?x",
            "http://a b",
        ] {
            assert!(text.parse::<Target>().is_err(), "{text}");
        }
    }
}
