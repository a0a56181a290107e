//! Fixtures of the checks in `checks/identifiers`.

use super::*;
use crate::support::spec;

const SKI: &str = "2.5.29.14";
const AKI: &str = "2.5.29.35";
const CDP: &str = "2.5.29.31";
const AIA: &str = "1.3.6.1.5.5.7.1.1";
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const ISSUERS: &str = "1.3.6.1.5.5.7.48.2";

pub fn all() -> Vec<Recipe> {
    let mut all = key_ids();
    all.extend(access());
    all.extend(points());
    all.extend(fetched());
    all
}

fn key_ids() -> Vec<Recipe> {
    let made =
        |make: fn(&[u8]) -> Vec<u8>| issuing(|spec| spec.extension(SKI).value = octets(&make(ISSUING_SPKI)));
    vec![
        pass("aki-ski-mismatch", "chain", chain(|_, _, _| {})),
        fail(
            "aki-ski-mismatch",
            "leaf",
            chain(|leaf, _, _| leaf.extension(AKI).value = seq(&[&implicit(0, &[7; 20])])),
        ),
        pass("aki-missing", "leaf", leaf(|_| {})),
        fail("aki-missing", "leaf", leaf(|spec| spec.remove(AKI))),
        fail(
            "aki-missing",
            "without-key-id",
            leaf(|spec| spec.extension(AKI).value = seq(&[&implicit(2, &[5])])),
        ),
        pass("aki-critical", "leaf", leaf(|_| {})),
        fail("aki-critical", "leaf", leaf(|spec| spec.extension(AKI).critical = boolean(true))),
        pass("aki-has-issuer-serial", "leaf", leaf(|_| {})),
        fail(
            "aki-has-issuer-serial",
            "leaf",
            leaf(|spec| {
                spec.extension(AKI).value = seq(&[&implicit(0, &key_id(ISSUING_SPKI)), &implicit(2, &[5])])
            }),
        ),
        pass("ski-missing-on-ca", "issuing", issuing(|_| {})),
        fail("ski-missing-on-ca", "issuing", issuing(|spec| spec.remove(SKI))),
        pass("ski-critical", "issuing", issuing(|_| {})),
        fail("ski-critical", "issuing", issuing(|spec| spec.extension(SKI).critical = boolean(true))),
        pass("ski-on-leaf", "leaf", leaf(|_| {})),
        fail("ski-on-leaf", "leaf", leaf(|spec| spec.set(extension(SKI, octets(&key_id(LEAF_P256)))))),
        pass("ski-not-hash-of-key", "rfc7093", issuing(|_| {})),
        pass(
            "ski-not-hash-of-key",
            "whole-spki-sha1",
            made(|spki| {
                aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, spki)
                    .as_ref()
                    .to_vec()
            }),
        ),
        fail("ski-not-hash-of-key", "issuing", made(|_| vec![1, 2, 3, 4])),
    ]
}

fn access() -> Vec<Recipe> {
    let one = |method: &str, location: &str| seq(&[&oid(method), &implicit(6, location.as_bytes())]);
    let with = |entries: Vec<Vec<u8>>| leaf(|spec| spec.extension(AIA).value = san(&entries));
    let issuer = || one(ISSUERS, "http://ca.trust.example.com/issuer.der");
    vec![
        pass("aia-missing", "leaf", leaf(|_| {})),
        fail("aia-missing", "leaf", leaf(|spec| spec.remove(AIA))),
        fail("aia-missing", "issuing", issuing(|spec| spec.remove(AIA))),
        pass("aia-critical", "leaf", leaf(|_| {})),
        fail("aia-critical", "leaf", leaf(|spec| spec.extension(AIA).critical = boolean(true))),
        pass("aia-no-ca-issuers", "leaf", leaf(|_| {})),
        fail("aia-no-ca-issuers", "leaf", with(vec![one(OCSP, "http://ocsp.trust.example.com/")])),
        pass("aia-not-http-or-internal", "leaf", leaf(|_| {})),
        fail(
            "aia-not-http-or-internal",
            "https",
            with(vec![one(ISSUERS, "https://ca.trust.example.com/issuer.der")]),
        ),
        fail("aia-not-http-or-internal", "internal", with(vec![one(ISSUERS, "http://ca.corp/issuer.der")])),
        pass("aia-forbidden-method-or-duplicate", "leaf", leaf(|_| {})),
        fail("aia-forbidden-method-or-duplicate", "twice", with(vec![issuer(), issuer()])),
        fail(
            "aia-forbidden-method-or-duplicate",
            "method",
            with(vec![issuer(), one("1.3.6.1.5.5.7.48.3", "http://time.example.com/")]),
        ),
    ]
}

