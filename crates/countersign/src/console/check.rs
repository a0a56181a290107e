//! The page of the check inside the console: what `check serve` shows, looked at by a process of its own.
//!
//! This process connects nowhere, so another one does, which in turn reads nothing of the state directory. The front page is
//! every operator's to read; that something is looked at takes the role that may change things, and a page from here.

use std::path::PathBuf;
use std::time::Duration;

use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use policy::record::OperatorRole;

use super::answer::Body;
use super::operator::Operator;
use super::problem::Problem;
use crate::config::StateDir;

/// The page's own path; everything of it is below.
pub const PATH: &str = "/check/";

/// How long a look may take, with those before it.
const LONGEST: Duration = Duration::from_secs(55);
/// Octets of an answer: a report with its certificates.
const MOST: usize = 16 << 20;
/// What of an answer goes on.
const KEPT: [&str; 6] =
    ["content-type", "cache-control", "content-disposition", "age", "retry-after", "allow"];
/// What of a request goes along: by these the page knows one that another site makes in the background.
const TOLD: [&str; 2] = ["sec-fetch-site", "sec-fetch-dest"];

/// Where that process listens.
pub fn socket(state: &StateDir) -> PathBuf {
    state.path().join("check.sock")
}

/// Whether this path is the check's: itself without its slash, or below it.
pub fn is_at(path: &str) -> bool {
    path == PATH.trim_end_matches('/') || path.starts_with(PATH)
}

/// The role that a request needs: to look at something, more than to read the page.
fn role(rest: &str, query: Option<&str>) -> OperatorRole {
    let is_page = rest.is_empty() || rest.starts_with("page-") || rest == "api/v1/check/schema";
    match query {
        None | Some("") if is_page => OperatorRole::Viewer,
        _ => OperatorRole::Operator,
    }
}

/// Whether a browser sent it for a page of another site, also as a link that is followed: a look is nobody else's to begin.
fn is_from_elsewhere(head: &Parts) -> bool {
    let mut sites = head.headers.get_all(TOLD[0]).iter();
    sites.any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

/// Answers a request at this path, for an operator who may.
///
/// # Errors
///
/// The role does not reach so far, another site sent it, or the process gives no answer.
pub async fn answer(
    state: &StateDir,
    head: &Parts,
    operator: &Operator,
    may: impl FnOnce(&Operator, OperatorRole) -> Result<(), Problem>,
) -> Result<Response<Body>, Problem> {
    let Some(rest) = head.uri.path().strip_prefix(PATH) else {
        let mut moved = Response::new(Full::new(Bytes::new()).boxed());
        *moved.status_mut() = StatusCode::PERMANENT_REDIRECT;
        moved.headers_mut().insert(header::LOCATION, HeaderValue::from_static(PATH));
        moved.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return Ok(moved);
    };
    let role = role(rest, head.uri.query());
    may(operator, role)?;
    if role != OperatorRole::Viewer && is_from_elsewhere(head) {
        let help = "open the console itself, and look from there";
        return Err(Problem::new("not-from-here", "A page of another site sent this request", help));
    }
    let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut request = Request::builder().method(Method::GET).uri(format!("/{rest}{query}"));
    for name in TOLD {
        if let Some(value) = head.headers.get(name) {
            request = request.header(name, value);
        }
    }
    let (status, headers, body) = ask(state, request).await?;
    let mut response = Response::new(Full::new(body).boxed());
    *response.status_mut() = status;
    for name in KEPT {
        if let Some(value) = headers.get(name) {
            response.headers_mut().insert(HeaderName::from_static(name), value.clone());
        }
    }
    Ok(response)
}

/// What the check says of a host, for the API: status and document.
///
/// # Errors
///
/// The process gives no answer.
pub async fn look(state: &StateDir, query: &str) -> Result<(StatusCode, Bytes), Problem> {
    let request = Request::builder().method(Method::GET).uri(format!("/api/v1/check?{query}"));
    let (status, _, body) = ask(state, request).await?;
    Ok((status, body))
}

async fn ask(
    state: &StateDir,
    request: http::request::Builder,
) -> Result<(StatusCode, http::HeaderMap, Bytes), Problem> {
    let away = |what: String| {
        Problem::new("away", format!("The check gives no answer: {what}"), "try again in a moment")
    };
    let asked = async {
        let stream =
            tokio::net::UnixStream::connect(socket(state)).await.map_err(|error| away(error.to_string()))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| away(error.to_string()))?;
        let speaking = tokio::spawn(connection);
        let request = request
            .header(header::HOST, "localhost")
            .body(Empty::<Bytes>::new())
            .map_err(|error| away(error.to_string()))?;
        let answer = sender.send_request(request).await.map_err(|error| away(error.to_string()))?;
        let (head, body) = answer.into_parts();
        let body = Limited::new(body, MOST).collect().await.map_err(|error| away(error.to_string()))?;
        speaking.abort();
        Ok((head.status, head.headers, body.to_bytes()))
    };
    match tokio::time::timeout(LONGEST, asked).await {
        Ok(answer) => answer,
        Err(_) => Err(away("it took too long".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_the_page_and_looks_at_nothing() {
        for page in ["", "page-0123456789abcdef.css", "api/v1/check/schema"] {
            assert_eq!(role(page, None), OperatorRole::Viewer, "{page}");
        }
        for (path, query) in [
            ("", Some("host=a.example")),
            ("", Some("ho%73t=a.example")),
            ("report.json", Some("host=a.example")),
            ("report.json", None),
            ("api/v1/check", Some("host=a.example")),
            ("fullchain.pem", None),
        ] {
            assert_eq!(role(path, query), OperatorRole::Operator, "{path}");
        }
    }

    #[test]
    fn only_pages_from_here_and_people_begin_a_look() {
        let elsewhere = |sites: &[&'static str]| {
            let mut request = Request::new(());
            for site in sites {
                request.headers_mut().append("sec-fetch-site", HeaderValue::from_static(site));
            }
            is_from_elsewhere(&request.into_parts().0)
        };
        assert!(!elsewhere(&[]) && !elsewhere(&["same-origin"]) && !elsewhere(&["none"]));
        for sites in [&["cross-site"][..], &["same-site"], &["none", "cross-site"], &["Same-Origin"]] {
            assert!(elsewhere(sites), "{sites:?}");
        }
    }

    #[test]
    fn what_is_below_the_page_is_the_pages() {
        for path in ["/check", "/check/", "/check/report.json"] {
            assert!(is_at(path), "{path}");
        }
        for path in ["/checks", "/api/v1/check", "/"] {
            assert!(!is_at(path), "{path}");
        }
    }
}
