//! Fixtures of the checks in `checks/chain`.

use super::*;
use crate::support::spec;

pub fn all() -> Vec<Recipe> {
    [incomplete(), order(), extras(), size(), self_signed()].concat()
}

/// Leaf, issuing CA and root as they are right.
fn right() -> [Vec<u8>; 3] {
    [spec::leaf().build(), spec::issuing().build(), spec::root().build()]
}

/// A certificate of nobody in these chains.
fn stranger() -> CertificateSpec {
    let mut other = spec::issuing();
    other.subject = name(&[
        ("2.5.4.6", printable("NL")),
        ("2.5.4.10", utf8("Stranger")),
        ("2.5.4.3", utf8("Stranger CA")),
    ]);
    other.issuer = name(&[
        ("2.5.4.6", printable("NL")),
        ("2.5.4.10", utf8("Stranger")),
        ("2.5.4.3", utf8("Stranger Root")),
    ]);
    other.spki = OTHER_SPKI.to_vec();
    other.signer = OTHER_KEY;
    other.set(extension("2.5.29.14", octets(&key_id(OTHER_SPKI))));
    other.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(OTHER_SPKI))])));
    other
}

/// The fixture root as a root of another name certifies it, and that other root.
pub fn cross_signed() -> (CertificateSpec, CertificateSpec) {
    let mut old = spec::root();
    old.subject = name(&[
        ("2.5.4.6", printable("NL")),
        ("2.5.4.10", utf8("Fixture Trust")),
        ("2.5.4.3", utf8("Fixture Root 0")),
    ]);
    old.issuer = old.subject.clone();
    old.spki = OTHER_SPKI.to_vec();
    old.signer = OTHER_KEY;
    old.set(extension("2.5.29.14", octets(&key_id(OTHER_SPKI))));
    let mut cross = spec::issuing();
    cross.issuer = old.subject.clone();
    cross.subject = spec::root().subject;
    cross.spki = ROOT_SPKI.to_vec();
    cross.signer = OTHER_KEY;
    cross.set(critical("2.5.29.19", seq(&[&boolean(true)])));
    cross.set(extension("2.5.29.14", octets(&key_id(ROOT_SPKI))));
    cross.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(OTHER_SPKI))])));
    (cross, old)
}

fn incomplete() -> Vec<Recipe> {
    let [leaf, issuing, root] = right();
    vec![
        pass("chain-incomplete", "whole", chain(|_, _, _| {})),
        fail("chain-incomplete", "leaf-alone", served(vec![leaf.clone()], vec![root.clone()])),
        fail(
            "chain-incomplete",
            "fetched",
            served(vec![leaf.clone()], vec![root.clone()]).fetched("der", issuing),
        ),
        fail(
            "chain-incomplete",
            "asked-in-vain",
            served(vec![leaf], vec![root])
                .asked(&format!("0 issuer GET {ISSUER_URL}"), "the server answered with status 404"),
        ),
    ]
}

fn order() -> Vec<Recipe> {
    let [leaf, issuing, root] = right();
    let anchors = || vec![root.clone()];
    let misordered = || served(vec![leaf.clone(), root.clone(), issuing.clone()], anchors());
    vec![
        pass("chain-wrong-order", "whole", chain(|_, _, _| {})),
        pass("chain-wrong-order", "root-last", served(right().to_vec(), anchors())),
        fail("chain-wrong-order", "root-before-issuing", misordered()),
        pass("chain-leaf-not-first", "whole", chain(|_, _, _| {})),
        fail("chain-leaf-not-first", "issuing-first", served(vec![issuing.clone(), leaf.clone()], anchors())),
        fail(
            "chain-leaf-not-first",
            "reversed",
            served(vec![root.clone(), issuing.clone(), leaf.clone()], anchors()),
        ),
        pass("chain-suggested-minimal", "whole", chain(|_, _, _| {})),
        fail("chain-suggested-minimal", "misordered", misordered()),
    ]
}

