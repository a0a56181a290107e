//! What the certificates of a chain name, fetched for the check: issuers, revocation lists, OCSP responses.
//!
//! Only where it is allowed, and over [`crate::fetch`] alone. Every address that was asked is told, with what came. Trust
//! never comes from the network: a self-signed certificate that is fetched is told and not taken.

use std::collections::HashSet;
use std::time::Duration;

use examiner::chain::extensions::AccessDescription;
use examiner::chain::{Chain, Examinee};
use examiner::path::signature;
use examiner::side::{Asked, Came, GivenCrl, OcspResponse, Sought, ocsp_request};
use gateway::networks::{Network, Networks};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fetch::{self, Rules};

mod question;

use question::{Answer, Question};

/// Time for all addresses of a chain.
const WITHIN: Duration = Duration::from_secs(20);
/// Time for one address (BR section 4.10.2).
const EACH: Duration = Duration::from_secs(10);
/// Questions for one chain.
const MOST_QUESTIONS: usize = 24;
/// Addresses of one kind that are asked of those that a certificate names.
const MOST_OF_A_KIND: usize = 4;
/// How far up issuers are fetched that nobody serves.
const MOST_LEVELS: usize = 4;
const NO_TIME: &str = "no time was left";
const TOO_MANY: &str = "the chain names too many addresses";

/// What was fetched for a chain.
#[derive(Debug, Default)]
pub struct Fetched {
    /// Issuers that were not at hand, in the order in which they were found; never a self-signed one.
    pub issuers: Vec<Examinee>,
    /// Revocation lists.
    pub crls: Vec<GivenCrl>,
    /// OCSP responses.
    pub ocsp: Vec<OcspResponse>,
    /// Every question, and what came.
    pub asked: Vec<Asked>,
}

/// Asks for everything that the chain names and lacks, and whether its certificates are revoked. `private`: the addresses
/// that are not public and may be asked.
pub async fn fetch(chain: &Chain, private: Networks) -> Fetched {
    let mut asker = Asker::new(private);
    let issuers = asker.issuers(chain).await;
    let beside = chain.beside.iter().chain(&issuers).cloned().collect();
    let whole = chain.clone().with_beside(beside);
    let questions = whole.examined().filter(|one| !one.is_self_issued()).flat_map(|one| states(&whole, one));
    asker.ask(questions.collect()).await;
    Fetched { issuers, ..asker.fetched }
}

impl Fetched {
    /// The chain with all of it beside what it had.
    pub fn put_beside(self, chain: Chain) -> Chain {
        let mut side = chain.side.clone();
        side.crls.extend(self.crls);
        side.ocsp.extend(self.ocsp);
        side.asked.extend(self.asked);
        let beside = chain.beside.iter().cloned().chain(self.issuers).collect();
        chain.with_beside(beside).with_side_files(side)
    }
}

/// Asks under one deadline and one count, each address once.
struct Asker {
    fetched: Fetched,
    rules: Rules,
    until: Instant,
    questions: usize,
    known: HashSet<(String, Option<Vec<u8>>)>,
}

impl Asker {
    fn new(private: Networks) -> Self {
        let rules = Rules {
            most_bytes: 0,
            deadline: EACH,
            private,
            private_by: "is not allowed here (`--allow-private`)",
            roots: fetch::public_roots(),
        };
        let until = Instant::now() + WITHIN;
        Self { fetched: Fetched::default(), rules, until, questions: 0, known: HashSet::new() }
    }

    /// Fetches the issuers of all that was served, and of those that it finds, as far as none is at hand.
    async fn issuers(&mut self, chain: &Chain) -> Vec<Examinee> {
        let mut found: Vec<Examinee> = Vec::new();
        let mut level: Vec<Examinee> =
            chain.served.iter().chain(&chain.beside).filter(|one| !one.is_self_issued()).cloned().collect();
        for _ in 0..MOST_LEVELS {
            self.ask(level.iter().flat_map(issuer).collect()).await;
            let mut next = Vec::new();
            for below in &level {
                let is_at_hand = chain.all().chain(&found).any(|one| has_issued(one, below));
                let mut came = self.fetched.asked.iter().flat_map(Asked::issuers);
                let new = came.find(|one| has_issued(one, below) && !one.is_self_issued());
                if let Some(new) = new.filter(|_| !is_at_hand) {
                    found.push(new.clone());
                    next.push(new.clone());
                }
            }
            if next.is_empty() {
                break;
            }
            level = next;
        }
        found
    }

