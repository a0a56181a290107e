//! Fixtures of the checks in `checks/handshake`: a right chain, and a host that was seen in one way or another.

use examiner::seen::{
    Address, ClientCertificate, Compression, End, Handshake, Host, Nameless, Offer, OtherKey, Shown,
    ShownOutcome, Version, Without,
};

use super::*;
use crate::support::spec;

pub fn all() -> Vec<Recipe> {
    let mut all = connections();
    all.extend(chains());
    all.extend(client_certificates());
    all.extend(before_tls());
    all.extend(files());
    all.extend(compressed());
    all.extend(kinds_of_keys());
    all
}

/// A right chain of a host that was seen so.
fn case(change: impl FnOnce(&mut Host)) -> Case {
    let mut host = Host {
        name: "www.example.com:443".into(),
        servername: Some("www.example.com".into()),
        addresses: vec![address("192.0.2.1:443"), address("[2001:db8::1]:443")],
        ..Host::default()
    };
    change(&mut host);
    chain(|_, _, _| {}).seen(host)
}

fn address(address: &str) -> Address {
    let handshakes =
        vec![handshake(Offer::UpToTls12, Version::Tls12), handshake(Offer::Tls13, Version::Tls13)];
    Address { address: address.into(), handshakes, ..Address::default() }
}

fn handshake(offered: Offer, version: Version) -> Handshake {
    Handshake {
        offered,
        version: Some(version),
        cipher_suite: Some("TLS_AES_128_GCM_SHA256".into()),
        alpn: Some("h2".into()),
        chain: vec!["aa".into(), "bb".into()],
        is_stapled: true,
        timestamps: (offered == Offer::UpToTls12).then_some(0),
        stapled_timestamps: 0,
        compression: None,
        client_certificate: None,
        has_key: Some(true),
        end: End::Seen,
    }
}

/// Changes every handshake of one offer.
fn every(host: &mut Host, offer: Offer, change: impl Fn(&mut Handshake)) {
    let all = host.addresses.iter_mut().flat_map(|address| &mut address.handshakes);
    all.filter(|one| one.offered == offer).for_each(change);
}

/// It is not spoken: the server ends so.
fn not_spoken(end: End) -> impl Fn(&mut Handshake) {
    move |one| {
        one.version = None;
        one.chain.clear();
        one.has_key = None;
        one.end = end.clone();
    }
}

const PROTOCOL_VERSION: End = End::Alert { code: 70 };

fn connections() -> Vec<Recipe> {
    vec![
        pass("handshake-fails", "whole", case(|_| {})),
        pass(
            "handshake-fails",
            "one-version",
            case(|host| every(host, Offer::UpToTls12, not_spoken(PROTOCOL_VERSION))),
        ),
        fail(
            "handshake-fails",
            "always",
            case(|host| {
                every(host, Offer::UpToTls12, |one| one.end = End::Alert { code: 80 });
                every(host, Offer::Tls13, |one| one.end = End::Closed);
            }),
        ),
        fail(
            "handshake-fails",
            "under-one-version",
            case(|host| every(host, Offer::Tls13, |one| one.end = End::Alert { code: 80 })),
        ),
        pass("tls-version-old-only", "tls12", case(|_| {})),
        fail(
            "tls-version-old-only",
            "tls11",
            case(|host| {
                every(host, Offer::UpToTls12, |one| one.version = Some(Version::Tls11));
                every(host, Offer::Tls13, not_spoken(PROTOCOL_VERSION));
            }),
        ),
        pass("no-tls13", "both", case(|_| {})),
        pass("no-tls13", "silent", case(|host| every(host, Offer::Tls13, not_spoken(End::Slow)))),
        fail("no-tls13", "tls12", case(|host| every(host, Offer::Tls13, not_spoken(PROTOCOL_VERSION)))),
        pass("certificate-key-possession-fails", "signed", case(|_| {})),
        pass(
            "certificate-key-possession-fails",
            "not-seen",
            case(|host| every(host, Offer::Tls13, |one| one.has_key = None)),
        ),
        fail(
            "certificate-key-possession-fails",
            "another-key",
            case(|host| every(host, Offer::Tls13, |one| one.has_key = Some(false))),
        ),
        pass("address-does-not-answer", "both", case(|_| {})),
        fail(
            "address-does-not-answer",
            "refused",
            case(|host| {
                host.addresses[1].handshakes.clear();
                host.addresses[1].fault = Some("no connection: refused".into());
            }),
        ),
        fail(
            "address-does-not-answer",
            "closed",
            case(|host| host.addresses[0].handshakes.iter_mut().for_each(not_spoken(End::Closed))),
        ),
    ]
}

