//! Health and metrics on the admin address; everything else there is the console's, behind the decision.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use examiner::{Certificate, UnixTime};
use http::{HeaderValue, Response};
use policy::HostName;

use crate::admit::{self, Current};
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::gate::Shared;
use crate::identify::identified_for;
use crate::serve::Visit;
use crate::settings::GateSite;

/// The hosts that the admin address answers to, with any port: a page elsewhere whose name was made to lead here is none.
pub(crate) fn hosts(admin: Option<SocketAddr>) -> Vec<HostName> {
    let text = |address: IpAddr| match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let own = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
    let addresses = own.into_iter().chain(admin.map(|admin| admin.ip())).map(text);
    let all = addresses.chain(["localhost".to_owned()]).filter_map(|host| HostName::parse(&host).ok());
    all.collect()
}

/// The admin address' answers about health and metrics; certificates play no part here.
pub(crate) fn health(
    visit: &Visit,
    shared: &Shared,
    current: &Current,
    exchange: &mut Exchange,
    path: &str,
    now: UnixTime,
) -> Option<Reply> {
    let text = |status: u16, text: String| {
        let mut response = Response::new(Bytes::from(text));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        response.headers_mut().insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(Reply::Own(response))
    };
    exchange.verdict = "answered";
    match path {
        "/livez" => text(200, "ok\n".into()),
        "/readyz" => {
            let valid = |site: &Arc<GateSite>| own(site).is_some_and(|own| own.is_valid_at(now, 0));
            if current.state.sites.values().all(valid) {
                text(200, "ok\n".into())
            } else {
                text(503, "not ok\n".into())
            }
        }
        "/metrics" => {
            let rules = current.state.snapshot.site(&visit.site)?;
            let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
            let may = visit.from.is_loopback() || admit::is_admitted(current, rules, peer.as_deref(), now);
            if may { text(200, shared.metrics_text()) } else { None }
        }
        _ => None,
    }
}

/// The certificate that a site shows.
pub(crate) fn own(site: &GateSite) -> Option<Certificate> {
    Certificate::from_der(site.certificate.cert.first()?).ok()
}

/// Shows the state in force in the metrics.
pub(crate) fn note_state(shared: &Shared) {
    let current = shared.current.load();
    shared.observer.metrics.generation(current.state.snapshot.generation);
    let ends =
        current.state.sites.values().filter_map(|site| Some((&site.name, own(site)?.not_after.seconds())));
    shared.observer.metrics.certificates(ends);
    let lists = current.state.snapshot.lists.iter();
    shared.observer.metrics.lists(lists.filter_map(|(ca, all)| Some((ca, all.next_update()?.seconds()))));
}
