//! What is told of refusals: who it was, how often, and what was no request at all.

use std::sync::atomic::Ordering;

use examiner::UnixTime;
use policy::record::{Origin, PinExceptions, Revoked};
use policy::{CertificateRecord, Holder, PartyName, RecordChange};
use testkit::TestCert;

use crate::world::{World, party, pinned, until};

fn superseded(cert: &TestCert, after: UnixTime) -> RecordChange {
    let facts = cert.facts();
    let record = CertificateRecord {
        holder: Holder::Party(PartyName::parse("alice").unwrap()),
        label: "laptop".into(),
        origin: Origin::Pinned,
        key_pin: facts.key_pin,
        superseded_after: Some(after),
        revoked: None,
        exceptions: PinExceptions::default(),
    };
    RecordChange::Certificate(facts.thumbprint, record)
}

#[tokio::test]
async fn a_refusal_names_the_party_wherever_its_certificate_is_known() {
    let world = World::new();
    let now = world.now();
    let revoked = Revoked { at: now, reason: "key-compromise".into() };
    let RecordChange::Party(mut suspended) = party("alice", &["portal.test", "strict.test"]) else { return };
    suspended.suspended_since = Some(now);
    let alice = world.client().showing(&world.alice);
    for (change, code) in [
        (pinned("alice", &world.alice, Some(revoked)), "revoked"),
        (superseded(&world.alice, UnixTime(now.seconds() - 1)), "superseded"),
        (RecordChange::Party(suspended), "suspended"),
        (party("alice", &[]), "not-allowed"),
    ] {
        world.apply(vec![change]);
        let answer = alice.knock(world.port(), "portal.test", "/").await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, code.to_owned()));
        alice.knock(world.port(), "strict.test", "/").await.unwrap_err();
        until(|| world.audited(code).len() == 2);
        let thumbprint = world.alice.facts().thumbprint;
        for entry in world.audited(code) {
            assert_eq!(
                (entry.party.as_deref(), entry.thumbprint),
                (Some("alice"), Some(thumbprint)),
                "{code}"
            );
        }
    }
    world.apply(vec![]);
    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(connection.get("/", &[("host", "strict.test")]).await.unwrap().status, 421);
    assert_eq!(world.audited("host-mismatch")[0].party.as_deref(), Some("alice"));

    world.client().showing(&world.mallory).knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!(world.audited("unknown-issuer")[0].party, None);
    let stolen = world.client().showing_stolen(&world.alice, &world.mallory);
    stolen.knock(world.port(), "portal.test", "/").await.unwrap_err();
    until(|| world.audited("possession-failed").len() == 1);
    assert_eq!(world.audited("possession-failed")[0].party, None, "a stolen certificate blames nobody");
}

#[tokio::test]
async fn equal_refusals_within_ten_seconds_are_one_entry_with_a_count() {
    let world = World::new();
    let bob = world.client().showing(&world.bob);
    let began = world.clock.load(Ordering::SeqCst);
    let mut references = Vec::new();
    for after in [0, 0, 9] {
        world.clock.store(began + after, Ordering::SeqCst);
        let answer = bob.knock(world.port(), "portal.test", "/").await.unwrap();
        references.push(answer.json()["reference"].as_str().unwrap().to_owned());
    }
    world.client().knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!(world.audited("not-allowed").len(), 1, "the first at once, the others later");
    assert_eq!(world.audited("no-certificate").len(), 1, "another reason is another entry");

    world.clock.store(began + 10, Ordering::SeqCst);
    until(|| world.audited("not-allowed").len() == 2);
    let entries = world.audited("not-allowed");
    assert_eq!(entries.iter().map(|entry| entry.count).collect::<Vec<_>>(), [1, 2]);
    assert!(references.iter().chain(entries.iter().map(|e| &e.reference)).all(|r| *r == references[0]));
    let metric = "countersign_refusals_total{site=\"portal.test\",reason=\"not-allowed\"}";
    assert_eq!(world.metric(metric), 3);

    bob.knock(world.port(), "portal.test", "/").await.unwrap();
    let entries = world.audited("not-allowed");
    assert_eq!(entries.len(), 3);
    assert_ne!(entries[2].reference, references[0]);
}

#[tokio::test]
async fn what_the_parser_refuses_is_closed_counted_and_logged() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let fat = format!("GET / HTTP/1.1\r\nHost: portal.test\r\nX: {}\r\n\r\n", "x".repeat(70_000));
    for (request, status) in [("GET / HTTP/1.1\r\nHost: portal.test\r\nA b: c\r\n\r\n", 400), (&fat, 431)] {
        let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
        connection.send_raw(request.as_bytes()).await.unwrap();
        let answer = connection.read_head().await.unwrap();
        assert_eq!(answer.status, status);
        connection.read_to_end().await.unwrap();
    }
    assert_eq!(world.echo.count(), 0);
    let metric = "countersign_refusals_total{site=\"portal.test\",reason=\"bad-request\"}";
    until(|| world.metric(metric) == 2);
    let lines = world.lines(2);
    assert_eq!(lines.iter().map(|line| line.status).collect::<Vec<_>>(), [400, 431]);
    let entry = &world.audited("bad-request")[0];
    assert_eq!((entry.verdict, entry.party.as_deref()), ("refused", Some("alice")));
    assert!(!entry.detail.is_empty());
    assert!(lines.iter().all(|line| line.reference == entry.reference && line.verdict == "refused"));

    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    assert_eq!(world.metric(metric), 2);
}
