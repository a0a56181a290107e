//! Keys: most made by rcgen; RSA keys too weak or too odd for it by the real openssl.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{KeyPair, PublicKeyData, RsaKeySize, SignatureAlgorithm, SigningKey};

use crate::process;

/// What kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// ECDSA on P-256, the default.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// RSA of 2048 bit.
    Rsa2048,
    /// RSA of 4096 bit.
    Rsa4096,
    /// RSA of 1024 bit, made by openssl. rustls cannot sign with it: show it with curl or `openssl s_client`,
    /// which need `DEFAULT@SECLEVEL=0` for that.
    Rsa1024,
    /// RSA of 2048 bit with the public exponent 3, made by openssl.
    RsaExponent3,
}

/// A private key; clones are the same key, so that a renewal can keep it.
#[derive(Clone)]
pub struct TestKey(Arc<Kind>);

enum Kind {
    Native(KeyPair),
    Openssl { pem: String, public: Vec<u8> },
}

impl TestKey {
    /// Makes a new key.
    pub fn new(kind: KeyType) -> Self {
        let native = |algorithm| Kind::Native(KeyPair::generate_for(algorithm).expect("a key"));
        Self(Arc::new(match kind {
            KeyType::P256 => native(&rcgen::PKCS_ECDSA_P256_SHA256),
            KeyType::P384 => native(&rcgen::PKCS_ECDSA_P384_SHA384),
            KeyType::P521 => native(&rcgen::PKCS_ECDSA_P521_SHA512),
            KeyType::Ed25519 => native(&rcgen::PKCS_ED25519),
            KeyType::Rsa2048 => native(&rcgen::PKCS_RSA_SHA256),
            KeyType::Rsa4096 => Kind::Native(
                KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, RsaKeySize::_4096).expect("a key"),
            ),
            KeyType::Rsa1024 => openssl_rsa(&["-pkeyopt", "rsa_keygen_bits:1024"]),
            KeyType::RsaExponent3 => {
                openssl_rsa(&["-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3"])
            }
        }))
    }

    /// The key of a PEM text with an unencrypted PKCS#8 block.
    pub fn from_pem(pem: &str) -> Self {
        Self(Arc::new(Kind::Native(KeyPair::from_pem(pem).expect("a private key that rcgen reads"))))
    }

    /// An RSA key of which only the public half is known, numbers big-endian: for certificates that a CA issues.
    pub fn rsa_public(modulus: &[u8], exponent: &[u8]) -> Self {
        let numbers = [integer(modulus), integer(exponent)].concat();
        Self(Arc::new(Kind::Openssl { pem: String::new(), public: element(0x30, &numbers) }))
    }

    /// The unencrypted private key as PKCS#8 PEM.
    pub fn pem(&self) -> String {
        match &*self.0 {
            Kind::Native(pair) => pair.serialize_pem(),
            Kind::Openssl { pem, .. } => pem.clone(),
        }
    }

    /// Signs with `digest` (`sha1`, `sha256`, …) by the real openssl; for hashes nobody should sign with.
    pub(super) fn sign_by_openssl(&self, digest: &str, message: &[u8]) -> Vec<u8> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let key = dir.path().join("key.pem");
        std::fs::write(&key, self.pem()).expect("the key file");
        let digest = format!("-{digest}");
        openssl(Command::new("openssl").args(["dgst", &digest, "-sign"]).arg(key), message)
    }

    pub(super) fn is_rsa(&self) -> bool {
        self.algorithm() == &rcgen::PKCS_RSA_SHA256
    }
}

impl PublicKeyData for TestKey {
    fn der_bytes(&self) -> &[u8] {
        match &*self.0 {
            Kind::Native(pair) => pair.der_bytes(),
            Kind::Openssl { public, .. } => public,
        }
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        match &*self.0 {
            Kind::Native(pair) => pair.algorithm(),
            Kind::Openssl { .. } => &rcgen::PKCS_RSA_SHA256,
        }
    }
}

impl SigningKey for TestKey {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        match &*self.0 {
            Kind::Native(pair) => pair.sign(message),
            Kind::Openssl { .. } => Ok(self.sign_by_openssl("sha256", message)),
        }
    }
}

/// A non-negative INTEGER in DER.
fn integer(big_endian: &[u8]) -> Vec<u8> {
    let zeros = big_endian.iter().take_while(|byte| **byte == 0).count();
    let digits = &big_endian[zeros..];
    let sign: &[u8] = if digits.first().is_none_or(|first| *first >= 0x80) { &[0] } else { &[] };
    element(2, &[sign, digits].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u32).to_be_bytes();
    match content.len() {
        0..=0x7f => [&[tag, length[3]], content].concat(),
        0x80..=0xff => [&[tag, 0x81, length[3]], content].concat(),
        0x100..=0xffff => [&[tag, 0x82], &length[2..], content].concat(),
        _ => [&[tag, 0x83], &length[1..], content].concat(),
    }
}

fn openssl_rsa(options: &[&str]) -> Kind {
    let pem =
        openssl(Command::new("openssl").args(["genpkey", "-quiet", "-algorithm", "RSA"]).args(options), b"");
    let public = openssl(Command::new("openssl").args(["rsa", "-RSAPublicKey_out", "-outform", "DER"]), &pem);
    Kind::Openssl { pem: String::from_utf8(pem).expect("PEM is text"), public }
}

fn openssl(command: &mut Command, input: &[u8]) -> Vec<u8> {
    process::run(command, input, Duration::from_secs(30)).ok().stdout_bytes
}
