//! Fixtures of the checks in `checks/revocation`.

use super::*;
use crate::support::case::der as file;
use crate::support::revocation::{by_responder, crl, ocsp, responder, revoked};
use crate::support::spec;

const OCSP_GET: &str = "0 response GET http://ocsp.trust.example.com/";
const OCSP_POST: &str = "0 response POST http://ocsp.trust.example.com/";

pub fn all() -> Vec<Recipe> {
    let mut all = lists();
    all.extend(responses());
    all.extend(certificates());
    all
}

fn plain() -> Case {
    chain(|_, _, _| {})
}

/// The root's list, with one thing changed.
fn root_crl(serial: Vec<u8>) -> Vec<u8> {
    crl().with(|list| {
        list.issuer = spec::ca_name("Fixture Root 1");
        list.signer = ROOT_KEY;
        list.revoked.push(serial);
    })
}

fn lists() -> Vec<Recipe> {
    let right = || plain().crl(crl().build());
    let scope = |addresses: &str| {
        let value = seq(&[&explicit(0, &explicit(0, &implicit(6, addresses.as_bytes())))]);
        plain().crl(crl().with(|list| list.extensions.push(("2.5.29.28", true, value))))
    };
    vec![
        pass("revoked-crl", "not-listed", right()),
        pass(
            "revoked-crl",
            "part-of-a-serial",
            plain().crl(crl().with(|list| list.revoked.push(integer(&[0x31, 0x9c, 7])))),
        ),
        fail("revoked-crl", "listed", plain().crl(crl().with(|list| list.revoked.push(spec::leaf().serial)))),
        pass("intermediate-revoked", "not-listed", plain().crl(root_crl(integer(&[9])))),
        fail("intermediate-revoked", "listed", plain().crl(root_crl(spec::issuing().serial))),
        pass("crl-unreachable-expired", "current", right()),
        fail("crl-unreachable-expired", "over", right().at("2026-05-06T00:00:00Z")),
        // It holds from 2026-04-28 on; clocks may be five minutes apart.
        pass("crl-unreachable-expired", "clocks-apart", right().at("2026-04-27T23:55:00Z")),
        fail("crl-unreachable-expired", "future", right().at("2026-04-27T23:54:59Z")),
        pass(
            "crl-unreachable-expired",
            "fetched",
            right().asked("0 list GET http://crl.trust.example.com/issuing1.crl", "list"),
        ),
        fail(
            "crl-unreachable-expired",
            "unreachable",
            plain().asked(
                "0 list GET http://crl.trust.example.com/issuing1.crl",
                "the server answered with status 404",
            ),
        ),
        pass("crl-signature-or-issuer-wrong", "right", right()),
        fail(
            "crl-signature-or-issuer-wrong",
            "other-key",
            plain().crl(crl().with(|list| list.signer = OTHER_KEY)),
        ),
        fail(
            "crl-signature-or-issuer-wrong",
            "other-issuer",
            plain().crl(crl().with(|list| list.issuer = spec::ca_name("Another CA"))),
        ),
        pass("crl-issuer-no-crlsign", "right", right()),
        fail(
            "crl-issuer-no-crlsign",
            "issuing",
            chain(|_, issuing, _| issuing.extension("2.5.29.15").value = named_bits(&[0, 5]))
                .crl(crl().build()),
        ),
        pass("crl-profile", "right", right()),
        fail("crl-profile", "no-number", plain().crl(crl().with(|list| drop(list.extensions.pop())))),
        fail("crl-profile", "no-next-update", plain().crl(crl().with(|list| list.next_update = Vec::new()))),
        pass("crl-very-large-or-sharded-idp", "its-part", scope("http://crl.trust.example.com/issuing1.crl")),
        fail(
            "crl-very-large-or-sharded-idp",
            "another-part",
            scope("http://crl.trust.example.com/issuing2.crl"),
        ),
    ]
}

