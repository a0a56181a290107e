//! An address to fetch from: `http` or `https`, a host, a port, a path, and nothing else.

use std::fmt;

use http::Uri;
use http::uri::PathAndQuery;

/// A URL that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchUrl {
    https: bool,
    host: String,
    port: u16,
    path: PathAndQuery,
}

impl FetchUrl {
    /// Parses `http://crl.example/ca.crl`; an error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fault = |why: &str| format!("`{}` {why}", text.escape_debug());
        let uri: Uri = text.parse().map_err(|_| fault("is no URL"))?;
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(fault("begins with neither http:// nor https://")),
        };
        let authority = uri.authority().ok_or_else(|| fault("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(fault("holds a user name, which is not sent"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(fault("names no host"));
        }
        // What is no port must not become the usual one.
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => {
                if https {
                    443
                } else {
                    80
                }
            }
            Some(rest) => rest
                .strip_prefix(':')
                .and_then(|port| port.parse().ok())
                .filter(|port| *port != 0)
                .ok_or_else(|| fault("has no port from 1 to 65535 after its host"))?,
            None => return Err(fault("is no URL")),
        };
        let path = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        Ok(Self { https, host: host.to_ascii_lowercase(), port, path })
    }

    /// Whether it asks for TLS.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query.
    pub fn path(&self) -> &PathAndQuery {
        &self.path
    }

    /// Host and port as the `Host` header has them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match (self.https, self.port) {
            (false, 80) | (true, 443) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// The address with one more segment of the path; `None` where it has a query, or the segment is none.
    pub fn below(&self, segment: &str) -> Option<Self> {
        let whole = self.path.query().is_none().then(|| self.path.path().trim_end_matches('/'))?;
        Some(Self { path: format!("{whole}/{segment}").parse().ok()?, ..self.clone() })
    }

    /// Where a redirect leads: the same host and port, or from plain HTTP to HTTPS at its own port. `None` elsewhere.
    pub fn redirected(&self, location: &str) -> Option<Self> {
        if location.starts_with('/') && !location.starts_with("//") {
            let path = location.parse().ok()?;
            return Some(Self { path, ..self.clone() });
        }
        let there = Self::parse(location).ok()?;
        let same = there.https == self.https && there.port == self.port;
        let upgrade = !self.https && there.https && (self.port, there.port) == (80, 443);
        (there.host == self.host && (same || upgrade)).then_some(there)
    }
}

impl fmt::Display for FetchUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.https { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_plain_address_of_a_host_is_refused() {
        for text in [
            "",
            "crl.example",
            "ftp://crl.example/a",
            "file:///etc/passwd",
            "ldap://crl.example/cn=a",
            "http:///a",
            "http://user@crl.example/",
            "http://crl.example:0/",
            "http://crl.example:99999/",
            "http://crl.example:/",
        ] {
            assert!(FetchUrl::parse(text).is_err(), "{text}");
        }
        for text in ["http://crl.example/a.crl?b=c", "https://crl.example:8443/", "http://[2001:db8::1]:81/a"]
        {
            assert_eq!(FetchUrl::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_segment_goes_below_the_path_and_never_behind_a_query() {
        for (text, whole) in [
            ("http://ocsp.example", "http://ocsp.example/MEE%2B"),
            ("http://ocsp.example/", "http://ocsp.example/MEE%2B"),
            ("http://ocsp.example:81/ca", "http://ocsp.example:81/ca/MEE%2B"),
            ("http://ocsp.example/ca/", "http://ocsp.example/ca/MEE%2B"),
        ] {
            assert_eq!(FetchUrl::parse(text).unwrap().below("MEE%2B").unwrap().to_string(), whole);
        }
        assert_eq!(FetchUrl::parse("http://ocsp.example/?ca=1").unwrap().below("MEE"), None);
        assert_eq!(FetchUrl::parse("http://ocsp.example/").unwrap().below("a b"), None);
    }

    #[test]
    fn a_redirect_stays_on_its_host_and_never_leaves_tls() {
        let plain = FetchUrl::parse("http://crl.example/a").unwrap();
        for location in ["/b", "http://crl.example/b", "https://crl.example/b", "http://CRL.example/b"] {
            assert!(plain.redirected(location).is_some(), "{location}");
        }
        for location in [
            "//other.example/b",
            "http://other.example/b",
            "http://crl.example:22/",
            "b",
            "ftp://crl.example/",
        ] {
            assert!(plain.redirected(location).is_none(), "{location}");
        }
        let https = FetchUrl::parse("https://crl.example/a").unwrap();
        assert!(https.redirected("http://crl.example/a").is_none());
    }
}
