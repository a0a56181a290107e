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
mod tests {
    use super::*;

    /// Every name of the strip set, as the products write it.
    const NAMES: &[&str] = &[
        "X-SSL-Client-Verify",
        "X-SSL-Client-S-DN",
        "X-SSL-Client-I-DN",
        "X-SSL-Client-Serial",
        "X-SSL-Client-Fingerprint",
        "X-SSL-Client-Cert",
        "X-SSL",
        "X-SSL-Session_ID",
        "X-SSL-Client-DN",
        "X-SSL-Client-CN",
        "X-SSL-Issuer",
        "X-SSL-Client-NotBefore",
        "X-SSL-Client-NotAfter",
        "X-SSL-Client-SHA1",
        "X-SSL-Client-SAN",
        "SSL_CLIENT_VERIFY",
        "SSL_CLIENT_S_DN",
        "SSL_CLIENT_CERT",
        "X-Forwarded-Tls-Client-Cert",
        "X-Forwarded-Tls-Client-Cert-Info",
        "X-Amzn-Mtls-Clientcert",
        "X-Amzn-Mtls-Clientcert-Serial-Number",
        "X-Amzn-Mtls-Clientcert-Issuer",
        "X-Amzn-Mtls-Clientcert-Subject",
        "X-Amzn-Mtls-Clientcert-Validity",
        "X-Amzn-Mtls-Clientcert-Leaf",
        "X-ARR-ClientCert",
        "l5d-client-id",
        "client_cert_fingerprint",
        "client_cert_san_dns",
        "client_cert_san_email",
        "X-Client-Cert",
        "X-Client-Certificate",
        "X-Client-Subject",
        "X-Forwarded-Client-Cert",
        "Client-Cert",
        "Client-Cert-Chain",
        "Countersign-Party",
        "Countersign-Reference",
        "Countersign-Would-Refuse",
    ];

    const INNOCENT: &[&str] = &[
        "x-request-id",
        "client-id",
        "client_id",
        "x-client-id",
        "x-client-version",
        "authorization",
        "cookie",
        "ssl",
        "x-amzn-trace-id",
        "x-arr-log-id",
        "x-forwarded-prefix",
        "accept.ch",
        "certificate",
    ];

