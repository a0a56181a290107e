//! One broken thing, one error: no second finding for the same cause.
#![allow(clippy::disallowed_methods)]

mod support;

use examiner::examine;
use examiner::profile::Profile;
use examiner::report::Severity;
use support::case::{self, Case, chain, leaf, served};
use support::der::*;
use support::spec::{
    self, CertificateSpec, LEAF_RSA_1024, OTHER_KEY, OTHER_SPKI, critical, dns, purposes, san,
};

/// What is broken, the chain with it, and the id of the one error.
fn causes() -> Vec<(&'static str, Case, &'static str)> {
    let anchored = |certificates: Vec<CertificateSpec>| {
        let built = certificates.iter().map(CertificateSpec::build).collect();
        served(built, vec![spec::root().build()])
    };
    let mut stranger = spec::root();
    stranger.subject = name(&[("2.5.4.3", utf8("Another Root"))]);
    stranger.issuer = stranger.subject.clone();
    stranger.spki = OTHER_SPKI.to_vec();
    stranger.signer = OTHER_KEY;
    let whole = || vec![spec::leaf().build(), spec::issuing().build(), spec::root().build()];
    let mut permitted = spec::issuing();
    permitted.set(critical("2.5.29.30", seq(&[&explicit(0, &seq(&[&implicit(2, b"example.org")]))])));
    vec![
        ("the intermediate is missing", anchored(vec![spec::leaf()]), "chain-incomplete"),
        ("the root is not trusted", served(whole(), vec![stranger.build()]), "untrusted-root"),
        ("it has ended", chain(|_, _, _| {}).at("2026-08-01T00:00:00Z"), "expired"),
        ("it has not begun", chain(|_, _, _| {}).at("2026-03-20T00:00:00Z"), "not-yet-valid"),
        ("another host", chain(|_, _, _| {}).host("other.example.com"), "hostname-mismatch"),
        (
            "the intermediate's signature is wrong",
            chain(|_, issuing, _| issuing.signer = OTHER_KEY),
            "signature-invalid",
        ),
        ("its signature is wrong", chain(|leaf, _, _| leaf.signer = OTHER_KEY), "signature-invalid"),
        ("the key is too small", chain(|leaf, _, _| leaf.spki = LEAF_RSA_1024.to_vec()), "rsa-under-2048"),
        ("the names are not permitted", anchored(vec![spec::leaf(), permitted]), "nc-violated"),
        (
            "a host name with a blank",
            leaf(|spec| {
                spec.extension("2.5.29.17").value = san(&[dns("www.example.com"), dns(" example.com")])
            }),
            "san-label-syntax",
        ),
        (
            "bytes behind the certificate",
            case::der([spec::leaf().build(), vec![0]].concat()),
            "der-trailing-bytes",
        ),
        (
            "a client's certificate for mail",
            case::client(|spec| spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.4"])),
            "client-eku-missing-client-auth",
        ),
        (
            "the client sends no intermediate",
            anchored(vec![spec::client()]).without_host().profile(Profile::MtlsClient),
            "chain-incomplete",
        ),
    ]
}

#[test]
fn one_broken_thing_is_one_error() {
    let mut wrong = Vec::new();
    for (what, case, expected) in causes() {
        let (chain, question) = case::read(&case.file());
        let report = examine(&chain, &question);
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        let errors: Vec<&str> = errors.map(|finding| finding.id).collect();
        if errors != [expected] {
            wrong.push(format!("{what}: expected {expected} alone, got {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
