//! The answer to one request: the upstream's, or the refusal in words.

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CONNECTION, CONTENT_LENGTH, HOST, STRICT_TRANSPORT_SECURITY, TRAILER};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use policy::{Audience, Refusal, Why};

use crate::admit::{self, Current, Permit, Place, Stop};
use crate::broom;
use crate::enrol;
use crate::exchange::{Answer, Exchange, Gone};
use crate::forward::{self, Failure, Told};
use crate::health::health;
use crate::identify::identified_for;
use crate::lines::{Client, Who};
use crate::listen::Door;
use crate::live::Cancelled;
use crate::manners;
use crate::received::Received;
use crate::refuse::{Asked, plain, refused, tell};
use crate::serve::Visit;
use crate::settings::GateSite;
use crate::upstream::body::Lent;
use crate::upstream::trailers;
use crate::upstream::tunnel::Tunnel;
use crate::upstream::websocket::{self, Wish};

/// Answers one request.
pub(crate) async fn answer(visit: Rc<Visit>, request: Request<Incoming>) -> Result<Response<Answer>, Gone> {
    let request = request.map(|body| Received::new(body, visit.http2));
    let mut exchange = Exchange::begin(visit.clone(), &request);
    let is_head = request.method() == Method::HEAD;
    if !visit.worker.shared.life.phase().accepts() {
        visit.closing.set(true);
    }
    let result = match decide(&visit, &mut exchange, &request) {
        Decided::Here(reply) => Ok(reply),
        Decided::Enrol(current, place) => {
            // On the heap: every other request would carry the room for it.
            let now = exchange.began().1;
            let site = (&*place.site, &*place.rules);
            Ok(Box::pin(enrol::answer(&visit, &mut exchange, &current, site, request, now)).await)
        }
        Decided::Through(entry) => pass(&visit, &mut exchange, entry, request).await,
    };
    if visit.caged {
        visit.closing.set(true);
    }
    let hsts = exchange.hsts.take();
    let mut response = match result? {
        Reply::Own(response) if is_head => without_body(response).map(|body| Answer::own(body, exchange)),
        Reply::Own(response) => response.map(|body| Answer::own(body, exchange)),
        Reply::Upstream(response, cancelled) => {
            response.map(|body| Answer::upstream(body, cancelled, exchange))
        }
        Reply::Switched(response, switched) => {
            exchange.note_status(response.status().as_u16());
            switched.begin(&visit, exchange);
            return Ok(response.map(|()| Answer::none()));
        }
    };
    if visit.closing.get() && !visit.http2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    if let Some(hsts) = hsts {
        response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts);
    }
    let status = response.status().as_u16();
    response.body_mut().note_status(status);
    Ok(response)
}

/// An own answer to HEAD: the header fields as for GET, the length among them, and no content (RFC 9110 section 9.3.2).
fn without_body(mut response: Response<Bytes>) -> Response<Bytes> {
    let length = response.body().len();
    if length > 0 {
        response.headers_mut().entry(CONTENT_LENGTH).or_insert(length.into());
    }
    response.map(|_| Bytes::new())
}

/// Where an answer comes from.
pub(crate) enum Reply {
    /// From here.
    Own(Response<Bytes>),
    /// From the upstream, until it loses admission.
    Upstream(Response<Lent>, Cancelled),
    /// From the upstream, which agreed to a WebSocket.
    Switched(Response<()>, Switched),
}

/// Both sides of a WebSocket to be.
pub(crate) struct Switched {
    upstream: OnUpgrade,
    /// On HTTP/2; on HTTP/1.1 it is the whole connection.
    client: Option<OnUpgrade>,
    cancelled: Cancelled,
}

impl Switched {
    /// Sees to it that bytes are carried once the client has its answer.
    fn begin(self, visit: &Visit, exchange: Exchange) {
        let tunnel = Tunnel::new(exchange, self.cancelled, self.upstream);
        let Some(client) = self.client else {
            *visit.tunnel.borrow_mut() = Some(tunnel);
            return;
        };
        tokio::task::spawn_local(async move {
            if let Ok(client) = client.await {
                tunnel.run(TokioIo::new(client), Bytes::new()).await;
            }
        });
    }
}

/// What becomes of a request.
enum Decided {
    /// It is answered here.
    Here(Reply),
    /// It is the enrolment address' to answer.
    Enrol(Arc<Current>, Arc<Place>),
    /// It is let through.
    Through(Entry),
}

/// A request that is let through, registered as running.
struct Entry {
    place: Arc<Place>,
    permit: Permit,
    who: Rc<Who>,
    cancelled: Cancelled,
}

