//! Certificates a second on one core, beside what the bare signature costs; lists and OCSP answers.
//!
//! `cargo bench -p authority`.
#![allow(missing_docs)]

use authority::crl::{self, About, CrlEntry};
use authority::ocsp::{Request, Responder, Status, delegate};
use authority::{CreateOptions, Hierarchy, KeyType, Passphrase, Role, keys};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use examiner::{Certificate, UnixTime};
use policy::issuance::{Plan, Profile, Reason, check};

const NOW: UnixTime = UnixTime(1_803_902_400);
const ID: &str = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";

/// A request about one certificate by SHA-1, as openssl makes it (RFC 6960 section 4.1).
fn question(issuer: &Certificate, serial: &[u8]) -> Vec<u8> {
    let spki = spki::SubjectPublicKeyInfoRef::try_from(&*issuer.spki).expect("a key");
    let tlv = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).expect("short");
        let head = if length < 0x80 { vec![tag, length] } else { vec![tag, 0x81, length] };
        [head, content.to_vec()].concat()
    };
    let sha1 = |bytes: &[u8]| {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
        tlv(4, hash.as_ref())
    };
    let algorithm = tlv(0x30, &[6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0]);
    let parts =
        [algorithm, sha1(&issuer.subject_der), sha1(spki.subject_public_key.raw_bytes()), tlv(2, serial)];
    let list = tlv(0x30, &tlv(0x30, &tlv(0x30, &parts.concat())));
    tlv(0x30, &tlv(0x30, &list))
}

fn benches(c: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a directory");
    let passphrase = Passphrase::new("correct horse battery staple").expect("a passphrase");
    let options = CreateOptions {
        sites: vec!["portal.test".into()],
        key_type: KeyType::EcdsaP256,
        now: NOW,
        organisation: "Bench".into(),
        store: authority::KeyStore::Files,
    };
    let own = Hierarchy::create(&directory.path().join("ca"), &passphrase, &options).expect("a hierarchy");
    let signer = own.unlock(Role::Client, &passphrase).expect("the client CA");
    let spki = keys::generate(KeyType::EcdsaP256).and_then(|key| key.spki()).expect("a key");

    let mut group = c.benchmark_group("issue");
    group.throughput(Throughput::Elements(1));
    group.bench_function("the bare signature", |b| {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref()).expect("it");
        let content = [7; 500];
        b.iter(|| key.sign(&random, &content).expect("a signature"));
    });
    group.bench_function("a plan checked, examined and signed", |b| {
        b.iter(|| {
            let window = signer.window();
            let plan = Plan::new(Profile::Person, "alice", ID, spki.clone(), window, NOW);
            signer.issue(&check(plan, window, NOW).expect("a sound plan")).expect("a certificate")
        });
    });
    group.finish();

    let client = own.certificate(Role::Client);
    let key = delegate::new_key(client).expect("a key");
    let named = signer.delegate(&key.spki().expect("it"), NOW).expect("named");
    let named = Certificate::from_der(&named).expect("a certificate");
    let responder = Responder::new(key, named, client.clone()).expect("a responder");
    let asked = question(client, &[1; 16]);
    c.bench_function("an OCSP answer read and signed", |b| {
        b.iter(|| {
            let request = Request::read(&asked).expect("a request");
            assert!(request.wanted[0].is_of(client));
            responder.answer(&request, &[Status::Good], NOW).expect("an answer")
        });
    });

    let entry = |i: u32| CrlEntry {
        serial: [&[1; 12][..], &i.to_be_bytes()].concat(),
        revoked_at: NOW,
        reason: Reason::Superseded,
    };
    let entries: Vec<CrlEntry> = (0..50_000).map(entry).collect();
    let about =
        About { number: 7, this_update: NOW, next_update: NOW.plus(crl::LIFE_SECONDS), addresses: &[] };
    let mut group = c.benchmark_group("list");
    group.sample_size(10);
    group.bench_function("50000 entries", |b| {
        b.iter(|| crl::build(&signer, entries.iter().cloned(), about).expect("a list"));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
