//! Twenty-two servers with something wrong, one a row: what `openssl s_server` serves, and what the check says of it.

use testkit::{KeyType, Leaf, TestCa, openssl};

use super::*;

/// A set-up.
struct Row {
    /// The files of the chain and of the key.
    serves: (&'static str, &'static str),
    /// Options of the server.
    options: &'static [&'static str],
    /// The exit code.
    exit: i32,
    /// How the sentence begins.
    sentence: &'static str,
    /// The errors and warnings, by id, sorted.
    ids: &'static [&'static str],
}

const WEAK: &[&str] = &["-cipher", "ALL:@SECLEVEL=0"];

const fn row(
    serves: &'static str,
    options: &'static [&'static str],
    exit: i32,
    sentence: &'static str,
    ids: &'static [&'static str],
) -> Row {
    Row { serves: (serves, serves), options, exit, sentence, ids }
}

const ROWS: &[Row] = &[
    row("www", &[], 0, "Nothing wrong was found.", &[]),
    Row {
        serves: ("leaf", "www"),
        ..row(
            "",
            &[],
            1,
            "Every client refuses it: the certificate of its issuer is missing: CN=Look Issuing CA (chain-incomplete).",
            &["chain-incomplete"],
        )
    },
    row(
        "mixed",
        &[],
        0,
        "Clients take it, with a warning: Look Issuing CA stands before the certificate that it issued (chain-wrong-order).",
        &["chain-wrong-order"],
    ),
    row(
        "unrelated",
        &[],
        0,
        "Clients take it, with a warning: Somebody issued none of the others (chain-unrelated-certificate).",
        &["chain-unrelated-certificate"],
    ),
    row("with-root", &[], 0, "Nothing wrong was found.", &[]),
    row(
        "twice",
        &[],
        0,
        "Clients take it, with a warning: Look Issuing CA is the same certificate as the one at 1 (chain-duplicate).",
        &["chain-duplicate"],
    ),
    row("ended", &[], 1, "Every client refuses it: the certificate ended ", &["expired"]),
    row("early", &[], 1, "Every client refuses it: the certificate begins ", &["not-yet-valid"]),
    row(
        "other",
        &[],
        1,
        "Every client refuses it: the certificate is not for www.look.example, but for other.look.example (hostname-mismatch).",
        &["hostname-mismatch"],
    ),
    row("under-ended", &[], 1, "Every client refuses it: the intermediate certificate ended ", &["expired"]),
    row(
        "weak",
        WEAK,
        1,
        "Some clients take it, others refuse: an RSA key of 1024 bits (rsa-under-2048).",
        &["rsa-under-2048"],
    ),
    row(
        "sha1",
        WEAK,
        1,
        "Every client refuses it: the intermediate certificate is signed with SHA-1 (signature-sha1).",
        &["signature-sha1"],
    ),
    row(
        "own",
        &[],
        1,
        "Clients with these roots refuse it: the chain ends at www.look.example, which is no trust anchor (untrusted-root); 1 more warning.",
        &["self-signed-leaf", "untrusted-root"],
    ),
    row(
        "stranger",
        &[],
        1,
        "Every client refuses it: the certificate of its issuer is missing: CN=Strange Root (chain-incomplete).",
        &["chain-incomplete"],
    ),
    row(
        "client",
        &[],
        1,
        "Every client refuses it: the certificate lists only TLS Web Client Authentication (eku-no-server-auth).",
        &["eku-no-server-auth"],
    ),
    row(
        "any",
        &[],
        0,
        "Some clients take it, others refuse: the certificate lists anyExtendedKeyUsage (eku-any-on-leaf).",
        &["eku-any-on-leaf"],
    ),
    row(
        "nameless",
        &[],
        1,
        "Every client refuses it: only the common name is www.look.example (hostname-matched-only-by-cn); 1 more error.",
        &["hostname-matched-only-by-cn", "san-missing"],
    ),
    row(
        "broken",
        &[],
        1,
        "Every client refuses it: the signature does not verify with its issuer's key (signature-invalid).",
        &["signature-invalid"],
    ),
    row(
        "critical",
        &[],
        1,
        "Every client refuses it: 1.3.6.1.4.1.55555.1.1 is critical and clients do not know it (unknown-critical-extension).",
        &["unknown-critical-extension"],
    ),
    row(
        "ca",
        &[],
        1,
        "Some clients take it, others refuse: basicConstraints says that it is a CA (bc-ca-true-on-leaf).",
        &["bc-ca-true-on-leaf"],
    ),
    row(
        "www",
        &["-tls1_2"],
        0,
        "Clients take it, with a warning: the host speaks TLS 1.2 and no TLS 1.3 (no-tls13).",
        &["no-tls13"],
    ),
    row(
        "www",
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        1,
        "Every client refuses it: the host speaks TLS 1.1 and nothing newer (tls-version-old-only).",
        &["tls-version-old-only"],
    ),
    row(
        "www",
        &["-Verify", "4"],
        0,
        "Nothing wrong was found. The host lets nobody in without a client certificate.",
        &[],
    ),
];

