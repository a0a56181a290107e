//! What an examination costs: reading certificates, building paths, every check. The goal is below 5 ms a chain.
//!
//! `cargo bench -p examiner`.
#![allow(missing_docs)]

use criterion::{Criterion, criterion_group, criterion_main};
use examiner::chain::{Chain, Examinee, ders};
use examiner::path::{Budget, Rules, build};
use examiner::profile::{PeerName, Profile};
use examiner::{Question, UnixTime, examine};

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
}

criterion_group!(all, benches);
criterion_main!(all);
