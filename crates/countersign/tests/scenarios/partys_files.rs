//! What `party add` and `party renew` leave behind, in files and on record, also where they refuse.

use examiner::{Certificate, cert::pem};
use testkit::{Portal, openssl};

use crate::support::binary;

fn certificate(portal: &Portal, file: &str) -> Certificate {
    pem::certificates(portal.sandbox.read(file).as_bytes()).unwrap().swap_remove(0)
}

/// Whether key and certificate of these files belong together.
fn fit(portal: &Portal, cert: &str, key: &str) -> bool {
    let public = |args: &[&str]| openssl(portal.sandbox.dir(), args, b"").ok().stdout;
    public(&["x509", "-in", cert, "-noout", "-pubkey"]) == public(&["pkey", "-in", key, "-pubout"])
}

fn listed(portal: &Portal) -> Vec<String> {
    let all = portal.countersign(&["party", "list", "--json"]).ok().json();
    all.as_array().unwrap().iter().map(|one| one["party"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_party_whose_certificate_is_refused_is_not_put_on_record() {
    let portal = Portal::build(&binary()).party("bob").prepare();
    let before = listed(&portal);
    let csr = ["req", "-new", "-key", "bob.key", "-subj", "/CN=x", "-out", "bob.csr"];
    openssl(portal.sandbox.dir(), &csr, b"").ok();
    for (more, word) in [
        (&["--csr", "bob.csr"][..], "the key is one of party `bob`"),
        (&["--days", "4000"], "at most 365"),
        (&["--not-after", "2001-01-01T00:00:00Z"], "before it is of any use"),
    ] {
        let refused =
            portal.countersign(&[&["party", "add", "dave", "--out", "d"][..], more].concat()).refused();
        assert!(refused.stderr.contains(word) && refused.stderr.contains("help:"), "{}", refused.story());
    }
    assert_eq!(listed(&portal), before);
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().stdout;
    assert!(!log.contains("dave"), "{log}");
    // What was wrong with the request was not wrong with the party.
    portal.countersign(&["party", "add", "dave", "--out", "d"]).ok();
    assert_eq!(listed(&portal).len(), before.len() + 1);
}

#[test]
fn a_successor_takes_the_place_of_its_predecessors_files_and_says_where_those_are() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let first = certificate(&portal, "alice.pem");
    let old_key = portal.sandbox.read("alice.key");
    // PEM files are renewed as such, though only a PKCS#12 file was asked for.
    let done = portal.countersign(&["party", "renew", "alice"]).ok();
    for file in ["./alice.pem\n", "./alice.key\n", "./alice.pem.old ", "./alice.key.old "] {
        assert!(done.stdout.contains(file), "{file}: {}", done.story());
    }
    assert_ne!(certificate(&portal, "alice.pem").thumbprint, first.thumbprint);
    assert!(fit(&portal, "alice.pem", "alice.key"));
    assert_eq!(certificate(&portal, "alice.pem.old").thumbprint, first.thumbprint);
    assert_eq!(portal.sandbox.read("alice.key.old"), old_key);
    // The next time nothing of that is overwritten.
    let second = certificate(&portal, "alice.pem");
    let done = portal.countersign(&["party", "renew", "alice", "--json"]).ok().json();
    assert!(done["moved"].as_array().unwrap().iter().any(|one| one == "./alice.pem.old2"), "{done}");
    assert_eq!(certificate(&portal, "alice.pem.old").thumbprint, first.thumbprint);
    assert_eq!(certificate(&portal, "alice.pem.old2").thumbprint, second.thumbprint);
    // Where there is no successor nothing is moved.
    portal.add_party("bob");
    let csr = ["req", "-new", "-key", "bob.key", "-subj", "/CN=x", "-out", "bob.csr"];
    openssl(portal.sandbox.dir(), &csr, b"").ok();
    let present = certificate(&portal, "alice.pem");
    portal.countersign(&["party", "renew", "alice", "--csr", "bob.csr"]).refused();
    assert_eq!(certificate(&portal, "alice.pem").thumbprint, present.thumbprint);
    assert!(fit(&portal, "alice.pem", "alice.key"));
}

#[test]
fn of_several_certificates_the_files_of_the_others_stay() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    portal.countersign(&["party", "add", "alice", "--label", "laptop", "--pem", "--out", "."]).ok();
    let (plain, laptop) = (certificate(&portal, "alice.pem"), certificate(&portal, "alice-laptop.pem"));
    let unnamed = portal.countersign(&["party", "renew", "alice"]).exited(2);
    assert!(unnamed.stderr.contains("--cert: cert-1, laptop"), "{}", unnamed.story());
    portal.countersign(&["party", "renew", "alice", "--cert", "laptop"]).ok();
    assert_eq!(certificate(&portal, "alice.pem").thumbprint, plain.thumbprint);
    assert_eq!(certificate(&portal, "alice-laptop.pem.old").thumbprint, laptop.thumbprint);
    assert!(fit(&portal, "alice-laptop.pem", "alice-laptop.key"));
    // Files of another certificate under the party's name are not taken for its own.
    std::fs::create_dir(portal.sandbox.path("only")).unwrap();
    portal.sandbox.write("only/alice.pem", portal.sandbox.read("alice-laptop.pem"));
    portal.countersign(&["party", "renew", "alice", "--cert", "cert-1", "--out", "only"]).ok();
    assert!(portal.sandbox.path("only/alice-cert-1.p12").exists());
    assert!(!portal.sandbox.path("only/alice.pem.old").exists());
}

#[test]
fn what_is_not_renewed_is_told_with_its_reason() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    portal.countersign(&["party", "renew", "alice"]).ok();
    portal.countersign(&["party", "add", "alice", "--label", "lost", "--out", "lost"]).ok();
    portal.countersign(&["party", "revoke", "alice", "--cert", "lost"]).ok();
    for (label, word) in [("cert-1", "has a successor already"), ("lost", "was revoked at 2")] {
        let refused = portal.countersign(&["party", "renew", "alice", "--cert", label]).exited(1);
        assert!(refused.stderr.contains(word) && refused.stderr.contains("help:"), "{}", refused.story());
    }
}
