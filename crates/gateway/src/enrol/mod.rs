//! The enrolment address: who was invited brings a token and a certificate request, and gets a certificate.
//!
//! - `api`: `POST /api/v1/enrolments`. `est`: RFC 7030, below `/.well-known/est/`. `acme`: RFC 8555, below `/acme/`.
//!   `page`: `/invite`.
//! - Renewal with a proof, `/renew`, is in `renew`, beside this.
//!
//! Nothing is decided here about tokens: whoever enrols looks at everything, and its one answer for all that opens nothing
//! is passed on as it is.

mod acme;
mod api;
mod est;
mod page;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use examiner::{Thumbprint, UnixTime};
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Limited};
use policy::Site;
use tokio::sync::Semaphore;

use crate::admit::Current;
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::manners::prefix;
use crate::observe::GateEvent;
use crate::received::Received;
use crate::refuse::plain;
use crate::renew::{self, until_known};
use crate::serve::Visit;
use crate::settings::GateSite;

/// Bytes of a request's body: an RSA key of 8192 bits takes three kilobytes as PEM.
const BODY_MOST: usize = 8 * 1024;
/// How long the body may take.
const BODY_LONGEST: Duration = Duration::from_secs(10);
/// Requests at once that are passed on, and how long others wait for their turn.
const AT_ONCE: usize = 8;
const TURN_LONGEST: Duration = Duration::from_secs(15);
/// Requests a minute that are passed on: from one address or /64, and from all.
const PER_MINUTE: u32 = 150;
const PER_MINUTE_ALL: u32 = 1200;
/// Characters of a token, a code, an idempotency key.
const WORD_MOST: usize = 255;

/// Who enrols; all verbs may block.
pub trait Enroller: Send + Sync {
    /// Has an invite redeemed.
    fn redeem(&self, asked: Redemption) -> Result<Enrolled, NotEnrolled>;
    /// Has a certificate renewed for its own key.
    fn reenrol(&self, asked: Reenrolment) -> Result<Enrolled, NotEnrolled>;
    /// Has a client of ACME answered.
    fn acme(&self, asked: AcmeAsked) -> Result<AcmeAnswer, NotEnrolled>;
    /// The CAs that certificates come from, root last: certs-only PKCS#7, DER. `None` where they cannot be read.
    fn ca_certificates(&self) -> Option<Vec<u8>>;
}

/// What somebody brings who was invited.
#[derive(Clone)]
pub struct Redemption {
    /// The token, as it came.
    pub token: String,
    /// The code, where one was given.
    pub code: Option<String>,
    /// The party that it must be for, where one was named.
    pub party: Option<String>,
    /// The certificate request, PEM.
    pub request: String,
    /// What tells this request from others, where it was given.
    pub idempotency_key: Option<String>,
}

/// What a machine brings that renews for the key it has.
#[derive(Clone, Debug)]
pub struct Reenrolment {
    /// Whose certificate it is.
    pub party: policy::PartyName,
    /// The certificate that was shown.
    pub thumbprint: Thumbprint,
    /// The certificate request, PEM.
    pub request: String,
}

/// What a client of ACME asks, as it came.
#[derive(Clone, Debug)]
pub struct AcmeAsked {
    /// The path.
    pub path: String,
    /// The body of a POST; a GET has none.
    pub body: Option<String>,
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcmeAnswer {
    /// The HTTP status.
    pub status: u16,
    /// What the body is.
    pub media: AcmeMedia,
    /// The body.
    pub body: String,
    /// The next nonce (`Replay-Nonce`).
    pub nonce: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    /// `Link`: what another place is to this one, and its address.
    pub links: Vec<(String, String)>,
    /// Seconds of `Retry-After`.
    pub retry_after: Option<u64>,
    /// Whose account asked.
    pub party: Option<String>,
    /// The certificate that was issued to it.
    pub issued: Option<Thumbprint>,
    /// Why nothing was done, for the log.
    pub refused: Option<String>,
}

/// What the body of an answer of ACME is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AcmeMedia {
    /// There is none.
    Nothing,
    /// JSON.
    Json,
    /// Problem details.
    Problem,
    /// Certificates, PEM.
    Chain,
}

