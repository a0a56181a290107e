//! What a site wants done beside the decision: preflights answered, requests of other sites' pages and too many
//! requests held back.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, RETRY_AFTER, UPGRADE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::admit::Permit;
use crate::answer::Reply;
use crate::exchange::Exchange;
use crate::observe::GateEvent;
use crate::refuse::plain;
use crate::serve::Visit;
use crate::settings::{GateSite, Manners};

/// The code of a request that a page of another site sent.
const CROSS_SITE: &str = "cross-site";
/// The code of a request above a rate limit.
const TOO_MANY: &str = "too-many-requests";
/// Bytes of field names that a preflight may ask for.
const MOST_NAMES: usize = 2048;
/// How long a browser may remember the answer to a preflight, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");

/// The answer to a preflight request (Fetch standard section 3.3.2) of a listed origin; browsers send these without a
/// certificate. `None` for any other request.
pub(crate) fn preflight<B>(manners: &Manners, request: &Request<B>) -> Option<Response<Bytes>> {
    if manners.cors_origins.is_empty() || request.method() != Method::OPTIONS {
        return None;
    }
    let headers = request.headers();
    let origin = listed_origin(manners, headers)?;
    let method = only(headers, &ACCESS_CONTROL_REQUEST_METHOD)?;
    Method::from_bytes(method.as_bytes()).ok()?;
    let names = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
    if names.is_some_and(|names| !is_list_of_names(names)) {
        return None;
    }
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_METHODS, method.clone());
    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    answer.insert(ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    if let Some(names) = names {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    let vary = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";
    answer.insert(VARY, HeaderValue::from_static(vary));
    Some(response)
}

/// Why a request that may go on by the decision does not.
pub(crate) fn held_back<B>(
    visit: &Visit,
    exchange: &mut Exchange,
    site: &GateSite,
    permit: &Permit,
    request: &Request<B>,
) -> Option<Reply> {
    let manners = &site.manners;
    // A browser adds the certificate by itself; where none counts, there is nothing to abuse.
    if permit.grant().is_some() && comes_from_elsewhere(manners, request) {
        let detail = "A page of another site sent this request";
        return Some(held(visit, exchange, permit, 403, CROSS_SITE, detail));
    }
    let wait = waits(visit, manners, permit)?;
    let mut reply = held(visit, exchange, permit, 429, TOO_MANY, "There were too many requests");
    if let Reply::Own(response) = &mut reply {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    Some(reply)
}

/// Whether a page of another site sent an unsafe request (or opens a WebSocket), and its origin is not listed.
fn comes_from_elsewhere<B>(manners: &Manners, request: &Request<B>) -> bool {
    let headers = request.headers();
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if !sites.any(|site| site.as_bytes().trim_ascii().eq_ignore_ascii_case(b"cross-site")) {
        return false;
    }
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    (!safe || headers.contains_key(UPGRADE)) && listed_origin(manners, headers).is_none()
}

/// How long the sender has to wait where there were too many.
fn waits(visit: &Visit, manners: &Manners, permit: &Permit) -> Option<Duration> {
    let (party, address) = (manners.party_per_minute, manners.address_per_minute);
    if party.is_none() && address.is_none() {
        return None;
    }
    let rates = visit.worker.shared.rates();
    let (site, now) = (visit.site.as_str(), Instant::now());
    let by_party = party.zip(permit.party()).map(|(most, party)| rates.take((site, party), most, now));
    let by_address = address.map(|most| rates.take((site, prefix(visit.from)), most, now));
    [by_party, by_address].into_iter().flatten().filter_map(Result::err).max()
}

/// The source that is counted as one: an IPv4 address, an IPv6 /64.
pub fn prefix(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

fn held(
    visit: &Visit,
    exchange: &mut Exchange,
    permit: &Permit,
    status: u16,
    code: &'static str,
    detail: &str,
) -> Reply {
    let shared = &visit.worker.shared;
    exchange.verdict = "refused";
    exchange.reference = shared.observer.refused(GateEvent {
        time: (shared.clock)(),
        site: visit.site.clone(),
        party: permit.party().map(str::to_owned),
        thumbprint: permit.certificate().map(|certificate| certificate.thumbprint),
        address: Some(visit.from),
        verdict: "refused",
        code: Some(code),
        rule: None,
        reference: String::new(),
        detail: detail.to_owned(),
        is_exception: false,
        count: 1,
    });
    plain(visit, exchange, status, code, detail)
}

/// The request's origin, where it names one that is listed.
fn listed_origin<'a>(manners: &Manners, headers: &'a HeaderMap) -> Option<&'a HeaderValue> {
    let origin = only(headers, &ORIGIN)?;
    manners.cors_origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then_some(origin)
}

/// The value of a field that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a HeaderValue> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}

fn is_list_of_names(value: &HeaderValue) -> bool {
    value.len() <= MOST_NAMES
        && value.as_bytes().split(|b| *b == b',').all(|name| {
            let name = name.trim_ascii();
            name.is_empty() || http::HeaderName::from_bytes(name).is_ok()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manners() -> Manners {
        Manners { cors_origins: vec!["https://app.example.com".into()], ..Manners::default() }
    }

    fn request(method: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri("/");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    #[test]
    fn a_preflight_of_a_listed_origin_is_answered_and_no_other() {
        let (origin, method) =
            (("origin", "https://app.example.com"), ("access-control-request-method", "PUT"));
        let names = ("access-control-request-headers", "x-a, content-type");
        let answer = preflight(&manners(), &request("OPTIONS", &[origin, method, names])).unwrap();
        assert_eq!(answer.status(), 204);
        for (name, value) in [
            ("access-control-allow-origin", "https://app.example.com"),
            ("access-control-allow-methods", "PUT"),
            ("access-control-allow-headers", "x-a, content-type"),
            ("access-control-allow-credentials", "true"),
        ] {
            assert_eq!(answer.headers()[name], value);
        }
        for (method, fields) in [
            ("OPTIONS", vec![origin]),
            ("OPTIONS", vec![method]),
            ("OPTIONS", vec![("origin", "https://app.example.com.evil.test"), method]),
            ("OPTIONS", vec![("origin", "http://app.example.com"), method]),
            ("OPTIONS", vec![("origin", "null"), method]),
            ("OPTIONS", vec![origin, origin, method]),
            ("OPTIONS", vec![origin, method, ("access-control-request-headers", "x y")]),
            ("OPTIONS", vec![origin, ("access-control-request-method", "P T")]),
            ("GET", vec![origin, method]),
        ] {
            assert!(preflight(&manners(), &request(method, &fields)).is_none(), "{method} {fields:?}");
        }
        assert!(preflight(&Manners::default(), &request("OPTIONS", &[origin, method])).is_none());
    }

    #[test]
    fn what_a_page_elsewhere_sends_is_told_apart() {
        let cross = ("sec-fetch-site", "cross-site");
        for (method, fields, elsewhere) in [
            ("POST", vec![cross], true),
            ("DELETE", vec![("sec-fetch-site", "Cross-Site ")], true),
            ("POST", vec![("sec-fetch-site", "same-origin"), cross], true),
            ("PROPFIND", vec![cross], true),
            ("GET", vec![cross, ("upgrade", "websocket")], true),
            ("POST", vec![cross, ("origin", "https://evil.test")], true),
            ("POST", vec![cross, ("origin", "https://app.example.com")], false),
            ("GET", vec![cross], false),
            ("HEAD", vec![cross], false),
            ("POST", vec![("sec-fetch-site", "same-site")], false),
            ("POST", vec![("sec-fetch-site", "same-origin")], false),
            ("POST", vec![("sec-fetch-site", "none")], false),
            ("POST", vec![], false),
        ] {
            assert_eq!(
                comes_from_elsewhere(&manners(), &request(method, &fields)),
                elsewhere,
                "{method} {fields:?}"
            );
        }
    }
}