fn fetched() -> Vec<Recipe> {
    let right = || chain(|_, _, _| {});
    let issuing = || spec::issuing().build();
    let other_key = || {
        let mut issuing = spec::issuing();
        issuing.spki = OTHER_SPKI.to_vec();
        issuing.build()
    };
    vec![
        pass("aia-url-dead-or-wrong-type", "not-asked", right()),
        pass("aia-url-dead-or-wrong-type", "der", right().fetched("der", issuing())),
        pass("aia-url-dead-or-wrong-type", "pkcs7", right().fetched("pkcs7", issuing())),
        fail("aia-url-dead-or-wrong-type", "pem", right().fetched("pem", issuing())),
        fail(
            "aia-url-dead-or-wrong-type",
            "dead",
            right().asked(&format!("0 issuer GET {ISSUER_URL}"), "the server answered with status 404"),
        ),
        pass("aia-fetched-is-not-issuer", "issuer", right().fetched("der", issuing())),
        fail("aia-fetched-is-not-issuer", "another-ca", right().fetched("der", spec::root().build())),
        fail("aia-fetched-is-not-issuer", "another-key", right().fetched("der", other_key())),
    ]
}

fn points() -> Vec<Recipe> {
    let address = |uri: &str| explicit(0, &explicit(0, &implicit(6, uri.as_bytes())));
    let with = |point: Vec<u8>| leaf(|spec| spec.extension(CDP).value = seq(&[&point]));
    let plain = || address("http://crl.trust.example.com/issuing1.crl");
    let no_responder = |spec: &mut CertificateSpec| {
        spec.remove(CDP);
        let issuer = seq(&[&oid(ISSUERS), &implicit(6, b"http://ca.trust.example.com/issuer.der")]);
        spec.extension(AIA).value = seq(&[&issuer]);
    };
    vec![
        pass("cdp-missing", "with-responder", leaf(|spec| spec.remove(CDP))),
        pass(
            "cdp-missing",
            "short-lived",
            leaf(|spec| {
                no_responder(spec);
                spec.dates("260429000000Z", "260505235959Z");
            }),
        ),
        fail("cdp-missing", "leaf", leaf(no_responder)),
        fail("cdp-missing", "issuing", issuing(|spec| spec.remove(CDP))),
        pass("cdp-not-http", "leaf", leaf(|_| {})),
        fail("cdp-not-http", "ldap", with(seq(&[&address("ldap://crl.trust.example.com/cn=issuing1")]))),
        pass("cdp-crl-issuer-or-reasons", "leaf", leaf(|_| {})),
        fail("cdp-crl-issuer-or-reasons", "reasons", with(seq(&[&plain(), &implicit(1, &[1, 0x02])]))),
        fail("cdp-crl-issuer-or-reasons", "no-address", with(seq(&[&implicit(1, &[1, 0x02])]))),
        pass("cdp-critical", "leaf", leaf(|_| {})),
        fail("cdp-critical", "leaf", leaf(|spec| spec.extension(CDP).critical = boolean(true))),
        pass("other-extension-not-recommended", "leaf", leaf(|_| {})),
        fail("other-extension-not-recommended", "leaf", leaf(|spec| spec.set(extension("1.2.3.4", null())))),
    ]
}
