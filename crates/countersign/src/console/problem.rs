//! What is said where something cannot be: problem details (RFC 9457), or the same as a page.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::cli::{Exit, Failure};

/// Why a request is not answered as asked.
#[derive(Clone, Debug)]
pub struct Problem {
    /// The status of the answer.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// What it is about.
    pub title: &'static str,
    /// What happened.
    pub detail: String,
    /// What to do.
    pub help: String,
    /// The methods of what is under this path (RFC 9110 section 15.5.6), where another was used.
    pub allow: Option<&'static str>,
}

/// The methods of what is read.
pub const READS: &str = "GET, HEAD";

/// All that can be said, for the description of the API: code, status, title.
pub const ALL: &[(&str, u16, &str)] = &[
    ("invalid", 400, "The request is not valid"),
    ("not-from-here", 403, "Not sent by a page of the console"),
    ("token", 403, "The page is too old"),
    ("role", 403, "Your role does not allow this"),
    ("not-found", 404, "There is no such thing"),
    ("method", 405, "This is asked for with another method"),
    ("conflict", 409, "It does not fit what is on record"),
    ("running", 409, "The same request is being answered"),
    ("outcome-unknown", 409, "Nobody knows whether it was done"),
    ("told-once", 409, "It was done, and its answer is told only once"),
    ("too-long", 413, "The request is too long"),
    ("media-type", 415, "The body has another form than is read here"),
    ("other-request", 422, "The key belongs to another request"),
    ("configuration", 422, "The configuration does not allow it"),
    ("failed", 500, "It went wrong here"),
    ("away", 503, "It cannot be done now"),
];

impl Problem {
    /// The problem of this code, which is one of [`ALL`].
    pub fn new(code: &'static str, detail: impl Into<String>, help: impl Into<String>) -> Self {
        let known = ALL.iter().find(|(one, ..)| *one == code);
        let (_, status, title) = known.copied().unwrap_or(("failed", 500, "It went wrong here"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, code, title, detail: detail.into(), help: help.into(), allow: None }
    }

    /// Nothing is under this path.
    pub fn not_found() -> Self {
        Self::new("not-found", "There is nothing under this path", "/api/openapi.json lists what there is")
    }

    /// What is under this path is asked for otherwise.
    pub fn method(method: &Method, allow: &'static str) -> Self {
        let detail = format!("{method} does nothing here");
        Self { allow: Some(allow), ..Self::new("method", detail, format!("ask with {allow}")) }
    }

    /// As problem details; `reference` joins it with the gate's log.
    pub fn value(&self, reference: Option<&str>) -> Value {
        json!({
            "type": format!("urn:countersign:problem:{}", self.code),
            "title": self.title,
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "help": self.help,
            "reference": reference,
        })
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        let code = match failure.exit {
            Exit::Usage => "invalid",
            Exit::NotFound => "not-found",
            Exit::Fine | Exit::No => "conflict",
            Exit::Configuration => "configuration",
            Exit::NoPermission | Exit::Unreachable => "away",
            Exit::Bug => "failed",
        };
        let help = if failure.help.is_empty() {
            "/api/openapi.json says what is asked for".to_owned()
        } else {
            failure.help
        };
        Self::new(code, failure.what, help)
    }
}