/// An issued certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Whose it is.
    pub party: String,
    /// SHA-256 of it.
    pub thumbprint: Thumbprint,
    /// Its last second.
    pub not_after: UnixTime,
    /// The certificate, then the CAs to send along; PEM.
    pub pem: String,
    /// The certificate alone, certs-only PKCS#7, DER.
    pub pkcs7: Vec<u8>,
}

/// Why none was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotEnrolled {
    /// What it is about.
    pub why: WhyNot,
    /// In words.
    pub detail: String,
}

/// What stands against an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyNot {
    /// The token opens nothing, for whatever reason.
    Token,
    /// A code is asked for.
    CodeWanted,
    /// The code is wrong.
    CodeWrong,
    /// The request's key, or what it would become, is not allowed.
    Request,
    /// The idempotency key belongs to another request.
    OtherRequest,
    /// The certificate that was shown is not renewed.
    Renewal,
    /// Not now.
    TooFast,
    /// It went wrong there.
    Away,
}

/// Who enrols, and how many wait for it.
pub(crate) struct Enrolments {
    enroller: Arc<dyn Enroller>,
    places: Semaphore,
}

impl Enrolments {
    pub(crate) fn new(enroller: Arc<dyn Enroller>) -> Self {
        Self { enroller, places: Semaphore::new(AT_ONCE) }
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
    let path = request.uri().path();
    if path == api::PATH {
        return api::answer(visit, exchange, request).await;
    }
    if path.starts_with(acme::PREFIX) {
        return acme::answer(visit, exchange, request).await;
    }
    if let Some(operation) = path.strip_prefix(est::PREFIX).map(str::to_owned) {
        return est::answer(visit, exchange, current, rules, (&operation, request), now).await;
    }
    if let Some(page) = page::find(path) {
        return page.answer(visit, exchange, &request);
    }
    renew::answer(visit, exchange, current, (site, rules), request, now).await
}

/// The answer to a request of another method than this.
fn other_method(
    visit: &Visit,
    exchange: &mut Exchange,
    request: &Request<Received>,
    method: &Method,
) -> Option<Reply> {
    if request.method() == method {
        return None;
    }
    let mut reply = plain(visit, exchange, 405, "bad-request", &format!("This is asked for with {method}"));
    if let Ok(allow) = HeaderValue::from_str(method.as_str()) {
        put(&mut reply, ALLOW, allow);
    }
    Some(reply)
}

/// Takes one of the requests that this address, and all addresses, may have passed on; the answer where none is left.
fn above_rates(visit: &Visit, exchange: &mut Exchange) -> Option<Reply> {
    let (rates, now) = (visit.worker.shared.rates(), Instant::now());
    let own = rates.take(("enrolment", prefix(visit.from)), PER_MINUTE, now);
    let taken = own.and_then(|()| rates.take("enrolments", PER_MINUTE_ALL, now));
    let Err(wait) = taken else { return None };
    let detail = "Too many requests; ask again after the seconds of `Retry-After`";
    let mut reply = refused(visit, exchange, 429, "enrolment-refused", detail);
    put(&mut reply, RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    Some(reply)
}

/// The whole body.
async fn body(
    visit: &Visit,
    exchange: &mut Exchange,
    request: Request<Received>,
) -> Result<(http::request::Parts, Bytes), Reply> {
    let (parts, body) = request.into_parts();
    match tokio::time::timeout(BODY_LONGEST, Limited::new(body, BODY_MOST).collect()).await {
        Ok(Ok(body)) => Ok((parts, body.to_bytes())),
        Ok(Err(_)) => {
            visit.closing.set(true);
            Err(plain(visit, exchange, 413, "bad-request", "The request is broken, or longer than 8 kB"))
        }
        Err(_) => {
            visit.closing.set(true);
            Err(plain(visit, exchange, 400, "bad-request", "The request did not come whole in time"))
        }
    }
}

/// Passes it on to who enrols, and waits until the gate knows the certificate that came of it.
async fn passed_on(
    visit: &Visit,
    exchange: &mut Exchange,
    call: impl FnOnce(&dyn Enroller) -> Result<Enrolled, NotEnrolled> + Send + 'static,
) -> Result<Enrolled, NotEnrolled> {
    let enrolled = in_turn(visit, call).await?;
    exchange.verdict = "answered";
    exchange.party = Some(enrolled.party.as_str().into());
    until_known(&visit.worker.shared, &enrolled.thumbprint).await;
    Ok(enrolled)
}

/// What who enrols answers, once there is a place for it.
async fn in_turn<T: Send + 'static>(
    visit: &Visit,
    call: impl FnOnce(&dyn Enroller) -> Result<T, NotEnrolled> + Send + 'static,
) -> Result<T, NotEnrolled> {
    let away = |detail: &str| NotEnrolled { why: WhyNot::Away, detail: detail.into() };
    let shared = visit.worker.shared.clone();
    let Some(enrolments) = &shared.enrolments else { return Err(away("Nobody enrols here")) };
    let Ok(Ok(place)) = tokio::time::timeout(TURN_LONGEST, enrolments.places.acquire()).await else {
        return Err(away("Too many enrolments at once; ask again in a minute"));
    };
    let enroller = enrolments.enroller.clone();
    let outcome = tokio::task::spawn_blocking(move || call(enroller.as_ref())).await;
    drop(place);
    outcome.unwrap_or_else(|_| Err(away("The authority gave no answer; ask again later")))
}

/// Problem details, logged; the connection ends with them.
fn refused(visit: &Visit, exchange: &mut Exchange, status: u16, code: &'static str, detail: &str) -> Reply {
    visit.closing.set(true);
    let shared = &visit.worker.shared;
    exchange.verdict = "refused";
    exchange.reference = shared.observer.refused(GateEvent {
        time: (shared.clock)(),
        site: visit.site.clone(),
        party: None,
        thumbprint: None,
        address: Some(visit.from),
        verdict: "refused",
        code: Some(code),
        rule: None,
        reference: String::new(),
        detail: detail.to_owned(),
        is_exception: false,
        count: 1,
    });
    plain(visit, exchange, status, code, detail)
}

/// The answer from here: type and body, kept by nobody.
fn given(status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Reply::Own(response)
}

fn put(reply: &mut Reply, name: HeaderName, value: HeaderValue) {
    if let Reply::Own(response) = reply {
        response.headers_mut().insert(name, value);
    }
}

/// The certificate request in a body, as PEM: it comes as PEM, DER, or DER in base64 (RFC 8951).
fn request_in(body: &[u8]) -> Option<String> {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    let pem = |der: &[u8]| examiner::cert::pem::encode("CERTIFICATE REQUEST", der);
    if body.first() == Some(&0x30) {
        return Some(pem(body));
    }
    let text = std::str::from_utf8(body).ok()?;
    if text.contains("-----BEGIN") {
        return Some(text.to_owned());
    }
    let packed: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(packed).ok().filter(|der| !der.is_empty()).map(|der| pem(&der))
}

/// One field of this name, visible ASCII and not too long.
fn word<'a>(headers: &'a http::HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let text = all.next()?.to_str().ok()?;
    (all.next().is_none() && (1..=WORD_MOST).contains(&text.len())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_comes_as_pem_der_or_base64() {
        let der = [0x30, 0x03, 0x02, 0x01, 0x00];
        let pem = request_in(&der).unwrap();
        assert!(pem.starts_with("-----BEGIN CERTIFICATE REQUEST-----\n"), "{pem}");
        for same in ["MAMCAQA=", "MAMC\r\nAQA=\n", " MAMCAQA= "] {
            assert_eq!(request_in(same.as_bytes()).as_ref(), Some(&pem), "{same:?}");
        }
        assert_eq!(request_in(pem.as_bytes()), Some(pem));
        for none in [&b""[..], b"{}", b"\xff\xfe", b"not base64!"] {
            assert_eq!(request_in(none), None, "{none:?}");
        }
    }

    #[test]
    fn a_word_is_there_once_and_is_short() {
        let name = HeaderName::from_static("idempotency-key");
        let with = |values: &[&str]| {
            let mut headers = http::HeaderMap::new();
            for value in values {
                headers.append(&name, HeaderValue::from_str(value).unwrap());
            }
            word(&headers, &name).map(str::to_owned)
        };
        assert_eq!(with(&["a b"]), Some("a b".into()));
        let (long, longer) = ("x".repeat(WORD_MOST), "x".repeat(WORD_MOST + 1));
        assert_eq!(with(&[&long]).as_deref(), Some(long.as_str()));
        assert_eq!([with(&[]), with(&[""]), with(&["a", "a"]), with(&[&longer])], [const { None }; 4]);
    }
}
