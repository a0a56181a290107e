//! Certificates with keys and names of a size that costs work: refused or ended, and the gate serves on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use num_bigint::BigUint;
use rustls::sign::{Signer, SigningKey};
use rustls::version::{TLS12, TLS13};
use rustls::{Error, SignatureAlgorithm, SignatureScheme};
use testkit::{Leaf, Portal, TestCa, TestCert, TestKey, openssl};

use crate::certificates::with_acme;
use crate::forger::{Place, Proof, forge};
use crate::support::{SITE, assert_alive, block_on};

/// How soon alice must be served after a visitor who costs work.
const SOON: Duration = Duration::from_secs(10);

/// An RSA key of any size and exponent, of many small primes: it works like any other, and is soon made and used.
#[derive(Clone, Debug)]
struct OddRsa {
    modulus: BigUint,
    public: BigUint,
    /// Each prime, and the inverse of the public exponent for it.
    secret: Vec<(BigUint, BigUint)>,
}

impl OddRsa {
    /// So many primes of 512 bits; five of them make a key of a common size.
    fn new(primes: usize, exponent: u64) -> Self {
        let public = BigUint::from(exponent);
        let mut key = Self { modulus: BigUint::from(1_u8), public, secret: Vec::new() };
        while key.secret.len() < primes {
            let made = openssl(std::env::temp_dir().as_path(), &["prime", "-generate", "-bits", "512"], b"");
            let prime: BigUint = made.ok().stdout.trim().parse().unwrap();
            if let Some(inverse) = key.public.modinv(&(&prime - 1_u8)) {
                key.modulus *= &prime;
                key.secret.push((prime, inverse));
            }
        }
        key
    }

    /// The root of this number: prime by prime, joined by the Chinese remainder theorem.
    fn root(&self, number: &BigUint) -> BigUint {
        let (mut root, mut product) = (BigUint::from(0_u8), BigUint::from(1_u8));
        for (prime, inverse) in &self.secret {
            let part = number.modpow(inverse, prime);
            let missing = (part + prime - &root % prime) * product.modinv(prime).unwrap() % prime;
            root += &product * missing;
            product *= prime;
        }
        root
    }

    fn certificate(&self, ca: &TestCa, name: &str) -> TestCert {
        let key = TestKey::rsa_public(&self.modulus.to_bytes_be(), &self.public.to_bytes_be());
        Leaf::new(name).key(&key).issued_by(ca)
    }
}

impl SigningKey for OddRsa {
    fn choose_scheme(&self, _offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(self.clone()))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RSA
    }
}

impl Signer for OddRsa {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017 section 8.2.1), for TLS 1.2.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let length = self.modulus.bits().div_ceil(8) as usize;
        let info = [0x30, 49, 0x30, 13, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 32];
        let mut encoded = vec![0, 1];
        encoded.resize(length - info.len() - 33, 0xff);
        encoded.push(0);
        encoded.extend(info);
        encoded.extend(digest::digest(&digest::SHA256, message).as_ref());
        let bytes = self.root(&BigUint::from_bytes_be(&encoded)).to_bytes_be();
        Ok([vec![0; length - bytes.len()], bytes].concat())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::RSA_PKCS1_SHA256
    }
}

/// alice is served at once, and nobody else was.
#[track_caller]
fn assert_serves_alice(portal: &mut Portal, what: &str) {
    let before = portal.echo.count();
    let began = Instant::now();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "after {what}");
    assert!(began.elapsed() < SOON, "{what} kept alice waiting for {:?}", began.elapsed());
    assert_eq!(portal.echo.count(), before + 1, "{what}");
    assert_alive(portal);
}

#[test]
fn keys_that_cost_work_are_refused_and_the_next_is_served() {
    let acme = TestCa::new("Acme CA");
    let mut portal = with_acme(&acme);
    portal.start_gate();
    // The way in is open for everybody from acme: a key of a common size and exponent shows that.
    let good = OddRsa::new(5, 65_537);
    let chain = good.certificate(&acme, "good").chain_pem;
    let outcome = forge(&portal, &chain, Arc::new(good), &TLS12, Place::Right, Proof::Real);
    assert!(outcome.said.starts_with("HTTP/1.1 200"), "{outcome:?}");

    for (what, primes, exponent) in
        [("RSA of 16384 bit", 32, 65_537), ("e = 3", 5, 3), ("e = 2^32 + 15", 5, (1 << 32) + 15)]
    {
        let key = OddRsa::new(primes, exponent);
        let chain = key.certificate(&acme, "odd").chain_pem;
        let before = portal.echo.count();
        let outcome = forge(&portal, &chain, Arc::new(key), &TLS12, Place::Right, Proof::Real);
        assert!(outcome.said.contains("weak-key") || outcome.alert.is_some(), "{what}: {outcome:?}");
        assert!(!outcome.said.starts_with("HTTP/1.1 200"), "{what}: {outcome:?}");
        assert_eq!(portal.echo.count(), before, "{what} reached the upstream");
        assert_serves_alice(&mut portal, what);
    }
}

