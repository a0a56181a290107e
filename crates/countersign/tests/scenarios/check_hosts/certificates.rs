//! What is wrong with the certificates that a server shows.

use testkit::{KeyType, Leaf, TestCa, openssl};

use super::*;

/// Exit code, beginning of the sentence and id of the finding of a server with this chain.
#[track_caller]
fn told(bench: &Bench, chain: &str, key: &str, extra: &[&str], exit: i32, begin: &str, id: &str) {
    let server = bench.serve(chain, key, extra);
    let told = bench.check(server.port, &[]).exited(exit);
    assert!(told.stdout.starts_with(begin), "{begin}\n{}", told.story());
    assert!(told.stdout.contains(&format!("({id})")), "{id}\n{}", told.story());
    assert!(told.stdout.contains(&format!("\n  {id}")), "{id}\n{}", told.story());
}

#[test]
fn a_server_that_is_right_gets_no_error() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let report = bench.report(server.port, &[]);
    assert_eq!(report["verdict"], "right", "{report:#}");
    assert_eq!(sentence(&report), "Nothing wrong was found.");
    assert_eq!(report["file"], format!("{HOST}:{}", server.port));
    assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{report:#}");
    assert_eq!(report["client_certificate"]["asked"], "no");
    assert_eq!(report["host"]["servername"], HOST);
    let handshakes = report["host"]["addresses"][0]["handshakes"].as_array().unwrap();
    let versions: Vec<_> = handshakes.iter().map(|one| one["version"].as_str().unwrap()).collect();
    assert_eq!(versions, ["TLS 1.2", "TLS 1.3"]);
    let told = bench.check(server.port, &[]).exited(0);
    for part in ["0 www.look.example", "The host\n", "TLS 1.2, TLS 1.3", "client certificate:  not asked for"]
    {
        assert!(told.stdout.contains(part), "{part}\n{}", told.story());
    }
}

/// the missing certificate by name, the lines for nginx, the picture.
#[test]
fn a_server_that_sends_its_leaf_alone() {
    let bench = Bench::new();
    let begin = "Every client refuses it: the certificate of its issuer is missing: CN=Look Issuing CA";
    told(&bench, "leaf", "www", &[], 1, begin, "chain-incomplete");
    let server = bench.serve("leaf", "www", &[]);
    let report = bench.report(server.port, &[]);
    assert!(report["missing"][0]["name"].as_str().unwrap().contains("Look Issuing CA"), "{report:#}");
    let fixed = ["--intermediates", "issuing.pem", "--fix", "nginx", "--out", "fullchain.pem"];
    let lines = bench.check(server.port, &fixed).exited(0);
    assert!(lines.stdout.contains("ssl_certificate "), "{}", lines.story());
    assert_eq!(bench.sandbox.read("fullchain.pem"), bench.sandbox.read("www.pem"));
    let drawn = bench.check(server.port, &["--format", "svg"]).exited(1);
    assert!(
        drawn.stdout.starts_with("<svg") && drawn.stdout.contains("Look Issuing CA"),
        "{}",
        drawn.story()
    );
}

#[test]
fn a_chain_out_of_order_and_one_with_too_much() {
    let bench = Bench::new();
    let lower = bench.issuing.intermediate("Look Lower CA");
    let leaf = lower.issue_server(HOST);
    leaf.write(bench.sandbox.dir(), "long");
    bench
        .sandbox
        .write("mixed.pem", [&leaf.pem, &bench.issuing.pem(), &lower.pem()].map(String::as_str).concat());
    let server = bench.serve("long", "long", &[]);
    assert_eq!(bench.report(server.port, &[])["verdict"], "right");
    let server = bench.serve("mixed", "long", &[]);
    assert!(ids(&bench.report(server.port, &[])).contains(&"chain-wrong-order"));
    let chain = bench.sandbox.read("www.pem");
    bench.sandbox.write("more.pem", chain.clone() + &TestCa::new("Somebody").pem());
    let server = bench.serve("more", "www", &[]);
    assert!(ids(&bench.report(server.port, &[])).contains(&"chain-unrelated-certificate"));
    bench.sandbox.write("whole.pem", chain + &bench.root.pem());
    let server = bench.serve("whole", "www", &[]);
    assert!(ids(&bench.report(server.port, &[])).contains(&"chain-contains-root"));
}

