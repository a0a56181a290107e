//! Fixtures of the checks in `checks/keys`.

use super::*;
use crate::support::spec::{
    self, LEAF_RSA_2052, LEAF_RSA_4200, LEAF_RSA_CLOSE, LEAF_RSA_ROCA, LEAF_RSA_SHARED_1, LEAF_RSA_SHARED_2,
    LEAF_RSA_SMALL_FACTOR,
};

const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";
const EC: &str = "1.2.840.10045.2.1";

pub fn all() -> Vec<Recipe> {
    let mut all = rsa();
    all.extend(elliptic());
    all.extend(signatures());
    all.extend(lists());
    all
}

fn rsa() -> Vec<Recipe> {
    let right = || key(LEAF_RSA_2048);
    vec![
        pass("rsa-under-2048", "rsa-2048", right()),
        fail("rsa-under-2048", "rsa-1024", key(LEAF_RSA_1024)),
        pass("rsa-not-multiple-of-8", "rsa-2048", right()),
        fail("rsa-not-multiple-of-8", "rsa-2052", key(LEAF_RSA_2052)),
        pass("rsa-exponent-one-even-small", "65537", right()),
        fail("rsa-exponent-one-even-small", "one", exponent(&[1])),
        fail("rsa-exponent-one-even-small", "even", exponent(&[1, 0, 0])),
        pass("rsa-exponent-out-of-range", "65537", right()),
        fail("rsa-exponent-out-of-range", "three", exponent(&[3])),
        fail("rsa-exponent-out-of-range", "large", exponent(&[&[1u8][..], &[0; 31], &[1]].concat())),
        pass("rsa-small-factor-or-even", "rsa-2048", right()),
        fail("rsa-small-factor-or-even", "743", key(LEAF_RSA_SMALL_FACTOR)),
        pass("rsa-close-primes", "rsa-2048", right()),
        fail("rsa-close-primes", "close", key(LEAF_RSA_CLOSE)),
        pass("rsa-roca", "rsa-2048", right()),
        fail("rsa-roca", "of-that-form", key(LEAF_RSA_ROCA)),
        pass("rsa-very-large", "rsa-2048", right()),
        fail("rsa-very-large", "rsa-4200", key(LEAF_RSA_4200)),
        pass(
            "shared-key-across-inputs",
            "renewed",
            leaf(|_| {}).and(other(|spec| spec.spki = LEAF_P256.to_vec(), false)),
        ),
        pass(
            "shared-key-across-inputs",
            "own-keys",
            key(LEAF_RSA_SHARED_1).and(other(|spec| spec.spki = LEAF_RSA_2048.to_vec(), true)),
        ),
        fail(
            "shared-key-across-inputs",
            "same-key",
            leaf(|_| {}).and(other(|spec| spec.spki = LEAF_P256.to_vec(), true)),
        ),
        fail(
            "shared-key-across-inputs",
            "shared-prime",
            key(LEAF_RSA_SHARED_1).and(other(|spec| spec.spki = LEAF_RSA_SHARED_2.to_vec(), true)),
        ),
        pass("weaker-issuer-than-leaf", "p256", chain(|_, _, _| {})),
        fail(
            "weaker-issuer-than-leaf",
            "p384",
            chain(|leaf, _, _| leaf.spki = point(P384, &p384_generator())),
        ),
    ]
}

