//! The model of OpenSSL against the real `openssl verify`, on every fixture chain and on the core suite of x509-limbo.
//!
//! Without the program the test says what it left out, and fails where `COUNTERSIGN_CORPORA_REQUIRED` is set.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use examiner::cert::{oid, pem};
use examiner::chain::{Chain, Examinee, ders};
use examiner::path::clients::openssl;
use examiner::profile::Profile;
use examiner::{Question, UnixTime};

mod support;

/// Where the model is known to say other than OpenSSL 3.0, and why. The text is the beginning of the case's name.
const KNOWN: &[(&str, &str)] = &[
    (
        "cve::cve-2025-61727",
        "OpenSSL compares a wildcard with an excluded subtree as if the star were a label",
    ),
    (
        "nc-wildcard-san-spans-exclusion/fail-covers",
        "OpenSSL compares a wildcard with an excluded subtree as if the star were a label",
    ),
    (
        "rfc5280::nc::nc-permits-invalid-email-san",
        "OpenSSL splits a mailbox at its last @, whatever stands before it",
    ),
];

/// How the two agree.
#[derive(Default)]
struct Agreement {
    same: usize,
    /// How many of the forms are those without what lies beside what was served.
    without: usize,
    known: Vec<String>,
    amiss: Vec<String>,
}

impl Agreement {
    fn add(&mut self, name: &str, chain: &Chain, purpose: &str, at: UnixTime, folder: &Path) {
        self.add_form(name, chain, purpose, at, folder);
        // Without what a client would have to fetch, which OpenSSL does not.
        if !chain.beside.is_empty() {
            let served = chain.clone().with_beside(Vec::new());
            self.add_form(&format!("{name}, without what is beside"), &served, purpose, at, folder);
            self.without += 1;
        }
    }

    fn add_form(&mut self, name: &str, chain: &Chain, purpose: &str, at: UnixTime, folder: &Path) {
        let model = openssl::judge(chain, purpose, at, true).verdict;
        let real = real(chain, purpose, at, folder);
        if model.is_ok() == real.is_ok() {
            self.same += 1;
            return;
        }
        let line = format!("{name}: the model says {model:?}, OpenSSL {real:?}");
        match KNOWN.iter().find(|(case, _)| name.starts_with(case)) {
            Some((_, why)) => self.known.push(format!("{line}; {why}")),
            None => self.amiss.push(line),
        }
    }

    fn told(self, what: &str) {
        let total = self.same + self.known.len() + self.amiss.len();
        println!(
            "{what}: the model agrees with OpenSSL in {} of {total}, {} of them without what is beside",
            self.same, self.without
        );
        self.known.iter().for_each(|line| println!("  {line}"));
        assert!(self.amiss.is_empty(), "{}", self.amiss.join("\n"));
    }
}

/// What `openssl verify` says; the anchors in one file, what was served in another.
fn real(chain: &Chain, purpose: &str, at: UnixTime, folder: &Path) -> Result<(), String> {
    let write = |name: &str, certificates: &mut dyn Iterator<Item = &Examinee>| -> PathBuf {
        let text: String = certificates.map(|one| pem::encode("CERTIFICATE", one.der())).collect();
        let path = folder.join(name);
        fs::write(&path, text).expect("the folder can be written");
        path
    };
    let leaf = write("leaf.pem", &mut chain.served.iter().take(1));
    let untrusted = write("untrusted.pem", &mut chain.served.iter().skip(1).chain(&chain.beside));
    let trusted = write("trusted.pem", &mut chain.anchors.iter().flatten());
    let mut command = Command::new("openssl");
    command.args(["verify", "-no-CAfile", "-no-CApath", "-no-CAstore", "-auth_level", "2"]);
    command.args(["-purpose", if purpose == oid::CLIENT_AUTH { "sslclient" } else { "sslserver" }]);
    command.args(["-attime", &at.seconds().to_string()]);
    if fs::metadata(&trusted).is_ok_and(|file| file.len() > 0) {
        command.arg("-CAfile").arg(&trusted);
    }
    if fs::metadata(&untrusted).is_ok_and(|file| file.len() > 0) {
        command.arg("-untrusted").arg(&untrusted);
    }
    let output = command.arg(&leaf).stdin(Stdio::null()).output().expect("openssl runs");
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(text.lines().find(|line| line.starts_with("error ")).unwrap_or(text.trim()).to_owned())
}