fn responses() -> Vec<Recipe> {
    let right = || plain().ocsp(ocsp().build());
    let delegated = |change: fn(&mut CertificateSpec)| plain().ocsp(by_responder(change).build());
    let in_a_file = |change: fn(&mut CertificateSpec)| {
        let mut spec = responder();
        change(&mut spec);
        file(spec.build())
    };
    let purposes_of =
        |spec: &mut CertificateSpec, all: &[&str]| spec.extension("2.5.29.37").value = purposes(all);
    vec![
        pass("revoked-ocsp", "good", right()),
        fail("revoked-ocsp", "revoked", plain().ocsp(ocsp().with(|response| response.answer = revoked()))),
        fail(
            "revoked-ocsp",
            "unknown",
            plain().ocsp(ocsp().with(|response| response.answer = implicit(2, &[]))),
        ),
        fail("revoked-ocsp", "stapled", plain().stapled(ocsp().with(|response| response.answer = revoked()))),
        pass("ocsp-response-stale-or-future", "current", right()),
        fail("ocsp-response-stale-or-future", "over", right().at("2026-05-08T00:00:00Z")),
        // It holds from 2026-04-30 on; clocks may be five minutes apart.
        pass("ocsp-response-stale-or-future", "clocks-apart", right().at("2026-04-29T23:55:00Z")),
        fail("ocsp-response-stale-or-future", "future", right().at("2026-04-29T23:54:59Z")),
        pass("ocsp-signer-not-authorised", "issuer", right()),
        pass("ocsp-signer-not-authorised", "delegated", delegated(|_| {})),
        fail(
            "ocsp-signer-not-authorised",
            "other-key",
            plain().ocsp(ocsp().with(|response| response.signer = OTHER_KEY)),
        ),
        fail("ocsp-signer-not-authorised", "of-another-ca", delegated(|spec| spec.signer = OTHER_KEY)),
        fail(
            "ocsp-signer-not-authorised",
            "no-purpose",
            plain().ocsp(by_responder(|spec| purposes_of(spec, &["1.3.6.1.5.5.7.3.1"])).build()),
        ),
        fail(
            "ocsp-signer-not-authorised",
            "over",
            delegated(|spec| spec.dates("260101000000Z", "260201000000Z")),
        ),
        fail(
            "ocsp-signer-not-authorised",
            "certificate-missing",
            plain().ocsp(by_responder(|_| {}).with(|response| response.certificates.clear())),
        ),
        pass("ocsp-responder-profile", "delegated", delegated(|_| {})),
        fail("ocsp-responder-profile", "no-nocheck", delegated(|spec| spec.remove("1.3.6.1.5.5.7.48.1.5"))),
        pass("ocsp-responder-profile", "in-a-file", in_a_file(|_| {})),
        fail("ocsp-responder-profile", "in-a-file", in_a_file(|spec| spec.remove("1.3.6.1.5.5.7.48.1.5"))),
        fail(
            "ocsp-responder-profile",
            "with-policies",
            in_a_file(|spec| spec.set(spec::leaf().extension("2.5.29.32").clone())),
        ),
        fail(
            "ocsp-responder-profile",
            "with-a-list",
            in_a_file(|spec| spec.set(spec::leaf().extension("2.5.29.31").clone())),
        ),
        pass("ocsp-wrong-serial-or-issuer-hash", "right", right()),
        fail(
            "ocsp-wrong-serial-or-issuer-hash",
            "part-of-the-serial",
            plain().ocsp(ocsp().with(|response| response.serial = integer(&[0x31, 0x9c, 7]))),
        ),
        fail(
            "ocsp-wrong-serial-or-issuer-hash",
            "issuer-key",
            plain().ocsp(ocsp().with(|response| response.issuer_spki = OTHER_SPKI)),
        ),
        fail(
            "ocsp-wrong-serial-or-issuer-hash",
            "try-later",
            plain().ocsp(ocsp().with(|response| response.status = 3)),
        ),
        pass("ocsp-unreachable-or-slow", "answers", right().asked(OCSP_GET, "response")),
        fail(
            "ocsp-unreachable-or-slow",
            "silent",
            plain().asked(OCSP_GET, "nothing whole came within 10 seconds"),
        ),
        fail(
            "ocsp-unreachable-or-slow",
            "post-alone",
            right().asked(OCSP_GET, "the server answered with status 405").asked(OCSP_POST, "response"),
        ),
        fail(
            "ocsp-unreachable-or-slow",
            "neither",
            plain()
                .asked(OCSP_GET, "the server answered with status 500")
                .asked(OCSP_POST, "the server answered with status 500"),
        ),
        pass("ocsp-sha1-signature", "sha256", right()),
        fail("ocsp-sha1-signature", "sha1", plain().ocsp(ocsp().with(|response| response.sha1 = true))),
    ]
}

fn certificates() -> Vec<Recipe> {
    let must_staple =
        || chain(|leaf, _, _| leaf.set(extension("1.3.6.1.5.5.7.1.24", seq(&[&integer(&[5])]))));
    let nowhere = |spec: &mut CertificateSpec| {
        spec.remove("2.5.29.31");
        spec.remove("1.3.6.1.5.5.7.1.1");
    };
    let signing = "1.3.6.1.5.5.7.3.9";
    vec![
        pass("no-revocation-source", "list", leaf(|_| {}).profile(Profile::PrivateServer)),
        fail("no-revocation-source", "nothing", leaf(nowhere).profile(Profile::PrivateServer)),
        pass("delegated-responder-ca", "issuing", issuing(|_| {})),
        fail(
            "delegated-responder-ca",
            "issuing",
            issuing(|spec| spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.1", signing])),
        ),
        pass("must-staple-without-staple", "stapled", must_staple().stapled(ocsp().build())),
        pass("must-staple-without-staple", "nobody-looked", must_staple()),
        fail("must-staple-without-staple", "nothing", must_staple().staples_nothing()),
    ]
}
