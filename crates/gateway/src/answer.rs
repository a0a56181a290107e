//! The answer to one request: the upstream's, or the refusal in words.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use examiner::{Certificate, UnixTime};
use http::header::{ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_LENGTH, HOST, UPGRADE};
use http::{HeaderValue, Method, Request, Response, Version};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use policy::{Audience, Code, OnRefuse, Peer, Refusal, Site, Why};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use crate::admit::{self, Current, Permit, Stop};
use crate::broom;
use crate::forward::{self, Failure, Origin};
use crate::gate::{Phase, Shared};
use crate::identify::identified_for;
use crate::observe::{AccessEntry, GateEvent, GateKnock, reference};
use crate::pages;
use crate::serve::Visit;
use crate::settings::GateSite;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The exchange lost admission: no more of it.
#[derive(Debug, thiserror::Error)]
#[error("the exchange was ended")]
pub(crate) struct Gone;

/// Answers one request.
pub(crate) async fn answer(visit: Rc<Visit>, request: Request<Incoming>) -> Result<Response<Answer>, Gone> {
    let mut exchange = Exchange::begin(visit.clone(), &request);
    if *visit.worker.shared.phase.borrow() != Phase::Serving {
        visit.closing.set(true);
    }
    let result = decide(&visit, &mut exchange, request).await;
    if visit.caged {
        visit.closing.set(true);
    }
    let (mut response, body) = match result? {
        Reply::Own(response) => {
            let (parts, body) = response.into_parts();
            (Response::from_parts(parts, ()), Content::Own(Some(body)))
        }
        Reply::Upstream(response, cancelled) => {
            let (parts, body) = response.into_parts();
            (
                Response::from_parts(parts, ()),
                Content::Upstream(Box::new(Stream::new(&visit, body, cancelled))),
            )
        }
    };
    if visit.closing.get() && !visit.http2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    exchange.status = response.status().as_u16();
    Ok(response.map(|()| Answer { body, exchange: Some(exchange) }))
}

enum Reply {
    Own(Response<Bytes>),
    Upstream(Response<Incoming>, oneshot::Receiver<()>),
}

async fn decide(
    visit: &Rc<Visit>,
    exchange: &mut Exchange,
    request: Request<Incoming>,
) -> Result<Reply, Gone> {
    let shared = visit.worker.shared.clone();
    loop {
        let current = shared.current.load_full();
        let now = (shared.clock)();
        let (Some(site), Some(rules)) =
            (current.state.site(&visit.site), current.state.snapshot.site(&visit.site))
        else {
            visit.closing.set(true);
            return Ok(plain(visit, exchange, 421, "host-mismatch", "The site is no longer served here"));
        };
        if visit.admin
            && let Some(reply) = health(visit, &shared, &current, exchange, request.uri().path(), now)
        {
            return Ok(reply);
        }
        if let Some(reply) = unfit(visit, exchange, &request) {
            return Ok(reply);
        }
        match admit::host_of(request.uri(), request.headers()) {
            Ok(host) if visit.admin || host == visit.site => {}
            Ok(_) => {
                let refusal = Refusal { why: Why::HostMismatch, vouched: true, observable: false };
                return Ok(refused(visit, exchange, &current, site, rules, None, &refusal, &request, now));
            }
            Err(detail) => return Ok(plain(visit, exchange, 400, "bad-request", &detail)),
        }
        let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
        visit.peer.borrow_mut().clone_from(&peer);
        let admitted =
            admit::admit(&current, rules, peer.as_deref(), request.uri(), &mut visit.memo.borrow_mut(), now);
        let permit = match admitted {
            Ok(permit) => permit,
            Err(Stop::Bad(detail)) => return Ok(plain(visit, exchange, 400, "bad-request", &detail)),
            Err(Stop::Refused(refusal)) => {
                return Ok(refused(
                    visit,
                    exchange,
                    &current,
                    site,
                    rules,
                    peer.as_deref(),
                    &refusal,
                    &request,
                    now,
                ));
            }
        };
        let until = permit.grant().map(|grant| grant.until);
        let (id, cancelled) = shared.live.begin(&visit.live, request.uri().clone(), permit.party(), until);
        exchange.running = Some(id);
        if shared.current.load().number != current.number {
            // Whoever changed the state may have looked before this was registered: decide once more.
            visit.live.finish(id);
            continue;
        }
        exchange.verdict = permit.verdict();
        exchange.party = permit.party().map(str::to_owned);
        tell(visit, exchange, &permit, peer.as_deref(), now);
        if request.headers().contains_key(UPGRADE) && asks_for_upgrade(&request) {
            return Ok(plain(visit, exchange, 501, "bad-request", "Upgrades are not served here"));
        }
        if rules.audience == Audience::Operators {
            return Ok(plain(visit, exchange, 404, "not-found", "There is nothing under this path"));
        }
        return pass(visit, exchange, site, &permit, request, cancelled).await;
    }
}