fn elliptic() -> Vec<Recipe> {
    let generator = || LEAF_P256[LEAF_P256.len() - 65..].to_vec();
    vec![
        pass("ec-curve-not-allowed", "p256", leaf(|_| {})),
        pass("ec-curve-not-allowed", "p384", leaf(|spec| spec.spki = point(P384, &p384_generator()))),
        fail("ec-curve-not-allowed", "p192", leaf(|spec| spec.spki = point("1.2.840.10045.3.1.1", &[4; 49]))),
        fail("ec-curve-not-allowed", "none", leaf(|spec| spec.spki = spki(&algorithm(EC), &generator()))),
        pass("ec-explicit-parameters", "named", leaf(|_| {})),
        fail(
            "ec-explicit-parameters",
            "explicit",
            leaf(|spec| spec.spki = spki(&seq(&[&oid(EC), &seq(&[&integer(&[1])])]), &generator())),
        ),
        pass("ec-point-invalid-or-compressed", "p256", leaf(|_| {})),
        pass(
            "ec-point-invalid-or-compressed",
            "p384",
            leaf(|spec| spec.spki = point(P384, &p384_generator())),
        ),
        fail(
            "ec-point-invalid-or-compressed",
            "compressed",
            leaf(|spec| spec.spki = point(P256, &[&[2u8][..], &generator()[1..33]].concat())),
        ),
        fail(
            "ec-point-invalid-or-compressed",
            "off-the-curve",
            leaf(|spec| {
                let mut off = generator();
                off[64] ^= 1;
                spec.spki = point(P256, &off);
            }),
        ),
        fail("ec-point-invalid-or-compressed", "infinity", leaf(|spec| spec.spki = point(P256, &[0]))),
        pass("dsa-or-other-key", "p256", leaf(|_| {})),
        pass("dsa-or-other-key", "ed25519-private", ed25519().profile(Profile::PrivateServer)),
        fail("dsa-or-other-key", "ed25519", ed25519()),
        fail(
            "dsa-or-other-key",
            "dsa",
            leaf(|spec| spec.spki = spki(&algorithm("1.2.840.10040.4.1"), &integer(&[5]))),
        ),
        fail(
            "dsa-or-other-key",
            "unreadable",
            leaf(|spec| spec.spki = spki(&algorithm_null("1.2.840.113549.1.1.1"), &[1, 2])),
        ),
        pass("pq-readiness", "p256", leaf(|_| {}).profile(Profile::PrivateServer)),
        fail(
            "pq-readiness",
            "ml-dsa-65",
            leaf(|spec| spec.spki = spki(&algorithm("2.16.840.1.101.3.4.3.18"), &[7; 1952]))
                .profile(Profile::PrivateServer),
        ),
    ]
}

fn signatures() -> Vec<Recipe> {
    let sha1 = "1.2.840.113549.1.1.5";
    vec![
        pass("signature-sha1", "sha256", leaf(|_| {})),
        pass("signature-sha1", "root", root(|spec| signed(spec, algorithm_null(sha1)))),
        fail("signature-sha1", "rsa", leaf(|spec| signed(spec, algorithm_null(sha1)))),
        fail(
            "signature-sha1",
            "pss-by-default",
            leaf(|spec| signed(spec, seq(&[&oid("1.2.840.113549.1.1.10"), &seq(&[])]))),
        ),
        pass("signature-md5-md2", "sha256", leaf(|_| {})),
        fail("signature-md5-md2", "md5", leaf(|spec| signed(spec, algorithm_null("1.2.840.113549.1.1.4")))),
        pass("signature-algorithm-not-allowed", "sha256", leaf(|_| {})),
        pass("signature-algorithm-not-allowed", "pss-listed", leaf(|spec| signed(spec, pss(32)))),
        pass(
            "signature-algorithm-not-allowed",
            "pss-private",
            leaf(|spec| signed(spec, pss(20))).profile(Profile::PrivateServer),
        ),
        fail("signature-algorithm-not-allowed", "pss-other-salt", leaf(|spec| signed(spec, pss(20)))),
        fail("signature-algorithm-not-allowed", "unknown", leaf(|spec| signed(spec, algorithm("1.2.3.4")))),
        fail(
            "signature-algorithm-not-allowed",
            "sha224",
            leaf(|spec| signed(spec, algorithm_null("1.2.840.113549.1.1.14"))),
        ),
        pass("ecdsa-hash-not-matching-curve", "p384-sha384", ecdsa("1.2.840.10045.4.3.3")),
        fail("ecdsa-hash-not-matching-curve", "p384-sha256", ecdsa("1.2.840.10045.4.3.2")),
    ]
}

fn lists() -> Vec<Recipe> {
    // `Modulus=…` of LEAF_RSA_1024, and SHA-256 of LEAF_P256.
    let debian =
        |day: &str, digest: &str| format!("kind: debian-weak\ndigest: debian\nmade: {day}\n{digest}\n");
    let weak = debian_digest(LEAF_RSA_1024);
    let compromised =
        |digest: &str| format!("kind: compromised\ndigest: sha256-spki\nmade: 2026-04-01\n{digest}\n");
    let hash = data_encoding::HEXLOWER
        .encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, LEAF_P256).as_ref());
    vec![
        pass("debian-weak-key", "on-no-list", key(LEAF_RSA_2048).key_list(&debian("2026-04-01", &weak))),
        pass("debian-weak-key", "no-list", key(LEAF_RSA_1024)),
        pass("debian-weak-key", "old-list", key(LEAF_RSA_2048).key_list(&debian("2020-04-01", &weak))),
        fail("debian-weak-key", "listed", key(LEAF_RSA_1024).key_list(&debian("2020-04-01", &weak))),
        pass("known-compromised-key", "on-no-list", leaf(|_| {}).key_list(&compromised(&"00".repeat(32)))),
        fail("known-compromised-key", "listed", leaf(|_| {}).key_list(&compromised(&hash))),
    ]
}

