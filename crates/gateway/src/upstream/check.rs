//! Asking upstreams how they are: requests of the gate's own, which carry nothing of any visitor.

use std::sync::Arc;
use std::time::Duration;

use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request};

use super::body::AnyBody;
use super::pool::Pool;
use super::route::Backend;
use crate::gate::Shared;

/// The longest that a check may take.
const MOST: Duration = Duration::from_secs(10);
/// How often it is looked whose check is due.
const LOOK: Duration = Duration::from_millis(250);

/// Checks all upstreams that want it, until the gate drains.
pub(crate) async fn watch(shared: Arc<Shared>, pool: Pool) {
    let mut phase = shared.life.subscribe();
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            _ = phase.wait_for(|phase| phase.hurries()) => return,
        }
        for backend in shared.current.load().routes.backends().filter(|backend| backend.is_check_due()) {
            let (backend, pool) = (backend.clone(), pool.clone());
            tokio::task::spawn_local(async move {
                let result = ask(&backend, &pool).await;
                backend.checked(result);
            });
        }
    }
}

async fn ask(backend: &Backend, pool: &Pool) -> Result<(), String> {
    let Some(check) = &backend.check else { return Ok(()) };
    let mut request = Request::new(AnyBody::none());
    *request.uri_mut() = check.path.parse().map_err(|_| "the path of the check is none".to_owned())?;
    let host = HeaderValue::from_str(backend.site.as_str()).map_err(|error| error.to_string())?;
    request.headers_mut().insert(HOST, host);
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("countersign-health-check"));
    let asking = pool.send_alone(backend, request);
    let answer = tokio::time::timeout(check.interval.min(MOST), asking).await;
    let status =
        answer.map_err(|_| "no answer in time".to_owned())?.map_err(|error| error.to_string())?.status();
    if status == check.status { Ok(()) } else { Err(format!("status {}", status.as_u16())) }
}
