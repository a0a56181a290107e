//! Fixtures of the checks in `checks/dns`.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use examiner::seen::{Address, End, Handshake, Host, Offer, Version};
use examiner::side::{Caa, CaaSet, Dns, Service, ServiceSet, Tlsa, TlsaSet};

use super::*;

/// A right chain of a host for which these CAs may issue.
fn issuers(records: &[(&str, &str)]) -> Case {
    named(chain(|_, _, _| {}), records)
}

fn named(case: Case, records: &[(&str, &str)]) -> Case {
    let one = |(tag, value): &(&str, &str)| Caa {
        is_critical: tag.starts_with('!'),
        tag: tag.trim_start_matches('!').into(),
        value: (*value).into(),
    };
    let name = if records.is_empty() { "" } else { "example.com" };
    let set = CaaSet { name: name.into(), records: records.iter().map(one).collect() };
    case.dns(Dns { issuers: Some(set), ..Dns::default() })
}

/// A right chain whose issuer is a CA that everybody knows.
fn of_lets_encrypt(wildcard: bool) -> Case {
    issued_by("Let's Encrypt", wildcard)
}

/// A right chain whose issuer has this organisation.
fn of(organisation: &str) -> Case {
    issued_by(organisation, false)
}

fn issued_by(organisation: &str, wildcard: bool) -> Case {
    chain(|leaf, issuing, _| {
        let name =
            name(&[("2.5.4.6", printable("US")), ("2.5.4.10", utf8(organisation)), ("2.5.4.3", utf8("R99"))]);
        leaf.issuer = name.clone();
        issuing.subject = name;
        if wildcard {
            leaf.extension("2.5.29.17").value = san(&[dns("www.example.com"), dns("*.example.com")]);
        }
    })
}

/// A right chain whose host pins this in the DNS, whose answer is verified or not.
fn pins(is_authentic: bool, records: impl FnOnce(&[u8], &[u8]) -> Vec<Tlsa>) -> Case {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    let case = chain(|leaf, issuing, _| {
        first = leaf.build();
        second = issuing.build();
    });
    let set =
        TlsaSet { name: "_443._tcp.www.example.com".into(), is_authentic, records: records(&first, &second) };
    case.dns(Dns { pins: Some(set), ..Dns::default() })
}

fn pin(usage: u8, selector: u8, matching: u8, data: &[u8]) -> Tlsa {
    let data = if matching == 1 { digest(&SHA256, data).as_ref().to_vec() } else { data.to_vec() };
    Tlsa { usage, selector, matching, data: HEXLOWER.encode(&data) }
}

/// A right chain of a host that was looked at at 192.0.2.1 and chose h2, led to by this record.
fn led(alpn: &str, change: impl FnOnce(&mut Service)) -> Case {
    let mut service = Service { priority: 1, alpn: vec!["h2".into()], ..Service::default() };
    change(&mut service);
    let set = ServiceSet { name: "www.example.com".into(), records: vec![service] };
    let handshake = Handshake {
        offered: Offer::Tls13,
        version: Some(Version::Tls13),
        cipher_suite: None,
        alpn: Some(alpn.into()),
        chain: vec!["aa".into()],
        is_stapled: true,
        timestamps: None,
        stapled_timestamps: 0,
        compression: None,
        client_certificate: None,
        has_key: Some(true),
        end: End::Seen,
    };
    let address =
        Address { address: "192.0.2.1:443".into(), handshakes: vec![handshake], ..Address::default() };
    let host = Host { name: "www.example.com:443".into(), addresses: vec![address], ..Host::default() };
    chain(|_, _, _| {}).dns(Dns { services: Some(set), ..Dns::default() }).seen(host)
}

