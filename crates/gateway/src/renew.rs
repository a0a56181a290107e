//! The enrolment address: who shows a certificate of the own authority there, and proves its key, gets the next one.
//!
//! Nothing here is believed elsewhere: whoever renews looks at the request again.

use std::time::Duration;

use bytes::Bytes;
use examiner::{Thumbprint, UnixTime};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use policy::Site;
use policy::decide::NoRenewal;
use tokio::sync::Semaphore;

use crate::admit::Current;
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::gate::Shared;
use crate::identify::identified_for;
use crate::received::Received;
use crate::refuse::{Asked, plain, refused};
use crate::serve::Visit;
use crate::settings::{GateSite, NotRenewed, Renew, RenewalAsked};

/// Where a renewal is asked for.
const PATH: &str = "/renew";
/// Bytes of a request's body.
const BODY_MOST: usize = 16 * 1024;
/// How long the body may take.
const BODY_LONGEST: Duration = Duration::from_secs(10);
/// How long the successor is waited for, and how often it is looked for.
const KNOWN_LONGEST: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);
/// Renewals at once: each waits for the authority, which does one after the other.
const AT_ONCE: usize = 16;

/// Who renews, and how many wait for it.
pub(crate) struct Renewals {
    renew: Renew,
    places: Semaphore,
}

impl Renewals {
    pub(crate) fn new(renew: Renew) -> Self {
        Self { renew, places: Semaphore::new(AT_ONCE) }
    }
}

/// Answers one request to the enrolment address.
pub(crate) async fn answer(
    visit: &Visit,
    exchange: &mut Exchange,
    current: &Current,
    (site, rules): (&GateSite, &Site),
    request: Request<Received>,
    now: UnixTime,
) -> Reply {
    let shared = visit.worker.shared.clone();
    let (Some(renewals), Some(enrol)) = (&shared.renewals, &current.state.enrol) else {
        return plain(visit, exchange, 404, "not-found", "There is nothing under this path");
    };
    if request.uri().path() != PATH {
        visit.closing.set(true);
        return plain(visit, exchange, 404, "not-found", "There is nothing under this path");
    }
    if request.method() != Method::POST {
        let mut reply = plain(visit, exchange, 405, "bad-request", "A renewal is asked for with POST");
        if let Reply::Own(response) = &mut reply {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        }
        return reply;
    }
    let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
    let snapshot = &current.state.snapshot;
    let moment = current.state.moment(now);
    let party = match policy::decide::may_renew(snapshot, rules, peer.as_deref(), enrol.grace_seconds, moment)
    {
        Ok(party) => party,
        Err(NoRenewal::Refused(refusal)) => {
            let peer = peer.as_deref();
            let asked = Asked { current, site, rules, peer, request: &request, now };
            return refused(visit, exchange, &asked, &refusal);
        }
        Err(NoRenewal::NotOurs) => {
            visit.closing.set(true);
            let detail =
                "Only certificates of this authority are renewed here; renew this one with its issuer";
            return plain(visit, exchange, 403, "renewal-refused", detail);
        }
    };
    let Some(thumbprint) = peer.map(|peer| peer.thumbprint) else {
        return plain(visit, exchange, 403, "renewal-refused", "No certificate was shown");
    };
    exchange.party = Some(party.as_str().into());
    let read = Limited::new(request.into_body(), BODY_MOST).collect();
    let body = match tokio::time::timeout(BODY_LONGEST, read).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => {
            visit.closing.set(true);
            return plain(visit, exchange, 413, "bad-request", "The request is broken, or longer than 16 kB");
        }
        Err(_) => {
            visit.closing.set(true);
            return plain(visit, exchange, 400, "bad-request", "The request did not come whole in time");
        }
    };
    let Ok(place) = renewals.places.try_acquire() else {
        return plain(
            visit,
            exchange,
            503,
            "renewal-refused",
            "Too many renewals at once; ask again in a minute",
        );
    };
    let renew = renewals.renew.clone();
    let asked = RenewalAsked { party, thumbprint, body };
    let outcome = tokio::task::spawn_blocking(move || renew(asked)).await;
    drop(place);
    match outcome {
        Ok(Ok(renewed)) => {
            exchange.verdict = "answered";
            until_known(&shared, &renewed.thumbprint).await;
            let mut response = Response::new(Bytes::from(renewed.text));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Reply::Own(response)
        }
        Ok(Err(NotRenewed { status, detail })) => plain(visit, exchange, status, "renewal-refused", &detail),
        Err(_) => {
            plain(visit, exchange, 503, "renewal-refused", "The authority gave no answer; ask again later")
        }
    }
}

/// Waits until the policy in force has the successor, so that whoever gets it can enter with it at once. Not for ever: it
/// is on record, and a gate that does not hear of it says so elsewhere.
async fn until_known(shared: &Shared, thumbprint: &Thumbprint) {
    let known = async {
        while shared.current.load().state.snapshot.records.certificates.get(thumbprint).is_none() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(KNOWN_LONGEST, known).await;
}