/// Decides on a request, and registers it where it is let through. In one step, without a wait: an order to decide
/// again comes after it, never between the two.
fn decide(visit: &Visit, exchange: &mut Exchange, request: &Request<Received>) -> Decided {
    let shared = &visit.worker.shared;
    let now = exchange.began().1;
    let current = shared.current.load_full();
    let Some(place) = current.place(&visit.site) else {
        visit.closing.set(true);
        let detail = "The site is no longer served here";
        return Decided::Here(plain(visit, exchange, 421, "host-mismatch", detail));
    };
    let Place { site, rules, .. } = &**place;
    exchange.hsts.clone_from(&site.manners.hsts);
    if let Some(reply) = unfit(visit, exchange, site, request) {
        return Decided::Here(reply);
    }
    let known = visit.door == Door::Sites
        && admit::host_text(request.uri(), request.headers())
            .is_some_and(|text| visit.lines.borrow().knows_host(text));
    match if known { Ok(true) } else { names_this(visit, &current, request) } {
        Ok(true) => {}
        Ok(false) => {
            let refusal = Refusal { why: Why::HostMismatch, vouched: true, observable: false };
            let asked = Asked { current: &current, site, rules, peer: None, request, now };
            return Decided::Here(refused(visit, exchange, &asked, &refusal));
        }
        Err(detail) => return Decided::Here(plain(visit, exchange, 400, "bad-request", &detail)),
    }
    if visit.door == Door::Admin
        && let Some(reply) = health(visit, shared, &current, exchange, request.uri().path(), now)
    {
        return Decided::Here(reply);
    }
    if visit.door == Door::Enrol {
        return Decided::Enrol(current.clone(), place.clone());
    }
    if let Some(response) = manners::preflight(&site.manners, request) {
        exchange.verdict = "answered";
        return Decided::Here(Reply::Own(response));
    }
    let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
    visit.peer.borrow_mut().clone_from(&peer);
    let admitted =
        admit::admit(&current, rules, peer.as_deref(), request.uri(), &mut visit.memo.borrow_mut(), now);
    let permit = match admitted {
        Ok(permit) => permit,
        Err(Stop::Bad(detail)) => {
            return Decided::Here(plain(visit, exchange, 400, "bad-request", &detail));
        }
        Err(Stop::Refused(refusal)) => {
            let asked = Asked { current: &current, site, rules, peer: peer.as_deref(), request, now };
            return Decided::Here(refused(visit, exchange, &asked, &refusal));
        }
    };
    let until = permit.grant().map(|grant| grant.until);
    let client = Client { peer: peer.as_deref(), link: &visit.link, pool: &visit.worker.pool };
    let who = visit.lines.borrow_mut().who(current.number, &permit, site, &client);
    let uri = request.uri().clone();
    let (id, cancelled) = visit.worker.live.begin(&visit.live, uri, who.party.clone(), until);
    exchange.running = Some(id);
    exchange.verdict = permit.verdict();
    exchange.party.clone_from(&who.party);
    if let Some(reply) = manners::held_back(visit, exchange, site, &permit, request) {
        return Decided::Here(reply);
    }
    tell(visit, exchange, &permit, peer.as_deref(), now);
    if rules.audience == Audience::Operators && site.upstream.targets.is_empty() {
        return Decided::Here(plain(visit, exchange, 404, "not-found", "There is nothing under this path"));
    }
    Decided::Through(Entry { place: place.clone(), permit, who, cancelled })
}

/// Has the site behind the gate answer.
async fn pass(
    visit: &Rc<Visit>,
    exchange: &mut Exchange,
    entry: Entry,
    mut request: Request<Received>,
) -> Result<Reply, Gone> {
    let Entry { place, permit, who, mut cancelled } = entry;
    let wish = match websocket::wish(&mut request) {
        Ok(wish) => wish,
        Err(detail) => return Ok(plain(visit, exchange, 400, "bad-request", detail)),
    };
    let Some(route) = &place.route else {
        return Ok(plain(visit, exchange, 502, "upstream-unreachable", "The site has no upstream"));
    };
    let limits = &visit.worker.shared.limits;
    let field = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let text =
        request.uri().authority().map_or_else(|| field().unwrap_or_default(), |target| target.as_str());
    let Some(origin) = visit.lines.borrow_mut().origin(text, visit.from, visit.trusted) else {
        return Ok(plain(visit, exchange, 400, "bad-request", "The host cannot be told to the site"));
    };
    let told = Told {
        host: origin.host.clone(),
        forwarded: &origin.forwarded,
        identity: &who.identity,
        reference: &exchange.reference,
        wish: wish.as_ref(),
        since: exchange.began().0,
    };
    let pool = who.own_pool.as_ref().unwrap_or(&visit.worker.pool);
    let max_body = place.site.manners.max_body;
    let forwarding =
        forward::forward(&permit, (route, pool), request, told, limits, max_body, cancelled.due());
    let result = tokio::select! {
        biased;
        () = &mut cancelled => return Err(Gone),
        result = forwarding => result,
    };
    let failure = match result {
        Ok(response) => match begins(response, wish) {
            Begins::WebSocket(response, upstream, client) => {
                return Ok(Reply::Switched(response, Switched { upstream, client, cancelled }));
            }
            Begins::Plain(mut response) => {
                let announced = trailers::announced(response.headers());
                broom::sweep_response(response.headers_mut());
                // HTTP/2 needs no announcement; an HTTP/1.1 client gets trailers if it asked for them.
                if let Some(announced) = announced.filter(|_| !visit.http2) {
                    response.headers_mut().insert(TRAILER, announced);
                }
                return Ok(Reply::Upstream(response, cancelled));
            }
            Begins::Nothing(what) => Failure::Unreachable(String::new(), what.into()),
        },
        Err(failure) => failure,
    };
    Ok(match failure {
        Failure::Unreachable(upstream, error) => {
            tracing::warn!(site = %visit.site, reference = %exchange.reference, upstream, error, "no answer");
            plain(visit, exchange, 502, "upstream-unreachable", "The site behind the gate gives no answer")
        }
        Failure::Timeout(upstream) => {
            tracing::warn!(site = %visit.site, reference = %exchange.reference, upstream, "no answer in time");
            plain(visit, exchange, 504, "upstream-timeout", "The site behind the gate is too slow")
        }
        Failure::TooLong => plain(visit, exchange, 413, "bad-request", "The request's body is too long"),
    })
}

