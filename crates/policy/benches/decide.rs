//! What the decision costs each request, and what a change of policy costs, with ten entries and with 100,000.
//!
//! `cargo bench -p policy`.
#![allow(missing_docs)]

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use examiner::{KeyPin, Thumbprint};
use policy::record::{Holder, Origin, PinExceptions, SubjectRule};
use policy::{CertificateRecord, Decision, HostName, Moment, NormalPath, RecordChange, Records, decide};
use support::{World, name};
use testkit::TestCa;

/// Each a party with one pin; every tenth also has a subject rule.
fn crowd(count: u64) -> impl Iterator<Item = RecordChange> {
    (0..count).flat_map(|number| {
        let mut digest = [0; 32];
        digest[..8].copy_from_slice(&number.to_be_bytes());
        let party = name(&format!("party-{number}"));
        let rule = SubjectRule { ca: "partners".into(), subject: digest };
        let record = CertificateRecord {
            holder: Holder::Party(party.clone()),
            label: "cert-1".into(),
            origin: Origin::Pinned,
            key_pin: KeyPin(digest),
            superseded_after: None,
            revoked: None,
            exceptions: PinExceptions::default(),
        };
        let rule = number.is_multiple_of(10).then_some(RecordChange::Subject(rule, Some(party)));
        [RecordChange::Certificate(Thumbprint(digest), record)].into_iter().chain(rule)
    })
}

fn benches(c: &mut Criterion) {
    let ca = TestCa::new("Bench CA");
    let (pinned, issued) = (ca.issue("alice"), ca.issue("bob"));
    let now = testkit::times::clock();
    for size in [10, 100_000] {
        let mut world = World::new()
            .party("alice")
            .pin("alice", &pinned)
            .ca("partners", &ca)
            .allow("alice")
            .allow("ca:partners");
        for change in crowd(size) {
            world = world.change(change);
        }
        world.snapshot.records.merge();
        for (who, cert) in [("a pinned certificate", &pinned), ("a trusted issuer's certificate", &issued)] {
            let peer = world.peer(cert, now);
            let ask = || decide(&world.snapshot, &world.site, None, Some(black_box(&peer)), Moment::at(now));
            assert!(matches!(ask(), Decision::Admit(_)), "{:?}", ask());
            c.bench_function(&format!("decide on {who}, {size} on record"), |b| b.iter(ask));
        }
        let party = RecordChange::CompromisedKey(KeyPin([9; 32]), true);
        c.bench_function(&format!("copy and change a snapshot of {size}"), |b| {
            b.iter(|| {
                let mut next = world.snapshot.clone();
                next.records.apply(party.clone());
                next
            });
        });
        let changes: Vec<RecordChange> = crowd(size).collect();
        c.bench_function(&format!("build a snapshot of {size}"), |b| {
            b.iter(|| {
                let mut records = Records::default();
                for change in &changes {
                    records.apply(change.clone());
                }
                records.merge();
                records
            });
        });
    }
    c.bench_function("normalise a host", |b| b.iter(|| HostName::parse(black_box("Portal.Example.COM."))));
    c.bench_function("normalise a host with a port", |b| {
        b.iter(|| HostName::parse_authority(black_box("portal.example.com:8443")));
    });
    c.bench_function("normalise a path", |b| {
        b.iter(|| NormalPath::parse(black_box("/api/v1/../v1/orders/%7Eall/2027")));
    });
}

criterion_group! { name = all; config = Criterion::default().sample_size(20); targets = benches }
criterion_main!(all);
