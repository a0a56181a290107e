//! No name that means an identity passes, in any spelling; ours are set as they should be.

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
        map.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
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
fn where_a_request_came_from_is_replaced_in_every_spelling() {
    let mut map = headers(&[
        ("forwarded", "for=10.0.0.1"),
        ("x-forwarded-for", "10.0.0.1"),
        ("x_forwarded_for", "10.0.0.1"),
        ("x.forwarded.host", "evil.test"),
        ("x-forwarded-port", "1"),
        ("x-real-ip", "10.0.0.1"),
    ]);
    Forwarded::of("2001:db8::1".parse().unwrap(), "portal.test:8443", "https").set(&mut map);
    let expected = headers(&[
        ("forwarded", "for=\"[2001:db8::1]\";host=\"portal.test:8443\";proto=https"),
        ("x-forwarded-for", "2001:db8::1"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "portal.test:8443"),
    ]);
    assert_eq!(map, expected);
    Forwarded::of("::ffff:192.0.2.7".parse().unwrap(), "portal.test", "https").set(&mut map);
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
