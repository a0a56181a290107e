//! A request answered: which page, verb or file is meant, whether this operator may, and the form of the answer.

use std::sync::Arc;
use std::time::Duration;

use examiner::UnixTime;
use gateway::identity::REFERENCE;
use gateway::pages::Lang;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use policy::record::OperatorRole;
use tokio::sync::Semaphore;

use super::again::{self, KEY_MOST, Kept, Known};
use super::given::Given;
use super::guard::{Sender, TOKEN, Tokens};
use super::operator::Operator;
use super::problem::{Problem, READS};
use super::verbs::{self, Verb};
use super::{BODY_MOST, assets, check, events, openapi, screens};
use crate::cli::context::Context;
use crate::cli::{Failure, Globals};
use crate::config::StateDir;

/// What a browser may do with anything from here: show it with its own style, script and pictures, ask this address, and
/// send its forms here.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// On every answer. The referrer stays within the console: without any, a browser says `Origin: null` for its forms.
const EVERYWHERE: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=()"),
];
/// How long a request's body may take.
const BODY_LONGEST: Duration = Duration::from_secs(10);
/// Requests that work on the registry at once; others wait.
const AT_ONCE: usize = 8;
/// The names of the field in which a change brings its key.
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");

/// An answer's body.
pub type Body = BoxBody<Bytes, std::convert::Infallible>;

/// An answer that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// Its status.
    pub status: StatusCode,
    media_type: &'static str,
    body: Bytes,
}

impl Made {
    /// A JSON document.
    pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, media_type: "application/json", body: body.into() }
    }

    /// A page.
    pub fn page(status: StatusCode, body: impl Into<Bytes>) -> Self {
        Self { status, media_type: "text/html; charset=utf-8", body: body.into() }
    }

    /// Its body, where that is text.
    pub fn text(&self) -> Option<String> {
        String::from_utf8(self.body.to_vec()).ok()
    }

    fn plain(media_type: &'static str, body: impl Into<Bytes>) -> Self {
        Self { status: StatusCode::OK, media_type, body: body.into() }
    }

    fn into_response(self) -> Response<Body> {
        let mut response = Response::new(Full::new(self.body).boxed());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// What all requests share.
pub struct Desk {
    globals: Globals,
    state: StateDir,
    tokens: Tokens,
    kept: Kept,
    places: Semaphore,
    /// Who listens for events.
    pub hub: events::Hub,
}

impl Desk {
    /// With keys of its own.
    pub fn new(globals: &Globals, state: StateDir) -> Result<Self, String> {
        Ok(Self {
            globals: globals.clone(),
            state,
            tokens: Tokens::new().map_err(|_| "no randomness".to_owned())?,
            kept: Kept::default(),
            places: Semaphore::new(AT_ONCE),
            hub: events::Hub::default(),
        })
    }

    /// How the commands are told what to do.
    pub fn globals(&self) -> &Globals {
        &self.globals
    }
}

/// A request with all that its answer is made of.
pub struct Asked<'a> {
    /// Registry and settings as they are now.
    pub context: &'a Context,
    /// Who asks.
    pub operator: &'a Operator,
    /// What stands in the places of the path.
    pub places: Vec<String>,
    /// The language of pages.
    pub lang: Lang,
    /// What the page's forms bring back.
    pub token: String,
    /// The host as it was named, with its port.
    pub host: String,
}

impl Asked<'_> {
    /// What stands in the first place of the path.
    pub fn place(&self) -> &str {
        self.places.first().map_or("", String::as_str)
    }

    /// Whether this operator may do what wants this role.
    pub fn may(&self, role: OperatorRole) -> bool {
        self.operator.may(role)
    }

    /// A text of the pages in their language.
    pub fn t(&self, text: &'static str) -> &'static str {
        super::words::said(self.lang, text)
    }

    /// The moment of the request.
    pub fn now(&self) -> UnixTime {
        self.context.now
    }
}

