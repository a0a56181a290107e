//! The OCSP response that the gate shows with a certificate (RFC 6066 section 8), where the certificate names who gives
//! one. A response that is not good, or cannot be had, is not shown: the certificate goes without.

use std::time::Duration;

use examiner::UnixTime;
use examiner::chain::Examinee;
use examiner::chain::extensions::AccessDescription;
use examiner::side::{OcspResponse, Status, ocsp_request};
use gateway::networks::Networks;

use super::kept::{Kept, Pair};
use crate::fetch::{self, FetchUrl, Rules};

/// Time for one response.
const DEADLINE: Duration = Duration::from_secs(20);
/// Bytes that it may have.
const MOST_BYTES: u64 = 64 << 10;

/// Lets go of a response that no longer holds, and says whether another should be fetched: where none is kept, or half its
/// life is over. For a certificate that names nobody who gives one, none is.
pub fn is_wanted(kept: &Kept, pair: &Pair, now: UnixTime) -> bool {
    let [certificate, issuer, ..] = pair.chain.as_slice() else { return false };
    if responder(certificate).is_none() {
        return false;
    }
    let present = std::fs::read(kept.staple()).ok();
    let holds = present.and_then(|der| holds(&der, certificate, issuer, now).ok());
    match holds {
        Some((from, until)) => now.seconds() - from.seconds() >= (until.seconds() - from.seconds()) / 2,
        None => {
            kept.drop_staple();
            true
        }
    }
}

/// Fetches the next one. An error says why there is none.
pub async fn fetch(kept: &Kept, pair: &Pair, private: &Networks, now: UnixTime) -> Result<(), String> {
    let [certificate, issuer, ..] = pair.chain.as_slice() else { return Ok(()) };
    let Some(url) = responder(certificate) else { return Ok(()) };
    let der = ask(&url, certificate, issuer, private).await.map_err(|fault| format!("{url}: {fault}"))?;
    holds(&der, certificate, issuer, now).map_err(|fault| format!("{url}: {fault}"))?;
    kept.keep_staple(&der).map_err(|error| error.to_string())
}

/// Who gives responses about the certificate, as it names them.
fn responder(certificate: &Examinee) -> Option<String> {
    let entries = certificate.known.authority_info_access.read().into_iter().flatten();
    let mut urls = entries
        .filter(|entry| entry.method == AccessDescription::OCSP)
        .filter_map(|entry| entry.location.uri());
    urls.find(|uri| uri.starts_with("http://") || uri.starts_with("https://"))
}

async fn ask(
    url: &str,
    certificate: &Examinee,
    issuer: &Examinee,
    private: &Networks,
) -> Result<Vec<u8>, String> {
    let request = ocsp_request(certificate, issuer).ok_or("no request can be made for this certificate")?;
    let rules = Rules {
        most_bytes: MOST_BYTES,
        deadline: DEADLINE,
        private: private.clone(),
        private_by: "is not listed in `fetch_private`",
        roots: fetch::public_roots(),
    };
    let url = FetchUrl::parse(url)?;
    fetch::post(&url, &rules, "application/ocsp-request", request).await.map_err(|error| error.to_string())
}

/// From when until when this response says of the certificate that it is good.
fn holds(
    der: &[u8],
    certificate: &Examinee,
    issuer: &Examinee,
    now: UnixTime,
) -> Result<(UnixTime, UnixTime), String> {
    let response = OcspResponse::from_der(der).map_err(|error| error.to_string())?;
    let answer = response.about(certificate, issuer).ok_or("the response is about no such certificate")?;
    response
        .signer(issuer, now)
        .map_err(|fault| format!("the response's signer may not speak: {fault:?}"))?;
    if answer.status != Status::Good {
        return Err(format!("the response says {:?}", answer.status));
    }
    let until = answer.next_update.ok_or("the response does not say how long it holds")?;
    if answer.this_update > now || until < now {
        return Err(format!("the response holds from {} until {until}", answer.this_update));
    }
    Ok((answer.this_update, until))
}
