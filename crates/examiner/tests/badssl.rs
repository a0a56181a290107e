//! The chains that badssl.com serves where nothing is meant to be wrong: no error is found in them, at a time inside their
//! validity.
//!
//! The folder that `COUNTERSIGN_CORPORA` names holds them; the project keeps no copy. Without it the test says what it left
//! out, and fails where `COUNTERSIGN_CORPORA_REQUIRED` is set.
#![allow(clippy::disallowed_methods)]

use std::path::PathBuf;
use std::process::Command;

use examiner::chain::{Chain, Examinee, ders};
use examiner::profile::{PeerName, Profile};
use examiner::report::Severity;
use examiner::{Question, UnixTime, examine};

/// The chains that browsers took while they were served, by their names in the archive.
const GOOD: [&str; 14] = [
    "chain/backup/wildcard-sha256-rsa2048-embeded-sct.crt",
    "chain/old/subdomain-sha384.pem",
    "chain/old/subdomain-sha512.pem",
    "chain/old/wildcard-main-old.pem",
    "chain/subdomain-1000-sans.pem",
    "chain/subdomain-extended-validation.pem",
    "chain/subdomain-no-common-name.pem",
    "chain/wildcard-ecc256.pem",
    "chain/wildcard-ecc384.pem",
    "chain/wildcard-preloaded-expect-ct.pem",
    "chain/wildcard-rsa2048.pem",
    "chain/wildcard-rsa4096.pem",
    "chain/wildcard-sha384.pem",
    "chain/wildcard-sha512.pem",
];

fn archive() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("COUNTERSIGN_CORPORA").map(PathBuf::from) else {
        let required = std::env::var_os("COUNTERSIGN_CORPORA_REQUIRED").is_some();
        assert!(!required, "COUNTERSIGN_CORPORA is not set, and the corpora are required");
        println!("left out: COUNTERSIGN_CORPORA is not set");
        return None;
    };
    Some(folder.join("badssl/certificates.tar.xz"))
}

#[test]
fn chains_that_are_meant_to_be_right_have_no_error() {
    let Some(archive) = archive() else { return };
    let mut wrong = Vec::new();
    for name in GOOD {
        let member = format!("badssl/sets/prod/pregen/{name}");
        let output = Command::new("tar").arg("-xJOf").arg(&archive).arg(&member).output().expect("tar runs");
        assert!(output.status.success(), "{member} is in the archive");
        let certificates = ders(&output.stdout).expect("a chain").into_iter().map(Examinee::read).collect();
        let chain = Chain::served(certificates);
        let first = &chain.served[0];
        let begin = first.not_before.expect("a date");
        let names = first.known.subject_alt_name.read().expect("names");
        let host = names.iter().find_map(|name| name.dns()).expect("a host name").replace("*.", "some.");
        let question = Question {
            profile: Some(Profile::Web),
            at: UnixTime(begin.seconds() + 86_400),
            host: Some(PeerName::host(&host)),
        };
        let report = examine(&chain, &question);
        let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
        wrong.extend(errors.map(|e| format!("{name}: {} at {}: {}", e.id, e.index, e.observed)));
    }
    println!("no error expected in {} chains of badssl", GOOD.len());
    assert!(wrong.is_empty(), "{} errors:\n{}", wrong.len(), wrong.join("\n"));
}
