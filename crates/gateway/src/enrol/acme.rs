//! ACME (RFC 8555) below `/acme/`: a request is bounded and handed on as it came, its answer given as it comes back. What
//! is signed, by whom and for what, is read by who enrols.

use std::time::Instant;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, LINK, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::{Value, json};

use super::{AcmeAnswer, AcmeAsked, AcmeMedia, BODY_LONGEST, WhyNot, given, in_turn, put};
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::manners::prefix;
use crate::observe::GateEvent;
use crate::received::Received;
use crate::renew::until_known;
use crate::serve::Visit;

/// Where it is.
pub(super) const PREFIX: &str = "/acme/";
/// Characters of a path: the longest has the name of a certificate at its end.
const PATH_MOST: usize = 256;
/// Bytes of a request's body: a change from one RSA key of 8192 bits to another takes nine kilobytes.
const BODY_MOST: usize = 12 * 1024;
/// Requests a minute: of one address or /64, and of all. A certificate takes about a dozen.
const PER_MINUTE: u32 = 600;
const PER_MINUTE_ALL: u32 = 6000;
/// What requests are sent as (RFC 8555 section 6.2).
const JOSE: &str = "application/jose+json";
/// Certificates one after the other (RFC 8555 section 9.1).
const CHAIN: &str = "application/pem-certificate-chain";
const NONCE: HeaderName = HeaderName::from_static("replay-nonce");

/// A problem that is told from here: its type, its status, and what.
struct Fault(&'static str, u16, &'static str);

/// Answers a request.
pub(super) async fn answer(visit: &Visit, exchange: &mut Exchange, request: Request<Received>) -> Reply {
    match asked(visit, request).await {
        Ok((asked, is_head)) => passed_on(visit, exchange, asked, is_head).await,
        Err((fault, wait)) => {
            let mut reply = faulty(visit, exchange, &fault);
            if let Some(wait) = wait {
                put(&mut reply, RETRY_AFTER, HeaderValue::from(wait));
            }
            if fault.1 == 405 {
                put(&mut reply, ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            reply
        }
    }
}

/// The request, whole; and whether only the head of its answer is wanted.
async fn asked(visit: &Visit, request: Request<Received>) -> Result<(AcmeAsked, bool), (Fault, Option<u64>)> {
    let fault = |status: u16, detail: &'static str| (Fault("malformed", status, detail), None);
    let (rates, now) = (visit.worker.shared.rates(), Instant::now());
    let own = rates.take(("acme", prefix(visit.from)), PER_MINUTE, now);
    if let Err(wait) = own.and_then(|()| rates.take("acme", PER_MINUTE_ALL, now)) {
        let detail = "Too many requests; ask again after the seconds of `Retry-After`";
        return Err((Fault("rateLimited", 429, detail), Some(wait.as_secs().max(1))));
    }
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    if path.len() > PATH_MOST || head.uri.query().is_some() {
        return Err(fault(404, "There is nothing under this path"));
    }
    if head.method == Method::GET || head.method == Method::HEAD {
        return Ok((AcmeAsked { path, body: None }, head.method == Method::HEAD));
    }
    if head.method != Method::POST {
        return Err(fault(405, "This is asked for with GET, or with a signed POST"));
    }
    let mut kinds = head.headers.get_all(CONTENT_TYPE).iter();
    let is_jose = kinds.next().is_some_and(|kind| is_jose(kind.as_bytes())) && kinds.next().is_none();
    if !is_jose {
        return Err(fault(415, "Send application/jose+json"));
    }
    let body = match tokio::time::timeout(BODY_LONGEST, Limited::new(body, BODY_MOST).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return Err(fault(413, "The request is broken, or longer than 12 kB")),
        Err(_) => return Err(fault(400, "The request did not come whole in time")),
    };
    match String::from_utf8(body.into()) {
        Ok(body) => Ok((AcmeAsked { path, body: Some(body) }, false)),
        Err(_) => Err(fault(400, "The body is no text")),
    }
}

fn is_jose(kind: &[u8]) -> bool {
    let name = kind.split(|byte| *byte == b';').next().unwrap_or_default();
    name.trim_ascii().eq_ignore_ascii_case(JOSE.as_bytes())
}

async fn passed_on(visit: &Visit, exchange: &mut Exchange, asked: AcmeAsked, is_head: bool) -> Reply {
    let mut answer = match in_turn(visit, move |enroller| enroller.acme(asked)).await {
        Ok(answer) => answer,
        Err(not) => {
            let (word, status) = match not.why {
                WhyNot::TooFast => ("rateLimited", 429),
                WhyNot::Request => ("malformed", 400),
                _ => ("serverInternal", 503),
            };
            let mut reply = told(visit, exchange, status, &not.detail, problem(word, status, &not.detail));
            put(&mut reply, RETRY_AFTER, HeaderValue::from(30));
            return reply;
        }
    };
    exchange.verdict = "answered";
    exchange.party = answer.party.as_deref().map(Into::into);
    if let Some(issued) = &answer.issued {
        until_known(&visit.worker.shared, issued).await;
    }
    if is_head && answer.status == 204 {
        answer.status = 200;
    }
    let mut reply = match &answer.refused {
        Some(detail) => {
            let value = serde_json::from_str(&answer.body).unwrap_or_else(|_| json!({}));
            told(visit, exchange, answer.status, detail, value)
        }
        None => plain(&answer),
    };
    headers(&mut reply, &answer);
    reply
}

fn plain(answer: &AcmeAnswer) -> Reply {
    let kind = match answer.media {
        AcmeMedia::Json => "application/json",
        AcmeMedia::Problem => "application/problem+json",
        AcmeMedia::Chain => CHAIN,
        AcmeMedia::Nothing => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or_default();
            response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            return Reply::Own(response);
        }
    };
    given(answer.status, kind, answer.body.clone())
}

fn headers(reply: &mut Reply, answer: &AcmeAnswer) {
    let Reply::Own(response) = reply else { return };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.append(name, value);
        }
    };
    if let Some(nonce) = &answer.nonce {
        set(NONCE, nonce);
    }
    if let Some(location) = &answer.location {
        set(LOCATION, location);
    }
    for (relation, address) in &answer.links {
        set(LINK, &format!("<{address}>;rel=\"{relation}\""));
    }
    if let Some(seconds) = answer.retry_after {
        set(RETRY_AFTER, &seconds.to_string());
    }
}

