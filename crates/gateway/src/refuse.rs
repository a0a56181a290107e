//! Refusals in words, and what is told about them and about admissions.

use examiner::UnixTime;
use http::Request;
use http::header::{ACCEPT, ACCEPT_LANGUAGE};
use policy::{Audience, Code, OnRefuse, Peer, Refusal, Site, Why};

use crate::admit::{self, Current, Permit};
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::listen::Door;
use crate::observe::{AccessEntry, GateEvent, GateKnock};
use crate::pages;
use crate::received::Received;
use crate::serve::Visit;
use crate::settings::GateSite;
use crate::spoken::{self, Refused};

/// Who asked for what, and the state it was decided in.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) current: &'a Current,
    pub(crate) site: &'a GateSite,
    pub(crate) rules: &'a Site,
    pub(crate) peer: Option<&'a Peer>,
    pub(crate) request: &'a Request<Received>,
    pub(crate) now: UnixTime,
}

/// A refusal in words, logged; closes the connection unless its party is admitted elsewhere on the site.
pub(crate) fn refused(visit: &Visit, exchange: &mut Exchange, asked: &Asked<'_>, refusal: &Refusal) -> Reply {
    let Asked { current, site, rules, peer, request, now } = *asked;
    let shared = &visit.worker.shared;
    let code = refusal.code();
    exchange.verdict = "refused";
    // The log names who is on the connection also where the answer is about something else.
    let held = visit.peer.borrow().clone();
    let shower = peer.or(held.as_deref());
    let party = match &refusal.why {
        Why::Suspended { party, .. } | Why::NotAllowed { party: Some(party), .. } => Some(party.clone()),
        _ => admit::party_of(current, rules, shower),
    };
    exchange.reference = shared.observer.refused(GateEvent {
        time: now,
        site: visit.site.clone(),
        party,
        thumbprint: shower.map(|peer| peer.thumbprint),
        address: Some(visit.from),
        verdict: "refused",
        code: Some(code.as_str()),
        rule: None,
        reference: String::new(),
        detail: pages::text(pages::Lang::En, &refusal.why).detail,
        is_exception: false,
        count: 1,
    });
    if let (Some(peer), OnRefuse::Page, Audience::Parties) = (peer, rules.on_refuse, rules.audience)
        && visit.door == Door::Sites
    {
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

/// What the HTTP parser refused by itself: its bare answer is on the way; here it is counted and logged.
pub(crate) fn unreadable(visit: &Visit, error: &hyper::Error) {
    // A target alone that is too long for the parser's 414 is longer than any header list may be.
    let status = if error.is_parse_too_large() { 431 } else { 400 };
    unheard(visit, status, format!("no HTTP request: {error}"));
}

/// The same on HTTP/2, where a stream or the connection was ended, or a bare 431 is on the way.
pub(crate) fn broken(visit: &Visit, refused: Refused) {
    let ended = |what, code| format!("no HTTP/2 request: {what} with {}", spoken::name(code));
    let (status, detail) = match refused {
        Refused::TooLong => (431, "no HTTP/2 request: the header list is too long".into()),
        Refused::Stream(code) => (400, ended("a stream was reset", code)),
        Refused::Connection(code) => (400, ended("the connection was ended", code)),
    };
    unheard(visit, status, detail);
}

/// An HTTP/2 client that asked for too much in vain.
pub(crate) fn flooding(visit: &Visit) {
    unheard(visit, 400, "HTTP/2 frames for nothing: the connection was ended with ENHANCE_YOUR_CALM".into());
}

/// Counts and logs what was no request to be decided on.
fn unheard(visit: &Visit, status: u16, detail: String) {
    let shared = &visit.worker.shared;
    let now = (shared.clock)();
    let peer = visit.peer.borrow().clone();
    let current = shared.current.load();
    let rules = current.state.snapshot.site(&visit.site);
    let reference = shared.observer.refused(GateEvent {
        time: now,
        site: visit.site.clone(),
        party: rules.and_then(|rules| admit::party_of(&current, rules, peer.as_deref())),
        thumbprint: peer.map(|peer| peer.thumbprint),
        address: Some(visit.from),
        verdict: "refused",
        code: Some("bad-request"),
        rule: None,
        reference: String::new(),
        detail,
        is_exception: false,
        count: 1,
    });
    shared.observer.events.access(AccessEntry {
        time: now,
        site: visit.site.clone(),
        party: None,
        address: visit.from,
        method: None,
        path: String::new(),
        status,
        bytes: 0,
        duration_us: 0,
        reference,
        protocol: if visit.http2 { "HTTP/2.0" } else { "HTTP/1.1" },
        verdict: "refused",
    });
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
pub(crate) fn tell(visit: &Visit, exchange: &Exchange, permit: &Permit, peer: Option<&Peer>, now: UnixTime) {
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
        code: permit.would_refuse().map(|refusal| refusal.code().as_str()),
        rule: grant.map(|grant| grant.rule.clone()),
        reference: exchange.reference.clone(),
        detail,
        is_exception: grant.is_some_and(|grant| !grant.exceptions.is_empty()),
        count: 1,
    });
}

/// Problem details for what is no refusal.
pub(crate) fn plain(visit: &Visit, exchange: &mut Exchange, status: u16, code: &str, detail: &str) -> Reply {
    if exchange.verdict.is_empty() {
        exchange.verdict = "refused";
    }
    let title = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let title = title.unwrap_or("Refused");
    Reply::Own(pages::problem(status, code, title, detail, visit.site.as_str(), &exchange.reference))
}