/// Everything that the rows serve.
fn bench() -> Bench {
    let bench = Bench::new();
    let write = |name: &str, pem: String| bench.sandbox.write(&format!("{name}.pem"), pem);
    let key_of = |name: &str| {
        let key = bench.sandbox.read("www.key");
        bench.sandbox.write(&format!("{name}.key"), key);
    };
    let (chain, issuing) = (bench.sandbox.read("www.pem"), bench.issuing.pem());
    let lower = bench.issuing.intermediate("Look Lower CA");
    let leaf = lower.issue_server(HOST);
    leaf.write(bench.sandbox.dir(), "mixed");
    write("mixed", [&leaf.pem, &issuing, &lower.pem()].map(String::as_str).concat());
    for (name, more) in [
        ("unrelated", TestCa::new("Somebody").pem()),
        ("with-root", bench.root.pem()),
        ("twice", issuing.clone()),
    ] {
        key_of(name);
        write(name, chain.clone() + &more);
    }
    bench.leaf("ended", Leaf::server(HOST).ended_yesterday());
    bench.leaf("early", Leaf::server(HOST).starts_tomorrow());
    bench.leaf("other", Leaf::server("other.look.example"));
    bench.leaf("weak", Leaf::server(HOST).key_type(KeyType::Rsa1024));
    bench.leaf("client", Leaf::new(HOST).dns(HOST));
    bench.leaf("any", Leaf::server(HOST).any_usage());
    bench.leaf("nameless", Leaf::new(HOST).server_usage());
    bench.leaf("broken", Leaf::server(HOST).broken_signature());
    bench.leaf("critical", Leaf::server(HOST).unknown_critical_extension());
    bench.leaf("ca", Leaf::server(HOST).is_ca());
    let old = TestCa::build("Look Old CA").valid_from_now(-900_000, -90_000).under(&bench.root);
    old.issue_server(HOST).write(bench.sandbox.dir(), "under-ended");
    let sha1 = TestCa::build("Look SHA-1 CA").sha1().under(&bench.root);
    sha1.issue_server(HOST).write(bench.sandbox.dir(), "sha1");
    TestCa::new("Strange Root").issue_server(HOST).write(bench.sandbox.dir(), "stranger");
    let own = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -keyout own.key -out own.pem \
               -subj /CN=www.look.example -addext subjectAltName=DNS:www.look.example \
               -addext basicConstraints=critical,CA:FALSE";
    openssl(bench.sandbox.dir(), &own.split_whitespace().collect::<Vec<_>>(), b"").ok();
    bench
}

#[test]
fn each_faulty_server_has_its_report() {
    let bench = bench();
    let mut wrong = String::new();
    for row in ROWS {
        let server = bench.serve(row.serves.0, row.serves.1, row.options);
        let told = bench.check(server.port, &["--json"]);
        let report = told.json();
        let findings = report["findings"].as_array().unwrap_or_else(|| panic!("{}", told.story()));
        let grave = findings.iter().filter(|finding| finding["severity"] != "notice");
        let mut ids: Vec<&str> = grave.map(|finding| finding["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        let sentence = sentence(&report);
        if told.code != row.exit || !sentence.starts_with(row.sentence) || ids != row.ids {
            wrong += &format!("{:?} {:?}: {}, {sentence:?}, {ids:?}\n", row.serves, row.options, told.code);
        }
    }
    assert!(wrong.is_empty(), "otherwise than expected:\n{wrong}");
}