/// A problem that is told from here; the connection ends with it.
fn faulty(visit: &Visit, exchange: &mut Exchange, fault: &Fault) -> Reply {
    let Fault(word, status, detail) = *fault;
    visit.closing.set(true);
    told(visit, exchange, status, detail, problem(word, status, detail))
}

fn problem(word: &str, status: u16, detail: &str) -> Value {
    json!({ "type": format!("urn:ietf:params:acme:error:{word}"), "status": status, "detail": detail })
}

/// Problem details with the reference of their entry in the log.
fn told(visit: &Visit, exchange: &mut Exchange, status: u16, detail: &str, mut value: Value) -> Reply {
    let shared = &visit.worker.shared;
    let code = match status {
        404 => "not-found",
        405 | 413 => "bad-request",
        _ => "enrolment-refused",
    };
    exchange.verdict = "refused";
    exchange.reference = shared.observer.refused(GateEvent {
        time: (shared.clock)(),
        site: visit.site.clone(),
        party: exchange.party.as_deref().map(str::to_owned),
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
    value["code"] = json!(code);
    value["reference"] = json!(exchange.reference);
    given(status, "application/problem+json", value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_of_its_own_type() {
        for yes in ["application/jose+json", "Application/JOSE+JSON", "application/jose+json; charset=utf-8"]
        {
            assert!(is_jose(yes.as_bytes()), "{yes}");
        }
        for no in ["", "application/json", "application/jose", "text/plain;application/jose+json"] {
            assert!(!is_jose(no.as_bytes()), "{no}");
        }
    }
}
