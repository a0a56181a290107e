//! What an examination found, as plain data. Every format is a pure function of a [`Report`].
//!
//! `finding` is one thing found, `told` everything in the order in which it is told; `picture` puts the chain in the order
//! in which it is drawn. A format is a module: [`text`], [`svg`], [`html`] and [`markdown`] to be read, [`sarif`] and
//! [`junit`] for programs; [`fix`] has the lines that mend a server.

mod file;
mod finding;
pub mod fix;
pub mod html;
pub mod junit;
pub mod markdown;
mod markup;
mod network;
mod picture;
pub mod sarif;
mod subject;
pub mod svg;
pub mod text;
mod told;

use serde::Serialize;

use crate::cert::UnixTime;
use crate::chain::Role;
use crate::input::Note;
use crate::other::Described;
use crate::path::clients::{Client, Judged};
use crate::profile::Profile;
use crate::seen::Host;

pub use finding::{Confidence, Finding, Needs, Severity, Untold};
pub use markup::escaped;
pub use network::NetworkUse;
pub use subject::{NotExamined, Subject};
pub use told::Told;

/// What an examination found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings' verdict in one word.
    pub verdict: Verdict,
    /// The same as one sentence.
    pub sentence: String,
    /// By whose rules.
    pub profile: ChosenProfile,
    /// The moment that counted as now.
    pub examined_at: UnixTime,
    /// The certificates by their index.
    pub chain: Vec<Link>,
    /// The certificates that are missing from what was served.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
    /// The chain that ought to be served instead, by index; `None` where nothing is to be changed, or no path is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repaired: Option<Vec<usize>>,
    /// What was found, errors first, then by the order of the chain.
    pub findings: Vec<Finding>,
    /// What could not be told, and what it needs.
    pub untold: Vec<Untold>,
    /// What is to be said of the file itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// What the file holds beside certificates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Described>,
    /// What the root stores that were asked say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreVerdict>,
    /// Who takes the chain and who refuses it; empty where nobody can be asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<ClientVerdict>,
    /// What was asked of the network, and what came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<NetworkUse>,
    /// How the certificates belong together.
    #[serde(skip_serializing_if = "Shape::is_chain")]
    pub shape: Shape,
    /// The host that served them, as it was seen; `None` where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<Host>,
}

/// What a simulated client says. For a client certificate these are servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClientVerdict {
    /// The client.
    pub client: Client,
    /// Who that is, as people call them.
    pub who: &'static str,
    /// Whether it fetches what is missing (authorityInfoAccess).
    pub fetches: bool,
    /// Whether it takes the chain; `None` where it would fetch what is not at hand.
    pub takes: Option<bool>,
    /// Why it refuses, or what it would fetch.
    pub why: Option<String>,
    /// The way that it went, by index; empty where it does not tell.
    pub path: Vec<usize>,
}

impl From<&Judged> for ClientVerdict {
    fn from(judged: &Judged) -> Self {
        let (takes, why) = match (&judged.verdict, &judged.would_fetch) {
            (Ok(()), _) => (Some(true), None),
            (Err(_), Some(from)) => (
                None,
                Some(format!("it would fetch {}, which is not at hand (--intermediates)", shown(from))),
            ),
            (Err(why), None) => (Some(false), Some(why.clone())),
        };
        let Judged { client, who, .. } = *judged;
        Self { client, who, fetches: client.fetches(), takes, why, path: judged.path.clone() }
    }
}

impl ClientVerdict {
    /// The verdict in words, behind the client's name.
    pub fn words(&self) -> String {
        let why = self.why.as_deref().unwrap_or_default();
        match self.takes {
            Some(true) => "take it".into(),
            Some(false) => format!("refuse it: {why}"),
            None => format!("cannot tell: {why}"),
        }
    }
}

/// How the certificates of a report belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// As one chain.
    #[default]
    Chain,
    /// Not at all: each was looked at by itself.
    Apart,
    /// As trust anchors of one bundle.
    Bundle,
}

impl Shape {
    fn is_chain(&self) -> bool {
        *self == Self::Chain
    }
}

/// What one root store says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StoreVerdict {
    /// Whose it is.
    pub name: String,
    /// Whether a path leads to one of its anchors.
    pub is_trusted: bool,
}

/// A certificate that is missing from what was served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The index of the certificate that it issued.
    pub issuer_of: usize,
    /// Its subject as RFC 4514 text.
    pub name: String,
    /// Its index, where it is at hand beside what was served.
    pub at_hand: Option<usize>,
}

/// The worst of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing, or notices alone.
    Right,
    /// Warnings and no error.
    Warnings,
    /// At least one error.
    Errors,
}

/// The profile and how it was chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChosenProfile {
    /// The profile.
    pub name: Profile,
    /// Why it was guessed; `None` where it was given.
    pub guessed: Option<String>,
}

/// One certificate of the chain, as a report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Its number.
    pub index: usize,
    /// The part it plays.
    pub role: Role,
    /// Where it comes from.
    pub source: Source,
    /// What people call it, for pictures: common name, else subject, else first alternative name. Not in JSON.
    #[serde(skip)]
    pub title: String,
    /// Its subject as RFC 4514 text.
    pub subject: String,
    /// Its issuer as RFC 4514 text.
    pub issuer: String,
    /// Its serial number in lower-case hex.
    pub serial: String,
    /// First second of validity.
    pub not_before: Option<UnixTime>,
    /// Last second of validity.
    pub not_after: Option<UnixTime>,
    /// SHA-256 of its DER.
    pub thumbprint: String,
}

/// Where a certificate of the report comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Served by the host, or in the file.
    Served,
    /// At hand beside it.
    Beside,
    /// A trust anchor.
    Anchor,
}

/// Text out of a certificate, safe to show: control characters and what turns text around are escaped.
pub fn shown(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || crate::cert::is_invisible(c) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    safe
}