/// What an upstream's answer is the beginning of.
enum Begins {
    /// An answer.
    Plain(Response<Lent>),
    /// The WebSocket that was asked for.
    WebSocket(Response<()>, OnUpgrade, Option<OnUpgrade>),
    /// Neither.
    Nothing(&'static str),
}

fn begins(mut response: Response<Lent>, wish: Option<Wish>) -> Begins {
    let switching = response.status() == http::StatusCode::SWITCHING_PROTOCOLS;
    let Some(wish) = wish else {
        return if switching {
            Begins::Nothing("an upgrade that was not asked for")
        } else {
            Begins::Plain(response)
        };
    };
    if !switching {
        // To who asked with HTTP/2, success would say that the WebSocket is there.
        return if wish.client.is_some() && response.status().is_success() {
            Begins::Nothing("it answered a WebSocket as a plain request")
        } else {
            Begins::Plain(response)
        };
    }
    if !wish.is_granted(response.headers()) {
        return Begins::Nothing("an upgrade to something else than the WebSocket that was asked for");
    }
    let upstream = hyper::upgrade::on(&mut response);
    let mut response = response.map(drop);
    broom::sweep_response(response.headers_mut());
    *response.status_mut() = wish.answer(response.headers_mut());
    Begins::WebSocket(response, upstream, wish.client)
}

/// Whether the host that a request names is one to be answered on this connection; why it names none.
fn names_this(visit: &Visit, current: &Current, request: &Request<Received>) -> Result<bool, String> {
    let host = admit::host_of(request.uri(), request.headers())?;
    Ok(match visit.door {
        Door::Sites => host == visit.site,
        Door::Admin => visit.worker.shared.admin_hosts.contains(&host),
        Door::Enrol => current.state.enrol.as_ref().is_some_and(|enrol| enrol.host == host),
    })
}

/// What is refused whoever asks.
fn unfit(
    visit: &Visit,
    exchange: &mut Exchange,
    site: &GateSite,
    request: &Request<Received>,
) -> Option<Reply> {
    let limits = &visit.worker.shared.limits;
    let method = request.method();
    let tunnels = method == Method::CONNECT && !websocket::is_extended(request);
    if tunnels || method == Method::TRACE {
        if visit.door == Door::Admin {
            let mut reply = plain(visit, exchange, 405, "bad-request", "This method is not served here");
            if let Reply::Own(response) = &mut reply {
                response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
            }
            return Some(reply);
        }
        // Which methods a site has, its upstream knows alone, and is not asked.
        return Some(plain(visit, exchange, 400, "bad-request", "This method is not served here"));
    }
    if request.headers().len() > limits.header_fields {
        return Some(plain(visit, exchange, 431, "bad-request", "The request has too many header fields"));
    }
    if visit.http2 && request.headers().get_all(CONTENT_LENGTH).iter().nth(1).is_some() {
        // Equal ones too: what is sent on has exactly one framing.
        return Some(plain(visit, exchange, 400, "bad-request", "More than one Content-Length field"));
    }
    if visit.http2 && request.headers().values().any(has_space_around) {
        // RFC 9113 section 8.2.1: HTTP/1.1 would read another value.
        return Some(plain(visit, exchange, 400, "bad-request", "A field's value has white space around it"));
    }
    let length =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if let (Some(most), Some(length)) = (site.manners.max_body, length)
        && length > most
    {
        return Some(plain(visit, exchange, 413, "bad-request", "The request's body is too long"));
    }
    None
}

fn has_space_around(value: &HeaderValue) -> bool {
    let space = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    let bytes = value.as_bytes();
    space(bytes.first()) || space(bytes.last())
}
