//! By whose rules a chain is examined.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::cert::oid;
use crate::chain::Chain;

/// The rules that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// The public web: Baseline Requirements and root programmes.
    Web,
    /// RFC 5280 alone, to the letter.
    Rfc5280,
    /// Servers under a private CA.
    PrivateServer,
    /// Client certificates for mutual TLS.
    MtlsClient,
}

impl Profile {
    /// All, in the order of the command line's help.
    pub const ALL: [Self; 4] = [Self::Web, Self::Rfc5280, Self::PrivateServer, Self::MtlsClient];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Rfc5280 => "rfc5280",
            Self::PrivateServer => "private-server",
            Self::MtlsClient => "mtls-client",
        }
    }

    /// The profile of this name; `None` for `auto` and for what is none.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }

    /// The profile that fits the chain, and why: `mtls-client` for a certificate with the client and without the server
    /// usage, `web` for all else.
    pub fn guess(chain: &Chain) -> (Self, String) {
        let Some(first) = chain.end_entity() else { return (Self::Web, "nothing to go by".into()) };
        if first.has_purpose(oid::CLIENT_AUTH) && !first.has_purpose(oid::SERVER_AUTH) {
            return (Self::MtlsClient, "its extended key usage names clients and not servers".into());
        }
        let reason = if first.is_self_issued() {
            "no client certificate; it is self-signed: for a private CA examine it with --private"
        } else {
            "no client certificate; for a private CA examine it with --private"
        };
        (Self::Web, reason.into())
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name that the relying party expects its peer to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerName {
    /// A host name, lower case, without a trailing dot.
    Dns(String),
    /// An address.
    Ip(IpAddr),
    /// A mailbox, as it is written.
    Email(String),
}

impl PeerName {
    /// An address where the text is one, else a host name.
    pub fn host(text: &str) -> Self {
        match text.trim_matches(['[', ']']).parse() {
            Ok(ip) => Self::Ip(ip),
            Err(_) => Self::Dns(text.trim_end_matches('.').to_ascii_lowercase()),
        }
    }
}

impl fmt::Display for PeerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) | Self::Email(name) => f.write_str(&crate::report::shown(name)),
            Self::Ip(ip) => write!(f, "{ip}"),
        }
    }
}