#[test]
fn keys_beyond_all_sense_end_the_handshake() {
    let acme = TestCa::new("Acme CA");
    let mut portal = with_acme(&acme);
    portal.start_gate();
    let odd = vec![0xff; 256];
    let key: Arc<dyn SigningKey> = Arc::new(OddRsa::new(5, 65_537));
    for (what, modulus, exponent) in [
        ("e = 2^31", odd.clone(), vec![0x80, 0, 0, 0]),
        ("e = 0", odd.clone(), vec![0]),
        ("e as long as the modulus", odd.clone(), odd.clone()),
        ("a modulus of 0", vec![0], vec![1, 0, 1]),
        ("an even modulus", [vec![0xff; 255], vec![0]].concat(), vec![3]),
        ("16384 bit, e of 64 bit", vec![0xff; 2048], vec![0xff; 8]),
        ("480,000 bit", vec![0xff; 60_000], vec![1, 0, 1]),
        ("480,000 bit, e of 8,000 bit", vec![0xff; 60_000], vec![0xff; 1_000]),
    ] {
        let cert = Leaf::new("odd").key(&TestKey::rsa_public(&modulus, &exponent)).issued_by(&acme);
        let before = portal.echo.count();
        for (version, scheme) in
            [(&TLS13, SignatureScheme::RSA_PSS_SHA256), (&TLS12, SignatureScheme::RSA_PKCS1_SHA256)]
        {
            // A signature of another length than the modulus is told from a right one without any work.
            for length in [256, modulus.len()] {
                let proof = Proof::Bytes(scheme, vec![0x55; length].leak());
                let outcome = forge(&portal, &cert.chain_pem, key.clone(), version, Place::Right, proof);
                assert_eq!(outcome.said, "", "{what}");
                // A client that still writes tens of kilobytes may meet the end before it reads the alert.
                assert!(outcome.alert.is_some() || modulus.len() > 10_000, "{what}: {outcome:?}");
            }
        }
        assert_eq!(portal.echo.count(), before, "{what} reached the upstream");
        assert_serves_alice(&mut portal, what);
    }
}

#[test]
fn certificates_with_too_many_or_too_long_names_are_refused_or_ended() {
    let acme = TestCa::new("Acme CA");
    let mut portal = with_acme(&acme);
    portal.start_gate();
    let stranger = TestCa::new("Stranger CA");
    let many = |ca: &TestCa, more: &str| {
        (0..10_000).fold(Leaf::new("many"), |leaf, n| leaf.dns(&format!("{n:x}{more}"))).issued_by(ca)
    };
    let long = "x".repeat(60_000);
    let named = |ca: &TestCa| Leaf::new(&long).issued_by(ca);
    for (what, cert, fits) in [
        ("10,000 short names", many(&stranger, ""), true),
        ("10,000 host names of a CA that is trusted", many(&acme, ".host.test"), false),
        ("10,000 host names", many(&stranger, ".host.test"), false),
        ("a name of 60 kB", named(&stranger), true),
        ("names of 60 kB on both sides, self-signed", Leaf::new(&long).self_signed(), false),
    ] {
        let before = portal.echo.count();
        for client in [portal.client().showing(&cert).tls13(), portal.client().showing(&cert).tls12()] {
            match block_on(client.knock(portal.port, SITE, "/")) {
                Ok(answer) => {
                    assert!(fits, "{what} is over 64 kB: {answer:?}");
                    assert_eq!((answer.status, answer.code().as_str()), (403, "unknown-issuer"), "{what}");
                }
                Err(ended) => assert!(!fits || ended.alert.is_some(), "{what}: {ended:?}"),
            }
        }
        assert_eq!(portal.echo.count(), before, "{what} reached the upstream");
        assert_serves_alice(&mut portal, what);
    }
}
