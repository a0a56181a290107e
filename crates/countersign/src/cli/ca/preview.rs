//! What a new issuer's rule would let in, before it is trusted: held against the certificates that are known here.
//!
//! Each is decided by the gate's own decision, with the rule alone: what a pin or a grant lets in anyway does not count.
//! Only certificates whose issuers are in the given file can be told; whoever has one that is not known here is not seen.

use std::collections::BTreeSet;
use std::sync::Arc;

use policy::{Admission, Decision, Moment, NormalPath, Peer, RecordChange, Records, Snapshot};
use rustls_pki_types::CertificateDer;
use serde::Serialize;

use super::add::Candidate;
use crate::cli::Failure;
use crate::cli::context::Context;

/// Certificates of parties that are looked at.
const MOST: u32 = 1000;
/// Examples of each kind.
const EXAMPLES: usize = 5;

/// What a rule would let in.
#[derive(Debug, Serialize)]
pub struct Preview {
    /// The issuer's name in rules.
    pub name: String,
    /// Whether everyone with a certificate from it gets in.
    pub everyone: bool,
    /// The sites.
    pub sites: Vec<String>,
    /// Of those that have knocked and are pending.
    pub pending: Known,
    /// Of the parties' saved certificates.
    pub saved: Known,
    /// What deserves a second look.
    pub warnings: Vec<String>,
}

/// Certificates known here that the issuer signed.
#[derive(Debug, Default, Serialize)]
pub struct Known {
    /// How many.
    pub count: usize,
    /// How many of them the rule would let in.
    pub let_in: usize,
    /// Some that it would let in.
    pub examples: Vec<Example>,
    /// Some that it would not, each with the refusal's code.
    pub refused: Vec<Example>,
}

/// One of them.
#[derive(Debug, Serialize)]
pub struct Example {
    /// Its subject.
    pub subject: String,
    /// The party that it leads to now; none while it is pending.
    pub party: Option<String>,
    /// The party that it would lead to, or the refusal's code.
    pub becomes: String,
}

/// What is held against the rule.
struct Held {
    der: Vec<u8>,
    subject: String,
    party: Option<String>,
}

impl Preview {
    /// Holds the rule against what is known.
    ///
    /// # Errors
    ///
    /// The registry cannot be read.
    pub fn of(context: &Context, candidate: &Candidate) -> Result<Self, Failure> {
        let ca = candidate.after.cas.get(candidate.name());
        let issuers: BTreeSet<String> = ca
            .iter()
            .flat_map(|ca| ca.rules.anchors.iter().chain(&ca.rules.intermediates))
            .map(|one| one.subject.to_string())
            .collect();
        let pending = context.run(context.registry.pendings())?.into_iter().map(|row| Held {
            der: row.der,
            subject: row.subject,
            party: None,
        });
        let saved = context
            .run(context.registry.pinned_from(&issuers, MOST))?
            .into_iter()
            .map(|(party, row)| Held { der: row.der, subject: row.subject, party: Some(party.to_string()) });
        let judge = Judge::new(context, candidate);
        Ok(Self {
            name: candidate.name().to_owned(),
            everyone: ca.is_some_and(|ca| ca.rules.admission == Admission::Any),
            sites: candidate.sites().iter().map(ToString::to_string).collect(),
            pending: judge.all(pending),
            saved: judge.all(saved),
            warnings: candidate.warnings.clone(),
        })
    }

    /// In words, for the command line.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if self.everyone {
            text += "everyone with a certificate from this issuer gets in\n";
        }
        for (what, known) in [("pending", &self.pending), ("saved", &self.saved)] {
            text += &format!(
                "{what}: {} known certificate(s) from this issuer, {} of them would get in\n",
                known.count, known.let_in
            );
            for one in &known.examples {
                text += &format!("  {} would be {}\n", one.subject, one.becomes);
            }
            for one in &known.refused {
                text += &format!("  {} would be refused: {}\n", one.subject, one.becomes);
            }
        }
        text
    }
}

/// Decides with the new rule alone.
struct Judge<'a> {
    context: &'a Context,
    candidate: &'a Candidate,
    snapshot: Snapshot,
    /// The issuer's own certificates, sent along.
    issuers: Vec<CertificateDer<'static>>,
}

impl<'a> Judge<'a> {
    fn new(context: &'a Context, candidate: &'a Candidate) -> Self {
        let mut records = Records::default();
        for site in candidate.sites().iter().filter(|_| candidate.grants()) {
            let cas = BTreeSet::from([candidate.name().to_owned()]);
            records.apply(RecordChange::CaGrants(site.clone(), cas));
        }
        let ca = candidate.after.cas.get(candidate.name());
        let issuers = ca.iter().flat_map(|ca| &ca.rules.intermediates);
        Self {
            context,
            candidate,
            snapshot: candidate.after.snapshot(records, 0),
            issuers: issuers.map(|one| CertificateDer::from(one.der.to_vec())).collect(),
        }
    }

    fn all(&self, held: impl Iterator<Item = Held>) -> Known {
        let mut known = Known::default();
        for one in held {
            let Some(verdict) = self.verdict(&one.der) else { continue };
            known.count += 1;
            let (list, becomes) = match verdict {
                Ok(party) => {
                    known.let_in += 1;
                    (&mut known.examples, party)
                }
                Err(code) => (&mut known.refused, code),
            };
            if list.len() < EXAMPLES {
                list.push(Example { subject: one.subject, party: one.party, becomes });
            }
        }
        known
    }

    /// The party that a certificate would be, or the code of its refusal; `None` where this issuer did not sign it.
    fn verdict(&self, der: &[u8]) -> Option<Result<String, String>> {
        let chain: Arc<[_]> =
            std::iter::once(CertificateDer::from(der.to_vec())).chain(self.issuers.iter().cloned()).collect();
        let path = NormalPath::parse("/").ok()?;
        let mut refused = None;
        for name in self.candidate.sites() {
            let site = self.snapshot.site(name)?;
            let now = self.context.now;
            let peer = Peer::identify(chain.clone(), &site.anchors, now)?;
            if !peer.vouching.paths.iter().any(|path| path.ca.name == self.candidate.name()) {
                continue;
            }
            let rule = site.rule(&path).ok()?;
            match policy::decide(&self.snapshot, site, rule, Some(&peer), Moment::at(now)) {
                Decision::Admit(grant) => return Some(Ok(grant.identity.id().to_string())),
                Decision::Refuse(refusal) | Decision::Observe(refusal) => {
                    refused.get_or_insert_with(|| refusal.code().to_string());
                }
                Decision::Open => {
                    refused.get_or_insert_with(|| "not-allowed".into());
                }
            }
        }
        refused.map(Err)
    }
}
