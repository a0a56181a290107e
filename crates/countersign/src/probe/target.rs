//! What is to be looked at, as people type it.

use std::fmt;
use std::net::IpAddr;

use policy::HostName;

/// The port where none is named.
pub const HTTPS: u16 = 443;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The host: a name, or an address (an IPv6 one in brackets).
    pub host: HostName,
    /// The port, where one was named.
    pub port: Option<u16>,
}

/// A text that names no host.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The host is none.
    #[error("`{0}` is no host name and no address")]
    Host(String),
    /// The port is none.
    #[error("`{0}` is no port: it is a number from 1 to 65535")]
    Port(String),
}

impl Target {
    /// Reads `host`, `host:port`, `192.0.2.1`, `[2001:db8::1]:port`, `2001:db8::1`, or a web address, of which host and
    /// port count.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError::Host(text.escape_debug().to_string());
        let lower = text.get(..8).map(str::to_ascii_lowercase).unwrap_or_default();
        let bare = if lower == "https://" { &text[8..] } else { text };
        let bare =
            if bare.len() == text.len() { bare } else { bare.split(['/', '?', '#']).next().unwrap_or("") };
        if bare.contains('/') {
            return Err(wrong());
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::at(address));
        }
        let end = match bare.strip_prefix('[') {
            Some(_) => bare.find(']').ok_or_else(wrong)? + 1,
            None => bare.find(':').unwrap_or(bare.len()),
        };
        let (host, port) = bare.split_at(end);
        let port = match port.strip_prefix(':') {
            Some(digits) => {
                let number =
                    digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
                let number = number.filter(|port| *port != 0);
                Some(number.ok_or_else(|| TargetError::Port(digits.escape_debug().to_string()))?)
            }
            None if port.is_empty() => None,
            None => return Err(wrong()),
        };
        Ok(Self { host: HostName::parse(host).map_err(|_| wrong())?, port })
    }

    /// This address, at the port that is asked for.
    pub fn at(address: IpAddr) -> Self {
        Self { host: of_address(address), port: None }
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.as_str().trim_matches(['[', ']']).parse().ok()
    }

    /// The port to connect to.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(HTTPS)
    }
}

fn of_address(address: IpAddr) -> HostName {
    let text = match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    // An address in its shortest form is a host name in this sense.
    HostName::parse(&text).unwrap_or_else(|_| unreachable!("an address is a host"))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_read_as_people_type_it() {
        for (text, shown) in [
            ("www.example.com", "www.example.com:443"),
            ("WWW.Example.COM.:8443", "www.example.com:8443"),
            ("b\u{fc}cher.example", "xn--bcher-kva.example:443"),
            ("192.0.2.1:25", "192.0.2.1:25"),
            ("2001:db8:0::1", "[2001:db8::1]:443"),
            ("[2001:db8::1]:8443", "[2001:db8::1]:8443"),
            ("localhost", "localhost:443"),
            ("https://www.example.com/a/b?c#d", "www.example.com:443"),
            ("HTTPS://www.example.com:444", "www.example.com:444"),
        ] {
            assert_eq!(Target::parse(text).map(|target| target.to_string()).as_deref(), Ok(shown), "{text}");
        }
    }

    #[test]
    fn what_is_no_host_or_no_port_is_refused_by_name() {
        for text in
            ["", "a b", "-a.example", "[::1", "[::1]x", "user@host", "http://www.example.com", "999.1.1.1"]
        {
            let wrong = TargetError::Host(text.into());
            assert_eq!(Target::parse(text), Err(wrong), "{text}");
        }
        for port in ["", "0", "65536", "+1", "https"] {
            assert_eq!(
                Target::parse(&format!("a.example:{port}")),
                Err(TargetError::Port(port.into())),
                "{port}"
            );
        }
        assert!(Target::parse("a.example:65535").is_ok());
    }
}