fn has_openssl() -> bool {
    let version = Command::new("openssl").arg("version").output();
    let has = version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("OpenSSL 3."));
    let required = std::env::var_os("COUNTERSIGN_CORPORA_REQUIRED").is_some();
    assert!(has || !required, "there is no OpenSSL 3, and it is required");
    if !has {
        println!("left out: there is no OpenSSL 3");
    }
    has
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("openssl-model-{name}"));
    fs::create_dir_all(&folder).expect("the folder can be made");
    folder
}

#[test]
fn the_model_agrees_with_openssl_on_every_fixture_chain() {
    if !has_openssl() {
        return;
    }
    let folder = folder("fixtures");
    let mut agreement = Agreement::default();
    for check in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")).unwrap() {
        for file in fs::read_dir(check.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|ending| ending != "pem") {
                continue;
            }
            let (chain, Question { profile, at, .. }) =
                support::case::read(&fs::read_to_string(&path).unwrap());
            if chain.anchors.is_none() {
                continue;
            }
            let purpose =
                if profile == Some(Profile::MtlsClient) { oid::CLIENT_AUTH } else { oid::SERVER_AUTH };
            let name: PathBuf =
                path.components().rev().take(2).collect::<Vec<_>>().into_iter().rev().collect();
            agreement.add(&name.display().to_string(), &chain, purpose, at, &folder);
        }
    }
    assert!(agreement.same > 20, "there are fixtures of whole chains");
    agreement.told("fixtures");
}

#[test]
fn the_model_agrees_with_openssl_on_the_core_suite() {
    compare("limbo core", "limbo-core-dev.json.xz", 1);
}

#[test]
fn the_model_agrees_with_openssl_on_better_tls() {
    // A process for each form of each case: one case in twenty, and all of them with COUNTERSIGN_LONG.
    let every = if std::env::var_os("COUNTERSIGN_LONG").is_some() { 1 } else { 20 };
    compare("BetterTLS", "limbo-bettertls-dev.json.xz", every);
}

/// Compares the two on each so-many-th case of a suite.
fn compare(what: &str, file: &str, every: usize) {
    let Some(corpora) = std::env::var_os("COUNTERSIGN_CORPORA").map(PathBuf::from) else {
        let required = std::env::var_os("COUNTERSIGN_CORPORA_REQUIRED").is_some();
        assert!(!required, "COUNTERSIGN_CORPORA is not set, and the corpora are required");
        println!("left out: COUNTERSIGN_CORPORA is not set");
        return;
    };
    if !has_openssl() {
        return;
    }
    let folder = folder(what);
    let output =
        Command::new("xz").arg("-dc").arg(corpora.join("limbo").join(file)).output().expect("xz runs");
    let suite: serde_json::Value = serde_json::from_slice(&output.stdout).expect("the suite is JSON");
    let mut agreement = Agreement::default();
    for case in suite["testcases"].as_array().expect("cases").iter().step_by(every) {
        let read = |value: &serde_json::Value| -> Vec<Examinee> {
            let all = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            let texts = all.iter().map(|text| text.as_str().expect("PEM").to_owned());
            texts.flat_map(|text| ders(text.as_bytes()).expect("PEM")).map(Examinee::read).collect()
        };
        let at = case["validation_time"].as_str().unwrap_or("2026-01-01T00:00:00Z");
        let at = UnixTime::parse(at).expect("a moment");
        let purpose = if case["validation_kind"] == "CLIENT" { oid::CLIENT_AUTH } else { oid::SERVER_AUTH };
        let chain = Chain::served(read(&case["peer_certificate"]))
            .with_beside(read(&case["untrusted_intermediates"]))
            .with_anchors(read(&case["trusted_certs"]));
        agreement.add(case["id"].as_str().expect("an id"), &chain, purpose, at, &folder);
    }
    assert!(agreement.without > 20, "there are cases with intermediates");
    agreement.told(what);
}