fn key(spki: &[u8]) -> Case {
    leaf(|spec| spec.spki = spki.to_vec())
}

/// A second server certificate, for other names or the same.
fn other(change: impl FnOnce(&mut CertificateSpec), other_names: bool) -> Vec<u8> {
    let mut spec = spec::leaf();
    spec.serial = integer(&[
        0x31, 0x9c, 0x07, 0xe4, 0x5b, 0xd2, 0x68, 0xaf, 0x10, 0x93, 0xc5, 0x7e, 0x21, 0x84, 0xf6, 0x0c,
    ]);
    if other_names {
        spec.extension("2.5.29.17").value = san(&[dns("other.example.com")]);
    }
    change(&mut spec);
    spec.build()
}

fn spki(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
    seq(&[algorithm, &bits(0, key)])
}

fn point(curve: &str, point: &[u8]) -> Vec<u8> {
    spki(&seq(&[&oid(EC), &oid(curve)]), point)
}

/// The base point of P-384 (FIPS 186-4 appendix D.1.2.4): the key of the number 1.
fn p384_generator() -> Vec<u8> {
    let x =
        "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7";
    let y =
        "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f";
    data_encoding::HEXLOWER.decode(format!("04{x}{y}").as_bytes()).expect("hexadecimal")
}

fn ed25519() -> Case {
    leaf(|spec| spec.spki = spki(&algorithm("1.3.101.112"), &[9; 32]))
}

fn exponent(exponent: &[u8]) -> Case {
    let tree = examiner::cert::tlv::read(LEAF_RSA_2048.into(), Default::default());
    let key = tree.root().and_then(|root| root.child(1)).and_then(|key| key.bit_string()).expect("a key").0;
    let tree = examiner::cert::tlv::read(key.into(), Default::default());
    let modulus = tree.root().and_then(|root| root.child(0)).expect("a modulus").bytes().to_vec();
    let key = seq(&[&modulus, &integer(exponent)]);
    leaf(|spec| spec.spki = spki(&algorithm_null("1.2.840.113549.1.1.1"), &key))
}

/// Says another algorithm; the signature stays that of SHA-256 with RSA.
fn signed(spec: &mut CertificateSpec, algorithm: Vec<u8>) {
    spec.inner_algorithm = algorithm.clone();
    spec.outer_algorithm = algorithm;
}

fn pss(salt: u8) -> Vec<u8> {
    let hash = algorithm_null("2.16.840.1.101.3.4.2.1");
    let mask = seq(&[&oid("1.2.840.113549.1.1.8"), &hash]);
    let parameters = seq(&[&explicit(0, &hash), &explicit(1, &mask), &explicit(2, &integer(&[salt]))]);
    seq(&[&oid("1.2.840.113549.1.1.10"), &parameters])
}

/// A certificate that says it is signed so, by an issuer with a key on P-384.
fn ecdsa(scheme: &str) -> Case {
    let mut issuing = spec::issuing();
    issuing.spki = point(P384, &p384_generator());
    leaf(|spec| signed(spec, algorithm(scheme))).and(issuing.build())
}

/// As in Debian's lists: the last 80 bits of SHA-1 of the modulus as OpenSSL prints it.
fn debian_digest(spki: &[u8]) -> String {
    let tree = examiner::cert::tlv::read(spki.into(), Default::default());
    let key = tree.root().and_then(|root| root.child(1)).and_then(|key| key.bit_string()).expect("a key").0;
    let tree = examiner::cert::tlv::read(key.into(), Default::default());
    let modulus = tree.root().and_then(|root| root.child(0)).expect("a modulus").content()[1..].to_vec();
    let text = format!("Modulus={}\n", data_encoding::HEXUPPER.encode(&modulus));
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    data_encoding::HEXLOWER.encode(&hash.as_ref()[10..])
}
