//! What is new, as it comes (server-sent events): entries of the log, and the list of what is pending.
//!
//! One look at the registry serves all who listen, and nothing is looked at while nobody does. A browser that was away says
//! with `Last-Event-ID` what it saw last, and gets what came since, at most a page of it.
//!
//! Who knocks stands in an open page within a second. Three wait on the way, each for so long at the most that much of it is
//! left for the work: the gate, which gathers before it stores; the look here; and the page, before it asks for its list anew.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{HeaderName, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Bytes, Frame};
use registry::{AuditFilter, Registry};
use serde_json::json;
use tokio::sync::{Mutex, broadcast, mpsc};

use super::answer::{Body, Desk};
use super::given::{Field, Given, Kind, may};
use super::problem::Problem;
use crate::cli::context;

/// Where they are listened to.
pub const PATH: &str = "/api/v1/events";
/// The pause between two looks.
const EVERY: Duration = Duration::from_millis(250);
/// So often something is said even if nothing is new: what carries it ends what is silent.
const ALIVE: Duration = Duration::from_secs(15);
/// Entries that are told at once; who missed more looks at the log.
const MOST: u32 = 100;
/// What is not taken as fast as it comes is let go with its connection.
const WAITING: usize = 64;
const LAST: HeaderName = HeaderName::from_static("last-event-id");
/// What a query may say.
pub const FIELDS: &[Field] = &[may("after", Kind::Count, "tell first what came after this entry of the log")];

/// Who listens.
pub struct Hub {
    tell: broadcast::Sender<Bytes>,
    /// Whether somebody looks; held while that changes.
    is_looking: Mutex<bool>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { tell: broadcast::channel(WAITING).0, is_looking: Mutex::new(false) }
    }
}

