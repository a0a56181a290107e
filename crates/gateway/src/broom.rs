//! Header hygiene: what may not pass is swept out first, what is ours is set last.
//!
//! The order matters. A client may name any header in `Connection`; since that list is obeyed before anything of
//! ours is set, it can never take our identity headers away from the upstream. And a name is judged by what a backend
//! may make of it (CGI, WSGI, Rails and others turn `-`, `_` and `.` into one), not by how it is spelled.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use examiner::Certificate;
use http::header::{
    CONNECTION, CONTENT_LENGTH, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    VARY,
};

/// RFC 9440 section 2.2: the end-entity certificate.
pub const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");
/// The party that was admitted.
pub const PARTY: HeaderName = HeaderName::from_static("countersign-party");
/// The reference of the log entry.
pub const REFERENCE: HeaderName = HeaderName::from_static("countersign-reference");

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which headers tell the upstream who is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityHeader {
    /// `Client-Cert` (RFC 9440): the certificate itself.
    ClientCert,
    /// `Countersign-Party`: the party's id.
    Party,
}

/// Fields that belong to one connection (RFC 9110 section 7.6.1), `TE` apart.
const HOP_BY_HOP: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "proxy-authorization",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-status",
    "te",
];

/// Folded names that carry an identity.
const IDENTITY: [&str; 17] = [
    "x-ssl",
    "ssl-client",
    "l5d-client-id",
    "x-client-verify",
    "x-client-subject",
    "x-client-dn",
    "x-client-s-dn",
    "x-client-cn",
    "x-client-issuer",
    "x-client-i-dn",
    "x-client-serial",
    "x-client-fingerprint",
    "x-client-san",
    "x-forwarded-ssl-client-cert",
    "x-forwarded-tls",
    "x-amzn-mtls",
    "countersign",
];

/// Beginnings of folded names that carry an identity.
const IDENTITY_PREFIXES: [&str; 13] = [
    "client-cert",
    "x-client-cert",
    "x-ssl-",
    "ssl-client-",
    "x-forwarded-client-cert",
    "x-forwarded-tls-client-",
    "x-forwarded-ssl-client-",
    "x-amzn-mtls-",
    "x-arr-clientcert",
    "l5d-client-",
    "x-tls-client-",
    "tls-client-",
    "countersign-",
];

/// Folded names that tell where a request came from; replaced together.
const ORIGIN: [&str; 9] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-forwarded-scheme",
    "x-forwarded-ssl",
    "x-real-ip",
];

/// Sweeps an incoming request (or its trailers): first what belongs to the connection, then every identity header
/// that the client brought, in every folding.
///
/// `TE` keeps its `trailers` alone. Where a `Transfer-Encoding` stood, a `Content-Length` beside it goes too, so that
/// what is sent on has exactly one framing (RFC 9112 section 6.3).
pub fn sweep(headers: &mut HeaderMap) {
    let wants_trailers = tokens(headers, &TE).any(|token| token == "trailers");
    sweep_connection(headers);
    if wants_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    remove_where(headers, is_identity);
}

/// Sweeps the upstream's answer: what belongs to its connection. `Vary: Client-Cert` becomes `*`, since no cache on
/// the visitor's side can see that field (RFC 9440 section 2.4).
pub fn sweep_response(headers: &mut HeaderMap) {
    sweep_connection(headers);
    if tokens(headers, &VARY).any(|token| is_identity(&token)) {
        headers.insert(VARY, HeaderValue::from_static("*"));
    }
}

/// Whether some backend may read a header of this name as an identity.
pub fn is_identity(name: &str) -> bool {
    let folded = fold(name);
    IDENTITY.contains(&folded.as_str()) || IDENTITY_PREFIXES.iter().any(|prefix| folded.starts_with(prefix))
}

/// Sets our own identity headers, each as exactly one field line. Call it last, and only for a verified certificate.
///
/// A header that is not in `which`, or has nothing to say, is absent afterwards.
pub fn set_identity(
    headers: &mut HeaderMap,
    which: &[IdentityHeader],
    cert: Option<&Certificate>,
    party: Option<&str>,
    reference: &str,
) {
    let cert = cert.filter(|_| which.contains(&IdentityHeader::ClientCert));
    let party = party.filter(|_| which.contains(&IdentityHeader::Party));
    set(headers, CLIENT_CERT, cert.map(|cert| format!(":{}:", STANDARD.encode(&cert.der))));
    set(headers, PARTY, party.map(one_line));
    set(headers, REFERENCE, Some(one_line(reference)));
}

/// Replaces everything that tells where a request came from: `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
/// (RFC 7239) are set; their other spellings and `X-Real-IP` go.
pub fn set_forwarded(headers: &mut HeaderMap, client: IpAddr, host: &str, proto: &str) {
    remove_where(headers, |name| ORIGIN.contains(&fold(name).as_str()));
    let client = client.to_canonical();
    let node = match client {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("\"[{address}]\""),
    };
    let (host, proto) = (one_line(host), one_line(proto));
    let quoted = host.replace('\\', "\\\\").replace('"', "\\\"");
    set(headers, FORWARDED, Some(format!("for={node};host=\"{quoted}\";proto={proto}")));
    set(headers, X_FORWARDED_FOR, Some(client.to_string()));
    set(headers, X_FORWARDED_PROTO, Some(proto));
    set(headers, X_FORWARDED_HOST, Some(host));
}

fn sweep_connection(headers: &mut HeaderMap) {
    let listed: Vec<String> = tokens(headers, &CONNECTION).collect();
    for name in listed {
        // Host and framing are not the client's to take away.
        if name != HOST.as_str() && name != CONTENT_LENGTH.as_str() {
            headers.remove(name.as_str());
        }
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// The comma-separated members of all lines of a field, in lower case, without parameters.
fn tokens(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    headers.get_all(name).iter().flat_map(|value| {
        value.as_bytes().split(|b| *b == b',').map(|member| {
            let token = member.split(|b| *b == b';').next().unwrap_or_default();
            String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase()
        })
    })
}

fn remove_where(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// A name as the most forgetful backend sees it: lower case, all but letters and digits as `-`.
fn fold(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// A value that is certainly one header line: bytes outside printable ASCII are percent-encoded.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            0x21..=0x7e => line.push(char::from(byte)),
            _ => line.push_str(&format!("%{byte:02X}")),
        }
    }
    line
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<String>) {
    match value.and_then(|value| HeaderValue::try_from(value).ok()) {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

#[cfg(test)]
mod tests;
