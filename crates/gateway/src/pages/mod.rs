//! The refusal in words: a page for browsers, problem details for programs.

use bytes::Bytes;
use http::Response;

/// What a refusal is told from.
pub struct Shown<'a> {
    /// Why.
    pub refusal: &'a policy::Refusal,
    /// At which site.
    pub site: &'a str,
    /// What joins it with the log.
    pub reference: &'a str,
    /// The certificate that was shown.
    pub certificate: Option<&'a examiner::Certificate>,
    /// The status of the answer.
    pub status: u16,
}

/// The answer to a refused request.
pub fn refusal(shown: &Shown<'_>, _accept: Option<&str>, _accept_language: Option<&str>) -> Response<Bytes> {
    let code = shown.refusal.code();
    problem(shown.status, code.as_str(), "Not admitted", code.as_str(), shown.site, shown.reference)
}

/// Problem details (RFC 9457).
pub fn problem(status: u16, code: &str, title: &str, detail: &str, site: &str, reference: &str) -> Response<Bytes> {
    let body = serde_json::json!({
        "type": "about:blank", "title": title, "status": status, "detail": detail, "code": code, "site": site,
        "reference": reference,
    });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or(http::StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/problem+json"));
    headers.insert("cache-control", http::HeaderValue::from_static("no-store"));
    response
}
