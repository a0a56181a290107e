use std::fs;
use std::path::Path;

use testkit::{Output, Sandbox, TestCa};

use crate::support::binary;

/// What is broken, the check, its fixture, and the cause as the first sentence gives it: the list of the guide.
const BROKEN: &[(&str, &str, &str)] = &[
    ("the server sends its certificate alone", "chain-incomplete", "leaf-alone"),
    ("the root is not trusted", "untrusted-root", "root-served"),
    ("the server's certificate has ended", "expired", "leaf"),
    ("the intermediate has ended", "expired", "intermediate"),
    ("the certificate has not begun", "not-yet-valid", "a-second-early"),
    ("it ends before it begins", "validity-not-positive", "turned-round"),
    ("it lives longer than allowed", "lifetime-too-long", "398-days"),
    ("it is for another host", "hostname-mismatch", "other-host"),
    ("the host stands in the common name alone", "hostname-matched-only-by-cn", "common-name"),
    ("it lists no names", "san-missing", "none"),
    ("an address is listed as a host name", "san-ip-in-dns-name", "v4"),
    ("a private address in a public certificate", "san-reserved-ip", "private"),
    ("an inner name in a public certificate", "san-internal-or-unknown-tld", "local"),
    ("a wildcard that is not the first label", "san-wildcard-not-leftmost", "second"),
    ("the intermediate comes first", "chain-leaf-not-first", "issuing-first"),
    ("the leaf's signature is another's", "signature-invalid", "leaf"),
    ("it is signed with SHA-1", "signature-sha1", "rsa"),
    ("it is signed with MD5", "signature-md5-md2", "md5"),
    ("the RSA key has 1024 bits", "rsa-under-2048", "rsa-1024"),
    ("the two primes of its key are close", "rsa-close-primes", "close"),
    ("a curve that clients do not know", "ec-curve-not-allowed", "p192"),
    ("a critical extension nobody knows", "unknown-critical-extension", "private"),
    ("an extension stands twice", "duplicate-extension", "purposes-twice"),
    ("it is of version 1", "version-not-3", "version-1"),
    ("the server's certificate says it is a CA", "bc-ca-true-on-leaf", "chain"),
    ("the intermediate is no CA", "intermediate-not-ca", "ca-false"),
    ("more intermediates than the CA allows", "pathlen-exceeded", "zero"),
    ("the CA may not certify this name", "nc-violated", "not-permitted"),
    ("the intermediate is for clients alone", "eku-nesting-broken", "client-ca"),
    ("it is for clients, and a server shows it", "eku-no-server-auth", "client-only"),
    ("it has been revoked", "revoked-crl", "listed"),
    ("the key was made by a broken library (ROCA)", "rsa-roca", "of-that-form"),
    ("a client's certificate is of version 1", "client-version-1", "version-1"),
    ("it is a precertificate, made for the logs", "precert-served-as-certificate", "for-the-logs"),
    ("a client's certificate says it is a CA", "client-ca-bit-set", "ca"),
    ("the CA writes its own name in other bytes", "issuer-subject-bytes-differ", "another-string-type"),
];

/// The PEM blocks of a text with this label.
fn blocks(text: &str, label: &str) -> Vec<String> {
    let (begin, end) = (format!("-----BEGIN {label}-----"), format!("-----END {label}-----"));
    let bodies = text.split(&begin).skip(1).map(|rest| rest.split(&end).next().unwrap());
    bodies.map(|body| format!("{begin}{body}{end}\n")).collect()
}

/// What the check says of a fixture, with the files that someone would have: what is served, the roots, a list.
fn check(sandbox: &Sandbox, check: &str, fixture: &str) -> Output {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examiner/fixtures");
    let read = |path: &str| fs::read_to_string(folder.join(path)).unwrap_or_else(|_| panic!("{path} reads"));
    let text = read(&format!("{check}/fail-{fixture}.pem"));
    let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let mut served = blocks(&text, "CERTIFICATE");
    let anchors = match line("Trusted, last") {
        Some(count) => served.split_off(served.len() - count.parse::<usize>().unwrap()),
        // A certificate by itself: its issuer and root are those of every fixture.
        None => {
            let mut above = blocks(&read("aki-ski-mismatch/pass-chain.pem"), "CERTIFICATE").split_off(1);
            let root = above.split_off(1);
            served.append(&mut above);
            root
        }
    };
    sandbox.write("chain.pem", served.concat());
    sandbox.write("roots.pem", anchors.concat());
    let mut args = vec!["check", "chain.pem", "--roots", "roots.pem"];
    args.extend(["--profile", line("Profile").unwrap(), "--at", line("At").unwrap()]);
    if let Some(host) = line("Host") {
        args.extend(["--servername", host]);
    }
    if let Some(list) = blocks(&text, "X509 CRL").first() {
        sandbox.write("list.crl", list);
        args.extend(["--crl", "list.crl"]);
    }
    sandbox.countersign(&args)
}