    fn headers(all: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in all {
            map.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
        map
    }

    fn foldings(name: &str) -> Vec<String> {
        let with = |c: &str| name.replace(['-', '_', '.'], c);
        let mixed = name.replacen('-', "_", 1);
        vec![
            name.to_owned(),
            name.to_ascii_lowercase(),
            name.to_ascii_uppercase(),
            with("-"),
            with("_"),
            with("."),
            with("~"),
            mixed.replacen('-', ".", 1),
            mixed,
        ]
    }

    #[test]
    fn no_identity_header_passes_in_any_folding() {
        for name in NAMES {
            for spelled in foldings(name) {
                assert!(is_identity(&spelled), "{spelled}");
                let mut map = headers(&[(&spelled, "a"), (&spelled, "b"), ("x-request-id", "7")]);
                sweep(&mut map);
                assert_eq!(map.len(), 1, "{spelled}");
            }
        }
    }

    #[test]
    fn an_innocent_header_passes_in_every_folding() {
        for name in INNOCENT {
            for spelled in foldings(name) {
                let mut map = headers(&[(&spelled, "a")]);
                sweep(&mut map);
                assert_eq!(map.len(), 1, "{spelled}");
            }
        }
    }

    #[test]
    fn what_belongs_to_the_connection_stays_behind() {
        let mut map = headers(&[
            ("connection", "close, X-Private"),
            ("connection", "keep-alive, host, content-length , ?, te"),
            ("x-private", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "keep-alive"),
            ("te", "gzip, Trailers;q=0.5"),
            ("trailer", "x"),
            ("upgrade", "h2c"),
            ("http2-settings", "AA"),
            ("proxy-authorization", "Basic eA=="),
            ("host", "portal.test"),
            ("content-length", "5"),
        ]);
        sweep(&mut map);
        assert_eq!(map, headers(&[("te", "trailers"), ("host", "portal.test"), ("content-length", "5")]));
        let mut map = headers(&[("te", "gzip")]);
        sweep(&mut map);
        assert!(map.is_empty());
    }

    #[test]
    fn a_request_with_two_framings_leaves_with_none_of_them_written() {
        let mut map = headers(&[("transfer-encoding", "chunked"), ("content-length", "5")]);
        sweep(&mut map);
        assert!(map.is_empty());
    }

    #[test]
    fn listing_our_header_in_connection_does_not_take_it_away() {
        let mut map = headers(&[
            ("connection", "client-cert, countersign-party, x-forwarded-for"),
            ("countersign-party", "mallory"),
            ("x-forwarded-for", "10.0.0.1"),
        ]);
        sweep(&mut map);
        set_identity(&mut map, &[IdentityHeader::Party], None, Some("alice"), "7F3K-22");
        set_forwarded(&mut map, "192.0.2.7".parse().unwrap(), "portal.test", "https");
        let all = |name| map.get_all(name).iter().collect::<Vec<_>>();
        assert_eq!(all("countersign-party"), ["alice"]);
        assert_eq!(all("countersign-reference"), ["7F3K-22"]);
        assert_eq!(all("x-forwarded-for"), ["192.0.2.7"]);
        assert!(!map.contains_key("client-cert") && !map.contains_key("connection"));
    }

    #[test]
    fn a_party_is_always_one_ascii_line() {
        let mut map = HeaderMap::new();
        set_identity(&mut map, &[IdentityHeader::Party], None, Some("a\r\nX-Evil: 1\0é"), "r");
        assert_eq!(map["countersign-party"], "a%0D%0AX-Evil:%201%00%C3%A9");
    }

    #[test]
    fn the_certificate_is_a_byte_sequence() {
        let certificate = crate::pages::tests::certificate();
        let mut map = HeaderMap::new();
        set_identity(&mut map, &[IdentityHeader::ClientCert], Some(&certificate), Some("alice"), "r");
        let value = map["client-cert"].to_str().unwrap();
        let inside = value.strip_prefix(':').and_then(|v| v.strip_suffix(':')).unwrap();
        assert_eq!(STANDARD.decode(inside).unwrap(), &*certificate.der);
        assert!(!map.contains_key("countersign-party"));
    }

    #[test]
    fn where_a_request_came_from_is_replaced_in_every_spelling() {
        let mut map = headers(&[
            ("forwarded", "for=10.0.0.1"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x_forwarded_for", "10.0.0.1"),
            ("x.forwarded.host", "evil.test"),
            ("x-forwarded-port", "1"),
            ("x-real-ip", "10.0.0.1"),
        ]);
        set_forwarded(&mut map, "2001:db8::1".parse().unwrap(), "portal.test:8443", "https");
        let expected = headers(&[
            ("forwarded", "for=\"[2001:db8::1]\";host=\"portal.test:8443\";proto=https"),
            ("x-forwarded-for", "2001:db8::1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "portal.test:8443"),
        ]);
        assert_eq!(map, expected);
        set_forwarded(&mut map, "::ffff:192.0.2.7".parse().unwrap(), "portal.test", "https");
        assert_eq!(map["forwarded"], "for=192.0.2.7;host=\"portal.test\";proto=https");
    }

    #[test]
    fn an_answer_loses_what_belongs_to_the_upstreams_connection() {
        let mut map = headers(&[
            ("connection", "x-hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("vary", "Accept, Client-Cert"),
            ("content-type", "text/plain"),
        ]);
        sweep_response(&mut map);
        assert_eq!(map, headers(&[("vary", "*"), ("content-type", "text/plain")]));
        let mut map = headers(&[("vary", "Accept"), ("content-length", "5")]);
        sweep_response(&mut map);
        assert_eq!(map.len(), 2);
    }
}
