//! Simulated clients: who takes a chain, who refuses it, and why.
//!
//! - `rustls` asks the real rustls-webpki.
//! - `openssl` is a model of OpenSSL 3's builder, which takes the first issuer that fits and does not turn back; a test
//!   compares it with `openssl verify`.
//! - The two others are our own path building: with what was fetched beside the served certificates, and without.

pub mod openssl;
mod rustls;

use crate::cert::UnixTime;
use crate::chain::Chain;

use super::{Budget, Paths, Rules, build, build_from_served};

/// A simulated client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// Tries every path and fetches what is missing: browsers.
    Fetching,
    /// Tries every path of what was served.
    Thorough,
    /// rustls, by its own rustls-webpki.
    Rustls,
    /// OpenSSL 3 as it comes, at security level 2.
    OpenSsl,
}

impl Client {
    /// Who that is, as people call them.
    pub fn families(self) -> &'static str {
        match self {
            Self::Fetching => "browsers that fetch what is missing",
            Self::Thorough => "clients that try every path and fetch nothing (Go)",
            Self::Rustls => "rustls",
            Self::OpenSsl => "OpenSSL (curl, Python, PHP, Ruby, nginx, HAProxy)",
        }
    }
}

/// What a client says of a chain.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The client.
    pub client: Client,
    /// Nothing, or why it refuses.
    pub verdict: Result<(), String>,
    /// The path that it went, by index, as far as it came. Empty where it does not tell.
    pub path: Vec<usize>,
}

/// What each client says; none where nothing is known of trust anchors, or nothing was served.
pub fn judge(chain: &Chain, purpose: &str, at: UnixTime) -> Vec<Judged> {
    if chain.anchors.is_none() || chain.served.is_empty() {
        return Vec::new();
    }
    let rules = Rules { at, purpose: Some(purpose), max_depth: None, crls: &[], budget: Budget::default() };
    vec![
        ours(Client::Fetching, &build(chain, &rules)),
        ours(Client::Thorough, &build_from_served(chain, &rules)),
        rustls::judge(chain, purpose, at),
        openssl::judge(chain, purpose, at, false),
    ]
}

fn ours(client: Client, paths: &Paths<'_>) -> Judged {
    let path = paths.valid.iter().min_by_key(|path| path.len());
    let why = || paths.best_fault().map_or_else(|| "no path".into(), |fault| fault.why.clone());
    Judged {
        client,
        verdict: path.map(|_| ()).ok_or_else(why),
        path: path.into_iter().flatten().map(|one| one.index).collect(),
    }
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
        let why = one.verdict.as_ref().err()?;
        Some(format!("{} refuses: {why}", one.client.families()))
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
        let these = judged.iter().filter(|one| one.verdict.is_ok() == takes);
        these.map(|one| one.client.families()).collect()
    };
    (names(true), names(false))
}
