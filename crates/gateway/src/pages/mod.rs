//! What a refused visitor reads: problem details for programs, a page for people, in their language.
//!
//! - `choice`: the language and the kind of answer that the visitor likes best.
//! - `words`: what is said about each reason; the words stand in one table a language (`en`, `nl`, `de`, `fr`), and
//!   the same words answer `explain`.
//! - `html`: the page.
//! - [`others`]: the codes of answers that are no refusals by policy.
//!
//! Values from certificates are strangers' text: controls are made visible, and in HTML they are escaped and isolated.

mod choice;
mod de;
mod en;
mod fr;
mod html;
mod nl;
pub mod others;
#[cfg(test)]
pub(crate) mod tests;
mod words;

use bytes::Bytes;
use examiner::Certificate;
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use policy::Refusal;
use serde_json::{Map, Value};

use self::choice::prefers_html;
use self::words::{told, visible};

pub use self::choice::Lang;
pub use self::words::{Words, code_text, text};

/// All that an answer to a refused visitor is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Why.
    pub refusal: &'a Refusal,
    /// The site's name.
    pub site: &'a str,
    /// The reference of the log entry.
    pub reference: &'a str,
    /// The certificate that was shown, if one was and it can be read.
    pub certificate: Option<&'a Certificate>,
    /// Its thumbprint, also where it cannot be read.
    pub thumbprint: Option<examiner::Thumbprint>,
    /// The HTTP status to answer with.
    pub status: u16,
}

/// The answer to a refused visitor.
///
/// HTML where `accept` prefers it by name, else `application/problem+json` (RFC 9457). A visitor whom nothing
/// [vouches](Refusal::vouched) for is told the code, how to ask and the reference, and no more.
pub fn refusal(shown: &Shown<'_>, accept: Option<&str>, accept_language: Option<&str>) -> Response<Bytes> {
    let lang = Lang::choose(accept_language);
    let told = told(lang.table(), shown);
    let mut response = if prefers_html(accept) {
        let mut response =
            answer(shown.status, "text/html; charset=utf-8", html::page(lang.table(), shown, &told));
        if let Ok(policy) = HeaderValue::from_str(html::content_security_policy()) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    } else {
        let detail = format!("{} {}", told.detail.plain(), told.next.plain());
        let code = shown.refusal.code().as_str();
        let mut fields = problem_fields(shown.status, code, told.title, &detail, shown.site, shown.reference);
        if let Some(certificate) = shown.certificate {
            for (name, value) in [
                ("subject", certificate.subject.to_string()),
                ("issuer", certificate.issuer.to_string()),
                ("not_after", certificate.not_after.to_string()),
            ] {
                fields.insert(name.to_owned(), Value::String(visible(&value)));
            }
        }
        if let Some(thumbprint) = shown.thumbprint {
            fields.insert("thumbprint".to_owned(), Value::String(thumbprint.to_string()));
        }
        answer(shown.status, "application/problem+json", Value::Object(fields).to_string())
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_LANGUAGE, HeaderValue::from_static(lang.table().tag));
    headers.insert(VARY, HeaderValue::from_static("accept, accept-language"));
    response
}

/// Problem details (RFC 9457) for the gate's other answers, such as `bad-request` and `upstream-timeout`.
pub fn problem(
    status: u16,
    code: &str,
    title: &str,
    detail: &str,
    site: &str,
    reference: &str,
) -> Response<Bytes> {
    let fields = problem_fields(status, code, title, &visible(detail), site, reference);
    answer(status, "application/problem+json", Value::Object(fields).to_string())
}

fn problem_fields(
    status: u16,
    code: &str,
    title: &str,
    detail: &str,
    site: &str,
    reference: &str,
) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("status".to_owned(), Value::from(status));
    // Words of ours, the values in them visible already.
    fields.insert("detail".to_owned(), Value::String(detail.to_owned()));
    for (name, value) in [
        ("type", format!("urn:countersign:problem:{code}").as_str()),
        ("title", title),
        ("code", code),
        ("reference", reference),
        ("site", site),
    ] {
        fields.insert(name.to_owned(), Value::String(visible(value)));
    }
    fields
}

fn answer(status: u16, content_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN);
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
