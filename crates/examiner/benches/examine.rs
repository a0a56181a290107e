//! What an examination costs: reading certificates, building paths, every check. The goal is below 5 ms a chain. Beside it
//! what rustls-webpki and `openssl verify` take for the same chain; the latter starts a process, and does not where there is
//! no such program.
//!
//! Last it looks at every fixture chain once and names the slowest. The figures in the guide are of `--profile checked`.
//!
//! `cargo bench -p examiner`.
#![allow(missing_docs, clippy::disallowed_methods, clippy::disallowed_types)]

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use examiner::cert::pem;
use examiner::chain::{Chain, Examinee, ders};
use examiner::path::{Budget, Rules, build};
use examiner::profile::{PeerName, Profile};
use examiner::{Question, UnixTime, examine};
use rustls_pki_types::CertificateDer;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};

#[path = "../tests/support/mod.rs"]
mod support;

use support::case;

/// A server's chain with its trust anchor last, as the fixtures hold it.
const FILE: &[u8] = include_bytes!("../fixtures/aki-ski-mismatch/pass-chain.pem");

fn chain() -> Chain {
    let mut all: Vec<Examinee> = ders(FILE).expect("PEM").into_iter().map(Examinee::read).collect();
    let anchors = all.split_off(2);
    Chain::served(all).with_anchors(anchors)
}

fn benches(c: &mut Criterion) {
    let at = UnixTime::parse("2026-05-01T00:00:00Z").expect("a moment");
    let certificates = ders(FILE).expect("PEM");
    c.bench_function("read the three certificates of a chain", |b| {
        b.iter(|| certificates.iter().cloned().map(Examinee::read).collect::<Vec<_>>());
    });
    let chain = chain();
    let rules = Rules { at, purpose: None, max_depth: None, crls: &[], budget: Budget::default() };
    assert_eq!(build(&chain, &rules).valid.len(), 1);
    c.bench_function("build its path", |b| b.iter(|| build(&chain, &rules)));
    let host = Some(PeerName::host("www.example.com"));
    let question = Question { profile: Some(Profile::Web), at, host };
    c.bench_function("examine it by every check", |b| b.iter(|| examine(&chain, &question)));
    c.bench_function("rustls-webpki on the same chain", |b| b.iter(|| by_webpki(&certificates, at)));
    let files = Files::write(&certificates);
    if files.verify(at) {
        c.bench_function("openssl verify on the same chain, a process each", |b| b.iter(|| files.verify(at)));
    }
}

/// The least time of five that each fixture chain takes, the longest first.
fn slowest(_: &mut Criterion) {
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let folders =
        std::fs::read_dir(fixtures).expect("fixtures").map(|folder| folder.expect("a folder").path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).expect("a folder"));
    let files = files.map(|file| file.expect("a file").path());
    let mut all: Vec<(Duration, usize, PathBuf)> = Vec::new();
    for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "pem")) {
        let text = std::fs::read_to_string(&path).expect("text");
        let (chain, question) = case::read(&text);
        let once = |_| {
            let begin = Instant::now();
            std::hint::black_box(examine(&chain, &question));
            begin.elapsed()
        };
        all.push(((0..5).map(once).min().expect("five times"), chain.all().count(), path));
    }
    all.sort();
    let within = all.iter().filter(|(took, ..)| *took < Duration::from_millis(5)).count();
    println!("{within} of {} fixtures take less than 5 ms; the slowest:", all.len());
    for (took, certificates, path) in all.iter().rev().take(8) {
        println!("  {took:?}  {certificates} certificates  {}", path.display());
    }
}

fn by_webpki(certificates: &[Vec<u8>], at: UnixTime) {
    let der: Vec<CertificateDer<'_>> =
        certificates.iter().map(|one| CertificateDer::from(one.as_slice())).collect();
    let anchor = webpki::anchor_from_trusted_cert(&der[2]).expect("an anchor");
    let seconds = u64::try_from(at.seconds()).expect("after 1970");
    let now = rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let end_entity = EndEntityCert::try_from(&der[0]).expect("a certificate");
    let usage = KeyUsage::server_auth();
    let (anchors, above) = ([anchor], &der[1..2]);
    let path = end_entity.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, above, now, usage, None, None);
    assert!(path.is_ok());
}

/// The chain as the files that `openssl verify` wants.
struct Files(PathBuf);

impl Files {
    fn write(certificates: &[Vec<u8>]) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bench-openssl");
        std::fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, der) in ["leaf.pem", "issuing.pem", "root.pem"].iter().zip(certificates) {
            std::fs::write(folder.join(name), pem::encode("CERTIFICATE", der)).expect("it can be written");
        }
        Self(folder)
    }

    fn verify(&self, at: UnixTime) -> bool {
        let mut command = Command::new("openssl");
        command.current_dir(&self.0).args(["verify", "-no-CApath", "-no-CAstore", "-purpose", "sslserver"]);
        command.args(["-attime", &at.seconds().to_string(), "-CAfile", "root.pem"]);
        command.args(["-untrusted", "issuing.pem", "leaf.pem"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

criterion_group!(all, benches, slowest);
criterion_main!(all);
