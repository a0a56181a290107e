//! How fast the audit can be written: entries a second, one by one and as the gate does it, many in a transaction.
//!
//! `cargo bench -p registry`.
#![allow(missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use examiner::UnixTime;
use registry::{AuditEvent, Registry};

fn event() -> AuditEvent {
    AuditEvent {
        time: UnixTime(1_803_902_400),
        site: Some("portal.test".into()),
        party: Some("alice".into()),
        thumbprint: Some("ab".repeat(32)),
        address: Some("192.0.2.7".into()),
        verdict: "admitted".into(),
        code: None,
        rule: Some("grant".into()),
        reference: Some("7F3K-22".into()),
        detail: None,
        count: 1,
    }
}

fn benches(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("registry.db");
    let registry = runtime.block_on(Registry::create(&path, UnixTime(1_803_902_400))).expect("a registry");
    let mut group = c.benchmark_group("audit");
    group.sample_size(10);
    for count in [1, 100, 1000] {
        let events: Vec<AuditEvent> = (0..count).map(|_| event()).collect();
        group.throughput(Throughput::Elements(count));
        group.bench_function(format!("{count} in a transaction"), |b| {
            b.iter(|| runtime.block_on(registry.append_audit("gate", &events)).expect("stored"));
        });
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
