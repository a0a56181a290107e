//! Certificates made part by part, so that each part can be made wrong.
//!
//! The specifications here give a chain without any finding: a server certificate of 90 days, its issuing CA, its root.
//! The signatures are RSA PKCS#1 v1.5 with fixed keys, so the same specification always gives the same bytes.
#![allow(dead_code)]

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use super::der::*;

/// sha256WithRSAEncryption.
pub const SHA256_RSA: &str = "1.2.840.113549.1.1.11";

/// Keys that sign and keys that are only certified; made once for these fixtures and used nowhere else.
pub const ROOT_KEY: &[u8] = include_bytes!("keys/root.pk8");
pub const ROOT_SPKI: &[u8] = include_bytes!("keys/root.spki");
pub const ISSUING_KEY: &[u8] = include_bytes!("keys/issuing.pk8");
pub const ISSUING_SPKI: &[u8] = include_bytes!("keys/issuing.spki");
pub const OTHER_KEY: &[u8] = include_bytes!("keys/other.pk8");
pub const OTHER_SPKI: &[u8] = include_bytes!("keys/other.spki");
pub const LEAF_P256: &[u8] = include_bytes!("keys/leaf-p256.spki");
pub const LEAF_RSA_2048: &[u8] = include_bytes!("keys/leaf-rsa2048.spki");
pub const LEAF_RSA_1024: &[u8] = include_bytes!("keys/leaf-rsa1024.spki");
pub const LEAF_RSA_CLOSE: &[u8] = include_bytes!("keys/leaf-rsa-close.spki");
pub const LEAF_RSA_SMALL_FACTOR: &[u8] = include_bytes!("keys/leaf-rsa-small-factor.spki");
pub const LEAF_RSA_ROCA: &[u8] = include_bytes!("keys/leaf-rsa-roca.spki");
pub const LEAF_RSA_SHARED_1: &[u8] = include_bytes!("keys/leaf-rsa-shared-1.spki");
pub const LEAF_RSA_SHARED_2: &[u8] = include_bytes!("keys/leaf-rsa-shared-2.spki");
pub const LEAF_RSA_4200: &[u8] = include_bytes!("keys/leaf-rsa4200.spki");
pub const LEAF_RSA_2052: &[u8] = include_bytes!("keys/leaf-rsa2052.spki");

/// A certificate in parts; every field holds the DER that stands in its place.
#[derive(Clone)]
pub struct CertificateSpec {
    /// The whole `[0]`; empty for version 1.
    pub version: Vec<u8>,
    pub serial: Vec<u8>,
    pub inner_algorithm: Vec<u8>,
    pub issuer: Vec<u8>,
    pub not_before: Vec<u8>,
    pub not_after: Vec<u8>,
    pub subject: Vec<u8>,
    pub spki: Vec<u8>,
    /// issuerUniqueID and subjectUniqueID as they stand; empty in the right one.
    pub unique_ids: Vec<u8>,
    pub extensions: Vec<ExtensionSpec>,
    /// Instead of the extensions above: all that stands from `[3]` on.
    pub extensions_der: Option<Vec<u8>>,
    pub outer_algorithm: Vec<u8>,
    /// The PKCS#8 of the key that signs.
    pub signer: &'static [u8],
    /// Instead of a signature: the whole BIT STRING.
    pub signature: Option<Vec<u8>>,
}

/// One extension in parts.
#[derive(Clone)]
pub struct ExtensionSpec {
    /// Its type, dotted.
    pub oid: String,
    /// The critical flag's DER; empty where it is left out.
    pub critical: Vec<u8>,
    /// The contents of extnValue.
    pub value: Vec<u8>,
}

impl CertificateSpec {
    /// The certificate's DER.
    pub fn build(&self) -> Vec<u8> {
        let tbs = self.tbs();
        let signature = self.signature.clone().unwrap_or_else(|| bits(0, &sign(self.signer, &tbs)));
        seq(&[&tbs, &self.outer_algorithm, &signature])
    }

    /// tbsCertificate's DER.
    pub fn tbs(&self) -> Vec<u8> {
        let extensions = match &self.extensions_der {
            Some(der) => der.clone(),
            None if self.extensions.is_empty() => Vec::new(),
            None => {
                let all: Vec<Vec<u8>> = self.extensions.iter().map(ExtensionSpec::build).collect();
                explicit(3, &seq(&all.iter().map(Vec::as_slice).collect::<Vec<_>>()))
            }
        };
        seq(&[
            &self.version,
            &self.serial,
            &self.inner_algorithm,
            &self.issuer,
            &seq(&[&self.not_before, &self.not_after]),
            &self.subject,
            &self.spki,
            &self.unique_ids,
            &extensions,
        ])
    }