#[test]
fn the_first_sentence_names_the_true_cause() {
    let sandbox = Sandbox::new(&binary());
    let mut wrong = Vec::new();
    for (what, id, fixture) in BROKEN {
        let told = check(&sandbox, id, fixture);
        let first = told.stdout.lines().next().unwrap_or_default();
        if !first.contains(&format!("({id})")) {
            wrong.push(format!("{what}: {first}"));
        }
        assert!(told.stdout.contains("help:"), "{what}: {}", told.story());
    }
    assert!(wrong.is_empty(), "another cause than the true one:\n{}", wrong.join("\n"));
}

#[test]
fn the_guide_lists_these_files() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/check.md");
    let guide = fs::read_to_string(guide).unwrap();
    assert!(BROKEN.len() >= 30);
    for (what, id, _) in BROKEN {
        assert!(guide.contains(&format!("| {what} | `{id}` |")), "| {what} | `{id}` |");
    }
}

#[test]
fn a_chain_that_is_right_is_said_to_be() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA");
    ca.issue_server("www.example.com").write(sandbox.dir(), "www");
    sandbox.write("ca.pem", ca.pem());
    let args = ["check", "www.pem", "--private", "--roots", "ca.pem", "--servername", "www.example.com"];
    sandbox.countersign(&args).exited(0);
}

#[test]
fn the_root_of_a_private_ca_is_the_cause_and_nothing_that_is_missing() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA");
    ca.issue_server("www.example.com").write(sandbox.dir(), "www");
    sandbox.write("ca.pem", ca.pem());
    let told = sandbox.countersign(&["check", "www.pem"]).exited(1);
    let first = told.stdout.lines().next().unwrap();
    assert!(
        first.starts_with("Clients with these roots refuse it: the certificate's issuer CN=Some CA"),
        "{first}"
    );
    assert!(first.contains("(untrusted-root)"), "{first}");
    assert!(told.stdout.contains("--private --roots FILE"), "{}", told.story());
    assert!(
        !told.stdout.contains("chain-incomplete") && !told.stdout.contains("MISSING"),
        "{}",
        told.story()
    );
    sandbox.countersign(&["check", "www.pem", "--private", "--roots", "ca.pem"]).exited(0);
}

#[test]
fn what_is_no_certificate_file_is_named_and_ends_with_2() {
    let sandbox = Sandbox::new(&binary());
    let leaf = TestCa::new("Some CA").issue_server("www.example.com").chain_pem;
    let body = leaf.lines().nth(1).unwrap().to_owned();
    std::fs::create_dir(sandbox.dir().join("folder")).unwrap();
    for (name, contents, said) in [
        ("empty.pem", String::new(), "empty.pem is empty: it has 0 bytes"),
        ("blank.pem", " \n\n".into(), "blank.pem is empty: it holds blanks alone"),
        ("page.pem", "<!DOCTYPE html><p>404".into(), "page.pem is a web page, not a certificate"),
        ("key.zip", "PK\u{3}\u{4}abc".into(), "key.zip is a ZIP archive"),
        ("id.pub", "ssh-ed25519 AAAA".into(), "id.pub is a public key of OpenSSH, not a certificate"),
        ("text.pem", "hello".into(), "text.pem holds no certificate: it is neither PEM nor DER of one"),
        (
            "base64.pem",
            leaf.replace(&body, &format!("!{body}")),
            "base64.pem is damaged: line 2: a character that base64 has not; no certificate could be read",
        ),
    ] {
        sandbox.write(name, contents);
        let told = sandbox.countersign(&["check", name]).exited(2);
        assert_eq!(told.stderr.lines().next().unwrap(), format!("error: {said}"));
    }
    let piped = sandbox.countersign_with_input(&["check", "-"], b"hello").exited(2);
    assert!(piped.stderr.starts_with("error: standard input holds no certificate"), "{}", piped.story());
    sandbox.countersign(&["check", "folder"]).exited(2);
    sandbox.countersign(&["check", "nothing.pem"]).exited(5);
}

#[test]
fn damage_of_the_file_comes_before_what_is_missing_behind_it() {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA");
    let whole = ca.issue_server("www.example.com").chain_pem;
    let first = whole.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap();
    sandbox.write("ca.pem", TestCa::new("Another CA").pem());
    for (contents, damage) in [
        (first.replace("-----END CERTIFICATE-----\n", ""), "a block without its END line"),
        (first.replace('\n', ""), "a block without line breaks"),
        (first.replace("-----BEGIN", "--BEGIN"), "a BEGIN or END line without five hyphens at each end"),
    ] {
        sandbox.write("cut.pem", contents);
        let told = sandbox.countersign(&["check", "cut.pem", "--private", "--roots", "ca.pem"]).exited(1);
        let first = told.stdout.lines().next().unwrap();
        let expected = format!("The file is damaged in line 1: {damage} (pem-armour-damaged); 1 more error");
        assert!(first.starts_with(&expected), "{first}");
        assert!(told.stdout.contains("chain-incomplete") || told.stdout.contains("untrusted-root"));
    }
}
