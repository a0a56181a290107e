use testkit::{Portal, openssl};

use crate::support::{binary, eventually};

const OURS: &str = "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign\n\
                    extendedKeyUsage=clientAuth\nsubjectKeyIdentifier=hash\n";

/// A root of another organisation, `corp.pem` and `corp.key`.
fn corp(portal: &Portal) {
    let args = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 900 -subj /O=Corp/CN=Root \
                -keyout corp.key -out corp.pem -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign";
    openssl(portal.sandbox.dir(), &args.split_whitespace().collect::<Vec<_>>(), b"").ok();
}

/// Has that root sign the request; `chain.pem` has both.
fn sign(portal: &Portal, extensions: &str) {
    portal.sandbox.write("extensions", extensions);
    let args = "x509 -req -in ours.csr -CA corp.pem -CAkey corp.key -CAcreateserial -days 800 -extfile extensions \
                -out ours.pem";
    openssl(portal.sandbox.dir(), &args.split_whitespace().collect::<Vec<_>>(), b"").ok();
    portal.sandbox.write("chain.pem", portal.sandbox.read("corp.pem") + &portal.sandbox.read("ours.pem"));
}

#[test]
fn a_client_ca_that_another_authority_signed_admits_whom_it_admitted_and_whom_it_issues_to() {
    let portal = Portal::start(&binary());
    let dir = portal.sandbox.dir();
    corp(&portal);
    portal.countersign(&["ca", "csr", "--out", "ours.csr", "--dry-run"]).ok();
    assert!(!portal.sandbox.path("ours.csr").exists(), "a dry run writes nothing");
    portal.countersign(&["ca", "csr", "--out", "ours.csr"]).ok();

    sign(&portal, &OURS.replace("clientAuth", "serverAuth"));
    let refused = portal.countersign(&["ca", "import", "chain.pem"]).exited(2);
    assert!(refused.stderr.contains("not clientAuth"), "{}", refused.story());
    let own_root = portal.sandbox.read("state/ca/client.pem");

    sign(&portal, OURS);
    portal.countersign(&["ca", "import", "chain.pem", "--dry-run"]).ok();
    assert_eq!(portal.sandbox.read("state/ca/client.pem"), own_root);
    let before = portal.countersign(&["status", "--json"]).both();
    portal.countersign(&["ca", "import", "chain.pem"]).ok();
    let log = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().both();
    assert!(log.contains("client CA: certificate signed by CN=Root,O=Corp imported"), "{log}\n{before}");

    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "issued before");
    portal.add_party("bob");
    eventually("bob's entry", || (portal.curl(Some("bob"), "/", &[]).status == 200).then_some(()));
    let verify =
        ["verify", "-purpose", "sslclient", "-CAfile", "corp.pem", "-untrusted", "bob.pem", "bob.pem"];
    openssl(dir, &verify, b"").ok();
    portal.countersign(&["ca", "crl", "--format", "pem", "--out", "list.pem"]).ok();
    openssl(dir, &["crl", "-in", "list.pem", "-CAfile", "ours.pem", "-noout"], b"").ok();
    // A certificate of that root itself is nobody's here.
    let leaf = "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=alice -keyout mallory.key \
                -out mallory.csr";
    openssl(dir, &leaf.split_whitespace().collect::<Vec<_>>(), b"").ok();
    portal.sandbox.write("extensions", "extendedKeyUsage=clientAuth\nkeyUsage=digitalSignature\n");
    let args = "x509 -req -in mallory.csr -CA corp.pem -CAkey corp.key -days 30 -extfile extensions -out mallory.pem";
    openssl(dir, &args.split_whitespace().collect::<Vec<_>>(), b"").ok();
    assert_eq!(portal.curl(Some("mallory"), "/", &[]).status, 403);
}