    /// Asks all of these at once.
    async fn ask(&mut self, all: Vec<Question>) {
        let mut running = JoinSet::new();
        let mut answers = Vec::new();
        for (at, question) in all.into_iter().enumerate() {
            if !self.known.insert((question.url.clone(), question.request.clone())) {
                continue;
            }
            let left = self.until.saturating_duration_since(Instant::now());
            self.questions += 1;
            if left.is_zero() || self.questions > MOST_QUESTIONS {
                let why = if left.is_zero() { NO_TIME } else { TOO_MANY };
                answers.push((at, vec![Answer::of(question.told(Ok(Came::NotAsked(why))))]));
                continue;
            }
            let rules = Rules { deadline: EACH.min(left), ..self.rules.clone() };
            running.spawn(async move { (at, question.ask(rules).await) });
        }
        answers.extend(running.join_all().await);
        answers.sort_by_key(|(at, _)| *at);
        for answer in answers.into_iter().flat_map(|(_, answers)| answers) {
            self.fetched.asked.push(answer.asked);
            self.fetched.crls.extend(answer.list);
            self.fetched.ocsp.extend(answer.response);
        }
    }
}

/// Every address there is.
pub fn everywhere() -> Networks {
    ["0.0.0.0/0", "::/0"].into_iter().filter_map(|all| Network::parse(all).ok()).collect()
}

/// Whether the one may have issued the other, by name and signature.
fn has_issued(issuer: &Examinee, below: &Examinee) -> bool {
    issuer.subject_der() == below.issuer_der() && signature::verdict(below, issuer) != Some(false)
}

/// The questions for a certificate's issuer.
fn issuer(certificate: &Examinee) -> Vec<Question> {
    let urls = access(certificate, AccessDescription::CA_ISSUERS);
    urls.map(|url| Question::new(certificate, Sought::Issuer, url, None)).collect()
}

/// The questions for a certificate's state: its responders where the issuer is at hand, and its lists.
fn states(chain: &Chain, certificate: &Examinee) -> Vec<Question> {
    let issuer = chain.issuers_by_name(certificate).find(|one| has_issued(one, certificate));
    let request = issuer.and_then(|issuer| ocsp_request(certificate, issuer));
    let responders = request.into_iter().flat_map(|request| {
        access(certificate, AccessDescription::OCSP)
            .map(move |url| Question::new(certificate, Sought::OcspResponse, url, Some(request.clone())))
    });
    let points = certificate.known.crl_distribution_points.read().into_iter().flatten();
    let urls = points.filter(|point| point.crl_issuer.is_empty()).flat_map(|point| &point.names);
    let lists = urls.filter_map(|name| name.uri()).filter(|uri| is_http(uri)).take(MOST_OF_A_KIND);
    responders.chain(lists.map(|url| Question::new(certificate, Sought::RevocationList, url, None))).collect()
}

/// The HTTP addresses of one kind in authorityInfoAccess.
fn access<'a>(certificate: &'a Examinee, method: &'a str) -> impl Iterator<Item = String> + 'a {
    let entries = certificate.known.authority_info_access.read().into_iter().flatten();
    let urls = entries.filter(move |entry| entry.method == method).filter_map(|entry| entry.location.uri());
    urls.filter(|uri| is_http(uri)).take(MOST_OF_A_KIND)
}

/// Whether it can be asked by HTTP at all; of other schemes the checks tell.
fn is_http(uri: &str) -> bool {
    let begins = |scheme: &str| uri.get(..scheme.len()).is_some_and(|b| b.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

#[cfg(test)]
mod tests;
