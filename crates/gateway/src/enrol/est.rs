//! Enrolment over secure transport (RFC 7030, with RFC 8951): `cacerts`, `csrattrs`, `simpleenroll`, `simplereenroll`.
//!
//! The password of HTTP Basic is an invite's token; its user name must be the invite's party. Who re-enrols shows its
//! present certificate, and asks for the same key: nothing else would prove to the authority that the gate speaks true.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use examiner::UnixTime;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request};
use policy::Site;
use policy::decide::NoRenewal;

use super::{
    Enrolled, NotEnrolled, Redemption, Reenrolment, WhyNot, above_rates, body, given, other_method,
    passed_on, put, refused, request_in, word,
};
use crate::admit::Current;
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::identify::identified_for;
use crate::received::Received;
use crate::refuse::plain;
use crate::serve::Visit;

/// Where it is.
pub(super) const PREFIX: &str = "/.well-known/est/";
/// What certificates are sent as (RFC 7030 section 4.2.3).
const PKCS7: &str = "application/pkcs7-mime; smime-type=certs-only";
/// The body is base64 (RFC 7030 section 4), in one line (RFC 8951 section 3.1).
const ENCODING: HeaderName = HeaderName::from_static("content-transfer-encoding");

/// What a request had better be made of (RFC 7030 section 4.5.2), DER: a key on P-256, a signature with SHA-256. Other
/// strong keys are taken too; all attributes of a request are passed over.
const CSR_ATTRIBUTES: [u8; 35] = [
    0x30, 33, 0x30, 21, // CsrAttrs, Attribute
    0x06, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
    0x31, 10, 0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // secp256r1
    0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02, // ecdsa-with-SHA256
];

/// Answers a request to one of the operations.
pub(super) async fn answer(
    visit: &Visit,
    exchange: &mut Exchange,
    current: &Current,
    rules: &Site,
    (operation, request): (&str, Request<Received>),
    now: UnixTime,
) -> Reply {
    let outcome = match operation {
        "cacerts" => ca_certificates(visit, exchange, &request).await,
        "csrattrs" => match other_method(visit, exchange, &request, &Method::GET) {
            None => Ok(packed("application/csrattrs", &CSR_ATTRIBUTES)),
            Some(reply) => Err(reply),
        },
        "simpleenroll" => enrol(visit, exchange, request).await,
        "simplereenroll" => reenrol(visit, exchange, current, rules, request, now).await,
        _ => {
            visit.closing.set(true);
            Err(plain(visit, exchange, 404, "not-found", "There is nothing under this path"))
        }
    };
    match outcome {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn ca_certificates(
    visit: &Visit,
    exchange: &mut Exchange,
    request: &Request<Received>,
) -> Result<Reply, Reply> {
    if let Some(reply) = other_method(visit, exchange, request, &Method::GET) {
        return Err(reply);
    }
    let shared = visit.worker.shared.clone();
    let enroller = shared.enrolments.as_ref().map(|enrolments| enrolments.enroller.clone());
    let read = tokio::task::spawn_blocking(move || enroller.and_then(|one| one.ca_certificates())).await;
    match read.ok().flatten() {
        Some(pkcs7) => {
            exchange.verdict = "answered";
            Ok(packed(PKCS7, &pkcs7))
        }
        None => Err(plain(
            visit,
            exchange,
            503,
            "enrolment-refused",
            "The authority's certificates cannot be read now",
        )),
    }
}

async fn enrol(visit: &Visit, exchange: &mut Exchange, request: Request<Received>) -> Result<Reply, Reply> {
    let unfit = other_method(visit, exchange, &request, &Method::POST);
    if let Some(reply) = unfit.or_else(|| above_rates(visit, exchange)) {
        return Err(reply);
    }
    let (head, body) = body(visit, exchange, request).await?;
    let basic = basic(&head.headers).ok_or_else(|| {
        let detail = "Give the party's name as user and the invite's token as password";
        challenged(refused(visit, exchange, 401, "enrolment-refused", detail))
    })?;
    let csr = pkcs10(&head.headers, &body)
        .map_err(|(status, detail)| refused(visit, exchange, status, "enrolment-refused", detail))?;
    let redemption = Redemption {
        token: basic.token,
        code: basic.code,
        party: Some(basic.party),
        request: csr,
        idempotency_key: None,
    };
    let outcome = passed_on(visit, exchange, move |enroller| enroller.redeem(redemption)).await;
    Ok(enrolled(visit, exchange, outcome))
}

async fn reenrol(
    visit: &Visit,
    exchange: &mut Exchange,
    current: &Current,
    rules: &Site,
    request: Request<Received>,
    now: UnixTime,
) -> Result<Reply, Reply> {
    let unfit = other_method(visit, exchange, &request, &Method::POST);
    if let Some(reply) = unfit.or_else(|| above_rates(visit, exchange)) {
        return Err(reply);
    }
    let grace = current.state.enrol.as_ref().map_or(0, |enrol| enrol.grace_seconds);
    let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
    let Some(shown) = &peer else {
        let detail = "Show the certificate that is to be renewed";
        return Err(challenged(refused(visit, exchange, 401, "enrolment-refused", detail)));
    };
    let moment = current.state.moment(now);
    let snapshot = &current.state.snapshot;
    let party = match policy::decide::may_renew(snapshot, rules, peer.as_deref(), grace, moment) {
        Ok(party) => party,
        Err(not) => {
            let code = match &not {
                NoRenewal::Refused(refusal) => refusal.code().as_str(),
                NoRenewal::NotOurs => "it was not issued here to a party",
            };
            let detail = format!("This certificate is not renewed: {code}");
            return Err(refused(visit, exchange, 403, "enrolment-refused", &detail));
        }
    };
    let thumbprint = shown.thumbprint;
    let (head, body) = body(visit, exchange, request).await?;
    let request = pkcs10(&head.headers, &body)
        .map_err(|(status, detail)| refused(visit, exchange, status, "enrolment-refused", detail))?;
    let asked = Reenrolment { party, thumbprint, request };
    let outcome = passed_on(visit, exchange, move |enroller| enroller.reenrol(asked)).await;
    Ok(enrolled(visit, exchange, outcome))
}

/// The request in the body.
fn pkcs10(headers: &HeaderMap, body: &[u8]) -> Result<String, (u16, &'static str)> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/pkcs10") {
        return Err((415, "Send application/pkcs10"));
    }
    request_in(body).ok_or((400, "The body holds no certificate request: PKCS#10 in base64"))
}

fn enrolled(visit: &Visit, exchange: &mut Exchange, outcome: Result<Enrolled, NotEnrolled>) -> Reply {
    let not = match outcome {
        Ok(enrolled) => return packed(PKCS7, &enrolled.pkcs7),
        Err(not) => not,
    };
    let (status, code) = match not.why {
        WhyNot::Token => (401, "enrolment-refused"),
        WhyNot::CodeWanted => (401, "code-wanted"),
        WhyNot::CodeWrong => (401, "code-wrong"),
        WhyNot::Request | WhyNot::OtherRequest => (400, "enrolment-refused"),
        WhyNot::Renewal => (403, "enrolment-refused"),
        WhyNot::TooFast => (429, "enrolment-refused"),
        WhyNot::Away => (503, "enrolment-refused"),
    };
    let reply = refused(visit, exchange, status, code, &not.detail);
    if status == 401 { challenged(reply) } else { reply }
}

/// RFC 7617 section 2.
fn challenged(mut reply: Reply) -> Reply {
    put(&mut reply, WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"enrolment\""));
    reply
}

