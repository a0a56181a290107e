//! The gate's part of an enrolment: what was brought goes to the authority's process, and its answer back.

use std::io;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use examiner::cert::pem;
use gateway::enrol::{
    AcmeAnswer, AcmeAsked, AcmeMedia, Enrolled, Enroller, NotEnrolled, Redemption, Reenrolment, WhyNot,
};
use tokio::sync::Notify;

use super::signing::acme::{Answered, Asked, Media};
use super::signing::ask;
use super::signing::protocol::{self, Answer, Hidden, Refusal};
use crate::cli::cert::convert::pkcs7;
use crate::config::StateDir;

/// One text for all tokens that open nothing.
const NOT_OPEN: &str = "No open invite has this token: it was used, has ended or was withdrawn, or never was. Ask who invited for another";

/// Enrols with the authority of a state directory.
pub struct Enrolling {
    state: StateDir,
    prove: Arc<Notify>,
}

impl Enrolling {
    /// With the authority of this one; `prove` is notified when a host is ready to prove its name.
    pub fn with(state: StateDir, prove: Arc<Notify>) -> Self {
        Self { state, prove }
    }
}

impl Enroller for Enrolling {
    fn redeem(&self, asked: Redemption) -> Result<Enrolled, NotEnrolled> {
        let hex = |key: String| {
            digest(&SHA256, key.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        };
        enrolled(ask::redeem(
            &self.state,
            protocol::Redemption {
                token: Hidden(asked.token),
                code: asked.code.map(Hidden),
                party: asked.party,
                request: asked.request,
                key: asked.idempotency_key.map(hex),
            },
        ))
    }

    fn reenrol(&self, asked: Reenrolment) -> Result<Enrolled, NotEnrolled> {
        let Reenrolment { party, thumbprint, request } = asked;
        match ask::reenrol(&self.state, protocol::Reenrolment { thumbprint, request }) {
            Ok(Answer::Issued { thumbprint: new, not_after, pem }) => {
                tracing::info!(%party, old = %thumbprint, %new, "a certificate was renewed by EST");
                given(party.to_string(), new, not_after, pem)
            }
            other => enrolled(other),
        }
    }

    fn acme(&self, asked: AcmeAsked) -> Result<AcmeAnswer, NotEnrolled> {
        let not = |why: WhyNot, detail: &str| NotEnrolled { why, detail: detail.into() };
        match ask::acme(&self.state, Asked { path: asked.path, body: asked.body }) {
            Ok(Answer::Acme(answered)) => {
                if answered.prove {
                    self.prove.notify_one();
                }
                Ok(acme(answered))
            }
            Ok(Answer::Refused { code, what }) => {
                // What went wrong here is in the log, and not for strangers.
                let detail =
                    if code == Refusal::Failed { "the authority cannot do this now" } else { what.as_str() };
                Err(not(why(code), detail))
            }
            Ok(_) => Err(not(WhyNot::Away, "the authority answered what was not asked")),
            Err(error) => {
                tracing::error!(%error, "the authority could not be asked for an answer to ACME");
                Err(not(WhyNot::Away, "the authority gives no answer; ask again later"))
            }
        }
    }

    fn ca_certificates(&self) -> Option<Vec<u8>> {
        let hierarchy = authority::Hierarchy::open(&self.state.authority())
            .inspect_err(|error| tracing::error!(%error, "the authority's certificates cannot be read"))
            .ok()?;
        let one = |role| hierarchy.certificate(role).der.to_vec();
        let mut all = vec![one(authority::Role::Client)];
        all.extend(hierarchy.client_issuers().iter().map(|ca| ca.der.to_vec()));
        all.push(one(authority::Role::Root));
        all.dedup();
        Some(pkcs7(&all))
    }
}

fn acme(answered: Answered) -> AcmeAnswer {
    if let (Some(party), Some(new)) = (&answered.party, &answered.issued) {
        tracing::info!(party, %new, "a certificate was issued by ACME");
    }
    let media = match answered.media {
        Media::Nothing => AcmeMedia::Nothing,
        Media::Json => AcmeMedia::Json,
        Media::Problem => AcmeMedia::Problem,
        Media::Chain => AcmeMedia::Chain,
    };
    AcmeAnswer {
        status: answered.status,
        media,
        body: answered.body,
        nonce: answered.nonce,
        location: answered.location,
        links: answered.links,
        retry_after: answered.retry_after,
        party: answered.party,
        issued: answered.issued,
        refused: answered.refused,
    }
}

fn enrolled(answer: io::Result<Answer>) -> Result<Enrolled, NotEnrolled> {
    let not = |why: WhyNot, detail: &str| NotEnrolled { why, detail: detail.into() };
    match answer {
        Ok(Answer::Redeemed { party, thumbprint, not_after, pem }) => {
            tracing::info!(party, new = %thumbprint, "an invite was redeemed");
            given(party, thumbprint, not_after, pem)
        }
        Ok(Answer::Refused { code: Refusal::Token, .. }) => Err(not(WhyNot::Token, NOT_OPEN)),
        Ok(Answer::Refused { code, what }) => Err(not(why(code), &what)),
        Ok(_) => Err(not(WhyNot::Away, "the authority answered what was not asked")),
        Err(error) => {
            tracing::error!(%error, "the authority could not be asked to enrol");
            Err(not(WhyNot::Away, "the authority gives no answer; ask again later"))
        }
    }
}

fn given(
    party: String,
    thumbprint: examiner::Thumbprint,
    not_after: examiner::UnixTime,
    pem: String,
) -> Result<Enrolled, NotEnrolled> {
    let first = pem::certificates(pem.as_bytes()).ok().and_then(|all| all.into_iter().next());
    let first = first.ok_or_else(|| NotEnrolled {
        why: WhyNot::Away,
        detail: "the authority's answer holds no certificate".into(),
    })?;
    Ok(Enrolled { party, thumbprint, not_after, pkcs7: pkcs7(&[first.der.to_vec()]), pem })
}

/// What a refusal comes to here.
fn why(code: Refusal) -> WhyNot {
    match code {
        Refusal::Token => WhyNot::Token,
        Refusal::CodeWanted => WhyNot::CodeWanted,
        Refusal::CodeWrong => WhyNot::CodeWrong,
        Refusal::OtherRequest => WhyNot::OtherRequest,
        Refusal::Unreadable | Refusal::TooLong | Refusal::Name | Refusal::Rules | Refusal::Profile => {
            WhyNot::Request
        }
        Refusal::Proof
        | Refusal::Ended
        | Refusal::Expired
        | Refusal::UnknownParty
        | Refusal::Suspended
        | Refusal::Stranger => WhyNot::Renewal,
        Refusal::TooFast => WhyNot::TooFast,
        Refusal::Failed => WhyNot::Away,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_opens_nothing_is_told_of_in_one_way() {
        let told = |what: &str| {
            enrolled(Ok(Answer::Refused { code: Refusal::Token, what: what.into() })).unwrap_err()
        };
        assert_eq!(told("used"), told("never was"));
        assert_eq!(told("used").why, WhyNot::Token);
    }
}
