//! Fixtures of the checks in `checks/trust`.

use super::chain::cross_signed;
use super::*;
use crate::support::spec;

pub fn all() -> Vec<Recipe> {
    [basics(), faults(), ways(), clients()].concat()
}

/// A server certificate that the CA of [`other_root`] issued: without what public CAs write into theirs.
fn private_leaf() -> CertificateSpec {
    let mut leaf = spec::leaf();
    leaf.issuer = other_root().subject;
    leaf.signer = OTHER_KEY;
    leaf.extension("2.5.29.35").value = seq(&[&implicit(0, &key_id(OTHER_SPKI))]);
    for oid in ["1.3.6.1.5.5.7.1.1", "2.5.29.32", "1.3.6.1.4.1.11129.2.4.2"] {
        leaf.remove(oid);
    }
    leaf
}

fn basics() -> Vec<Recipe> {
    // Under the roots of a public store, or of a CA that no store knows.
    let alone = |leaf: &CertificateSpec| served(vec![leaf.build()], vec![spec::root().build()]);
    let in_a_store = |leaf: &CertificateSpec| alone(leaf).root_fact("in Example");
    let mut with_address = private_leaf();
    with_address.set(spec::leaf().extension("1.3.6.1.5.5.7.1.1").clone());
    vec![
        pass("signature-invalid", "whole", chain(|_, _, _| {})),
        fail("signature-invalid", "leaf", chain(|leaf, _, _| leaf.signer = OTHER_KEY)),
        fail("signature-invalid", "intermediate", chain(|_, issuing, _| issuing.signer = OTHER_KEY)),
        pass("untrusted-root", "whole", chain(|_, _, _| {})),
        fail("untrusted-root", "root-served", {
            let (leaf, issuing, root) = (spec::leaf(), spec::issuing(), spec::root());
            served(vec![leaf.build(), issuing.build(), root.build()], vec![other_root().build()])
        }),
        fail("untrusted-root", "private", in_a_store(&private_leaf())),
        fail("untrusted-root", "fetched", in_a_store(&with_address).fetched("der", other_root().build())),
        fail(
            "untrusted-root",
            "root-of-another-store",
            alone(&with_address).store("Alpha", spec::root()).store("Beta", other_root()),
        ),
        pass("untrusted-root", "private-under-private-roots", alone(&private_leaf())),
        pass("untrusted-root", "public-leaf-alone", in_a_store(&spec::leaf())),
        pass("untrusted-root", "with-an-address", in_a_store(&with_address)),
        pass(
            "trusted-per-store",
            "both",
            chain(|_, _, _| {}).store("Alpha", spec::root()).store("Beta", spec::root()),
        ),
        fail(
            "trusted-per-store",
            "one",
            chain(|_, _, _| {}).store("Alpha", spec::root()).store("Beta", other_root()),
        ),
    ]
}

fn other_root() -> CertificateSpec {
    let mut other = spec::root();
    other.subject = name(&[("2.5.4.3", utf8("Another Root"))]);
    other.issuer = other.subject.clone();
    other.spki = OTHER_SPKI.to_vec();
    other.signer = OTHER_KEY;
    other
}

/// Name constraints that permit one DNS name.
fn permitted(host: &str) -> ExtensionSpec {
    critical("2.5.29.30", seq(&[&explicit(0, &seq(&[&implicit(2, host.as_bytes())]))]))
}

fn faults() -> Vec<Recipe> {
    let two = |length: u8| {
        let (mut upper, lower) = (spec::issuing(), spec::issuing());
        upper.subject = name(&[
            ("2.5.4.6", printable("NL")),
            ("2.5.4.10", utf8("Fixture Trust")),
            ("2.5.4.3", utf8("Fixture Upper CA")),
        ]);
        upper.serial = integer(&[0x21; 16]);
        upper.set(critical("2.5.29.19", seq(&[&boolean(true), &integer(&[length])])));
        let mut lower = CertificateSpec { issuer: upper.subject.clone(), signer: ISSUING_KEY, ..lower };
        lower.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])));
        served(vec![spec::leaf().build(), lower.build(), upper.build()], vec![spec::root().build()])
    };
    let policies = |required: bool| {
        chain(|leaf, issuing, _| {
            if required {
                issuing.set(critical("2.5.29.36", seq(&[&implicit(0, &[0])])));
            }
            leaf.extension("2.5.29.32").value = seq(&[&seq(&[&oid("2.23.140.1.2.2")])]);
            leaf.subject = name(&[
                ("2.5.4.6", printable("NL")),
                ("2.5.4.8", utf8("Utrecht")),
                ("2.5.4.7", utf8("Utrecht")),
                ("2.5.4.10", utf8("Acme")),
            ]);
        })
    };
    let not_ca = |is_ca: bool| {
        chain(|_, issuing, _| {
            if !is_ca {
                issuing.set(critical("2.5.29.19", seq(&[])));
            }
        })
    };
    vec![
        pass("nc-violated", "permitted", chain(|_, issuing, _| issuing.set(permitted("example.com")))),
        fail("nc-violated", "not-permitted", chain(|_, issuing, _| issuing.set(permitted("example.org")))),
        pass("pathlen-exceeded", "one", two(1)),
        fail("pathlen-exceeded", "zero", two(0)),
        pass("intermediate-not-ca", "ca", not_ca(true)),
        fail("intermediate-not-ca", "ca-false", not_ca(false)),
        pass("policy-tree-empty", "none-asked-for", policies(false)),
        fail("policy-tree-empty", "asked-for", policies(true)),
        pass("path-loop-or-explosion", "whole", chain(|_, _, _| {})),
        fail("path-loop-or-explosion", "crossed", crossed()),
    ]
}

