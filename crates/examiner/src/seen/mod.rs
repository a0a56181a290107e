//! What was seen of a host from outside: its addresses, and what each handshake showed. Plain data, handed in.
//!
//! [`alert`] has the names and the meaning of TLS alerts.

pub mod alert;
mod facts;

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use crate::cert::tlv::{Budget, read, tag};
use crate::chain::{DistinguishedName, Place};

pub use facts::HostFact;

/// A host, as it was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Host and port, as they were asked for.
    pub name: String,
    /// The server name that was sent (RFC 6066 section 3); `None` where none is sent, as for an address.
    pub servername: Option<String>,
    /// What is spoken before TLS, by its name; `None` where TLS begins at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starttls: Option<String>,
    /// Each address that was looked at, in the resolver's order.
    pub addresses: Vec<Address>,
    /// How many more addresses the name has.
    #[serde(default)]
    pub more_addresses: usize,
    /// The certificate that was shown to it; `None` where none was.
    #[serde(default)]
    pub shown: Option<Shown>,
}

/// One address of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Address and port.
    pub address: String,
    /// Why nothing could be seen; `None` where something was.
    pub fault: Option<String>,
    /// The handshakes, one for each range of versions that was offered.
    pub handshakes: Vec<Handshake>,
    /// What a client gets that sends no server name; `None` where that was not tried, or is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nameless: Option<Nameless>,
    /// What the server said in clear behind its go-ahead for TLS, escaped; `None` where all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub early: Option<String>,
    /// What a client gets that takes another kind of key alone; `None` where that is no other certificate, or was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_key: Option<OtherKey>,
    /// Whether the server speaks what is spoken before TLS, and does not offer TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offers_no_tls: bool,
}

/// What a client gets that sends no server name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameless {
    /// The thumbprints of the certificates; empty where there is none.
    pub chain: Vec<String>,
    /// The subject of the first, RFC 4514.
    pub subject: String,
    /// How it ended.
    pub end: End,
}

/// The certificate for clients that take one kind of key alone (RFC 8446 section 4.4.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherKey {
    /// The kind of key: `RSA` or `ECDSA`.
    pub kind: String,
    /// The thumbprints of the certificates.
    pub chain: Vec<String>,
    /// The subject of the first, RFC 4514.
    pub subject: String,
    /// The last second of the first, RFC 3339; empty where it cannot be read.
    pub not_after: String,
}

/// Whether a server compresses its certificates where a client offers to unpack them (RFC 8879).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "how")]
pub enum Compression {
    /// It does not.
    None,
    /// It does. Nothing is unpacked: the sizes are those that it announces and sends.
    By {
        /// The algorithm, by its registered name or number.
        algorithm: String,
        /// Octets as sent.
        packed: usize,
        /// Octets that it announces for what is unpacked.
        unpacked: usize,
    },
}

/// One handshake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handshake {
    /// What was offered.
    pub offered: Offer,
    /// The version that the server chose.
    pub version: Option<Version>,
    /// The cipher suite that the server chose, by its registered name or number.
    pub cipher_suite: Option<String>,
    /// The protocol that the server chose (RFC 7301).
    pub alpn: Option<String>,
    /// The thumbprints of the certificates, in the order in which they were served.
    pub chain: Vec<String>,
    /// Whether an OCSP response was stapled to the server's own certificate.
    pub is_stapled: bool,
    /// How many signed certificate timestamps stood in a TLS extension; `None` where they are not asked for.
    pub timestamps: Option<usize>,
    /// How many stood in the stapled OCSP response (RFC 6962 section 3.3.2).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub stapled_timestamps: usize,
    /// Whether the certificates are compressed for who offers to unpack them; `None` where that was not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compression: Option<Compression>,
    /// What is asked of a client's certificate; `None` where none is asked for.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether the server signed with the key of its certificate; `None` where that was not seen.
    pub has_key: Option<bool>,
    /// How it ended.
    pub end: End,
}

/// What a handshake offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Offer {
    /// TLS 1.2 at most, and every older version that the server wants to go down to.
    UpToTls12,
    /// TLS 1.3 alone.
    Tls13,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Version {
    /// SSL 3.0 (prohibited by RFC 7568).
    #[serde(rename = "SSL 3.0")]
    Ssl30,
    /// TLS 1.0 (deprecated by RFC 8996).
    #[serde(rename = "TLS 1.0")]
    Tls10,
    /// TLS 1.1 (deprecated by RFC 8996).
    #[serde(rename = "TLS 1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLS 1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLS 1.3")]
    Tls13,
}

