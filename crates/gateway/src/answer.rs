//! The answer to one request: the upstream's, or the refusal in words.

use std::rc::Rc;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, UPGRADE};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use policy::{Audience, Refusal, Why};
use tokio::sync::oneshot;

use crate::admit::{self, Permit, Stop};
use crate::broom;
use crate::exchange::{Answer, Exchange, Gone};
use crate::forward::{self, Failure, Told};
use crate::gate::Phase;
use crate::health::health;
use crate::identify::identified_for;
use crate::lines::Who;
use crate::pool::Lent;
use crate::refuse::{Asked, plain, refused, tell};
use crate::serve::Visit;
use crate::settings::GateSite;

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
    let mut response = match result? {
        Reply::Own(response) => response.map(|body| Answer::own(body, exchange)),
        Reply::Upstream(response, cancelled) => {
            response.map(|body| Answer::upstream(body, cancelled, exchange))
        }
    };
    if visit.closing.get() && !visit.http2 {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let status = response.status().as_u16();
    response.body_mut().note_status(status);
    Ok(response)
}

/// Where an answer comes from.
pub(crate) enum Reply {
    /// From here.
    Own(Response<Bytes>),
    /// From the upstream, until it loses admission.
    Upstream(Response<Lent>, oneshot::Receiver<()>),
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
        if let Some(reply) = unfit(visit, exchange, &request) {
            return Ok(reply);
        }
        let known = !visit.admin
            && admit::host_text(request.uri(), request.headers())
                .is_some_and(|text| visit.lines.borrow().knows_host(text));
        match if known { Ok(visit.site.clone()) } else { admit::host_of(request.uri(), request.headers()) } {
            Ok(host) if visit.admin && shared.admin_hosts.contains(&host) => {}
            Ok(host) if !visit.admin && host == visit.site => {}
            Ok(_) => {
                let refusal = Refusal { why: Why::HostMismatch, vouched: true, observable: false };
                let asked = Asked { current: &current, site, rules, peer: None, request: &request, now };
                return Ok(refused(visit, exchange, &asked, &refusal));
            }
            Err(detail) => return Ok(plain(visit, exchange, 400, "bad-request", &detail)),
        }
        if visit.admin
            && let Some(reply) = health(visit, &shared, &current, exchange, request.uri().path(), now)
        {
            return Ok(reply);
        }
        let peer = visit.peer.borrow().as_ref().map(|peer| identified_for(peer, &rules.anchors, now));
        visit.peer.borrow_mut().clone_from(&peer);
        let admitted =
            admit::admit(&current, rules, peer.as_deref(), request.uri(), &mut visit.memo.borrow_mut(), now);
        let permit = match admitted {
            Ok(permit) => permit,
            Err(Stop::Bad(detail)) => return Ok(plain(visit, exchange, 400, "bad-request", &detail)),
            Err(Stop::Refused(refusal)) => {
                let peer = peer.as_deref();
                let asked = Asked { current: &current, site, rules, peer, request: &request, now };
                return Ok(refused(visit, exchange, &asked, &refusal));
            }
        };
        let until = permit.grant().map(|grant| grant.until);
        let who = visit.lines.borrow_mut().who(current.number, &permit, site);
        let uri = request.uri().clone();
        let (id, cancelled) = shared.live.begin(&visit.live, uri, who.party.clone(), until);
        exchange.running = Some(id);
        if shared.current.load().number != current.number {
            // Whoever changed the state may have looked before this was registered: decide once more.
            visit.live.finish(id);
            continue;
        }
        exchange.verdict = permit.verdict();
        exchange.party.clone_from(&who.party);
        tell(visit, exchange, &permit, peer.as_deref(), now);
        if request.headers().contains_key(UPGRADE) && asks_for_upgrade(&request) {
            return Ok(plain(visit, exchange, 501, "bad-request", "Upgrades are not served here"));
        }
        if rules.audience == Audience::Operators {
            return Ok(plain(visit, exchange, 404, "not-found", "There is nothing under this path"));
        }
        return pass(visit, exchange, site, &permit, &who, request, cancelled).await;
    }
}

async fn pass(
    visit: &Rc<Visit>,
    exchange: &mut Exchange,
    site: &GateSite,
    permit: &Permit,
    who: &Who,
    request: Request<Incoming>,
    mut cancelled: oneshot::Receiver<()>,
) -> Result<Reply, Gone> {
    let limits = &visit.worker.shared.limits;
    let field = || request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let text =
        request.uri().authority().map_or_else(|| field().unwrap_or_default(), |target| target.as_str());
    let Some(origin) = visit.lines.borrow_mut().origin(text, visit.from) else {
        return Ok(plain(visit, exchange, 400, "bad-request", "The host cannot be told to the site"));
    };
    let told = Told {
        host: origin.host.clone(),
        forwarded: &origin.forwarded,
        identity: &who.identity,
        reference: &exchange.reference,
    };
    let pool = &visit.worker.pool;
    let forwarding = forward::forward(permit, site, pool, request, told, limits.first_byte, limits.max_body);
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
