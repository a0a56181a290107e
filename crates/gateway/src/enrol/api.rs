//! `POST /api/v1/enrolments`: a token, a certificate request, a certificate.

use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Method, Request};
use serde::Deserialize;
use serde_json::json;

use super::{
    Enrolled, NotEnrolled, Redemption, WhyNot, above_rates, body, given, other_method, passed_on, put,
    refused, request_in, word,
};
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::received::Received;
use crate::serve::Visit;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/enrolments";
/// The code, where the request comes by itself.
const CODE: HeaderName = HeaderName::from_static("countersign-code");
/// What tells a request from others.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Certificates one after the other (RFC 8555 section 9.1).
const CHAIN: &str = "application/pem-certificate-chain";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    csr: String,
    #[serde(default)]
    code: Option<String>,
}

/// Answers it.
pub(super) async fn answer(visit: &Visit, exchange: &mut Exchange, request: Request<Received>) -> Reply {
    match enrol(visit, exchange, request).await {
        Ok(reply) | Err(reply) => reply,
    }
}

async fn enrol(visit: &Visit, exchange: &mut Exchange, request: Request<Received>) -> Result<Reply, Reply> {
    let unfit = other_method(visit, exchange, &request, &Method::POST);
    if let Some(reply) = unfit.or_else(|| above_rates(visit, exchange)) {
        return Err(reply);
    }
    let (head, body) = body(visit, exchange, request).await?;
    let token = bearer(&head.headers).map(str::to_owned).ok_or_else(|| {
        let detail = "Bring the invite's token: `Authorization: Bearer TOKEN`";
        challenged(refused(visit, exchange, 401, "enrolment-refused", detail))
    })?;
    let asked = asked(&head.headers, &body)
        .map_err(|(status, detail)| refused(visit, exchange, status, "enrolment-refused", detail))?;
    let idempotency_key = match (word(&head.headers, &KEY), head.headers.contains_key(&KEY)) {
        (None, true) => {
            let detail = "`Idempotency-Key` is one word of at most 255 characters";
            return Err(refused(visit, exchange, 400, "enrolment-refused", detail));
        }
        (key, _) => key.map(str::to_owned),
    };
    let redemption = Redemption { token, code: asked.code, party: None, request: asked.csr, idempotency_key };
    match passed_on(visit, exchange, move |enroller| enroller.redeem(redemption)).await {
        Ok(enrolled) => Ok(created(visit, &head.headers, enrolled)),
        Err(not) => Err(not_enrolled(visit, exchange, &not)),
    }
}

fn created(visit: &Visit, headers: &HeaderMap, enrolled: Enrolled) -> Reply {
    if headers.get(ACCEPT).is_some_and(|accept| accept.as_bytes() == CHAIN.as_bytes()) {
        return given(201, CHAIN, enrolled.pem);
    }
    let port = match visit.worker.shared.https_port {
        443 => String::new(),
        other => format!(":{other}"),
    };
    // As it is now: the party may have come with the certificate.
    let current = visit.worker.shared.current.load();
    let open = policy::decide::sites_of(&current.state.snapshot, &enrolled.party);
    let sites: Vec<String> = open.iter().map(|site| format!("https://{site}{port}/")).collect();
    let text = json!({
        "party": enrolled.party,
        "thumbprint": enrolled.thumbprint.to_string(),
        "not_after": enrolled.not_after,
        "pem": enrolled.pem,
        "sites": sites,
    });
    given(201, "application/json", text.to_string())
}

fn not_enrolled(visit: &Visit, exchange: &mut Exchange, not: &NotEnrolled) -> Reply {
    let (status, code) = match not.why {
        WhyNot::Token => (401, "enrolment-refused"),
        WhyNot::CodeWanted => (403, "code-wanted"),
        WhyNot::CodeWrong => (403, "code-wrong"),
        WhyNot::Request => (422, "enrolment-refused"),
        WhyNot::OtherRequest => (409, "enrolment-refused"),
        WhyNot::Renewal => (403, "enrolment-refused"),
        WhyNot::TooFast => (429, "enrolment-refused"),
        WhyNot::Away => (503, "enrolment-refused"),
    };
    let reply = refused(visit, exchange, status, code, &not.detail);
    if status == 401 { challenged(reply) } else { reply }
}

/// RFC 6750 section 3.
fn challenged(mut reply: Reply) -> Reply {
    put(&mut reply, WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"enrolment\""));
    reply
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = word(headers, &AUTHORIZATION)?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What the body holds: a request alone, its code in a field, or both as JSON.
fn asked(headers: &HeaderMap, body: &[u8]) -> Result<Asked, (u16, &'static str)> {
    let no_request = (422, "The body holds no certificate request: PKCS#10, PEM or DER");
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/pkcs10" => {
            let code = word(headers, &CODE).map(str::to_owned);
            Ok(Asked { csr: request_in(body).ok_or(no_request)?, code })
        }
        "application/json" => {
            let read: Asked = serde_json::from_slice(body)
                .map_err(|_| (400, "The JSON is not understood: it has `csr`, and `code` where asked for"))?;
            Ok(Asked { csr: request_in(read.csr.as_bytes()).ok_or(no_request)?, ..read })
        }
        _ => Err((415, "Send application/pkcs10, or application/json with `csr`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn a_token_is_a_bearer_token() {
        let token = |value: &str| bearer(&with(AUTHORIZATION, value)).map(str::to_owned);
        for value in ["Bearer abc", "bearer abc", "BEARER  abc"] {
            assert_eq!(token(value).as_deref(), Some("abc"), "{value}");
        }
        for value in ["abc", "Basic abc", "Bearer", "Bearer "] {
            assert_eq!(token(value), None, "{value}");
        }
    }

    #[test]
    fn a_body_is_read_as_what_it_says_it_is() {
        let read = |kind: &str, body: &str| {
            let asked = asked(&with(CONTENT_TYPE, kind), body.as_bytes());
            asked.map(|one| (one.csr.starts_with("-----BEGIN"), one.code)).map_err(|(status, _)| status)
        };
        assert_eq!(read("application/pkcs10", "MAA="), Ok((true, None)));
        assert_eq!(read("Application/PKCS10; charset=utf-8", "MAA="), Ok((true, None)));
        assert_eq!(
            read("application/json", r#"{"csr":"MAA=","code":"123456"}"#),
            Ok((true, Some("123456".into())))
        );
        for (kind, body, status) in [
            ("application/json", "MAA=", 400),
            ("application/json", r#"{"csr":"MAA=","profile":"operator"}"#, 400),
            ("application/json", r#"{"csr":""}"#, 422),
            ("application/pkcs10", r#"{"csr":"MAA="}"#, 422),
            ("application/x-www-form-urlencoded", "MAA=", 415),
            ("", "MAA=", 415),
        ] {
            assert_eq!(read(kind, body), Err(status), "{kind} {body}");
        }
    }
}
