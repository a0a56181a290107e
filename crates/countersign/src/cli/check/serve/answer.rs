//! A request answered: the page, the report in each form, the JSON end point, the page's own files. Everything is read, and
//! nothing is changed.

use std::net::IpAddr;
use std::sync::Arc;

use examiner::report::fix::Server;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::{Body, Bytes, Incoming};
use percent_encoding::percent_decode_str;
use serde_json::json;

use super::kept::Kept;
use super::question::Question;
use super::refusal::Refusal;
use super::site::{Asset, Site};
use super::{page, visitor};
use crate::cli::check::{document, printed, printed::Format};
use crate::cli::context;

/// What a browser may do with anything from here: show it, with the page's own style, script and picture, and send its one
/// form back.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

/// On every answer.
const EVERYWHERE: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];

/// Nothing of a visitor's questions stays in a browser or on the way.
const NOT_KEPT: &str = "no-store";
const KEPT_FOR_EVER: &str = "public, max-age=31536000, immutable";

/// What search engines may do: read the front page, and make no checks.
const ROBOTS: &str = "User-agent: *\nAllow: /$\nDisallow: /\n";

type Answer = Response<Full<Bytes>>;

/// Answers a request.
pub async fn answer(site: &Site, peer: IpAddr, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let has_body = !body.is_end_stream();
    // What is not read ends the connection behind the answer.
    drop(body);
    let mut answer = match answered(site, peer, &head, has_body).await {
        Ok(answer) => answer,
        Err(refusal) => refused(site, &head.uri, &refusal),
    };
    let headers = answer.headers_mut();
    for (name, value) in EVERYWHERE {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    answer
}

async fn answered(site: &Site, peer: IpAddr, head: &Parts, has_body: bool) -> Result<Answer, Refusal> {
    visitor::welcome(&head.headers, &site.names)?;
    let place = Place::at(path(&head.uri)).ok_or(Refusal::NotFound)?;
    if !matches!(head.method, Method::GET | Method::HEAD) {
        return Err(Refusal::Method);
    }
    if has_body {
        return Err(Refusal::Body);
    }
    let asks = visitor::address(peer, &head.headers, &site.behind);
    let query = || Query::read(head.uri.query().unwrap_or_default());
    match place {
        Place::Asset(asset) => Ok(made(StatusCode::OK, asset.media_type, KEPT_FOR_EVER, asset.body.clone())),
        Place::Robots => Ok(text(ROBOTS)),
        Place::Health => Ok(text("ok\n")),
        Place::Schema => {
            let schema = format!("{:#}\n", document::schema());
            Ok(made(StatusCode::OK, "application/schema+json", "no-cache", schema))
        }
        Place::Front => {
            let query = query()?;
            let Some(host) = &query.host else { return Ok(page(StatusCode::OK, page::front(site))) };
            let question = Question::read(host, &query.starttls, &site.rules)?;
            let kept = site.desk.ask(&question, asks).await?;
            Ok(page(StatusCode::OK, page::result(site, &kept, query.server)))
        }
        Place::Report(form) => {
            let query = query()?;
            let host = query.host.as_deref().unwrap_or_default();
            let question = Question::read(host, &query.starttls, &site.rules)?;
            let kept = site.desk.ask(&question, asks).await?;
            report(site, form, &kept)
        }
    }
}

/// The path without the slash before it.
fn path(uri: &Uri) -> &str {
    uri.path().strip_prefix('/').unwrap_or_default()
}

/// What is at a path.
enum Place {
    Front,
    Report(Form),
    Schema,
    Asset(&'static Asset),
    Robots,
    Health,
}

/// A form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// The document for scripts, at the end point.
    Api,
    /// The same as a file.
    Json,
    /// A form of the command line's, as a file of this ending and media type.
    File(Format, &'static str, &'static str),
    /// The chain in its right form.
    Chain,
}

impl Place {
    fn at(path: &str) -> Option<Self> {
        Some(match path {
            "" => Self::Front,
            "api/v1/check" => Self::Report(Form::Api),
            "api/v1/check/schema" => Self::Schema,
            "report.json" => Self::Report(Form::Json),
            "report.html" => Self::Report(Form::File(Format::Html, "html", "text/html; charset=utf-8")),
            "report.svg" => Self::Report(Form::File(Format::Svg, "svg", "image/svg+xml")),
            "report.md" => Self::Report(Form::File(Format::Markdown, "md", "text/markdown; charset=utf-8")),
            "report.txt" => Self::Report(Form::File(Format::Text, "txt", "text/plain; charset=utf-8")),
            "report.sarif" => Self::Report(Form::File(Format::Sarif, "sarif", "application/sarif+json")),
            "report.xml" => Self::Report(Form::File(Format::Junit, "xml", "application/xml")),
            "fullchain.pem" => Self::Report(Form::Chain),
            "robots.txt" => Self::Robots,
            "health" => Self::Health,
            other => Self::Asset(Asset::at(other)?),
        })
    }
}

fn report(site: &Site, form: Form, kept: &Arc<Kept>) -> Result<Answer, Refusal> {
    let nothing = |why: String| Refusal::NothingToGive(why);
    let json = || printed::json(&kept.answers).map_err(|_| Refusal::Failed);
    match form {
        Form::Api => {
            let mut answer = made(StatusCode::OK, "application/json", NOT_KEPT, json()?);
            let age = context::now().seconds().saturating_sub(kept.at.seconds()).max(0);
            answer.headers_mut().insert(header::AGE, HeaderValue::from(age.unsigned_abs()));
            Ok(answer)
        }
        Form::Json => Ok(file(kept, "json", "application/json", json()?)),
        Form::File(format, ending, media_type) => {
            let limit = crate::cli::check::limit("error");
            let text = printed::text_of(format, &kept.answers, limit, &site.name);
            text.map(|text| file(kept, ending, media_type, text)).map_err(|failure| nothing(failure.what))
        }
        Form::Chain => {
            let right = kept.right().map_err(nothing)?;
            Ok(file(kept, "pem", "application/x-pem-file", right.pem.clone()))
        }
    }
}

/// A file to be kept by the visitor, named after the host.
fn file(kept: &Kept, ending: &str, media_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = made(StatusCode::OK, media_type, NOT_KEPT, body);
    let host = examiner::report::fix::host(kept.question.target.host.as_str());
    let disposition = format!("attachment; filename=\"{host}.{ending}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}

/// A refusal: problem details (RFC 9457) at the end point, else a page that says what to do.
fn refused(site: &Site, uri: &Uri, refusal: &Refusal) -> Answer {
    let status = refusal.status();
    let mut answer = if path(uri).starts_with("api/") {
        let problem = json!({
            "type": format!("urn:countersign:problem:{}", refusal.code()),
            "title": refusal.title(),
            "status": status.as_u16(),
            "detail": refusal.to_string(),
            "code": refusal.code(),
            "help": refusal.remedy(),
        });
        made(status, "application/problem+json", NOT_KEPT, format!("{problem:#}\n"))
    } else {
        let query = Query::read(uri.query().unwrap_or_default()).unwrap_or_default();
        page(status, page::refused(site, query.host.as_deref().unwrap_or_default(), &query.starttls, refusal))
    };
    let headers = answer.headers_mut();
    if let Some(seconds) = refusal.retry_after() {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    match refusal {
        Refusal::Method => {
            headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        // What else it sends is not read.
        Refusal::Body => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    answer
}

fn page(status: StatusCode, html: String) -> Answer {
    made(status, "text/html; charset=utf-8", NOT_KEPT, html)
}

fn text(body: &'static str) -> Answer {
    made(StatusCode::OK, "text/plain; charset=utf-8", "no-cache", body)
}

fn made(
    status: StatusCode,
    media_type: &'static str,
    caching: &'static str,
    body: impl Into<Bytes>,
) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    answer
}

/// The parts of a query that mean something here; others are passed over.
#[derive(Debug, Default, PartialEq, Eq)]
struct Query {
    host: Option<String>,
    starttls: String,
    server: Option<Server>,
}

impl Query {
    fn read(text: &str) -> Result<Self, Refusal> {
        let (mut host, mut starttls, mut server) = (None, None, None);
        for part in text.split('&') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let known = match name {
                "host" => &mut host,
                "starttls" => &mut starttls,
                "for" => &mut server,
                _ => continue,
            };
            let plain = value.replace('+', " ");
            let plain = percent_decode_str(&plain).decode_utf8();
            let plain = plain.map_err(|_| Refusal::Query(format!("{name} is not UTF-8")))?.into_owned();
            if known.replace(plain).is_some() {
                return Err(Refusal::Query(format!("{name} is given twice")));
            }
        }
        let server = match server.as_deref() {
            None | Some("") => None,
            Some(word) => Some(Server::named(word).ok_or_else(|| Refusal::UnknownServer(word.to_owned()))?),
        };
        Ok(Self { host, starttls: starttls.unwrap_or_default(), server })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_send_it() {
        let read = Query::read("host=+b%C3%BCcher.example%3A8443&starttls=&for=nginx&utm_source=x").unwrap();
        assert_eq!(read.host.as_deref(), Some(" b\u{fc}cher.example:8443"));
        assert_eq!((read.starttls.as_str(), read.server), ("", Some(Server::Nginx)));
        assert_eq!(Query::read("").unwrap(), Query::default());
        for text in ["host=a&host=b", "host=%ff", "starttls=a&starttls=b"] {
            assert!(matches!(Query::read(text), Err(Refusal::Query(_))), "{text}");
        }
        assert_eq!(Query::read("for=telnetd"), Err(Refusal::UnknownServer("telnetd".into())));
    }
}