    /// Puts an extension in the place of the one of its type, or at the end.
    pub fn set(&mut self, extension: ExtensionSpec) {
        match self.extensions.iter_mut().find(|one| one.oid == extension.oid) {
            Some(one) => *one = extension,
            None => self.extensions.push(extension),
        }
    }

    /// Takes the extension of this type away.
    pub fn remove(&mut self, oid: &str) {
        self.extensions.retain(|one| one.oid != oid);
    }

    /// The extension of this type, to change it.
    pub fn extension(&mut self, oid: &str) -> &mut ExtensionSpec {
        self.extensions.iter_mut().find(|one| one.oid == oid).expect("the specification has this extension")
    }

    /// Sets both dates from UTCTime text such as `260401000000Z`.
    pub fn dates(&mut self, not_before: &str, not_after: &str) {
        self.not_before = utc_time(not_before);
        self.not_after = utc_time(not_after);
    }
}

impl ExtensionSpec {
    fn build(&self) -> Vec<u8> {
        seq(&[&oid(&self.oid), &self.critical, &octets(&self.value)])
    }
}

/// An extension that is not critical.
pub fn extension(oid: &str, value: Vec<u8>) -> ExtensionSpec {
    ExtensionSpec { oid: oid.into(), critical: Vec::new(), value }
}

/// A critical extension.
pub fn critical(oid: &str, value: Vec<u8>) -> ExtensionSpec {
    ExtensionSpec { oid: oid.into(), critical: boolean(true), value }
}

