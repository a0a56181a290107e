//! Keys that can be computed are certified for nobody, whatever signed the request.

mod support;

use authority::csr::{self, CsrError};
use der::asn1::Any;
use der::{Decode, Encode, Tag};
use policy::issuance::{IssueError, Plan, Profile, check};
use spki::SubjectPublicKeyInfoRef;
use support::{ALICE, NOW, World};

fn wrapped(tag: Tag, content: &[u8]) -> Vec<u8> {
    Any::new(tag, content).unwrap().to_der().unwrap()
}

/// A certificate request for this key, DER, signed by nobody.
fn request(spki: &[u8]) -> Vec<u8> {
    let info = wrapped(Tag::Sequence, &[&[2, 1, 0, 0x30, 0][..], spki, &[0xa0, 0]].concat());
    let sha256_with_rsa = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 11, 5, 0];
    wrapped(Tag::Sequence, &[&info[..], &sha256_with_rsa, &wrapped(Tag::BitString, &[0; 257])].concat())
}

#[test]
fn a_key_that_everybody_can_compute_is_refused_with_the_reason() {
    let world = World::new();
    let window = world.hierarchy.window(authority::Role::Client);
    for (spki, reason) in [
        (&include_bytes!("keys/roca-2048.spki")[..], "ROCA"),
        (include_bytes!("keys/close-primes-2048.spki"), "primes are too close"),
        (include_bytes!("keys/small-factor-2048.spki"), "divisible by"),
    ] {
        match csr::read(&request(spki)) {
            Err(CsrError::WeakKey(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{reason}: {other:?}"),
        }
        let plan = Plan::new(Profile::Person, "alice", ALICE, spki.to_vec(), window, NOW);
        match check(plan, window, NOW) {
            Err(IssueError::WeakKey { what }) => assert!(what.contains(reason), "{what}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
    // A sound key of the same kind gets as far as the question who signed.
    let sound = include_bytes!("../../examiner/tests/support/keys/leaf-rsa2048.spki");
    assert_eq!(csr::read(&request(sound)), Err(CsrError::NoProofOfPossession));
}

/// The same RSA key with another exponent, given as an INTEGER's content.
fn with_exponent(spki: &[u8], exponent: &[u8]) -> Vec<u8> {
    let read = SubjectPublicKeyInfoRef::from_der(spki).unwrap();
    let numbers = Vec::<Any>::from_der(read.subject_public_key.raw_bytes()).unwrap();
    let key =
        wrapped(Tag::Sequence, &[numbers[0].to_der().unwrap(), wrapped(Tag::Integer, exponent)].concat());
    let bits = wrapped(Tag::BitString, &[&[0], &key[..]].concat());
    wrapped(Tag::Sequence, &[read.algorithm.to_der().unwrap(), bits].concat())
}

#[test]
fn an_exponent_that_is_small_even_or_huge_is_refused_with_the_reason() {
    let sound = include_bytes!("../../examiner/tests/support/keys/leaf-rsa2048.spki");
    let refused = |exponent: &[u8]| csr::read(&request(&with_exponent(sound, exponent))).unwrap_err();
    for (exponent, reason) in [
        (&[1][..], "exponent 1"),
        (&[3], "exponent 3"),
        (&[0, 0xff, 0xff], "exponent 65535"),
        (&[1, 0, 2], "exponent 65538"),
        (&[1, 0, 0, 0, 1], "exponent 4294967297"),
        (&[1, 0, 0, 0, 0, 0, 0, 0, 1], "exponent over 64 bit"),
    ] {
        match refused(exponent) {
            CsrError::WeakKey(why) => assert!(why.contains(reason), "{why}"),
            other => panic!("{reason}: {other:?}"),
        }
    }
    for exponent in [&[1, 0, 1][..], &[0, 0xff, 0xff, 0xff, 0xff]] {
        assert_eq!(refused(exponent), CsrError::NoProofOfPossession);
    }
}
