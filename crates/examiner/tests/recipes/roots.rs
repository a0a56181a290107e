//! Fixtures of the checks that ask lists about roots.

use super::*;
use crate::support::revocation;
use crate::support::spec;

pub fn all() -> Vec<Recipe> {
    [stores(), forecasts(), clients()].concat()
}

fn whole() -> Case {
    chain(|_, _, _| {})
}

fn stores() -> Vec<Recipe> {
    let extended = |fact: &str| {
        chain(|leaf, _, _| {
            leaf.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.1")])]);
        })
        .root_fact(fact)
    };
    let old = |day: &str| chain(|_, _, root| root.not_before = utc_time(day)).root_fact("in Example Store");
    let proxied = |organisation: &str| {
        let mut proxy = spec::root();
        proxy.subject = name(&[("2.5.4.10", utf8(organisation))]);
        proxy.issuer = proxy.subject.clone();
        let mut leaf = spec::leaf();
        leaf.issuer = proxy.subject.clone();
        leaf.signer = ROOT_KEY;
        leaf.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(ROOT_SPKI))])));
        served(vec![leaf.build()], vec![proxy.build()])
    };
    vec![
        pass("interception-root", "none", whole()),
        fail("interception-root", "product", proxied("Zscaler Inc.")),
        fail("interception-root", "listed", whole().root_fact("interception Example Proxy")),
        pass("root-store-constraints", "inside", whole().root_fact("permits example.com Example Store")),
        fail("root-store-constraints", "outside", whole().root_fact("permits gov.example Example Store")),
        pass("root-key-age-limit", "young", old("200101000000Z")),
        fail("root-key-age-limit", "old", old("090101000000Z")),
        pass("trust-needs-recent-store", "long-ago", whole().root_fact("added 2020-06-01 Example 12")),
        fail("trust-needs-recent-store", "lately", whole().root_fact("added 2025-06-01 Example 40")),
        pass("ev-policy-but-not-ev-root", "may", extended("ev 2.23.140.1.1")),
        fail("ev-policy-but-not-ev-root", "may-not", extended("ev 1.2.3.4")),
    ]
}

fn forecasts() -> Vec<Recipe> {
    let responder = |host: &str| {
        let url = format!("http://{host}/");
        let one = |method: &str, url: &str| seq(&[&oid(method), &implicit(6, url.as_bytes())]);
        leaf(|spec| {
            spec.extension("1.3.6.1.5.5.7.1.1").value = seq(&[
                &one("1.3.6.1.5.5.7.48.1", &url),
                &one("1.3.6.1.5.5.7.48.2", "http://ca.trust.example.com/issuer.der"),
            ])
        })
    };
    vec![
        pass("root-distrust-scheduled", "none", whole()),
        fail("root-distrust-scheduled", "next-one", whole().root_fact("distrust-after 2026-10-31 Example")),
        fail("root-distrust-scheduled", "this-one", whole().root_fact("distrust-after 2026-01-31 Example")),
        pass("root-count-forecast", "two-of-them", owned(2)),
        fail("root-count-forecast", "three-of-them", owned(3)),
        pass("root-count-forecast", "no-owners", whole().root_fact("in Chrome")),
        pass("ocsp-url-on-ca-that-ended-ocsp", "in-use", responder("ocsp.trust.example.com")),
        fail("ocsp-url-on-ca-that-ended-ocsp", "off", responder("r10.o.lencr.org")),
    ]
}

/// The chain under a root whose owner has so many in Chrome.
fn owned(roots: u8) -> Case {
    let others =
        (1..roots).map(|i| format!("{} owner Example Trust\n{0} in Chrome\n", format!("{i:02x}").repeat(32)));
    whole().root_facts(&["owner Example Trust", "in Chrome"], &others.collect::<String>())
}

fn clients() -> Vec<Recipe> {
    let under = |certificates: Vec<CertificateSpec>, anchors: Vec<CertificateSpec>| {
        let built = |all: Vec<CertificateSpec>| all.iter().map(CertificateSpec::build).collect::<Vec<_>>();
        served(built(certificates), built(anchors)).without_host().profile(Profile::MtlsClient)
    };
    let ca = || {
        let mut ca = spec::issuing();
        ca.set(extension("2.5.29.37", purposes(&["1.3.6.1.5.5.7.3.2"])));
        ca.remove("2.5.29.32");
        ca
    };
    let constrained = |base: Vec<u8>| {
        let mut ca = ca();
        ca.set(critical("2.5.29.30", seq(&[&explicit(0, &seq(&[&base]))])));
        under(vec![spec::client(), ca], vec![spec::root()])
    };
    let mut other = spec::root();
    other.subject = name(&[("2.5.4.3", utf8("Another Root"))]);
    other.issuer = other.subject.clone();
    other.spki = OTHER_SPKI.to_vec();
    other.signer = OTHER_KEY;
    other.set(extension("2.5.29.14", octets(&key_id(OTHER_SPKI))));
    let mut nameless = spec::client();
    nameless.remove("2.5.29.17");
    let public = |listed: &'static [&'static str]| {
        let mut ca = spec::issuing();
        ca.extension("2.5.29.37").value = purposes(listed);
        under(vec![spec::client(), ca], vec![spec::root()])
    };
    let list = |next: &str| {
        let list = revocation::crl().with(|spec| spec.next_update = utc_time(next));
        under(vec![spec::client(), ca()], vec![spec::root()]).crl(list)
    };
    vec![
        pass("client-anchor-too-broad", "private", under(vec![spec::client(), ca()], vec![spec::root()])),
        fail(
            "client-anchor-too-broad",
            "public",
            under(vec![spec::client(), ca()], vec![spec::root()]).root_fact("in Example Store"),
        ),
        pass("client-subject-collides", "one", under(vec![nameless.clone(), ca()], vec![spec::root()])),
        fail("client-subject-collides", "two", under(vec![nameless, ca()], vec![other, spec::root()])),
        pass("client-nc-not-applied", "host", constrained(dns("example.com"))),
        fail("client-nc-not-applied", "mailbox", constrained(implicit(1, b"example.com"))),
        pass(
            "client-public-ca-intermediate-loses-eku",
            "private",
            under(vec![spec::client(), ca()], vec![spec::root()]),
        ),
        fail(
            "client-public-ca-intermediate-loses-eku",
            "public",
            public(&["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]),
        ),
        pass("client-crl-stale-blocks-all", "holds", list("260601000000Z")),
        fail("client-crl-stale-blocks-all", "old", list("260420000000Z")),
    ]
}