async fn pass(
    visit: &Rc<Visit>,
    exchange: &mut Exchange,
    site: &GateSite,
    permit: &Permit,
    request: Request<Incoming>,
    mut cancelled: oneshot::Receiver<()>,
) -> Result<Reply, Gone> {
    let limits = &visit.worker.shared.limits;
    let host =
        match (request.uri().authority(), request.headers().get(HOST).and_then(|host| host.to_str().ok())) {
            (Some(authority), _) => authority.as_str().to_owned(),
            (None, host) => host.unwrap_or_default().to_owned(),
        };
    let reference = exchange.reference.clone();
    let origin = Origin { address: visit.from, host: &host, reference: &reference };
    let pool = &visit.worker.pool;
    let forwarding =
        forward::forward(permit, site, pool, request, &origin, limits.first_byte, limits.max_body);
    let result = tokio::select! {
        biased;
        // An error here means that nobody can cut it any more, which does not happen while it is registered.
        Ok(()) = &mut cancelled => return Err(Gone),
        result = forwarding => result,
    };
    let failure = match result {
        Ok(mut response) if response.status() != http::StatusCode::SWITCHING_PROTOCOLS => {
            broom::sweep_response(response.headers_mut());
            return Ok(Reply::Upstream(response, cancelled));
        }
        Ok(_) => Failure::Unreachable("an upgrade that was not asked for".into()),
        Err(failure) => failure,
    };
    Ok(match failure {
        Failure::Unreachable(error) => {
            tracing::warn!(site = %visit.site, reference = %exchange.reference, %error, "upstream");
            plain(visit, exchange, 502, "upstream-unreachable", "The site behind the gate gives no answer")
        }
        Failure::Timeout => {
            plain(visit, exchange, 504, "upstream-timeout", "The site behind the gate is too slow")
        }
        Failure::TooLong => plain(visit, exchange, 413, "bad-request", "The request's body is too long"),
    })
}

/// What is refused whoever asks.
fn unfit(visit: &Visit, exchange: &mut Exchange, request: &Request<Incoming>) -> Option<Reply> {
    let limits = &visit.worker.shared.limits;
    let method = request.method();
    if method == Method::CONNECT || method == Method::TRACE {
        return Some(plain(visit, exchange, 400, "bad-request", "This method is not served here"));
    }
    if request.headers().len() > limits.header_fields {
        return Some(plain(visit, exchange, 431, "bad-request", "The request has too many header fields"));
    }
    let length =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if let (Some(most), Some(length)) = (limits.max_body, length)
        && length > most
    {
        return Some(plain(visit, exchange, 413, "bad-request", "The request's body is too long"));
    }
    None
}

fn asks_for_upgrade(request: &Request<Incoming>) -> bool {
    let wanted = request.headers().get_all(UPGRADE).iter().filter_map(|value| value.to_str().ok());
    wanted.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case("websocket"))
}