fn chains() -> Vec<Recipe> {
    let other = |host: &mut Host, certificate: usize| {
        let second = &mut host.addresses[1].handshakes;
        second.iter_mut().for_each(|one| one.chain[certificate] = "cc".into());
    };
    let with_responder = |is_stapled: bool| {
        case(|host| {
            every(host, Offer::Tls13, |one| one.is_stapled = is_stapled);
            every(host, Offer::UpToTls12, |one| one.is_stapled = is_stapled);
        })
    };
    vec![
        pass("chain-differs-by-address-or-sni", "same", case(|_| {})),
        fail("chain-differs-by-address-or-sni", "leaf", case(|host| other(host, 0))),
        fail("chain-differs-by-address-or-sni", "intermediate", case(|host| other(host, 1))),
        pass("certificate-changes-between-connects", "same", case(|_| {})),
        fail(
            "certificate-changes-between-connects",
            "by-version",
            case(|host| every(host, Offer::Tls13, |one| one.chain[0] = "cc".into())),
        ),
        pass("sni-vs-no-sni-certificate", "same", nameless("aa", End::Seen)),
        pass("sni-vs-no-sni-certificate", "refused", nameless("", End::Alert { code: 112 })),
        fail("sni-vs-no-sni-certificate", "another", nameless("cc", End::Seen)),
        pass("stapling-absent", "stapled", with_responder(true)),
        fail("stapling-absent", "names-a-responder", with_responder(false)),
    ]
}

/// A host that serves this certificate, or none, where no server name is sent.
fn nameless(first: &str, end: End) -> Case {
    case(|host| {
        host.addresses[0].nameless = Some(Nameless {
            chain: if first.is_empty() { Vec::new() } else { vec![first.into(), "bb".into()] },
            subject: if first.is_empty() { String::new() } else { "CN=default.example.com".into() },
            end,
        });
    })
}

/// A host that asks for a client certificate.
fn asking(change: impl Fn(&mut ClientCertificate)) -> Case {
    case(|host| {
        let mut asks = ClientCertificate {
            issuers: vec!["CN=Client CA".into()],
            issuer_octets: 26,
            signature_algorithms: vec!["ecdsa_secp256r1_sha256".into()],
            certificate_types: Vec::new(),
            without: Without::Taken,
        };
        change(&mut asks);
        every(host, Offer::Tls13, |one| one.client_certificate = Some(asks.clone()));
    })
}

/// A host that was shown a certificate.
fn showing(change: impl FnOnce(&mut Shown)) -> Case {
    case(|host| {
        let mut shown = Shown {
            subject: "CN=alice".into(),
            issuers: vec!["CN=Client CA".into()],
            key: "ECDSA".into(),
            is_issuer_named: Some(true),
            is_key_taken: Some(true),
            outcome: ShownOutcome::Taken,
        };
        change(&mut shown);
        host.shown = Some(shown);
    })
}

