//! The enrolment address: who shows a certificate of the own authority there, and proves its key, gets the next one.
//!
//! Nothing here is believed elsewhere: whoever renews looks at the request again.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use examiner::{Thumbprint, UnixTime};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use policy::decide::NoRenewal;
use policy::{PartyName, Site};

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
/// After this a party that has its places taken may find one.
const SOON: Duration = Duration::from_secs(5);
/// Renewals at once: each waits for the authority, which does one after the other.
const AT_ONCE: usize = 16;
/// And of one party, so that others find a place.
const AT_ONCE_OF_A_PARTY: usize = 4;
/// Requests of one party in a minute, ten of them at once; above that the authority is not asked.
const PER_MINUTE: u32 = 20;

/// Who renews, and whose requests wait for it.
pub(crate) struct Renewals {
    renew: Renew,
    waiting: Mutex<Vec<PartyName>>,
}

impl Renewals {
    pub(crate) fn new(renew: Renew) -> Self {
        Self { renew, waiting: Mutex::new(Vec::with_capacity(AT_ONCE)) }
    }

    /// A place for a request of this party, until it is dropped.
    fn place(&self, party: &PartyName) -> Result<Place<'_>, Full> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.iter().filter(|one| *one == party).count() >= AT_ONCE_OF_A_PARTY {
            return Err(Full::OfParty);
        }
        if waiting.len() >= AT_ONCE {
            return Err(Full::OfAll);
        }
        waiting.push(party.clone());
        Ok(Place { renewals: self, party: party.clone() })
    }
}

/// Whose places are taken.
#[derive(Debug, PartialEq, Eq)]
enum Full {
    OfParty,
    OfAll,
}

/// A place.
struct Place<'a> {
    renewals: &'a Renewals,
    party: PartyName,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.renewals.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = waiting.iter().position(|one| *one == self.party) {
            waiting.swap_remove(at);
        }
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
    if let Err(wait) = shared.rates().take((PATH, party.as_str()), PER_MINUTE, Instant::now()) {
        return too_many(visit, exchange, wait);
    }
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
    let place = match renewals.place(&party) {
        Ok(place) => place,
        Err(Full::OfParty) => return too_many(visit, exchange, SOON),
        Err(Full::OfAll) => {
            let detail = "Too many renewals at once; ask again in a minute";
            return plain(visit, exchange, 503, "renewal-refused", detail);
        }
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

/// The party renews more often than anybody has to; others are not to wait for that.
fn too_many(visit: &Visit, exchange: &mut Exchange, wait: Duration) -> Reply {
    let mut reply = plain(visit, exchange, 429, "renewal-refused", "This party asks for too many renewals");
    if let Reply::Own(response) = &mut reply {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    reply
}

/// Waits until the policy in force has the successor, so that whoever gets it can enter with it at once. Not for ever: it
/// is on record, and a gate that does not hear of it says so elsewhere.
pub(crate) async fn until_known(shared: &Shared, thumbprint: &Thumbprint) {
    let known = async {
        while shared.current.load().state.snapshot.records.certificates.get(thumbprint).is_none() {
            tokio::time::sleep(LOOK).await;
        }
    };
    let _ = tokio::time::timeout(KNOWN_LONGEST, known).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_takes_few_of_the_places_and_gives_them_back() {
        let renewals = Renewals::new(std::sync::Arc::new(|_: RenewalAsked| {
            Err(NotRenewed { status: 503, detail: "nobody".into() })
        }));
        let party = |name: &str| PartyName::parse(name).unwrap();
        let mut held = Vec::new();
        for name in ["loop"; AT_ONCE_OF_A_PARTY] {
            held.push(renewals.place(&party(name)).unwrap());
        }
        assert_eq!(renewals.place(&party("loop")).err(), Some(Full::OfParty));
        for number in AT_ONCE_OF_A_PARTY..AT_ONCE {
            held.push(renewals.place(&party(&format!("p{number}"))).unwrap());
        }
        assert_eq!(renewals.place(&party("late")).err(), Some(Full::OfAll));
        held.remove(0);
        drop(renewals.place(&party("late")).unwrap());
        held.push(renewals.place(&party("loop")).unwrap());
        assert_eq!(renewals.place(&party("loop")).err(), Some(Full::OfParty));
    }
}