/// The admin address' answers about health and metrics; certificates play no part here.
fn health(
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
        let kind = HeaderValue::from_static("text/plain; charset=utf-8");
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
fn own(site: &GateSite) -> Option<Certificate> {
    Certificate::from_der(site.certificate.cert.first()?).ok()
}

/// Shows the state in force in the metrics.
pub(crate) fn note_state(shared: &Shared) {
    let current = shared.current.load();
    shared.observer.metrics.generation(current.state.snapshot.generation);
    let ends =
        current.state.sites.values().filter_map(|site| Some((&site.name, own(site)?.not_after.seconds())));
    shared.observer.metrics.certificates(ends);
}

/// A refusal in words, logged; closes the connection unless its party is admitted elsewhere on the site.
#[allow(clippy::too_many_arguments)]
fn refused(
    visit: &Visit,
    exchange: &mut Exchange,
    current: &Current,
    site: &GateSite,
    rules: &Site,
    peer: Option<&Peer>,
    refusal: &Refusal,
    request: &Request<Incoming>,
    now: UnixTime,
) -> Reply {
    let shared = &visit.worker.shared;
    let code = refusal.code();
    exchange.verdict = "refused";
    let party = match &refusal.why {
        Why::NotAllowed { party, .. } => party.clone(),
        Why::Suspended { party, .. } => Some(party.clone()),
        _ => None,
    };
    exchange.reference = shared.observer.refused(GateEvent {
        time: now,
        site: visit.site.clone(),
        party,
        thumbprint: peer.map(|peer| peer.thumbprint),
        address: Some(visit.from),
        verdict: "refused",
        code: Some(code),
        rule: None,
        reference: String::new(),
        detail: pages::text(pages::Lang::En, &refusal.why).detail,
        is_exception: false,
        count: 1,
    });
    if let (Some(peer), OnRefuse::Page, Audience::Parties) = (peer, rules.on_refuse, rules.audience) {
        knock(visit, peer, refusal, &exchange.reference, now);
    }
    let mismatch = code == Code::HostMismatch;
    if !mismatch && !admit::is_admitted(current, rules, peer, now) {
        visit.closing.set(true);
    }
    let field = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let shown = pages::Shown {
        refusal,
        site: visit.site.as_str(),
        reference: &exchange.reference,
        certificate: peer.and_then(|peer| peer.certificate.as_deref().ok()),
        thumbprint: peer.map(|peer| peer.thumbprint),
        status: if mismatch { 421 } else { site.refuse_status },
    };
    Reply::Own(pages::refusal(&shown, field(ACCEPT), field(ACCEPT_LANGUAGE)))
}

/// Tells of a stranger whose key is proved.
fn knock(visit: &Visit, peer: &Peer, refusal: &Refusal, reference: &str, now: UnixTime) {
    let Why::UnknownIssuer { name_equals_ca, same_key_as_pin_of, key_pin_with_other_names, .. } =
        &refusal.why
    else {
        return;
    };
    let note = match (name_equals_ca, same_key_as_pin_of) {
        (Some(ca), _) => Some(format!("name equals {ca} CA, whose key did not sign it")),
        (None, Some(party)) => Some(format!("its key is that of a certificate saved for {party}")),
        (None, None) if *key_pin_with_other_names => Some("its key is saved, with other names".into()),
        (None, None) => None,
    };
    visit.worker.shared.observer.events.knock(GateKnock {
        der: peer.chain.first().map(|der| der.to_vec()).unwrap_or_default(),
        site: visit.site.clone(),
        reason: refusal.code(),
        note,
        address: visit.from,
        reference: reference.to_owned(),
        at: now,
    });
}

/// Logs an admission once per connection and verdict.
fn tell(visit: &Visit, exchange: &Exchange, permit: &Permit, peer: Option<&Peer>, now: UnixTime) {
    let observer = &visit.worker.shared.observer;
    let verdict = permit.verdict();
    let grant = permit.grant();
    if let Some(grant) = grant.filter(|grant| !grant.exceptions.is_empty()) {
        observer.metrics.exceptions(&visit.site, grant.exceptions.len());
    }
    if verdict == "open" {
        return;
    }
    let what =
        permit.party().or(permit.would_refuse().map(|refusal| refusal.code().as_str())).unwrap_or_default();
    let mut told = visit.told.borrow_mut();
    if told.iter().any(|(known, party)| *known == verdict && party == what) {
        return;
    }
    told.push((verdict, what.to_owned()));
    let exceptions = grant.map(|grant| grant.exceptions.iter().map(|one| one.as_str()).collect::<Vec<_>>());
    let detail = match (exceptions, permit.would_refuse()) {
        (Some(used), _) if !used.is_empty() => format!("exception: {}", used.join(", ")),
        (_, Some(refusal)) => pages::text(pages::Lang::En, &refusal.why).detail,
        _ => String::new(),
    };
    observer.events.audit(GateEvent {
        time: now,
        site: visit.site.clone(),
        party: permit.party().map(str::to_owned),
        thumbprint: peer.map(|peer| peer.thumbprint),
        address: Some(visit.from),
        verdict,
        code: permit.would_refuse().map(Refusal::code),
        rule: grant.map(|grant| grant.rule.clone()),
        reference: exchange.reference.clone(),
        detail,
        is_exception: grant.is_some_and(|grant| !grant.exceptions.is_empty()),
        count: 1,
    });
}

/// Problem details for what is no refusal.
fn plain(visit: &Visit, exchange: &mut Exchange, status: u16, code: &str, detail: &str) -> Reply {
    if exchange.verdict.is_empty() {
        exchange.verdict = "refused";
    }
    let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let title = title.unwrap_or("Refused");
    Reply::Own(pages::problem(status, code, title, detail, visit.site.as_str(), &exchange.reference))
}

/// One request from its head to the end of its answer; dropped, it is over and logged.
struct Exchange {
    visit: Rc<Visit>,
    since: Instant,
    time: UnixTime,
    method: Method,
    path: String,
    protocol: &'static str,
    reference: String,
    status: u16,
    bytes: u64,
    party: Option<String>,
    verdict: &'static str,
    running: Option<u64>,
}

impl Exchange {
    fn begin(visit: Rc<Visit>, request: &Request<Incoming>) -> Self {
        visit.pulse.begin();
        Self {
            since: Instant::now(),
            time: (visit.worker.shared.clock)(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            protocol: if request.version() == Version::HTTP_2 { "HTTP/2.0" } else { "HTTP/1.1" },
            reference: reference(),
            status: 499,
            bytes: 0,
            party: None,
            verdict: "",
            running: None,
            visit,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let visit = &self.visit;
        visit.pulse.finish();
        if let Some(id) = self.running {
            visit.live.finish(id);
        }
        let taken = self.since.elapsed();
        let verdict = if self.verdict.is_empty() { "refused" } else { self.verdict };
        let observer = &visit.worker.shared.observer;
        observer.metrics.request(&visit.site, verdict, taken.as_secs_f64());
        observer.events.access(AccessEntry {
            time: self.time,
            site: visit.site.clone(),
            party: self.party.take(),
            address: visit.from,
            method: self.method.to_string(),
            path: std::mem::take(&mut self.path),
            status: self.status,
            bytes: self.bytes,
            duration_us: u64::try_from(taken.as_micros()).unwrap_or(u64::MAX),
            reference: std::mem::take(&mut self.reference),
            protocol: self.protocol,
            verdict,
        });
    }
}

/// The body of an answer; ends the exchange when it is dropped.
pub(crate) struct Answer {
    body: Content,
    exchange: Option<Exchange>,
}

enum Content {
    Own(Option<Bytes>),
    Upstream(Box<Stream>),
}

/// An upstream's body, until it ends, falls silent, or loses admission.
struct Stream {
    body: Incoming,
    cancelled: oneshot::Receiver<()>,
    idle: Duration,
    silence: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl Stream {
    fn new(visit: &Visit, body: Incoming, cancelled: oneshot::Receiver<()>) -> Self {
        Self {
            body,
            cancelled,
            idle: visit.worker.shared.limits.upstream_idle,
            silence: None,
            waiting: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(Ok(())) = Pin::new(&mut self.cancelled).poll(cx) {
            return Poll::Ready(Some(Err(Gone.into())));
        }
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) {
            self.waiting = false;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let idle = self.idle;
        let silence = self.silence.get_or_insert_with(|| Box::pin(tokio::time::sleep(idle)));
        if !std::mem::replace(&mut self.waiting, true) {
            silence.as_mut().reset(Instant::now() + idle);
        }
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Some(Err("the upstream fell silent".into())))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = match &mut self.body {
            Content::Own(bytes) => {
                bytes.take().filter(|bytes| !bytes.is_empty()).map(|bytes| Ok(Frame::data(bytes)))
            }
            Content::Upstream(stream) => ready!(stream.poll(cx)),
        };
        if let (Some(Ok(frame)), Some(exchange)) = (&frame, &mut self.exchange) {
            exchange.bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Content::Own(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Upstream(stream) => stream.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Content::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Content::Upstream(stream) => stream.body.size_hint(),
        }
    }
}