fn client_certificates() -> Vec<Recipe> {
    let octets = |count: usize| asking(move |asks| asks.issuer_octets = count);
    let refused = |alert| showing(move |shown| shown.outcome = ShownOutcome::Refused { alert });
    let answered = |status| showing(move |shown| shown.outcome = ShownOutcome::Answered { status });
    vec![
        pass("client-auth-requested", "not", case(|_| {})),
        fail("client-auth-requested", "optional", asking(|_| {})),
        fail(
            "client-auth-requested",
            "required",
            asking(|asks| asks.without = Without::Refused { alert: Some(116) }),
        ),
        fail(
            "client-auth-requested",
            "answered",
            asking(|asks| asks.without = Without::Answered { status: 400 }),
        ),
        pass("client-ca-list-empty-or-huge", "one", asking(|_| {})),
        pass("client-ca-list-empty-or-huge", "one-record", octets(16_384)),
        fail("client-ca-list-empty-or-huge", "more-than-a-record", octets(16_385)),
        fail(
            "client-ca-list-empty-or-huge",
            "empty",
            asking(|asks| {
                asks.issuers.clear();
                asks.issuer_octets = 0;
            }),
        ),
        pass("client-ca-list-lacks-our-issuer", "named", showing(|_| {})),
        pass("client-ca-list-lacks-our-issuer", "any", showing(|shown| shown.is_issuer_named = None)),
        fail(
            "client-ca-list-lacks-our-issuer",
            "lacks",
            showing(|shown| shown.is_issuer_named = Some(false)),
        ),
        pass("client-sigalgs-exclude-our-key", "taken", showing(|_| {})),
        fail("client-sigalgs-exclude-our-key", "excluded", showing(|shown| shown.is_key_taken = Some(false))),
        pass("client-certificate-refused", "taken", showing(|_| {})),
        pass("client-certificate-refused", "answered", answered(404)),
        fail("client-certificate-refused", "alert", refused(Some(48))),
        fail("client-certificate-refused", "closed", refused(None)),
        fail("client-certificate-refused", "forbidden", answered(403)),
    ]
}

/// A mail server.
fn mail(change: impl FnOnce(&mut Host)) -> Case {
    case(|host| {
        host.starttls = Some("SMTP".into());
        change(host);
    })
}

fn before_tls() -> Vec<Recipe> {
    const ID: &str = "starttls-not-offered-or-strippable";
    let not_offered = |host: &mut Host| {
        let second = &mut host.addresses[1];
        second.handshakes.clear();
        second.fault = Some("the server does not offer STARTTLS: it said \u{201c}250 mail\u{201d}".into());
        second.offers_no_tls = true;
    };
    vec![
        pass(ID, "offered", mail(|_| {})),
        fail(ID, "one-address-does-not", mail(not_offered)),
        fail(ID, "words-behind", mail(|host| host.addresses[0].early = Some("250 injected\\r\\n".into()))),
    ]
}

/// A host that ought to serve the certificates of a file.
fn files() -> Vec<Recipe> {
    const ID: &str = "served-certificate-not-the-file";
    let ought = |file: fn(&mut CertificateSpec, &mut CertificateSpec) -> Vec<Vec<u8>>| {
        let (mut leaf, mut issuing) = (spec::leaf(), spec::issuing());
        case(|_| {}).expected(file(&mut leaf, &mut issuing))
    };
    vec![
        pass(ID, "same", ought(|leaf, issuing| vec![leaf.build(), issuing.build()])),
        pass(ID, "no-file", case(|_| {})),
        fail(
            ID,
            "renewed",
            ought(|leaf, issuing| {
                leaf.serial = integer(&[0x77, 0x01]);
                vec![leaf.build(), issuing.build()]
            }),
        ),
        fail(ID, "fewer-behind", ought(|leaf, _| vec![leaf.build()])),
    ]
}