/// DER as one line of base64.
fn packed(content_type: &'static str, der: &[u8]) -> Reply {
    let mut reply = given(200, content_type, STANDARD.encode(der));
    put(&mut reply, ENCODING, HeaderValue::from_static("base64"));
    reply
}

/// What HTTP Basic says: `party:token`, or `party:token:code`.
#[derive(Debug, PartialEq, Eq)]
struct Basic {
    party: String,
    token: String,
    code: Option<String>,
}

fn basic(headers: &HeaderMap) -> Option<Basic> {
    let (scheme, packed) = word(headers, &AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(packed.trim()).ok()?).ok()?;
    let (party, password) = text.split_once(':')?;
    let (token, code) = match password.split_once(':') {
        Some((token, code)) => (token, Some(code.to_owned())),
        None => (password, None),
    };
    Some(Basic { party: party.to_owned(), token: token.to_owned(), code })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_password_are_party_token_and_code() {
        let read = |value: String| {
            basic(&HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_str(&value).unwrap())]))
        };
        let packed = |text: &str| read(format!("Basic {}", STANDARD.encode(text)));
        let as_read = |party: &str, token: &str, code: Option<&str>| {
            Some(Basic { party: party.into(), token: token.into(), code: code.map(str::to_owned) })
        };
        assert_eq!(packed("svc:abc"), as_read("svc", "abc", None));
        assert_eq!(packed("svc:abc:123456"), as_read("svc", "abc", Some("123456")));
        assert_eq!(packed(":abc"), as_read("", "abc", None));
        assert_eq!(packed("svc"), None);
        for none in ["Bearer abc", "Basic", "Basic !", "Basic /w=="] {
            assert_eq!(read(none.into()), None, "{none}");
        }
    }
}
