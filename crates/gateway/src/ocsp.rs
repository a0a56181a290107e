//! What the listeners without TLS answer at `/ocsp`: the HTTP around OCSP (RFC 6960 appendix A, RFC 5019 section 5).
//!
//! Requests and answers are bytes here: another process reads the one and signs the other.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, LAST_MODIFIED};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use percent_encoding::percent_decode_str;

use crate::listen::Worker;
use crate::plain::{bare, http_date};
use crate::settings::OcspAnswer;

/// Where it is asked.
const PATH: &str = "/ocsp";
/// The longest request, in bytes: a hundred certificates by SHA-256, and a nonce.
const MOST_BYTES: usize = 16 * 1024;
/// For how long others may keep an answer, in seconds: a revocation should be seen soon.
const KEPT_SECONDS: i64 = 300;
/// OCSPResponse with the status tryLater (RFC 6960 section 4.2.1).
const TRY_LATER: [u8; 5] = [0x30, 3, 0x0a, 1, 3];
/// Padding may be left out of what stands in a path.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether this path asks for the status of a certificate.
pub(crate) fn is_asked(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The answer, with the headers by which others may keep it.
pub(crate) async fn answer(worker: &Worker, request: &mut Request<Incoming>) -> Response<Bytes> {
    let Some(ask) = worker.shared.ocsp.clone() else { return bare(StatusCode::NOT_FOUND) };
    let by_path = request.method() != Method::POST;
    let der = match *request.method() {
        Method::GET | Method::HEAD => in_path(request.uri().path()).ok_or(StatusCode::BAD_REQUEST),
        Method::POST => in_body(request).await,
        _ => {
            let mut response = bare(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            return response;
        }
    };
    match der {
        Ok(der) => {
            let answered = tokio::task::spawn_blocking(move || ask(&der)).await.ok().flatten();
            let try_later = || OcspAnswer { der: Bytes::from_static(&TRY_LATER), holds: None };
            told(answered.unwrap_or_else(try_later), by_path, (worker.shared.clock)().seconds())
        }
        Err(status) => bare(status),
    }
}

/// The request in a path: `/ocsp/` and its base64, percent-encoded.
fn in_path(path: &str) -> Option<Vec<u8>> {
    let text = path.strip_prefix(PATH)?.strip_prefix('/')?;
    let text: Vec<u8> = percent_decode_str(text).collect();
    BASE64.decode(text).ok().filter(|der| !der.is_empty())
}

async fn in_body(request: &mut Request<Incoming>) -> Result<Vec<u8>, StatusCode> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/ocsp-request") {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let body = Limited::new(request.body_mut(), MOST_BYTES).collect().await;
    body.map(|body| body.to_bytes().to_vec()).map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)
}

/// Others may keep what was asked by a path, and is the same for everybody (RFC 5019 section 6.2).
fn told(answer: OcspAnswer, by_path: bool, now: i64) -> Response<Bytes> {
    let mut response = Response::new(answer.der);
    let tag: String =
        digest(&SHA256, response.body()).as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/ocsp-response"));
    let Some((from, until)) = answer.holds.filter(|_| by_path) else {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    };
    let left = (until.seconds() - now - 1).clamp(0, KEPT_SECONDS);
    let kept = format!("max-age={left}, public, no-transform, must-revalidate");
    let values = [
        (LAST_MODIFIED, http_date(from.seconds())),
        (EXPIRES, http_date(until.seconds())),
        (CACHE_CONTROL, kept.parse().ok()),
        (ETAG, format!("\"{tag}\"").parse().ok()),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use examiner::UnixTime;

    use super::*;

    #[test]
    fn a_request_in_a_path_is_base64_in_every_spelling() {
        let der = [0x30, 0xfb, 0xff, 0xbf];
        for path in ["/ocsp/MPv/vw==", "/ocsp/MPv%2Fvw%3D%3D", "/ocsp/MPv%2fvw"] {
            assert_eq!(in_path(path).as_deref(), Some(&der[..]), "{path}");
        }
        for path in ["/ocsp", "/ocsp/", "/ocsp/*", "/ocsp/MPv_vw", "/other/MPv/vw=="] {
            assert_eq!(in_path(path), None, "{path}");
        }
        let asked = ["/ocsp", "/ocsp/", "/ocsp/MPv", "/ocspx", "/"].map(is_asked);
        assert_eq!(asked, [true, true, true, false, false]);
    }

    #[test]
    fn only_what_is_the_same_for_everybody_is_kept_and_not_for_long() {
        let now = 1_803_902_400;
        let answer = |until: i64| OcspAnswer {
            der: Bytes::from_static(b"x"),
            holds: Some((UnixTime(now), UnixTime(until))),
        };
        let header = |response: &Response<Bytes>, name| response.headers().get(name).cloned();
        let kept = |response: &Response<Bytes>| {
            header(response, CACHE_CONTROL).unwrap().to_str().unwrap().to_owned()
        };
        let long = told(answer(now + 3600), true, now);
        assert_eq!(kept(&long), "max-age=300, public, no-transform, must-revalidate");
        assert_eq!(header(&long, EXPIRES).unwrap(), "Mon, 01 Mar 2027 13:00:00 GMT");
        assert_eq!(header(&long, LAST_MODIFIED).unwrap(), "Mon, 01 Mar 2027 12:00:00 GMT");
        assert!(header(&long, ETAG).is_some());
        assert!(kept(&told(answer(now + 60), true, now)).starts_with("max-age=59,"), "never to its very end");
        assert!(kept(&told(answer(now - 60), true, now)).starts_with("max-age=0,"));
        assert_eq!(kept(&told(answer(now + 3600), false, now)), "no-store", "what was posted");
        let own = OcspAnswer { der: Bytes::from_static(b"x"), holds: None };
        assert_eq!(kept(&told(own, true, now)), "no-store", "what only one may have, or no answer");
    }
}