fn extras() -> Vec<Recipe> {
    let [leaf, issuing, root] = right();
    let anchors = || vec![root.clone()];
    let (cross, old) = cross_signed();
    let mut expired = cross.clone();
    expired.dates("200301000000Z", "260430235959Z");
    let with = |extra: Vec<u8>| vec![leaf.clone(), issuing.clone(), extra];
    vec![
        pass("chain-contains-root", "whole", chain(|_, _, _| {})),
        fail("chain-contains-root", "root-last", served(with(root.clone()), anchors())),
        pass("chain-duplicate", "whole", chain(|_, _, _| {})),
        fail(
            "chain-duplicate",
            "leaf-twice",
            served(vec![leaf.clone(), leaf.clone(), issuing.clone()], anchors()),
        ),
        fail("chain-duplicate", "issuing-twice", served(with(issuing.clone()), anchors())),
        pass("chain-unrelated-certificate", "whole", chain(|_, _, _| {})),
        pass(
            "chain-unrelated-certificate",
            "root-above-what-is-missing",
            served(vec![leaf.clone(), root.clone()], anchors()),
        ),
        fail("chain-unrelated-certificate", "stranger", served(with(stranger().build()), anchors())),
        fail(
            "chain-unrelated-certificate",
            "the-wrong-intermediate",
            served(vec![leaf.clone(), stranger().build()], anchors()),
        ),
        pass(
            "chain-expired-extra",
            "needed",
            chain(|_, issuing, _| issuing.dates("240301000000Z", "260430235959Z")),
        ),
        fail("chain-expired-extra", "cross-signed", served(with(expired.build()), anchors())),
        pass("chain-legacy-cross-sign", "needed", served(with(cross.build()), vec![old.build()])),
        fail("chain-legacy-cross-sign", "root-at-hand", served(with(cross.build()), anchors())),
    ]
}

fn size() -> Vec<Recipe> {
    let [leaf, _, root] = right();
    let padded = |count: usize| {
        chain(|leaf, _, _| {
            let names: Vec<Vec<u8>> = (0..count).map(|i| dns(&format!("host-{i:04}.example.com"))).collect();
            leaf.extension("2.5.29.17").value = san(&[vec![dns("www.example.com")], names].concat());
        })
    };
    // A ladder of CAs, each with the issuing CA's key.
    let ladder = |steps: usize| {
        let called = |i: usize| {
            let name_of = format!("Fixture Issuing CA {i}");
            name(&[
                ("2.5.4.6", printable("NL")),
                ("2.5.4.10", utf8("Fixture Trust")),
                ("2.5.4.3", utf8(&name_of)),
            ])
        };
        let intermediates = (1..=steps).map(|i| {
            let mut spec = spec::issuing();
            spec.subject = called(i);
            spec.set(critical("2.5.29.19", seq(&[&boolean(true)])));
            spec.serial = integer(&[&[0x51][..], &[i as u8; 15]].concat());
            if i < steps {
                spec.issuer = called(i + 1);
                spec.signer = ISSUING_KEY;
                spec.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])));
            }
            spec.build()
        });
        served(std::iter::once(leaf.clone()).chain(intermediates).collect(), vec![root.clone()])
    };
    vec![
        pass("chain-bytes-over-initial-window", "whole", chain(|_, _, _| {})),
        fail("chain-bytes-over-initial-window", "many-names", padded(600)),
        pass("chain-too-long", "six", ladder(6)),
        fail("chain-too-long", "seven", ladder(7)),
        fail("chain-too-long", "five-of-a-client", client_ladder(5)),
        pass("chain-too-long", "four-of-a-client", client_ladder(4)),
    ]
}

/// A client certificate under so many CAs.
fn client_ladder(steps: usize) -> Case {
    let called = |i: usize| {
        let name_of = format!("Fixture Issuing CA {i}");
        name(&[
            ("2.5.4.6", printable("NL")),
            ("2.5.4.10", utf8("Fixture Trust")),
            ("2.5.4.3", utf8(&name_of)),
        ])
    };
    let mut certificates = vec![spec::client().build()];
    for i in 1..=steps {
        let mut spec = spec::issuing();
        spec.subject = called(i);
        spec.set(critical("2.5.29.19", seq(&[&boolean(true)])));
        spec.set(extension("2.5.29.37", purposes(&["1.3.6.1.5.5.7.3.2"])));
        spec.remove("2.5.29.32");
        spec.serial = integer(&[&[0x51][..], &[i as u8; 15]].concat());
        if i < steps {
            spec.issuer = called(i + 1);
            spec.signer = ISSUING_KEY;
            spec.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])));
        }
        certificates.push(spec.build());
    }
    served(certificates, vec![spec::root().build()]).without_host().profile(Profile::MtlsClient)
}

fn self_signed() -> Vec<Recipe> {
    let alone = || {
        let mut spec = spec::leaf();
        spec.subject = name(&[("2.5.4.3", utf8("www.example.com"))]);
        spec.issuer = spec.subject.clone();
        spec.spki = OTHER_SPKI.to_vec();
        spec.signer = OTHER_KEY;
        spec.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(OTHER_SPKI))])));
        spec.build()
    };
    vec![
        pass("self-signed-leaf", "whole", chain(|_, _, _| {})),
        pass("self-signed-leaf", "anchor", served(vec![alone()], vec![alone()])),
        fail("self-signed-leaf", "alone", served(vec![alone()], vec![spec::root().build()])),
        fail("self-signed-leaf", "out-of-a-file", der(alone())),
    ]
}