/// subjectAltName of these GeneralNames' DER.
pub fn san(names: &[Vec<u8>]) -> Vec<u8> {
    seq(&names.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// A dNSName.
pub fn dns(name: &str) -> Vec<u8> {
    implicit(2, name.as_bytes())
}

/// extKeyUsage of these purposes.
pub fn purposes(all: &[&str]) -> Vec<u8> {
    seq(&all.iter().map(|one| oid(one)).collect::<Vec<_>>().iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// The key identifier of a subjectPublicKeyInfo by RFC 7093 section 2, method 1.
pub fn key_id(spki: &[u8]) -> Vec<u8> {
    let tree = examiner::cert::tlv::read(spki.into(), Default::default());
    let key = tree.root().and_then(|root| root.child(1)).and_then(|key| key.bit_string()).expect("a key").0;
    digest(&SHA256, key).as_ref()[..20].to_vec()
}

pub fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    let key = RsaKeyPair::from_pkcs8(key).expect("the fixture's key reads");
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).expect("an RSA key signs");
    signature
}

pub fn ca_name(common_name: &str) -> Vec<u8> {
    name(&[("2.5.4.6", printable("NL")), ("2.5.4.10", utf8("Fixture Trust")), ("2.5.4.3", utf8(common_name))])
}

fn access() -> Vec<u8> {
    let one = |method: &str, url: &str| seq(&[&oid(method), &implicit(6, url.as_bytes())]);
    seq(&[
        &one("1.3.6.1.5.5.7.48.1", "http://ocsp.trust.example.com/"),
        &one("1.3.6.1.5.5.7.48.2", "http://ca.trust.example.com/issuer.der"),
    ])
}

fn lists(url: &str) -> Vec<u8> {
    seq(&[&seq(&[&explicit(0, &explicit(0, &implicit(6, url.as_bytes())))])])
}

/// Signed certificate timestamps of the right form (RFC 6962 section 3.3) from logs that do not exist.
pub fn timestamps(logs: &[u8]) -> Vec<u8> {
    let mut list = Vec::new();
    for log in logs {
        let mut one = vec![0];
        one.extend([*log; 32]);
        one.extend(1_775_001_600_000u64.to_be_bytes());
        one.extend([0, 0, 4, 3, 0, 70]);
        one.extend([0x30, 0x44, 0x02, 0x20]);
        one.extend([0x33; 32]);
        one.extend([0x02, 0x20]);
        one.extend([0x44; 32]);
        list.extend((one.len() as u16).to_be_bytes());
        list.extend(one);
    }
    octets(&[&(list.len() as u16).to_be_bytes()[..], &list].concat())
}

/// A server certificate for `www.example.com` and `example.com`, 2026-04-01 to 2026-06-29, domain validated.
pub fn leaf() -> CertificateSpec {
    CertificateSpec {
        version: explicit(0, &integer(&[2])),
        serial: integer(&[
            0x31, 0x9c, 0x07, 0xe4, 0x5b, 0xd2, 0x68, 0xaf, 0x10, 0x93, 0xc5, 0x7e, 0x21, 0x84, 0xf6, 0x0b,
        ]),
        inner_algorithm: algorithm_null(SHA256_RSA),
        issuer: ca_name("Fixture Issuing CA 1"),
        not_before: utc_time("260401000000Z"),
        not_after: utc_time("260629235959Z"),
        subject: seq(&[]),
        spki: LEAF_P256.to_vec(),
        unique_ids: Vec::new(),
        extensions: vec![
            critical("2.5.29.15", named_bits(&[0])),
            extension("2.5.29.37", purposes(&["1.3.6.1.5.5.7.3.1"])),
            critical("2.5.29.17", san(&[dns("www.example.com"), dns("example.com")])),
            extension("2.5.29.35", seq(&[&implicit(0, &key_id(ISSUING_SPKI))])),
            extension("1.3.6.1.5.5.7.1.1", access()),
            extension("2.5.29.32", seq(&[&seq(&[&oid("2.23.140.1.2.1")])])),
            extension("2.5.29.31", lists("http://crl.trust.example.com/issuing1.crl")),
            extension("1.3.6.1.4.1.11129.2.4.2", timestamps(&[0x11, 0x22])),
        ],
        extensions_der: None,
        outer_algorithm: algorithm_null(SHA256_RSA),
        signer: ISSUING_KEY,
        signature: None,
    }
}

/// The CA that issued [`leaf`].
pub fn issuing() -> CertificateSpec {
    CertificateSpec {
        serial: integer(&[
            0x52, 0x1a, 0xd3, 0x66, 0x0e, 0xb1, 0x94, 0x27, 0x7d, 0xc8, 0x3f, 0x05, 0xea, 0x49, 0x60, 0x12,
        ]),
        issuer: ca_name("Fixture Root 1"),
        not_before: utc_time("250301000000Z"),
        not_after: utc_time("300228235959Z"),
        subject: ca_name("Fixture Issuing CA 1"),
        spki: ISSUING_SPKI.to_vec(),
        extensions: vec![
            critical("2.5.29.19", seq(&[&boolean(true), &integer(&[0])])),
            critical("2.5.29.15", named_bits(&[0, 5, 6])),
            extension("2.5.29.37", purposes(&["1.3.6.1.5.5.7.3.1"])),
            extension("2.5.29.14", octets(&key_id(ISSUING_SPKI))),
            extension("2.5.29.35", seq(&[&implicit(0, &key_id(ROOT_SPKI))])),
            extension("1.3.6.1.5.5.7.1.1", access()),
            extension("2.5.29.32", seq(&[&seq(&[&oid("2.23.140.1.2.1")])])),
            extension("2.5.29.31", lists("http://crl.trust.example.com/root1.crl")),
        ],
        signer: ROOT_KEY,
        ..leaf()
    }
}

/// The root that issued [`issuing`].
pub fn root() -> CertificateSpec {
    CertificateSpec {
        serial: integer(&[
            0x73, 0x40, 0x8e, 0x1c, 0xb9, 0x25, 0xd7, 0x6a, 0x03, 0xf8, 0x5c, 0x91, 0x2e, 0xad, 0x74, 0x36,
        ]),
        not_before: utc_time("200101000000Z"),
        not_after: utc_time("391231235959Z"),
        subject: ca_name("Fixture Root 1"),
        spki: ROOT_SPKI.to_vec(),
        extensions: vec![
            critical("2.5.29.19", seq(&[&boolean(true)])),
            critical("2.5.29.15", named_bits(&[5, 6])),
            extension("2.5.29.14", octets(&key_id(ROOT_SPKI))),
        ],
        ..issuing()
    }
}

/// A client certificate for a person, under the same CA; use it with the profile `mtls-client`.
pub fn client() -> CertificateSpec {
    let mut spec = leaf();
    spec.subject = name(&[("2.5.4.10", utf8("Acme")), ("2.5.4.3", utf8("svc-billing"))]);
    spec.set(extension("2.5.29.37", purposes(&["1.3.6.1.5.5.7.3.2"])));
    spec.set(extension("2.5.29.17", san(&[implicit(6, b"spiffe://acme.example.com/svc-billing")])));
    spec.remove("1.3.6.1.4.1.11129.2.4.2");
    spec.remove("2.5.29.32");
    spec
}