/// Many CAs of two keys that all certify each other under few names: more ways than are tried.
fn crossed() -> Case {
    let called = |i: usize| name(&[("2.5.4.3", utf8(&format!("Crossed CA {i}")))]);
    let mut certificates = vec![];
    let mut leaf = spec::leaf();
    leaf.issuer = called(0);
    certificates.push(leaf.build());
    for subject in 0..8 {
        for issuer in 0..8 {
            if subject == issuer {
                continue;
            }
            let mut spec = spec::issuing();
            spec.subject = called(subject);
            spec.issuer = called(issuer);
            spec.signer = ISSUING_KEY;
            spec.serial = integer(&[&[0x41][..], &[subject as u8 + 1; 8], &[issuer as u8 + 1; 7]].concat());
            spec.set(critical("2.5.29.19", seq(&[&boolean(true)])));
            spec.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])));
            certificates.push(spec.build());
        }
    }
    served(certificates, vec![spec::root().build()])
}

fn ways() -> Vec<Recipe> {
    let (cross, old) = cross_signed();
    let anchored = |anchors: Vec<Vec<u8>>| {
        served(vec![spec::leaf().build(), spec::issuing().build(), cross.build()], anchors)
    };
    // The root's new key, certified by its old one.
    let mut rollover = cross.clone();
    rollover.issuer = rollover.subject.clone();
    let mut before = spec::root();
    before.spki = OTHER_SPKI.to_vec();
    before.signer = OTHER_KEY;
    before.set(extension("2.5.29.14", octets(&key_id(OTHER_SPKI))));
    let under = |anchor: &CertificateSpec| {
        served(vec![spec::leaf().build(), spec::issuing().build(), rollover.build()], vec![anchor.build()])
    };
    vec![
        pass("path-alternatives", "whole", chain(|_, _, _| {})),
        fail("path-alternatives", "cross-signed", anchored(vec![spec::root().build(), old.build()])),
        pass("path-self-issued-rollover", "new-root", under(&spec::root())),
        fail("path-self-issued-rollover", "old-root", under(&before)),
        pass("root-not-self-signed-anchor", "root", chain(|_, _, _| {})),
        fail("root-not-self-signed-anchor", "intermediate", {
            served(vec![spec::leaf().build()], vec![spec::issuing().build()])
        }),
    ]
}

fn clients() -> Vec<Recipe> {
    // Two certificates of the issuing CA: the first one served leads to a root that nobody has.
    let mut astray = spec::issuing();
    astray.issuer = name(&[
        ("2.5.4.6", printable("NL")),
        ("2.5.4.10", utf8("Fixture Trust")),
        ("2.5.4.3", utf8("Forgotten Root")),
    ]);
    astray.serial = integer(&[0x2a; 16]);
    astray.signer = OTHER_KEY;
    astray.set(extension("2.5.29.35", seq(&[&implicit(0, &key_id(OTHER_SPKI))])));
    let order = |first: &CertificateSpec, second: &CertificateSpec| {
        served(vec![spec::leaf().build(), first.build(), second.build()], vec![spec::root().build()])
    };
    // A server key too small for OpenSSL's level alone is told by its own check; the CA's version is told by none here.
    let any = |listed: &'static [&'static str]| {
        chain(|_, issuing, _| issuing.set(extension("2.5.29.37", purposes(listed))))
    };
    vec![
        pass("path-nonbacktracking-client-fails", "right-one-first", order(&spec::issuing(), &astray)),
        fail("path-nonbacktracking-client-fails", "wrong-one-first", order(&astray, &spec::issuing())),
        pass("cross-profile-disagreement", "whole", any(&["1.3.6.1.5.5.7.3.1"])),
        fail("cross-profile-disagreement", "any-purpose-in-the-issuing-ca", any(&["2.5.29.37.0"])),
    ]
}
