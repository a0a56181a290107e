//! The gate's part of a renewal: what the machine sent goes to the authority's process, and its answer back.

use std::sync::Arc;

use examiner::UnixTime;
use gateway::{NotRenewed, Renew, RenewalAsked, Renewed};
use serde::{Deserialize, Serialize};

use super::signing::ask;
use super::signing::protocol::{Answer, Refusal, Renewal};
use crate::config::StateDir;

/// What a machine sends to `/renew`, as JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub struct Wanted {
    /// A certificate request with the next public key; PEM.
    pub request: String,
    /// When it was asked for.
    pub made_at: UnixTime,
    /// The proof of the present key, in hex.
    pub proof: String,
}

/// What it gets.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Given {
    /// SHA-256 of the new certificate.
    pub thumbprint: String,
    /// Its last second.
    pub not_after: UnixTime,
    /// Until when the old certificate is accepted beside it.
    pub old_until: UnixTime,
    /// The certificate, then the CAs to send along; PEM.
    pub pem: String,
}

/// Renews with the authority of this state directory.
pub fn renew(state: StateDir) -> Renew {
    Arc::new(move |asked| answer(&state, asked))
}

fn answer(state: &StateDir, asked: RenewalAsked) -> Result<Renewed, NotRenewed> {
    let not = |status: u16, detail: String| NotRenewed { status, detail };
    let wanted: Wanted = serde_json::from_slice(&asked.body)
        .map_err(|error| not(400, format!("The request is not understood: {error}")))?;
    let renewal = Renewal {
        thumbprint: asked.thumbprint,
        request: wanted.request,
        made_at: wanted.made_at,
        proof: wanted.proof,
    };
    match ask::renew(state, renewal) {
        Ok(Answer::Renewed { thumbprint, not_after, old_until, pem }) => {
            tracing::info!(party = %asked.party, old = %asked.thumbprint, new = %thumbprint, "a certificate was renewed");
            let given = Given { thumbprint: thumbprint.to_string(), not_after, old_until, pem };
            let text = serde_json::to_string(&given).map_err(|error| not(503, error.to_string()))?;
            Ok(Renewed { thumbprint, text })
        }
        Ok(Answer::Refused { code, what }) => Err(not(status(code), what)),
        Ok(_) => Err(not(503, "the authority answered what was not asked".into())),
        Err(error) => {
            tracing::error!(%error, "the authority could not be asked for a renewal");
            Err(not(503, "the authority gives no answer; ask again later".into()))
        }
    }
}

/// The HTTP status of a refusal: whether asking again, or asking otherwise, is of use.
fn status(code: Refusal) -> u16 {
    match code {
        Refusal::Unreadable | Refusal::TooLong | Refusal::Expired => 400,
        Refusal::Stranger
        | Refusal::Profile
        | Refusal::UnknownParty
        | Refusal::Suspended
        | Refusal::Proof
        | Refusal::Token
        | Refusal::CodeWanted
        | Refusal::CodeWrong
        | Refusal::Ended => 403,
        Refusal::OtherRequest => 409,
        Refusal::Name | Refusal::Rules => 422,
        Refusal::TooFast => 429,
        Refusal::Failed => 503,
    }
}