/// Answers a request.
pub async fn answer(desk: &Arc<Desk>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let is_api = head.uri.path().starts_with("/api/");
    let reference = head.headers.get(REFERENCE).and_then(|text| text.to_str().ok()).map(str::to_owned);
    // Read before anything is refused: the end of a socket with unread octets in it takes the answer along.
    let body = whole(body).await;
    // What was not read whole is in the way of the next request.
    let is_last = body.is_err();
    let answered = answered(desk, &head, body).await;
    let mut response = match answered {
        Ok(response) => response,
        Err(problem) if is_api => {
            let text = format!("{:#}\n", problem.value(reference.as_deref()));
            let made =
                Made { status: problem.status, media_type: "application/problem+json", body: text.into() };
            let mut response = made.into_response();
            if let Some(allow) = problem.allow {
                response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
            }
            response
        }
        Err(problem) => {
            let page = screens::problem(language(&head), &problem, reference.as_deref());
            Made::page(problem.status, page).into_response()
        }
    };
    if is_last {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    for (name, value) in EVERYWHERE {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

fn language(head: &Parts) -> Lang {
    Lang::choose(head.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()))
}

async fn answered(
    desk: &Arc<Desk>,
    head: &Parts,
    body: Result<Bytes, Problem>,
) -> Result<Response<Body>, Problem> {
    let operator = Operator::of(&head.headers).ok_or_else(|| {
        Problem::new(
            "role",
            "no operator was named by the gate",
            "ask at the admin address, with an operator's certificate",
        )
    })?;
    let path = head.uri.path();
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    if reads && let Some(asset) = assets::at(path) {
        let mut response = Made::plain(asset.media_type, asset.body).into_response();
        let kept = HeaderValue::from_static("private, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, kept);
        return Ok(response);
    }
    match path {
        "/api/openapi.json" if reads => {
            return Ok(Made::json(StatusCode::OK, format!("{:#}\n", openapi::document())).into_response());
        }
        path if reads && check::is_at(path) => {
            return check::answer(&desk.state, head, &operator, role_of).await;
        }
        events::PATH if reads => return events::listen(desk, head).await,
        "/api/openapi.json" | events::PATH => return Err(Problem::method(&head.method, READS)),
        _ => {}
    }
    let made = match verbs::find(&head.method, path)? {
        Some((verb, places)) => ask(desk, head, body, operator, verb, places).await?,
        None if reads => look(desk, head, operator).await?,
        None => return Err(Problem::not_found()),
    };
    Ok(made.into_response())
}

/// A page.
async fn look(desk: &Arc<Desk>, head: &Parts, operator: Operator) -> Result<Made, Problem> {
    let (screen, role, places) = screens::find(head.uri.path()).ok_or_else(Problem::not_found)?;
    role_of(&operator, role)?;
    let given = Given::of_pairs(head.uri.query().unwrap_or_default())?;
    let page = working(desk, head, operator, places, move |asked| screen(asked, &given)).await?;
    Ok(Made::page(StatusCode::OK, page.into_string()))
}

/// A verb, asked for by API or by a form of a page.
async fn ask(
    desk: &Arc<Desk>,
    head: &Parts,
    body: Result<Bytes, Problem>,
    operator: Operator,
    verb: &'static Verb,
    places: Vec<String>,
) -> Result<Made, Problem> {
    role_of(&operator, verb.role)?;
    if verb.method == "GET" {
        let given = Given::of_query(head.uri.query().unwrap_or_default())?;
        given.check(verb.fields)?;
        let value = working(desk, head, operator, places, move |asked| (verb.run)(asked, &given)).await?;
        return Ok(Made::json(StatusCode::OK, format!("{value:#}\n")));
    }
    let sender = Sender::of(&head.headers);
    if sender == Sender::Elsewhere {
        let help = "open the console itself, and do it there";
        return Err(Problem::new("not-from-here", "A page of another site sent this request", help));
    }
    let is_form = !head.uri.path().starts_with("/api/");
    let body = body?;
    let mut given = read(head, &body, is_form, verb)?;
    let (token, mut key) = if is_form {
        (given.take("token"), given.take("key"))
    } else {
        (field(head, &TOKEN), field(head, &IDEMPOTENCY))
    };
    let now = crate::clock::now();
    let needs_token = is_form || sender == Sender::Page;
    if needs_token && !token.is_some_and(|token| desk.tokens.is_good(&token, &operator, now)) {
        let help =
            "open the page again and send it from there; a program leaves Origin and Sec-Fetch-Site out";
        return Err(Problem::new("token", "The request brings no token of a page that is open now", help));
    }
    given.check(verb.fields)?;
    if !verb.changes {
        key = None;
    } else if key.as_ref().is_none_or(|key| key.is_empty() || key.len() > KEY_MOST) {
        let help = "send `Idempotency-Key: ` and a new random text, 255 characters at most; the same again is answered the same";
        return Err(Problem::new("invalid", "A change needs a key that tells it from others", help));
    }
    let asked_for = again::digest(head.uri.path(), &body);
    if let Some(key) = &key {
        match desk.kept.look(&operator, key, asked_for) {
            Known::New => {}
            Known::Done(made) => return Ok(made),
            Known::Running => {
                return Err(Problem::new(
                    "running",
                    "This request is being answered",
                    "ask again in a moment",
                ));
            }
            Known::Other => return Err(again::other()),
            Known::Full => {
                return Err(Problem::new("away", "Too much is being done at once", "try again in a minute"));
            }
        }
    }
    let lasting = key.clone().filter(|_| !is_form);
    let outcome = working(desk, head, operator.clone(), places, move |asked| {
        let Some(key) = lasting else { return done(verb, asked, &given, is_form).map(Ok) };
        let (context, operator) = (asked.context, asked.operator);
        if let Some(earlier) = again::earlier(context, operator, (key.as_str(), &asked_for), now)? {
            return Ok(earlier);
        }
        let made = done(verb, asked, &given, is_form);
        match &made {
            Ok(made) => again::keep(context, operator, &key, made, verb.is_told_once),
            Err(_) => again::release(context, operator, &key),
        }
        made.map(Ok)
    })
    .await
    .and_then(|made| made);
    if let Some(key) = &key {
        match &outcome {
            Ok(made) => desk.kept.made(&operator, key, made),
            Err(_) => desk.kept.failed(&operator, key),
        }
    }
    outcome
}

/// Does what a verb says, and tells of it as a page or as JSON.
fn done(verb: &Verb, asked: &Asked<'_>, given: &Given, is_form: bool) -> Result<Made, Failure> {
    let value = (verb.run)(asked, given)?;
    Ok(if is_form {
        let page = screens::after(verb, asked, given, &value)?;
        Made::page(StatusCode::OK, page.into_string())
    } else {
        Made::json(verb.status(), format!("{value:#}\n"))
    })
}

/// Refuses where the operator's role does not reach so far.
fn role_of(operator: &Operator, wanted: OperatorRole) -> Result<(), Problem> {
    if operator.may(wanted) {
        return Ok(());
    }
    let detail =
        format!("{} is {}; this wants the role {}", operator.name, operator.role.word(), wanted.word());
    Err(Problem::new("role", detail, "ask an owner for another certificate: `countersign operator add`"))
}

fn field(head: &Parts, name: &HeaderName) -> Option<String> {
    let mut all = head.headers.get_all(name).iter();
    let one = all.next()?.to_str().ok()?.to_owned();
    all.next().is_none().then_some(one)
}

/// The whole body.
async fn whole(body: Incoming) -> Result<Bytes, Problem> {
    let read = Limited::new(body, usize::try_from(BODY_MOST).unwrap_or(usize::MAX)).collect();
    match tokio::time::timeout(BODY_LONGEST, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(_)) => Err(Problem::new("too-long", "The body is broken, or too long", "send 256 kB at most")),
        Err(_) => Err(Problem::new("invalid", "The body did not come whole in time", "send it again")),
    }
}

fn read(head: &Parts, body: &[u8], is_form: bool, verb: &Verb) -> Result<Given, Problem> {
    let kind = head.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let wanted = if is_form { "application/x-www-form-urlencoded" } else { "application/json" };
    if kind != wanted && !(body.is_empty() && kind.is_empty()) {
        return Err(Problem::new(
            "media-type",
            format!("the body is `{}`", kind.escape_debug()),
            format!("send {wanted}"),
        ));
    }
    if !is_form {
        return Ok(Given::of_json(body, verb.fields)?);
    }
    let text =
        std::str::from_utf8(body).map_err(|_| Failure::usage("the body is no text", "encode it as UTF-8"))?;
    Ok(Given::of_pairs(text)?)
}

/// Works on the registry, where it may block, as this operator.
async fn working<T: Send + 'static>(
    desk: &Arc<Desk>,
    head: &Parts,
    operator: Operator,
    places: Vec<String>,
    work: impl FnOnce(&Asked<'_>) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Problem> {
    let _place = desk.places.acquire().await;
    let (desk, lang) = (desk.clone(), language(head));
    let host =
        head.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let worked = tokio::task::spawn_blocking(move || {
        let context = Context::open_as(&desk.globals, operator.actor())?;
        let token = desk.tokens.make(&operator, context.now);
        work(&Asked { context: &context, operator: &operator, places, lang, token, host })
    });
    match worked.await {
        Ok(outcome) => outcome.map_err(Problem::from),
        Err(_) => Err(Problem::new(
            "failed",
            "The console failed at this",
            "please report this, with the log's lines",
        )),
    }
}
