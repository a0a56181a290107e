//! What the small CA issues is what the real openssl says it is.

use std::path::Path;

use testkit::ca::{Crl, RevocationReason, Strings};
use testkit::{KeyType, Leaf, Output, TestCa, openssl};

fn verify(dir: &Path, root: &TestCa, issuing: &TestCa, leaf: &Leaf, purpose: &str) -> Output {
    let files = leaf.issued_by(issuing).write(dir, "leaf");
    root.write(dir, "root");
    let cert = files.cert.to_str().unwrap();
    let args = ["verify", "-CAfile", "root.pem", "-untrusted", cert, "-purpose", purpose, cert];
    openssl(dir, &args, b"")
}

#[test]
fn a_leaf_below_an_intermediate_verifies_for_its_purpose_only() {
    let dir = tempfile::tempdir().unwrap();
    let root = TestCa::new("Acme Root");
    let issuing = root.intermediate("Acme Issuing");
    let leaf = Leaf::new("alice").dns("alice.acme.example").email("alice@acme.example").uri("urn:alice");

    verify(dir.path(), &root, &issuing, &leaf, "sslclient").ok();
    assert!(verify(dir.path(), &root, &issuing, &leaf.clone().server_usage(), "sslclient").code != 0);
    verify(dir.path(), &root, &issuing, &Leaf::server("acme.example"), "sslserver").ok();
}

#[test]
fn what_should_be_wrong_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let root = TestCa::new("Acme Root");
    let narrow = TestCa::build("Acme Narrow").path_length(0).permit_dns("acme.example").under(&root);
    let below = narrow.intermediate("Acme Too Deep");
    let alice = Leaf::new("alice");
    let cases = [
        (&root, alice.clone().ended_yesterday(), "certificate has expired"),
        (&root, alice.clone().starts_tomorrow(), "certificate is not yet valid"),
        (&root, alice.clone().unknown_critical_extension(), "unhandled critical extension"),
        (&root, alice.clone().broken_signature(), "certificate signature failure"),
        (&narrow, alice.clone().dns("other.example"), "permitted subtree violation"),
        (&below, alice.clone(), "path length constraint exceeded"),
    ];

    for (issuer, leaf, complaint) in cases {
        let output = verify(dir.path(), &root, issuer, &leaf, "sslclient");
        assert!(output.stderr.contains(complaint), "wanted `{complaint}`: {}", output.story());
    }
    verify(dir.path(), &root, &narrow, &alice.dns("a.acme.example"), "sslclient").ok();
}

#[test]
fn keys_and_hashes_of_every_kind_are_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let rsa_root = TestCa::build("RSA Root").key_type(KeyType::Rsa2048).root();
    let ec_root = TestCa::new("EC Root");
    let text = |leaf: Leaf, root: &TestCa| {
        leaf.issued_by(root).write(dir.path(), "leaf");
        openssl(dir.path(), &["x509", "-in", "leaf.pem", "-noout", "-text"], b"").ok().stdout
    };
    let of = |kind| text(Leaf::new("alice").key_type(kind), &ec_root);

    assert!(of(KeyType::P256).contains("NIST CURVE: P-256"));
    assert!(of(KeyType::P384).contains("NIST CURVE: P-384"));
    assert!(of(KeyType::P521).contains("NIST CURVE: P-521"));
    assert!(of(KeyType::Ed25519).contains("ED25519"));
    assert!(of(KeyType::Rsa2048).contains("Public-Key: (2048 bit)"));
    assert!(of(KeyType::Rsa1024).contains("Public-Key: (1024 bit)"));
    assert!(of(KeyType::RsaExponent3).contains("Exponent: 3 (0x3)"));
    assert!(
        text(Leaf::new("alice").sha1(), &rsa_root).contains("Signature Algorithm: sha1WithRSAEncryption")
    );
    assert!(text(Leaf::new("alice").sha1(), &ec_root).contains("Signature Algorithm: ecdsa-with-SHA1"));
    assert!(text(Leaf::new("alice").empty_usage(), &ec_root).contains("X509v3 Extended Key Usage"));

    rsa_root.write(dir.path(), "root");
    Leaf::new("alice").sha1().issued_by(&rsa_root).write(dir.path(), "leaf");
    let lax = ["verify", "-auth_level", "0", "-CAfile", "root.pem", "leaf.pem"];
    openssl(dir.path(), &lax, b"").ok();
    let weak = Leaf::new("alice").key_type(KeyType::Rsa1024).self_signed();
    weak.write(dir.path(), "leaf");
    openssl(
        dir.path(),
        &["verify", "-auth_level", "0", "-check_ss_sig", "-CAfile", "leaf.pem", "leaf.pem"],
        b"",
    )
    .ok();
}

#[test]
fn a_renewal_keeps_key_and_subject_and_changes_the_rest() {
    let ca = TestCa::new("Acme Root");
    let leaf = Leaf::new("x").subject(&[("C", "NL"), ("O", "Lab"), ("CN", "svc-1")]);
    let first = leaf.issued_by(&ca);
    let second = leaf.clone().strings(Strings::Printable).key(&first.key).issued_by(&ca);

    assert_eq!(first.facts().key_pin, second.facts().key_pin);
    assert_eq!(first.facts().subject, second.facts().subject);
    assert_ne!(first.facts().subject_der, second.facts().subject_der);
    assert_ne!(first.facts().serial, second.facts().serial);
    assert_eq!(first.thumbprint(), first.facts().thumbprint.to_string());
    let copied = Leaf::new("y").subject_like(&first.facts()).self_signed();
    assert_eq!(copied.facts().subject, first.facts().subject);
}

#[test]
fn a_revocation_list_verifies_and_names_serial_and_reason() {
    let dir = tempfile::tempdir().unwrap();
    let ca = TestCa::new("Acme Root");
    let alice = ca.issue("alice");
    ca.write(dir.path(), "ca");
    let list = Crl::new().revoke(&alice, Some(RevocationReason::KeyCompromise)).pem(&ca);
    std::fs::write(dir.path().join("list.pem"), list).unwrap();

    let shown =
        openssl(dir.path(), &["crl", "-in", "list.pem", "-CAfile", "ca.pem", "-noout", "-text"], b"").ok();

    assert!(shown.both().contains("verify OK"), "{}", shown.story());
    assert!(shown.stdout.contains(&alice.facts().serial_hex().to_uppercase()), "{}", shown.story());
    assert!(shown.stdout.contains("Key Compromise"), "{}", shown.story());
}