/// How a handshake ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "kebab-case", tag = "how")]
pub enum End {
    /// All was seen that was looked for.
    Seen,
    /// The server sent a fatal alert.
    Alert {
        /// Its number (RFC 8446 section 6).
        code: u8,
    },
    /// The server closed the connection, or reset it.
    Closed,
    /// Nothing whole came in time.
    Slow,
    /// What came cannot be read, or is not TLS.
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
}

/// What a server asks of a client's certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The issuers that are named, as RFC 4514 text, each shortened.
    pub issuers: Vec<String>,
    /// Octets of the whole list.
    pub issuer_octets: usize,
    /// The signature algorithms that are taken, by their registered names or numbers.
    pub signature_algorithms: Vec<String>,
    /// Up to TLS 1.2, the types of certificates that are taken (RFC 5246 section 7.4.4), by name or number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub certificate_types: Vec<String>,
    /// What came of going on without one.
    pub without: Without,
}

/// What comes of going on without a certificate where one is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Without {
    /// It was not tried, or the handshake failed for another reason.
    #[default]
    Unknown,
    /// The connection stands.
    Taken,
    /// The connection stands, and a request is answered with this status.
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// The server ends the connection: with this alert, or `None` without a word.
    Refused {
        /// The alert's number.
        alert: Option<u8>,
    },
}

/// What came of showing a client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its subject, RFC 4514.
    pub subject: String,
    /// The names of the issuers in its chain, the nearest first, as RFC 4514 text.
    pub issuers: Vec<String>,
    /// Its key, as people call it.
    pub key: String,
    /// Whether the server's list of issuers names one of its chain; `None` where nothing was asked, or any issuer.
    pub is_issuer_named: Option<bool>,
    /// Whether the server takes signatures of its key; `None` where nothing was asked.
    pub is_key_taken: Option<bool>,
    /// What came of it.
    pub outcome: ShownOutcome,
}

/// What came of showing a client certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum ShownOutcome {
    /// It was not asked for.
    NotAsked,
    /// It cannot be shown: the server takes no signature of its key.
    NotOffered,
    /// The connection stands.
    Taken,
    /// The connection stands, and a request is answered with this status.
    Answered {
        /// HTTP status.
        status: u16,
    },
    /// The server ends the connection: with this alert, or `None` without a word.
    Refused {
        /// The alert's number.
        alert: Option<u8>,
    },
    /// It could not be tried.
    Failed {
        /// Why.
        why: String,
    },
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ssl30 => "SSL 3.0",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seen => f.write_str("all was seen"),
            Self::Alert { code } => write!(f, "the server sends the alert {}", alert::named(*code)),
            Self::Closed => f.write_str("the server closes the connection without a word"),
            Self::Slow => f.write_str("the server sends nothing whole in time"),
            Self::Unreadable { why } => f.write_str(why),
        }
    }
}

impl Host {
    /// All handshakes, with the address of each.
    pub fn handshakes(&self) -> impl Iterator<Item = (&Address, &Handshake)> {
        self.addresses.iter().flat_map(|one| one.handshakes.iter().map(move |handshake| (one, handshake)))
    }

    /// The newest version that was spoken.
    pub fn newest(&self) -> Option<Version> {
        self.handshakes().filter_map(|(_, one)| one.version).max()
    }

    /// The first handshake in which a client's certificate was asked for; one that tells what comes of having none first.
    pub fn asks(&self) -> Option<&ClientCertificate> {
        let asked = || self.handshakes().filter_map(|(_, one)| one.client_certificate.as_ref());
        asked().find(|one| one.without != Without::Unknown).or_else(|| asked().next())
    }

    /// Whether an OCSP response was stapled in any handshake.
    pub fn is_stapled(&self) -> bool {
        self.handshakes().any(|(_, one)| one.is_stapled)
    }
}

impl ClientCertificate {
    /// How much it is asked for, in one word: `required`, `optional`, or `asked` where that could not be told.
    pub fn word(&self) -> &'static str {
        match self.without {
            Without::Unknown => "asked",
            Without::Taken => "optional",
            Without::Answered { status: 400 | 401 | 403 | 495 | 496 } => "required",
            Without::Answered { .. } => "optional",
            Without::Refused { .. } => "required",
        }
    }
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// Characters of a name that are kept.
const MOST_NAME: usize = 256;

/// A distinguished name (DER) as RFC 4514 text, shortened; what is none is told by its first octets.
pub fn name_of(der: &[u8]) -> String {
    let tree = read(der.into(), Budget::default());
    let text = match tree.root().filter(|root| root.is(tag::SEQUENCE)) {
        Some(root) => DistinguishedName::of(root, Place::new("", 0..der.len())).to_string(),
        None => format!("unreadable: {}", HEXLOWER.encode(&der[..der.len().min(16)])),
    };
    text.chars().take(MOST_NAME).collect()
}
