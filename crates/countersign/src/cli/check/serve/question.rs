//! What a visitor asks for: a host, a port, and what is spoken there. What may not be looked at is refused here, as far as
//! it can be told without asking anybody.

use std::fmt;

use super::refusal::Refusal;
use crate::probe::Target;
use crate::probe::starttls::Protocol;

/// Octets that a host as it was typed may have.
const MOST_TYPED: usize = 300;

/// Ports of TLS: of the web, of mail, of directories, of messages, of files, of the DNS; and those where TLS begins within
/// another protocol.
const USUAL_PORTS: &[u16] = &[
    443, 8443, 465, 993, 995, 636, 5223, 990, 853, 25, 587, 24, 110, 143, 21, 389, 5222, 5269, 4190, 5432,
    3306,
];

/// Last labels of names that nobody outside an inner network can mean (RFC 6761, RFC 6762, RFC 7686, RFC 9476, ICANN's
/// reservation of `internal`), and some that inner networks are fond of.
const INNER: &[&str] = &[
    "alt",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "onion",
    "private",
    "test",
];

/// A question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Host and port; the port is always named.
    pub target: Target,
    /// What is spoken before TLS.
    pub starttls: Option<Protocol>,
}

/// Which ports may be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ports {
    /// These.
    Listed(Vec<u16>),
    /// All of them.
    Any,
}

/// What may be asked for at all.
#[derive(Clone, Debug)]
pub struct Rules {
    /// At these ports.
    pub ports: Ports,
    /// Whether names of inner networks may be asked for; then their addresses decide.
    pub inner_names: bool,
}

impl Question {
    /// Reads a host as it was typed (a name, an address, with or without a port; or a web address, of which host and port
    /// count) and the word for what is spoken before TLS, empty for nothing.
    pub fn read(typed: &str, starttls: &str, rules: &Rules) -> Result<Self, Refusal> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Err(Refusal::NoHost);
        }
        if typed.len() > MOST_TYPED {
            return Err(Refusal::TooLong(MOST_TYPED));
        }
        let starttls = match starttls {
            "" => None,
            word => Some(Protocol::named(word).ok_or_else(|| Refusal::UnknownProtocol(word.to_owned()))?),
        };
        let mut target = Target::parse(typed).map_err(Refusal::NotAHost)?;
        let port = target.port.unwrap_or_else(|| starttls.map_or(target.port(), Protocol::port));
        target.port = Some(port);
        let host = target.host.as_str();
        if is_number(host) && target.address().is_none() {
            return Err(Refusal::OddAddress(host.to_owned()));
        }
        if target.address().is_none() && !rules.inner_names && is_inner(host) {
            return Err(Refusal::InnerName(host.to_owned()));
        }
        match &rules.ports {
            Ports::Listed(ports) if !ports.contains(&port) => {
                Err(Refusal::Port { port, allowed: ports.clone() })
            }
            _ => Ok(Self { target, starttls }),
        }
    }

    /// What it is kept under: the same for each spelling of the same question.
    pub fn key(&self) -> String {
        self.to_string()
    }

    /// The host as it is typed again: without the port where that is the usual one.
    pub fn typed(&self) -> String {
        match self.starttls.map_or(crate::probe::HTTPS, Protocol::port) {
            usual if usual == self.target.port() => self.target.host.to_string(),
            _ => self.target.to_string(),
        }
    }
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.target)?;
        self.starttls.map_or(Ok(()), |protocol| write!(f, " by {}", protocol.name()))
    }
}

impl Default for Ports {
    fn default() -> Self {
        Self::Listed(USUAL_PORTS.to_vec())
    }
}

impl Ports {
    /// Reads `any`, or ports with commas between.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "any" {
            return Ok(Self::Any);
        }
        let one = |port: &str| port.trim().parse().ok().filter(|port| *port != 0);
        let ports: Option<Vec<u16>> = text.split(',').map(one).collect();
        ports.map(Self::Listed).ok_or_else(|| "write it as 443,8443 or any".into())
    }
}

/// Whether clients read the last label as a number, and so the whole as an address (WHATWG URL, "ends in a number"): in
/// hexadecimal too, which resolvers of systems take.
fn is_number(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hex || last.bytes().all(|b| b.is_ascii_digit())
}

