//! Revocation lists, judged by openssl.

mod support;

use authority::crl::{self, About, CrlEntry};
use authority::{Role, Signer};
use policy::issuance::{Profile, Reason};
use support::{NOW, World, openssl};

fn list(signer: &Signer, entries: Vec<CrlEntry>) -> Vec<u8> {
    part(signer, entries, &[])
}

fn part(signer: &Signer, entries: Vec<CrlEntry>, addresses: &[String]) -> Vec<u8> {
    let next_update = NOW.plus(crl::LIFE_SECONDS);
    crl::build(signer, entries, About { number: 7, this_update: NOW, next_update, addresses }).unwrap()
}

fn entry(serial: &[u8], reason: Reason) -> CrlEntry {
    CrlEntry { serial: serial.to_vec(), revoked_at: NOW.plus(-60), reason }
}

/// What openssl says of the list, once it verified the signature with this CA's certificate.
fn shown(world: &World, der: &[u8], ca: &str) -> Result<String, String> {
    let path = world.write("list.crl", der);
    let ca = world.ca.join(ca);
    let (path, ca) = (path.to_str().unwrap(), ca.to_str().unwrap());
    let at = "-inform DER -noout -text".split(' ');
    openssl(&["crl"].into_iter().chain(at).chain(["-in", path, "-CAfile", ca]).collect::<Vec<_>>())
}

#[test]
fn a_list_says_who_is_revoked_since_when_and_why() {
    let world = World::new();
    let all = Reason::ALL.into_iter().enumerate();
    let entries = all.map(|(i, reason)| entry(&[1, i as u8], reason)).collect();
    let text = shown(&world, &list(&world.signer(Role::Client), entries), "client.pem").unwrap();
    for expected in [
        "verify OK",
        "Version 2 (0x1)",
        "X509v3 CRL Number: \n                7",
        "X509v3 Authority Key Identifier:",
        "Last Update: Jan 15 08:00:00 2027 GMT",
        "Next Update: Jan 22 08:00:00 2027 GMT",
        "Serial Number: 0100\n        Revocation Date: Jan 15 07:59:00 2027 GMT",
        "Key Compromise",
        "Affiliation Changed",
        "Superseded",
        "Cessation Of Operation",
        "Certificate Hold",
        "Privilege Withdrawn",
        "CA Compromise",
        "AA Compromise",
    ] {
        assert!(text.contains(expected), "{expected} in\n{text}");
    }
    assert_eq!(text.matches("Serial Number:").count(), 9);
    assert_eq!(text.matches("CRL Reason Code").count(), 8, "no code where no reason was given");
}

#[test]
fn an_empty_list_verifies_with_its_own_ca_only() {
    let world = World::new();
    let der = list(&world.signer(Role::Operator), vec![]);
    let text = shown(&world, &der, "operator.pem").unwrap();
    assert!(text.contains("verify OK") && text.contains("No Revoked Certificates."), "{text}");
    assert!(shown(&world, &der, "client.pem").is_err());
}

#[test]
fn a_listed_certificate_is_refused_and_another_is_not() {
    let world = World::new();
    let (bad, good) = (world.issue(Profile::Person, |_| {}), world.issue(Profile::Person, |_| {}));
    let serial = examiner::Certificate::from_der(&bad.der).unwrap().serial;
    let der = list(&world.signer(Role::Client), vec![entry(&serial, Reason::KeyCompromise)]);
    let path = world.write("list.pem", examiner::cert::pem::encode("X509 CRL", &der));
    let check = ["-crl_check", "-CRLfile", path.to_str().unwrap()];
    world.verify(&good, "sslclient", &check).unwrap();
    let refused = world.verify(&bad, "sslclient", &check).unwrap_err();
    assert!(refused.contains("certificate revoked"), "{refused}");
}

#[test]
fn a_part_of_a_list_is_taken_for_the_certificates_that_name_it_and_for_no_others() {
    let world = World::new();
    let address = |part: u8| format!("http://lists.test/crl/own-{part}.crl");
    let leaf = |part: u8| {
        world.issue(Profile::Person, |plan| {
            (plan.shard, plan.crl_url) = (part, Some(address(part)));
        })
    };
    let (bad, good, other) = (leaf(2), leaf(2), leaf(3));
    let serial = examiner::Certificate::from_der(&bad.der).unwrap().serial;
    assert_eq!(serial[0], 2);
    let entries = vec![entry(&serial, Reason::Superseded)];
    let der = part(&world.signer(Role::Client), entries, &[address(2), "http://former.test/2.crl".into()]);
    let text = shown(&world, &der, "client.pem").unwrap();
    assert!(text.contains("X509v3 Issuing Distribution Point: critical"), "{text}");
    assert!(text.contains("URI:http://lists.test/crl/own-2.crl"), "{text}");
    let path = world.write("part.pem", examiner::cert::pem::encode("X509 CRL", &der));
    let check = ["-crl_check", "-CRLfile", path.to_str().unwrap()];
    world.verify(&good, "sslclient", &check).unwrap();
    let refused = world.verify(&bad, "sslclient", &check).unwrap_err();
    assert!(refused.contains("certificate revoked"), "{refused}");
    let refused = world.verify(&other, "sslclient", &check).unwrap_err();
    assert!(refused.contains("different CRL scope"), "{refused}");
}