/// Answers with a stream that does not end by itself.
pub async fn listen(desk: &Arc<Desk>, head: &Parts) -> Result<Response<Body>, Problem> {
    let query = Given::of_query(head.uri.query().unwrap_or_default())?;
    query.check(FIELDS)?;
    let last = head.headers.get(LAST).and_then(|id| id.to_str().ok()?.parse().ok());
    let since = last.or_else(|| query.count("after").map(i64::from));
    let (to, from) = mpsc::channel(WAITING);
    let heard = {
        let mut is_looking = desk.hub.is_looking.lock().await;
        if !*is_looking {
            // What happens from now on is told: the first look says what was before.
            let away =
                |error: registry::RegistryError| Problem::new("away", error.to_string(), error.remedy());
            let registry = open(desk).await.map_err(away)?;
            let (seen, _) = news(&registry, None).await.map_err(away)?;
            *is_looking = true;
            tokio::spawn(look(desk.clone(), registry, seen, tokio::time::sleep));
        }
        desk.hub.tell.subscribe()
    };
    tokio::spawn(follow(desk.clone(), since, heard, to));
    let mut response = Response::new(Stream(from).boxed());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Carries what is told to one listener, until it is gone or too slow.
async fn follow(
    desk: Arc<Desk>,
    since: Option<i64>,
    mut heard: broadcast::Receiver<Bytes>,
    to: mpsc::Sender<Bytes>,
) {
    if to.send(Bytes::from_static(b"retry: 2000\n\n")).await.is_err() {
        return;
    }
    if let Some(since) = since
        && let Ok(registry) = open(&desk).await
        && let Ok((text, _)) = entries(&registry, since).await
        && !text.is_empty()
        && to.send(text.into()).await.is_err()
    {
        return;
    }
    loop {
        let next = tokio::select! {
            () = to.closed() => return,
            next = tokio::time::timeout(ALIVE, heard.recv()) => next,
        };
        let text = match next {
            Ok(Ok(text)) => text,
            // It missed some, or nothing will come: a browser comes back and says what it saw last.
            Ok(Err(_)) => return,
            Err(_) => Bytes::from_static(b": here\n\n"),
        };
        if to.try_send(text).is_err() {
            return;
        }
    }
}

/// What was seen last: the newest entry's number, and the state of what is pending.
type Seen = (i64, String);

/// Looks at the registry after each pause, as long as somebody listens.
async fn look<F>(
    desk: Arc<Desk>,
    registry: Registry,
    mut seen: Seen,
    mut pause: impl FnMut(Duration) -> F + Send,
) where
    F: Future<Output = ()> + Send,
{
    let mut registry = Some(registry);
    loop {
        pause(EVERY).await;
        {
            let mut is_looking = desk.hub.is_looking.lock().await;
            if desk.hub.tell.receiver_count() == 0 {
                *is_looking = false;
                return;
            }
        }
        if registry.is_none() {
            registry = open(&desk).await.ok();
        }
        let Some(opened) = &registry else { continue };
        match news(opened, Some(&seen)).await {
            Ok((now, text)) => {
                seen = now;
                if !text.is_empty() {
                    let _ = desk.hub.tell.send(text.into());
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the console cannot see what is new");
                registry = None;
            }
        }
    }
}

async fn open(desk: &Desk) -> registry::Result<Registry> {
    let globals = desk.globals();
    let state = context::state_dir(globals, &globals.config_path(), crate::clock::now());
    let state = state.map_err(|failure| registry::RegistryError::Invalid { what: failure.what })?;
    crate::store::open(&state).await
}

/// What came since, as events, and what is seen by then.
async fn news(registry: &Registry, seen: Option<&Seen>) -> registry::Result<(Seen, String)> {
    let pending = registry.pendings().await?;
    let state: String = pending.iter().map(|one| format!("{} {} ", one.id, one.count)).collect();
    let Some((last, before)) = seen else {
        return Ok(((registry.last_audit_id().await?, state), String::new()));
    };
    let (mut text, last) = entries(registry, *last).await?;
    if state != *before {
        text += &format!("event: pending\ndata: {}\n\n", json!({ "pending": pending.len() }));
    }
    Ok(((last, state), text))
}

/// The entries after this one as events, and the number of the last.
async fn entries(registry: &Registry, after: i64) -> registry::Result<(String, i64)> {
    let filter = AuditFilter { after_id: Some(after), limit: Some(MOST), ..AuditFilter::default() };
    let (mut text, mut last) = (String::new(), after);
    for row in registry.search_audit(&filter).await? {
        let data = serde_json::to_string(&row).unwrap_or_default();
        text += &format!("id: {}\nevent: log\ndata: {data}\n\n", row.id);
        last = row.id;
    }
    Ok((text, last))
}

/// A body of what comes in.
struct Stream(mpsc::Receiver<Bytes>);

impl HttpBody for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(cx).map(|next| next.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use clap::Parser;
    use registry::{AuditEvent, Knock};
    use testkit::Leaf;

    use super::*;
    use crate::cli::Globals;
    use crate::config::StateDir;
    use crate::console::assets::SCRIPT;
    use crate::run::events::GATHER;

    #[derive(clap::Parser)]
    struct Alone {
        #[command(flatten)]
        globals: Globals,
    }

    /// How long the page's script waits after an event of this kind.
    fn page_waits(kind: &str) -> Duration {
        let all =
            SCRIPT.body.split_once("const WAITS = {").and_then(|(_, rest)| rest.split_once('}')).unwrap().0;
        let one = all.split(',').find_map(|one| one.trim().strip_prefix(kind)?.strip_prefix(": ")).unwrap();
        Duration::from_millis(one.trim().parse().unwrap())
    }

    #[test]
    fn what_is_waited_for_on_the_way_to_an_open_page_leaves_time_for_the_work() {
        assert!(GATHER + EVERY + page_waits("pending") <= Duration::from_millis(600));
        assert!(GATHER + EVERY + page_waits("log") < Duration::from_secs(1));
    }

    /// The pauses are this test's own: what is written in one is told at its end, before the next.
    #[tokio::test]
    async fn what_happens_in_a_pause_is_told_at_its_end_and_no_pause_is_longer_than_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path().to_path_buf());
        let registry = Registry::create(&state.database(), examiner::UnixTime(0)).await.unwrap();
        let desk = Arc::new(Desk::new(&Alone::parse_from(["console"]).globals, state).unwrap());
        let (seen, _) = news(&registry, None).await.unwrap();
        *desk.hub.is_looking.lock().await = true;
        let mut heard = desk.hub.tell.subscribe();
        let pauses = Arc::new(Mutex::new(Vec::new()));
        let (go, went) = mpsc::channel::<()>(1);
        let went = Arc::new(tokio::sync::Mutex::new(went));
        let noted = pauses.clone();
        let looking = tokio::spawn(look(desk.clone(), registry.clone(), seen, move |pause| {
            noted.lock().unwrap().push(pause);
            let went = went.clone();
            async move {
                went.lock().await.recv().await;
            }
        }));

        let event = AuditEvent { verdict: "refused".into(), count: 1, ..AuditEvent::default() };
        registry.append_audit("gate", &[event]).await.unwrap();
        go.send(()).await.unwrap();
        let told = String::from_utf8(heard.recv().await.unwrap().to_vec()).unwrap();
        assert!(told.contains("event: log") && !told.contains("event: pending"), "{told}");

        let knock = Knock {
            der: Leaf::new("stranger").self_signed().facts().der.to_vec(),
            site: "portal.test".into(),
            reason: "unknown-issuer".into(),
            note: String::new(),
            address: "192.0.2.1".parse().unwrap(),
            reference: "7F3K-22".into(),
            at: examiner::UnixTime(0),
        };
        registry.knock(knock).await.unwrap();
        go.send(()).await.unwrap();
        let told = String::from_utf8(heard.recv().await.unwrap().to_vec()).unwrap();
        assert!(told.contains("event: pending\ndata: {\"pending\":1}"), "{told}");

        assert!(!told.contains("event: log"), "it was told before: {told}");
        // Nothing is looked at where nobody listens.
        drop(heard);
        go.send(()).await.unwrap();
        looking.await.unwrap();
        assert!(!*desk.hub.is_looking.lock().await);
        assert!(pauses.lock().unwrap().iter().all(|pause| *pause <= EVERY));
    }
}
