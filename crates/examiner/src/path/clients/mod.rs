//! Simulated clients: who takes a chain, who refuses it, and why.
//!
//! - `rustls` asks the real rustls-webpki.
//! - `openssl` is a model of OpenSSL 3's builder, which takes the first issuer that fits and does not turn back; a test
//!   compares it with `openssl verify`.
//! - The two others are our own path building: with what was fetched beside the served certificates, and without.

pub mod openssl;
mod rustls;

use serde::Serialize;

use crate::cert::{UnixTime, oid};
use crate::chain::Chain;
use crate::chain::extensions::AccessDescription;
use crate::checks::chain::shared::{absent_root, first_missing};
use crate::side::Sought;

use super::{Budget, Paths, Rules, build, build_from_served};

/// A simulated client: whoever verifies the chain, for a client certificate a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Client {
    /// Tries every path and fetches what is missing: browsers.
    Fetching,
    /// Tries every path of what was served.
    Thorough,
    /// rustls, by its own rustls-webpki.
    Rustls,
    /// OpenSSL 3 as it comes, at security level 2.
    #[serde(rename = "openssl")]
    OpenSsl,
}

impl Client {
    /// Who that is, as people call them: those who verify a certificate for this purpose (dotted text).
    pub fn families(self, purpose: &str) -> &'static str {
        match (self, purpose == oid::CLIENT_AUTH) {
            (Self::Fetching, false) => "browsers that fetch what is missing",
            (Self::Fetching, true) => "servers that fetch what is missing (IIS)",
            (Self::Thorough, false) => "clients that try every path and fetch nothing (Go)",
            (Self::Thorough, true) => "servers that try every path and fetch nothing (Go: Caddy, Traefik)",
            (Self::Rustls, false) => "rustls",
            (Self::Rustls, true) => "servers built on rustls (this gate)",
            (Self::OpenSsl, false) => "OpenSSL (curl, Python, PHP, Ruby, nginx, HAProxy)",
            (Self::OpenSsl, true) => "servers built on OpenSSL (nginx, HAProxy, Apache)",
        }
    }

    /// Whether it fetches certificates from the addresses that others name (authorityInfoAccess).
    pub fn fetches(self) -> bool {
        self == Self::Fetching
    }
}

/// What a client says of a chain.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The client.
    pub client: Client,
    /// Who that is, as people call them.
    pub who: &'static str,
    /// Nothing, or why it refuses.
    pub verdict: Result<(), String>,
    /// The address that it would fetch the missing certificate from, which is not at hand: then its verdict is that
    /// without it, and what it says with it cannot be told.
    pub would_fetch: Option<String>,
    /// The path that it went, by index, as far as it came. Empty where it does not tell.
    pub path: Vec<usize>,
}

/// What each client says; none where nothing is known of trust anchors, or nothing was served.
pub fn judge(chain: &Chain, purpose: &str, at: UnixTime) -> Vec<Judged> {
    if chain.anchors.is_none() || chain.served.is_empty() {
        return Vec::new();
    }
    let rules = Rules { at, purpose: Some(purpose), max_depth: None, crls: &[], budget: Budget::default() };
    let mut fetching = ours(Client::Fetching, purpose, &build(chain, &rules));
    if fetching.verdict.is_err() {
        fetching.would_fetch = not_at_hand(chain);
    }
    vec![
        fetching,
        ours(Client::Thorough, purpose, &build_from_served(chain, &rules)),
        rustls::judge(chain, purpose, at),
        openssl::judge(chain, purpose, at, false),
    ]
}

fn ours(client: Client, purpose: &str, paths: &Paths<'_>) -> Judged {
    let path = paths.valid.iter().min_by_key(|path| path.len());
    let why =
        || paths.best_fault().map_or_else(|| "no path to a trust anchor".into(), |fault| fault.why.clone());
    Judged {
        client,
        who: client.families(purpose),
        verdict: path.map(|_| ()).ok_or_else(why),
        would_fetch: None,
        path: path.into_iter().flatten().map(|one| one.index).collect(),
    }
}

/// The address that the first certificate without an issuer at hand names for it, unless it was asked in vain.
fn not_at_hand(chain: &Chain) -> Option<String> {
    // A root that is fetched helps nobody.
    if absent_root(chain).is_some() {
        return None;
    }
    let (below, _) = first_missing(chain)?;
    let entries = below.known.authority_info_access.read()?;
    let issuers = entries.iter().filter(|entry| entry.method == AccessDescription::CA_ISSUERS);
    let in_vain = |uri: &String| {
        chain
            .side
            .asked
            .iter()
            .any(|one| one.sought == Sought::Issuer && one.about == below.thumbprint && one.url == *uri)
    };
    issuers.filter_map(|entry| entry.location.uri()).find(|uri| uri.starts_with("http://") && !in_vain(uri))
}

/// The one client of a kind.
fn of(judged: &[Judged], client: Client) -> Option<&Judged> {
    judged.iter().find(|one| one.client == client)
}

/// Whether the chain as served holds for a client that tries every path.
pub fn full_accepts(judged: &[Judged]) -> bool {
    of(judged, Client::Thorough).is_some_and(|one| one.verdict.is_ok())
}

/// Where OpenSSL went another way than the path that holds, and failed: why, and its way.
pub fn astray(judged: &[Judged]) -> Option<(&str, &[usize])> {
    let (full, openssl) = (of(judged, Client::Thorough)?, of(judged, Client::OpenSsl)?);
    let why = openssl.verdict.as_ref().err()?;
    (full.path != openssl.path).then_some((why, &openssl.path))
}

/// Who refuses and why, in words; `None` where nobody does.
pub fn refusals(judged: &[Judged]) -> Option<String> {
    let refusing = judged.iter().filter_map(|one| {
        let why = one.verdict.as_ref().err().filter(|_| one.would_fetch.is_none())?;
        let verb = if one.who.contains("s ") { "refuse" } else { "refuses" };
        Some(format!("{} {verb}: {why}", one.who))
    });
    let all: Vec<String> = refusing.collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// Who refuses a chain and who takes it, where the clients do not agree.
pub fn who_differs(judged: &[Judged]) -> Option<String> {
    let (take, refuse) = sides(judged);
    if take.is_empty() || refuse.is_empty() {
        return None;
    }
    Some(format!("refused by {}; taken by {}", refuse.join(", "), take.join(", ")))
}

/// The same of the clients that are not our own path building, which is what found the fault.
pub fn others_on_fault(judged: &[Judged]) -> Option<String> {
    let others: Vec<Judged> =
        judged.iter().filter(|one| matches!(one.client, Client::Rustls | Client::OpenSsl)).cloned().collect();
    match sides(&others) {
        (take, _) if take.is_empty() => None,
        (take, refuse) if refuse.is_empty() => {
            Some(format!("clients that hold to the rule; not {}", take.join(", ")))
        }
        (take, refuse) => Some(format!("refused by {}; taken by {}", refuse.join(", "), take.join(", "))),
    }
}

fn sides(judged: &[Judged]) -> (Vec<&'static str>, Vec<&'static str>) {
    let names = |takes: bool| {
        let these = judged.iter().filter(|one| one.verdict.is_ok() == takes && one.would_fetch.is_none());
        these.map(|one| one.who).collect()
    };
    (names(true), names(false))
}