fn compressed() -> Vec<Recipe> {
    const ID: &str = "certificate-compression";
    let with = |compression: Compression| {
        case(|host| every(host, Offer::Tls13, |one| one.compression = Some(compression.clone())))
    };
    let by = |packed, unpacked| with(Compression::By { algorithm: "brotli".into(), packed, unpacked });
    // A chain that does not fit into the first flight: one certificate has a long name for each of its hosts.
    let long = || {
        chain(|leaf, _, _| {
            let names: Vec<Vec<u8>> =
                (0..900).map(|i| dns(&format!("host-{i:04}.www.example.com"))).collect();
            leaf.extension("2.5.29.17").value = san(&[vec![dns("www.example.com")], names].concat());
        })
    };
    let seen = |compression: Compression| {
        let mut host = Host {
            name: "www.example.com:443".into(),
            addresses: vec![address("192.0.2.1:443")],
            ..Host::default()
        };
        every(&mut host, Offer::Tls13, |one| one.compression = Some(compression.clone()));
        long().seen(host)
    };
    let smaller = Compression::By { algorithm: "zlib".into(), packed: 9_000, unpacked: 24_000 };
    vec![
        pass(ID, "short-chain", with(Compression::None)),
        pass(ID, "not-seen", case(|_| {})),
        pass(ID, "smaller", by(1_800, 3_200)),
        pass(ID, "long-and-compressed", seen(smaller)),
        fail(ID, "long-and-not", seen(Compression::None)),
        fail(ID, "larger", by(3_300, 3_200)),
        fail(ID, "announces-too-much", by(1_800, 16_000_000)),
    ]
}

fn kinds_of_keys() -> Vec<Recipe> {
    const OTHER: &str = "chain-differs-rsa-ecdsa";
    const TYPES: &str = "client-tls12-cert-type-mismatch";
    const USAGE: &str = "ku-no-key-encipherment-for-rsa-kx";
    let second = case(|host| {
        host.addresses[0].other_key = Some(OtherKey {
            kind: "RSA".into(),
            chain: vec!["cc".into()],
            subject: "CN=www.example.com".into(),
            not_after: "2026-06-01T00:00:00Z".into(),
        });
    });
    let types = |types: &[&str], change: fn(&mut Host)| {
        case(|host| {
            let asks = ClientCertificate {
                certificate_types: types.iter().map(|one| (*one).to_owned()).collect(),
                issuers: vec!["CN=Client CA".into()],
                issuer_octets: 26,
                ..ClientCertificate::default()
            };
            every(host, Offer::UpToTls12, |one| one.client_certificate = Some(asks.clone()));
            host.shown = Some(Shown {
                subject: "CN=alice".into(),
                issuers: vec!["CN=Client CA".into()],
                key: "ECDSA".into(),
                is_issuer_named: Some(true),
                is_key_taken: Some(true),
                outcome: ShownOutcome::Taken,
            });
            change(host);
        })
    };
    let suite = |suite: &'static str, usages: &[u8]| {
        let usages = named_bits(usages);
        let host = {
            let mut host = Host {
                name: "www.example.com:443".into(),
                addresses: vec![address("192.0.2.1:443")],
                ..Host::default()
            };
            every(&mut host, Offer::UpToTls12, |one| one.cipher_suite = Some(suite.into()));
            host
        };
        chain(move |leaf, _, _| leaf.extension("2.5.29.15").value = usages).seen(host)
    };
    const STATIC: &str = "TLS_RSA_WITH_AES_128_GCM_SHA256";
    vec![
        pass(OTHER, "one", case(|_| {})),
        fail(OTHER, "two", second),
        pass(TYPES, "has-it", types(&["rsa_sign", "ecdsa_sign"], |_| {})),
        pass(TYPES, "names-none", types(&[], |_| {})),
        fail(TYPES, "lacks-it", types(&["rsa_sign"], |_| {})),
        fail(
            TYPES,
            "lacks-it-without-tls13",
            types(&["rsa_sign"], |host| every(host, Offer::Tls13, not_spoken(PROTOCOL_VERSION))),
        ),
        pass(USAGE, "forward-secrecy", suite("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", &[0])),
        pass(USAGE, "encrypts-keys", suite(STATIC, &[0, 2])),
        fail(USAGE, "signs-alone", suite(STATIC, &[0])),
    ]
}
