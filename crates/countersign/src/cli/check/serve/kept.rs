//! A look as it is kept: what was seen, and the chain in its right form. The chain itself is not kept: it is large.

use std::net::SocketAddr;

use examiner::UnixTime;
use examiner::profile::PeerName;
use examiner::report::Report;
use examiner::report::fix::{self, Material, Server, Step};

use super::question::Question;
use super::refusal::Refusal;
use crate::cli::check::host::{self, Way};
use crate::cli::check::look::{Asked, Seen};
use crate::cli::check::many::Answers;
use crate::cli::check::repaired::Mended;
use crate::cli::{Exit, Failure, context};
use crate::probe::Ways;
use crate::probe::public::{Bounds, OutOfBounds};

/// A look.
pub struct Kept {
    /// What was asked.
    pub question: Question,
    /// When it was looked at.
    pub at: UnixTime,
    /// What was seen: a report for each chain, or why there is none; never none of both.
    pub answers: Answers,
    /// The first chain in its right form; `None` where there is no chain.
    pub mended: Option<Result<Right, String>>,
}

/// A chain in its right form, as it is handed back.
pub struct Right {
    /// The certificates, PEM.
    pub pem: String,
    /// Whether it is another than the one that is served.
    pub is_changed: bool,
    /// The host, as it may stand in settings and names of files.
    pub host: String,
    /// What it does not mend, each in a sentence.
    pub left: Vec<String>,
}

/// How hosts are looked at here.
pub struct Looking {
    /// By whose rules, and with what at hand.
    pub asked: Asked,
    /// Where a look may go.
    pub bounds: Bounds,
    /// Whom to ask what the DNS says of a host; `None` asks nobody.
    pub resolver: Option<SocketAddr>,
}

impl Looking {
    /// Looks at a host.
    pub fn look(&self, question: &Question) -> Result<Kept, Refusal> {
        let at = context::now();
        let name = question.target.to_string();
        let unseen = |failure: Failure| Kept {
            question: question.clone(),
            at,
            answers: vec![(name.clone(), Err(failure))],
            mended: None,
        };
        let runtime = context::runtime().map_err(|_| Refusal::Failed)?;
        let found = runtime.block_on(self.bounds.ways(&question.target));
        // A resolver that does not answer is not waited for.
        runtime.shutdown_background();
        let found = match found {
            Ok(ways) => ways,
            Err(OutOfBounds::Address(address)) => return Err(Refusal::InnerAddress(address)),
            Err(OutOfBounds::Name(host)) => return Err(Refusal::LeadsWithin(host)),
            Err(why @ OutOfBounds::Unresolved { .. }) => {
                let help = "see that the name is right, and that it is in the DNS";
                return Ok(unseen(Failure::new(Exit::Unreachable, why.to_string(), help)));
            }
        };
        let ways = Ways { starttls: question.starttls, ..found };
        let way = Way { ways, resolver: self.resolver, servername: None, own: None };
        let seen = match host::look(&self.asked, &question.target, &way) {
            Ok(seen) => seen,
            Err(failure) => return Ok(unseen(failure)),
        };
        let mended = seen.first().and_then(|first| self.mended(question, at, first));
        let answers = seen.into_iter().map(|seen| (seen.name.clone(), Ok(Seen { chain: None, ..seen })));
        Ok(Kept { question: question.clone(), at, answers: answers.collect(), mended })
    }

    fn mended(&self, question: &Question, at: UnixTime, seen: &Seen) -> Option<Result<Right, String>> {
        let chain = seen.chain.as_ref()?;
        let mut asked = self.asked.question.clone();
        asked.at = at.max(asked.at);
        asked.host = Some(PeerName::host(question.target.host.as_str()));
        let _turn = self.asked.turns.wait();
        Some(Mended::of(&asked, chain, &seen.report).map_err(|error| error.to_string()).map(|mended| {
            let left =
                mended.left().map(|told| format!("{}: {}. {}", told.place, told.observed, told.remedy));
            Right {
                left: left.collect(),
                pem: mended.pem.clone(),
                is_changed: mended.is_changed,
                host: mended.host.clone(),
            }
        }))
    }
}

impl Kept {
    /// The first report; `None` where there is none.
    pub fn report(&self) -> Option<&Report> {
        self.answers.first()?.1.as_ref().ok().map(|seen| &seen.report)
    }

    /// The chain in its right form; the error says why there is none.
    pub fn right(&self) -> Result<&Right, String> {
        match &self.mended {
            Some(Ok(right)) => Ok(right),
            Some(Err(why)) => Err(why.clone()),
            None => Err("there is no chain to put right".into()),
        }
    }

    /// A look that saw nothing.
    #[cfg(test)]
    pub fn empty(question: Question) -> Self {
        Self { question, at: context::now(), answers: Vec::new(), mended: None }
    }
}

impl Right {
    /// What to do so that this kind of server serves it.
    pub fn steps(&self, server: Server) -> Vec<Step> {
        let material = Material {
            host: &self.host,
            chain: &format!("/etc/ssl/{}.pem", self.host),
            key: &format!("/etc/ssl/private/{}.key", self.host),
            pem: Some(&self.pem),
        };
        fix::steps(server, &material)
    }
}