/// Whether a name is one of an inner network: without a dot, or below a label that is set aside for them.
fn is_inner(host: &str) -> bool {
    match host.rsplit_once('.') {
        None => true,
        Some((_, last)) => INNER.contains(&last) || host == "home.arpa" || host.ends_with(".home.arpa"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(inner_names: bool) -> Rules {
        Rules { ports: Ports::default(), inner_names }
    }

    fn read(typed: &str, starttls: &str) -> Result<String, &'static str> {
        let question = Question::read(typed, starttls, &rules(false));
        question.map(|one| one.to_string()).map_err(|refusal| refusal.code())
    }

    #[test]
    fn a_host_is_taken_as_people_type_or_paste_it() {
        for (typed, starttls, question) in [
            (" www.example.com ", "", "www.example.com:443"),
            ("WWW.EXAMPLE.COM.", "", "www.example.com:443"),
            ("https://www.example.com/login?a=b#c", "", "www.example.com:443"),
            ("www.example.com:8443", "", "www.example.com:8443"),
            ("mail.example.com", "smtp", "mail.example.com:25 by SMTP"),
            ("mail.example.com:587", "smtp", "mail.example.com:587 by SMTP"),
            ("b\u{fc}cher.example", "", "xn--bcher-kva.example:443"),
            ("192.0.2.7", "", "192.0.2.7:443"),
            ("2001:db8::7", "", "[2001:db8::7]:443"),
            ("local.example.com", "", "local.example.com:443"),
        ] {
            assert_eq!(read(typed, starttls).as_deref(), Ok(question), "{typed}");
        }
    }

    #[test]
    fn what_is_no_host_or_of_an_inner_network_is_refused_before_anybody_is_asked() {
        for typed in [
            "",
            "  ",
            "http://www.example.com",
            "ftp://www.example.com",
            "file:///etc/passwd",
            "user@www.example.com",
            "https://user:word@www.example.com/",
            "https://www.example.com\\@127.0.0.1/",
            "www.example.com/path",
            "a b",
            "a\0b",
            "[::1%lo]",
            "fe80::1%eth0",
            "2130706433",
            "0x7f000001",
            "0x7f.1",
            "1.2.3.0x4",
            "127.1",
            "127.0.1",
            "0177.0.0.1",
            "127.0.0.01",
            "256.0.0.1",
            "127.0.0.1.example.com:0",
            "www.example.com:99999",
        ] {
            assert_eq!(read(typed, ""), Err("bad-host"), "{typed}");
        }
        for typed in [
            "localhost",
            "intranet",
            "a.localhost",
            "printer.local",
            "db.internal",
            "nas.home.arpa",
            "x.LAN.",
        ] {
            assert_eq!(read(typed, ""), Err("not-public"), "{typed}");
            let allowed = Question::read(typed, "", &rules(true));
            assert!(allowed.is_ok(), "{typed}");
        }
        assert_eq!(read(&"a".repeat(301), ""), Err("bad-host"));
        assert_eq!(read("www.example.com", "telnet"), Err("bad-protocol"));
        assert_eq!(read("www.example.com:22", ""), Err("port-not-allowed"));
        assert_eq!(read("www.example.com:6379", ""), Err("port-not-allowed"));
    }

    #[test]
    fn ports_are_listed_or_any() {
        assert_eq!(Ports::parse("443, 9443"), Ok(Ports::Listed(vec![443, 9443])));
        assert_eq!(Ports::parse("any"), Ok(Ports::Any));
        for text in ["", "0", "443,", "65536", "https"] {
            assert!(Ports::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_question_is_typed_again_without_the_usual_port() {
        for (typed, starttls, again) in [
            ("www.example.com:443", "", "www.example.com"),
            ("www.example.com:8443", "", "www.example.com:8443"),
            ("mail.example.com:25", "smtp", "mail.example.com"),
            ("mail.example.com:443", "smtp", "mail.example.com:443"),
        ] {
            assert_eq!(Question::read(typed, starttls, &rules(false)).unwrap().typed(), again);
        }
    }
}