#[test]
fn what_has_ended_and_what_is_for_another() {
    let bench = Bench::new();
    bench.leaf("ended", Leaf::server(HOST).ended_yesterday());
    told(&bench, "ended", "ended", &[], 1, "Every client refuses it: ", "expired");
    bench.leaf("early", Leaf::server(HOST).starts_tomorrow());
    told(&bench, "early", "early", &[], 1, "Every client refuses it: ", "not-yet-valid");
    bench.leaf("other", Leaf::server("other.look.example"));
    told(&bench, "other", "other", &[], 1, "Every client refuses it: ", "hostname-mismatch");
    let old = TestCa::build("Look Old CA").valid_from_now(-900_000, -90_000).under(&bench.root);
    old.issue_server(HOST).write(bench.sandbox.dir(), "under-old");
    told(
        &bench,
        "under-old",
        "under-old",
        &[],
        1,
        "Every client refuses it: the intermediate certificate ",
        "expired",
    );
}

#[test]
fn weak_keys_and_weak_signatures() {
    let bench = Bench::new();
    let weak = ["-cipher", "ALL:@SECLEVEL=0"];
    bench.leaf("weak", Leaf::server(HOST).key_type(KeyType::Rsa1024));
    let begin = "Some clients take it, others refuse: an RSA key of 1024 bits";
    told(&bench, "weak", "weak", &weak, 1, begin, "rsa-under-2048");
    let ca = TestCa::build("Look SHA-1 CA").sha1().under(&bench.root);
    ca.issue_server(HOST).write(bench.sandbox.dir(), "under-sha1");
    let server = bench.serve("under-sha1", "under-sha1", &weak);
    assert!(ids(&bench.report(server.port, &[])).contains(&"signature-sha1"));
}

#[test]
fn a_self_signed_certificate() {
    let bench = Bench::new();
    openssl(
        bench.sandbox.dir(),
        &[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "9",
            "-keyout",
            "own.key",
            "-out",
            "own.pem",
            "-subj",
            "/CN=www.look.example",
            "-addext",
            "subjectAltName=DNS:www.look.example",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ],
        b"",
    )
    .ok();
    told(
        &bench,
        "own",
        "own",
        &[],
        1,
        "Clients with these roots refuse it: the chain ends at www.look.example",
        "untrusted-root",
    );
}

/// The response is of today and ends tomorrow: looked at in three days it is stale.
#[test]
fn a_stapled_response_that_is_stale() {
    let bench = Bench::new();
    let serial = examiner::chain::Examinee::read(pem_der(&bench.sandbox.read("leaf.pem")));
    // The index has serials as numbers: without a leading zero octet.
    let octets = serial.serial().iter().skip_while(|octet| **octet == 0);
    let serial: String = octets.map(|octet| format!("{octet:02X}")).collect();
    bench.sandbox.write("index.txt", format!("V\t300101000000Z\t\t{serial}\tunknown\t/CN=x\n"));
    bench.sandbox.write("issuing.key", bench.issuing.key().pem());
    let made = [
        "ocsp",
        "-index",
        "index.txt",
        "-rsigner",
        "issuing.pem",
        "-rkey",
        "issuing.key",
        "-CA",
        "issuing.pem",
        "-issuer",
        "issuing.pem",
        "-cert",
        "leaf.pem",
        "-ndays",
        "1",
        "-respout",
        "staple.der",
        "-noverify",
    ];
    openssl(bench.sandbox.dir(), &made, b"").ok();
    let server = bench.serve("www", "www", &["-status_file", "staple.der"]);
    let fresh = bench.report(server.port, &[]);
    assert_eq!(fresh["host"]["addresses"][0]["handshakes"][0]["is_stapled"], true, "{fresh:#}");
    assert_eq!(fresh["host"]["addresses"][0]["handshakes"][1]["is_stapled"], true, "{fresh:#}");
    assert!(!ids(&fresh).contains(&"ocsp-response-stale-or-future"), "{fresh:#}");
    let later = testkit::times::clock().plus(3 * 86_400).to_string();
    let stale = bench.report(server.port, &["--at", &later]);
    assert!(ids(&stale).contains(&"ocsp-response-stale-or-future"), "{stale:#}");
}

fn pem_der(pem: &str) -> Vec<u8> {
    examiner::chain::ders(pem.as_bytes()).unwrap().remove(0).to_vec()
}
