//! The listeners without TLS: known hosts are sent to https, published revocation lists are given out, OCSP and a
//! certificate authority's http-01 are answered.
//! Nothing here reaches an upstream.

use std::convert::Infallible;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, IF_NONE_MATCH, LAST_MODIFIED, LOCATION,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use policy::HostName;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::spawn_local;

use crate::admit;
use crate::challenge;
use crate::io;
use crate::listen::{Seat, Worker};
use crate::observe::{AccessEntry, reference};
use crate::ocsp;
use crate::settings::PublishedList;
use crate::socket::Socket;

/// How long a connection may take, a revocation list included.
const LIFE: Duration = Duration::from_secs(30);
/// How long a list may be kept by others: a revocation should be seen soon.
const FRESH_SECONDS: i64 = 3600;
/// Port of http, as visitors type it by leaving it out.
const HTTP: u16 = 80;
/// Port of https, the same.
const HTTPS: u16 = 443;

/// Accepts until the gate drains.
pub(crate) async fn accept(worker: Rc<Worker>, listener: TcpListener) {
    let mut phase = worker.shared.life.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = phase.wait_for(|phase| !phase.accepts()) => return,
        };
        match accepted {
            Ok((tcp, from)) => {
                let from = from.ip().to_canonical();
                match Seat::take(&worker.shared.plain_crowd, Some(from)) {
                    Ok(seat) => drop(spawn_local(serve(worker.clone(), tcp, from, seat))),
                    Err(full) => worker.shared.observer.metrics.turned_away(full),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "accept failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// One request, one answer.
async fn serve(worker: Rc<Worker>, tcp: TcpStream, from: IpAddr, _seat: Seat) {
    let _ = tcp.set_nodelay(true);
    let port = tcp.local_addr().map_or(HTTP, |address| address.port());
    let limits = worker.shared.limits.clone();
    let service = service_fn(move |request| {
        let worker = worker.clone();
        async move { Ok::<_, Infallible>(logged(&worker, from, port, request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
        .keep_alive(false)
        .max_headers(limits.header_fields)
        .max_header_size(limits.stranger_header_bytes)
        .serve_connection(TokioIo::new(Socket::from(tcp)), service)
        .without_shutdown();
    if let Ok(Ok(parts)) = tokio::time::timeout(LIFE, connection).await {
        io::close(parts.io.into_inner()).await;
    }
}

async fn logged(worker: &Worker, from: IpAddr, port: u16, mut request: Request<Incoming>) -> Response<Bytes> {
    let (began, time) = (Instant::now(), (worker.shared.clock)());
    let host = admit::host_of(request.uri(), request.headers());
    let response = if host.is_ok() && ocsp::is_asked(request.uri().path()) {
        ocsp::answer(worker, &mut request).await
    } else {
        answer(worker, port, &request, host.as_ref().ok()).await
    };
    if let Ok(site) = host {
        worker.shared.observer.events.access(AccessEntry {
            time,
            site,
            party: None,
            address: from,
            method: Some(request.method().clone()),
            path: request.uri().path().to_owned(),
            status: response.status().as_u16(),
            bytes: response.body().len() as u64,
            duration_us: u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX),
            reference: reference(),
            protocol: "HTTP/1.1",
            verdict: "answered",
        });
    }
    response
}

async fn answer(
    worker: &Worker,
    port: u16,
    request: &Request<Incoming>,
    host: Option<&HostName>,
) -> Response<Bytes> {
    let Some(host) = host else { return bare(StatusCode::BAD_REQUEST) };
    let (method, path) = (request.method(), request.uri().path());
    if method == Method::CONNECT || method == Method::TRACE {
        return bare(StatusCode::BAD_REQUEST);
    }
    if let Some(name) = path.strip_prefix("/crl/").and_then(|rest| rest.strip_suffix(".crl")) {
        if method != Method::GET && method != Method::HEAD {
            let mut response = bare(StatusCode::METHOD_NOT_ALLOWED);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let list = published(worker, name).await;
        return list.map_or_else(
            || bare(StatusCode::NOT_FOUND),
            |list| given(list, request.headers(), (worker.shared.clock)().seconds()),
        );
    }
    let current = worker.shared.current.load_full();
    if method == Method::GET
        && let Some(answer) = challenge::by_http(&worker.shared, &current, host, path).await
    {
        let mut response = Response::new(Bytes::from(answer));
        let kind = HeaderValue::from_static("application/octet-stream");
        response.headers_mut().insert(CONTENT_TYPE, kind);
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        return response;
    }
    if !current.state.sites.contains_key(host) {
        return bare(StatusCode::MISDIRECTED_REQUEST);
    }
    let asked = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let asked = if asked.starts_with('/') { asked } else { "/" };
    let port = typed_port(worker.shared.https_port, port, has_port(request));
    let Ok(location) = HeaderValue::try_from(format!("https://{host}{port}{asked}")) else {
        return bare(StatusCode::BAD_REQUEST);
    };
    let mut response = bare(StatusCode::PERMANENT_REDIRECT);
    response.headers_mut().insert(LOCATION, location);
    response
}

/// `:PORT` as visitors type it. Who left out the port though this listener has another came through a mapping of
/// ports, and https is mapped as well.
fn typed_port(https: u16, http: u16, named: bool) -> String {
    if https == HTTPS || !named && http != HTTP { String::new() } else { format!(":{https}") }
}

/// Whether the client named a port.
fn has_port(request: &Request<Incoming>) -> bool {
    admit::host_text(request.uri(), request.headers())
        .and_then(|text| text.rsplit_once(':'))
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()))
}

/// The published list, read where it may take its time.
async fn published(worker: &Worker, name: &str) -> Option<PublishedList> {
    let lists = worker.shared.lists.clone()?;
    // A name of ours, never a path.
    let name = Some(name).filter(|name| policy::names::is_name(name))?.to_owned();
    tokio::task::spawn_blocking(move || lists(&name)).await.ok().flatten()
}

/// The list, with the headers by which others may keep it (RFC 9111), or that they have it already.
fn given(list: PublishedList, asked: &HeaderMap, now: i64) -> Response<Bytes> {
    let left = (list.next_update.seconds() - now).clamp(0, FRESH_SECONDS);
    let tag = format!("\"{}\"", list.number);
    let has_it = asked.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').map(|one| one.trim().trim_start_matches("W/")).any(|one| one == tag || one == "*")
    });
    let mut response = Response::new(if has_it { Bytes::new() } else { list.der });
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/pkix-crl"));
    let values = [
        (LAST_MODIFIED, http_date(list.made.seconds())),
        (EXPIRES, http_date(list.next_update.seconds())),
        (CACHE_CONTROL, format!("max-age={left}").parse().ok()),
        (ETAG, tag.parse().ok()),
    ];
    for (name, value) in values {
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
    if has_it {
        headers.remove(CONTENT_TYPE);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    response
}

/// The moment as HTTP writes it (RFC 9110 section 5.6.7).
pub(crate) fn http_date(seconds: i64) -> Option<HeaderValue> {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since).parse().ok()
}

pub(crate) fn bare(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use examiner::UnixTime;

    use super::*;

    #[test]
    fn a_list_may_be_kept_for_an_hour_and_never_past_its_next_and_is_not_sent_again() {
        let now = 1_803_902_400;
        let list = |left: i64| PublishedList {
            der: Bytes::from_static(b"list"),
            number: 7,
            made: UnixTime(now - 60),
            next_update: UnixTime(now + left),
        };
        let ask = |left: i64, tag: Option<&str>| {
            let tag = tag.map(|tag| (IF_NONE_MATCH, HeaderValue::try_from(tag).unwrap()));
            given(list(left), &tag.into_iter().collect(), now)
        };
        let whole = ask(7 * 86_400, None);
        assert_eq!((whole.status().as_u16(), whole.body().as_ref()), (200, &b"list"[..]));
        for (name, value) in [
            (CONTENT_TYPE, "application/pkix-crl"),
            (LAST_MODIFIED, "Mon, 01 Mar 2027 11:59:00 GMT"),
            (EXPIRES, "Mon, 08 Mar 2027 12:00:00 GMT"),
            (CACHE_CONTROL, "max-age=3600"),
            (ETAG, "\"7\""),
        ] {
            assert_eq!(whole.headers()[&name], value, "{name}");
        }
        for (left, kept) in
            [(3601, "max-age=3600"), (3599, "max-age=3599"), (0, "max-age=0"), (-9, "max-age=0")]
        {
            assert_eq!(ask(left, None).headers()[CACHE_CONTROL], kept, "{left}");
        }
        for tag in ["\"7\"", "W/\"7\"", "\"6\", \"7\"", "*"] {
            let same = ask(60, Some(tag));
            assert_eq!((same.status().as_u16(), same.body().len()), (304, 0), "{tag}");
            assert_eq!(same.headers()[ETAG], "\"7\"");
        }
        for tag in ["\"6\"", "7", "\"77\""] {
            assert_eq!(ask(60, Some(tag)).status().as_u16(), 200, "{tag}");
        }
    }

    #[test]
    fn a_visitor_is_sent_to_the_port_that_leads_in() {
        for (https, http, named, port) in [
            (443, 80, false, ""),
            (8443, 80, false, ":8443"),
            (8443, 8080, true, ":8443"),
            (8443, 8080, false, ""),
            (443, 8080, true, ""),
        ] {
            assert_eq!(typed_port(https, http, named), port, "{https} {http} {named}");
        }
    }
}
