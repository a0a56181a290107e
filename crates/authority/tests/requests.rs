//! Certification requests as openssl makes them.

mod support;

use authority::csr::{self, CsrError};
use examiner::{Certificate, GeneralName, PublicKey};
use policy::issuance::Profile;
use support::{ALICE, World, openssl};

/// A request for a new key of these openssl options, DER.
fn request(options: &[&str]) -> Vec<u8> {
    let dir = tempfile::tempdir().unwrap();
    let (key, out) = (dir.path().join("key"), dir.path().join("csr"));
    let mut arguments = vec!["req", "-new", "-nodes", "-subj", "/CN=mallory/O=Bank", "-outform", "DER"];
    arguments.extend(["-keyout", key.to_str().unwrap(), "-out", out.to_str().unwrap()]);
    arguments.extend(options);
    openssl(&arguments).unwrap();
    std::fs::read(out).unwrap()
}

const P256: [&str; 4] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

fn pem(der: &[u8]) -> String {
    examiner::cert::pem::encode("CERTIFICATE REQUEST", der)
}

fn kind(der: &[u8]) -> PublicKey {
    PublicKey::from_spki(csr::read(der).unwrap().spki()).unwrap()
}

#[test]
fn requests_with_strong_keys_are_read() {
    assert_eq!(kind(&request(&P256)), PublicKey::P256);
    for hash in ["-sha384", "-sha512"] {
        assert_eq!(kind(&request(&[&P256[..], &[hash]].concat())), PublicKey::P256, "{hash}");
    }
    assert_eq!(kind(&request(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"])), PublicKey::P384);
    assert_eq!(kind(&request(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"])), PublicKey::P521);
    assert_eq!(kind(&request(&["-newkey", "ed25519"])), PublicKey::Ed25519);
    for hash in ["-sha256", "-sha384", "-sha512"] {
        assert!(matches!(
            kind(&request(&["-newkey", "rsa:2048", hash])),
            PublicKey::Rsa { modulus_bits: 2048, .. }
        ));
    }
}

#[test]
fn pem_is_read_with_either_label_and_text_before_it() {
    let der = request(&P256);
    let expected = csr::read(&der).unwrap();
    let text = pem(&der);
    for text in
        [text.clone(), format!("Certificate Request:\n    Data:\n{text}\n"), text.replace("CERT", "NEW CERT")]
    {
        assert_eq!(csr::read(text.as_bytes()), Ok(expected.clone()), "{text}");
    }
}

#[test]
fn a_weak_key_is_refused_with_its_size_named() {
    let refused = csr::read(&request(&["-newkey", "rsa:1024"])).unwrap_err();
    assert_eq!(refused, CsrError::WeakKey("RSA 1024 bit".into()));
    assert!(refused.to_string().contains("RSA 1024 bit"));
    let curve = request(&["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp256k1"]);
    assert!(matches!(csr::read(&curve), Err(CsrError::WeakKey(_))));
}

#[test]
fn a_request_that_its_key_did_not_sign_is_refused() {
    let mut der = request(&["-newkey", "ed25519"]);
    assert!(csr::read(&der).is_ok());
    *der.last_mut().unwrap() ^= 1;
    assert_eq!(csr::read(&der), Err(CsrError::NoProofOfPossession));

    let mut renamed = request(&P256);
    let at = renamed.windows(7).position(|part| part == b"mallory").unwrap();
    renamed[at] = b'M';
    assert_eq!(csr::read(&renamed), Err(CsrError::NoProofOfPossession));
}

#[test]
fn a_signature_that_proves_nothing_is_refused() {
    let refused = csr::read(&request(&["-newkey", "rsa:2048", "-sha1"])).unwrap_err();
    assert!(matches!(refused, CsrError::SignatureAlgorithm(_)), "{refused}");
}

#[test]
fn trailing_data_and_what_is_no_request_are_refused() {
    let der = request(&P256);
    assert_eq!(csr::read(&[&der[..], &[0]].concat()), Err(CsrError::TrailingData));
    let twice = pem(&der) + &pem(&der);
    assert_eq!(csr::read(twice.as_bytes()), Err(CsrError::TrailingData));
    let within = pem(&[&der[..], &[0]].concat());
    assert_eq!(csr::read(within.as_bytes()), Err(CsrError::TrailingData));
    for bytes in [&b""[..], b"hello", &der[..der.len() - 1], &[0x30, 0x80], &[0xff; 100], &[0x30; 70_000]] {
        assert!(matches!(csr::read(bytes), Err(CsrError::Malformed(_))), "{bytes:?}");
    }
    let certificate = examiner::cert::pem::encode("CERTIFICATE", &der);
    assert!(matches!(csr::read(certificate.as_bytes()), Err(CsrError::Malformed(_))));
}

#[test]
fn nothing_that_a_request_asks_for_gets_into_the_certificate() {
    let world = World::new();
    let der = request(
        &[
            &P256[..],
            &[
                "-addext",
                "basicConstraints=critical,CA:TRUE",
                "-addext",
                "subjectAltName=DNS:bank.example,email:ceo@bank",
            ],
            &["-addext", "extendedKeyUsage=serverAuth,codeSigning", "-addext", "keyUsage=keyCertSign"],
        ]
        .concat(),
    );
    let key = csr::read(&der).unwrap();
    let checked = world.plan_for(Profile::Person, key.spki().to_vec(), |_| {});
    let issued = world.signer(authority::Role::Client).issue(&checked).unwrap();
    let certificate = Certificate::from_der(&issued.der).unwrap();
    assert_eq!(*certificate.spki, *key.spki());
    assert!(!certificate.is_ca);
    assert_eq!(certificate.subject.to_string(), "CN=alice");
    assert_eq!(certificate.subject_alt_names, [GeneralName::Uri(format!("urn:uuid:{ALICE}"))]);
    assert_eq!(certificate.extended_key_usage, Some(vec!["1.3.6.1.5.5.7.3.2".into()]));
    world.verify(&issued, "sslclient", &[]).unwrap();
}

#[test]
fn the_key_of_an_own_ca_is_certified_for_nobody() {
    let world = World::new();
    for role in authority::Role::ALL {
        let spki = world.hierarchy.certificate(role).spki.to_vec();
        for profile in [Profile::Person, Profile::Server, Profile::Operator] {
            let checked = world.plan_for(profile, spki.clone(), |_| {});
            let refused = world.signer(authority::Role::of(profile)).issue(&checked).unwrap_err();
            assert!(matches!(refused, authority::AuthorityError::KeyOfCa(of) if of == role), "{refused}");
        }
    }
}
