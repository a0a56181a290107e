//! Header hygiene: what may not pass is swept out first, what is ours is set last.
//!
//! The order matters. A client may name any header in `Connection`; since that list is obeyed before anything of
//! ours is set, it can never take our identity headers away from the upstream. And a name is judged by what a backend
//! may make of it (CGI, WSGI, Rails and others turn `-`, `_` and `.` into one), not by how it is spelled.

use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue, TE, TRANSFER_ENCODING,
    VARY,
};

use crate::identity::one_line;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

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
    // All of them begin with one of these; most names of a request do not.
    matches!(name.as_bytes().first().map(u8::to_ascii_lowercase), Some(b'c' | b'l' | b's' | b't' | b'x'))
        && (IDENTITY.iter().any(|whole| folds_to(name, whole))
            || IDENTITY_PREFIXES.iter().any(|prefix| folds_to_prefix(name, prefix)))
}

/// What tells the upstream where a request came from; the same for all requests of a connection to one host.
#[derive(Clone, Debug)]
pub struct Forwarded {
    whole: Option<HeaderValue>,
    address: Option<HeaderValue>,
    proto: Option<HeaderValue>,
    host: Option<HeaderValue>,
    /// What the client itself says about that is believed.
    trusted: bool,
}

impl Forwarded {
    /// For requests of `client` to `host` over `proto`.
    pub fn of(client: IpAddr, host: &str, proto: &str) -> Self {
        let client = client.to_canonical();
        let node = match client {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("\"[{address}]\""),
        };
        let (host, proto) = (one_line(host), one_line(proto));
        let quoted = host.replace('\\', "\\\\").replace('"', "\\\"");
        let value = |text: String| HeaderValue::try_from(text).ok();
        Self {
            whole: value(format!("for={node};host=\"{quoted}\";proto={proto}")),
            address: value(client.to_string()),
            proto: value(proto),
            host: value(host),
            trusted: false,
        }
    }

    /// The same, behind what a trusted proxy says.
    #[must_use]
    pub fn after(self, trusted: bool) -> Self {
        Self { trusted, ..self }
    }

    /// Replaces everything that tells where a request came from: `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`
    /// (RFC 7239) are set; their other spellings and `X-Real-IP` go.
    ///
    /// Of a trusted proxy, `X-Forwarded-For` and `Forwarded` are kept and its own address is appended; its
    /// `X-Forwarded-Proto` and `-Host` are kept where each stands there once. Other spellings go all the same.
    pub fn set(&self, headers: &mut HeaderMap) {
        let told = self.trusted.then(|| Told::by(headers));
        remove_where(headers, |name| {
            matches!(name.as_bytes().first().map(u8::to_ascii_lowercase), Some(b'f' | b'x'))
                && ORIGIN.iter().any(|whole| folds_to(name, whole))
        });
        set(headers, FORWARDED, self.whole.clone());
        set(headers, X_FORWARDED_FOR, self.address.clone());
        set(headers, X_FORWARDED_PROTO, self.proto.clone());
        set(headers, X_FORWARDED_HOST, self.host.clone());
        if let Some(told) = told {
            told.set(headers);
        }
    }
}

/// What a trusted proxy says about where a request came from.
struct Told {
    whole: Option<HeaderValue>,
    address: Option<HeaderValue>,
    proto: Option<HeaderValue>,
    host: Option<HeaderValue>,
}

impl Told {
    fn by(headers: &HeaderMap) -> Self {
        let list = |name: &HeaderName| {
            let lines: Vec<&[u8]> = headers.get_all(name).iter().map(HeaderValue::as_bytes).collect();
            HeaderValue::from_bytes(&lines.join(&b", "[..])).ok().filter(|joined| !joined.is_empty())
        };
        let single = |name: &HeaderName| {
            let mut lines = headers.get_all(name).iter();
            lines.next().filter(|_| lines.next().is_none()).cloned()
        };
        Self {
            whole: list(&FORWARDED),
            address: list(&X_FORWARDED_FOR),
            proto: single(&X_FORWARDED_PROTO),
            host: single(&X_FORWARDED_HOST),
        }
    }

    /// Puts it before what was set.
    fn set(self, headers: &mut HeaderMap) {
        for (name, told) in [(FORWARDED, self.whole), (X_FORWARDED_FOR, self.address)] {
            let (Some(told), Some(own)) = (told, headers.get(&name)) else { continue };
            if let Ok(both) = HeaderValue::from_bytes(&[told.as_bytes(), own.as_bytes()].join(&b", "[..])) {
                headers.insert(name, both);
            }
        }
        for (name, told) in [(X_FORWARDED_PROTO, self.proto), (X_FORWARDED_HOST, self.host)] {
            if let Some(told) = told {
                headers.insert(name, told);
            }
        }
    }
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
    remove_where(headers, |name| HOP_BY_HOP.contains(&name));
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
    // Allocates nothing where there is nothing to remove, which is nearly always.
    let names: Vec<HeaderName> = headers.keys().filter(|name| unwanted(name.as_str())).cloned().collect();
    for name in names {
        headers.remove(name);
    }
}

/// A byte of a name as the most forgetful backend sees it: lower case, all but letters and digits as `-`.
fn folded(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() { byte.to_ascii_lowercase() } else { b'-' }
}

fn folds_to(name: &str, whole: &str) -> bool {
    name.len() == whole.len() && folds_to_prefix(name, whole)
}

fn folds_to_prefix(name: &str, prefix: &str) -> bool {
    name.len() >= prefix.len()
        && name.bytes().zip(prefix.bytes()).all(|(byte, wanted)| folded(byte) == wanted)
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: Option<HeaderValue>) {
    match value {
        Some(value) => headers.insert(name, value),
        None => headers.remove(name),
    };
}

#[cfg(test)]
mod tests;