pub fn all() -> Vec<Recipe> {
    let none = || Dns { issuers: Some(CaaSet::default()), ..Dns::default() };
    let bogus = Dns { bogus: vec!["www.example.com (CAA)".into()], ..Dns::default() };
    const SERVICE: &str = "https-record-vs-certificate";
    const FORBIDS: &str = "caa-forbids-current-issuer";
    const SYNTAX: &str = "caa-critical-unknown-or-syntax";
    const WILDCARD: &str = "caa-wildcard-parameter-conflict";
    vec![
        pass("caa-absent", "there", issuers(&[("issue", "ca.example")])),
        pass("caa-absent", "nobody-asked", chain(|_, _, _| {})),
        fail("caa-absent", "none", chain(|_, _, _| {}).dns(none())),
        pass(FORBIDS, "named", named(of_lets_encrypt(false), &[("issue", "letsencrypt.org; a=b")])),
        pass(
            FORBIDS,
            "one-of-two",
            named(of_lets_encrypt(false), &[("issue", "pki.goog"), ("issue", "letsencrypt.org")]),
        ),
        pass(FORBIDS, "wildcards-alone", named(of_lets_encrypt(false), &[("issuewild", "pki.goog")])),
        pass(FORBIDS, "by-another-of-its-names", named(of("DigiCert Inc"), &[("issue", "amazontrust.com")])),
        pass(FORBIDS, "unknown-ca", issuers(&[("issue", "ca.example")])),
        fail(FORBIDS, "another", named(of_lets_encrypt(false), &[("issue", "pki.goog")])),
        fail(FORBIDS, "nobody", issuers(&[("issue", ";")])),
        pass(
            SYNTAX,
            "known",
            issuers(&[("!issue", "ca.example"), ("iodef", "mailto:a@example.com"), ("tbs", "x")]),
        ),
        fail(SYNTAX, "critical-unknown", issuers(&[("issue", "ca.example"), ("!tbs", "x")])),
        fail(SYNTAX, "no-name", issuers(&[("issue", "ca.example"), ("issuewild", "https://ca.example/")])),
        pass(WILDCARD, "named", named(of_lets_encrypt(true), &[("issuewild", "letsencrypt.org")])),
        pass(WILDCARD, "no-wildcard", named(of_lets_encrypt(false), &[("issuewild", ";")])),
        fail(
            WILDCARD,
            "nobody",
            named(of_lets_encrypt(true), &[("issue", "letsencrypt.org"), ("issuewild", ";")]),
        ),
        fail(WILDCARD, "another", named(of_lets_encrypt(true), &[("issuewild", "pki.goog")])),
        pass("tlsa-mismatch", "certificate", pins(true, |first, _| vec![pin(3, 0, 1, first)])),
        pass("tlsa-mismatch", "issuer", pins(true, |_, second| vec![pin(2, 0, 0, second)])),
        pass(
            "tlsa-mismatch",
            "one-of-two",
            pins(true, |first, _| vec![pin(3, 0, 1, b"old"), pin(3, 0, 1, first)]),
        ),
        pass("tlsa-mismatch", "unusable", pins(true, |_, _| vec![pin(4, 0, 1, b"x"), pin(3, 2, 1, b"x")])),
        fail("tlsa-mismatch", "another", pins(true, |_, _| vec![pin(3, 1, 1, b"old")])),
        fail("tlsa-mismatch", "issuer-as-end-entity", pins(true, |_, second| vec![pin(3, 0, 1, second)])),
        fail("tlsa-mismatch", "not-verified", pins(false, |_, _| vec![pin(3, 1, 1, b"old")])),
        pass("dnssec-broken", "verified", issuers(&[("issue", "ca.example")])),
        pass(SERVICE, "same-place", led("h2", |one| one.hints = vec!["192.0.2.1".parse().unwrap()])),
        pass(SERVICE, "nobody-asked", chain(|_, _, _| {})),
        fail(SERVICE, "another-address", led("h2", |one| one.hints = vec!["192.0.2.9".parse().unwrap()])),
        fail(SERVICE, "another-port", led("h2", |one| one.port = Some(8443))),
        fail(SERVICE, "another-target", led("h2", |one| one.target = "cdn.example.net".into())),
        fail(SERVICE, "promise", led("http/1.1", |_| {})),
        fail("dnssec-broken", "bogus", chain(|_, _, _| {}).dns(bogus)),
    ]
}
