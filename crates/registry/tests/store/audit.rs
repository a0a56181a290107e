//! An altered byte and a missing entry are noticed and named.

use registry::{AuditEvent, AuditFilter, AuditVerdict};

use super::*;

fn refused(seconds: i64) -> AuditEvent {
    AuditEvent {
        time: NOON.plus(seconds),
        site: Some("portal.test".into()),
        party: Some("alice".into()),
        verdict: "refused".into(),
        code: Some("not-allowed".into()),
        reference: Some(format!("R-{seconds}")),
        count: 1,
        ..AuditEvent::default()
    }
}

/// Entries 1 and 5 are the registry's own, 2 to 4 a gate's.
async fn written() -> World {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    world.registry.append_audit("gate-1", &[refused(0), refused(1)]).await.unwrap();
    world.registry.append_audit("gate-1", &[refused(2)]).await.unwrap();
    world.registry.suspend(&name("alice"), &world.actor, NOON).await.unwrap();
    assert!(matches!(world.registry.verify_audit().await, Ok(AuditVerdict::Whole { entries: 5, .. })));
    world
}

async fn broken(world: &World) -> (String, i64, String) {
    match world.registry.verify_audit().await.unwrap() {
        AuditVerdict::Broken { writer, id, what } => (writer, id, what),
        whole => panic!("{whole:?}"),
    }
}

#[tokio::test]
async fn a_whole_audit_names_its_heads() {
    let world = written().await;
    let Ok(AuditVerdict::Whole { heads, .. }) = world.registry.verify_audit().await else { panic!() };
    let heads: Vec<_> = heads.iter().map(|head| (head.writer.as_str(), head.number)).collect();
    assert_eq!(heads, [("gate-1", 3), ("registry", 2)]);
    let empty = World::new().await;
    assert!(matches!(empty.registry.verify_audit().await, Ok(AuditVerdict::Whole { entries: 0, .. })));
}

#[tokio::test]
async fn an_altered_byte_is_named() {
    for sql in [
        "UPDATE audit SET entry = replace(entry, 'alice', 'alicf') WHERE id = 3",
        "UPDATE audit SET entry = CAST(x'ff' || entry AS TEXT) WHERE id = 3",
        "UPDATE audit SET hash = zeroblob(32) WHERE id = 3",
        "UPDATE audit SET party = 'bob' WHERE id = 3",
        "UPDATE audit SET time = time + 1 WHERE id = 3",
        "UPDATE audit SET writer = 'gate-2' WHERE id = 3",
        "UPDATE audit SET reference = NULL WHERE id = 3",
    ] {
        let world = written().await;
        world.tamper(sql).await;
        assert_eq!(broken(&world).await.1, 3, "{sql}");
    }
}

#[tokio::test]
async fn a_missing_entry_is_named_by_its_successor() {
    let world = written().await;
    world.tamper("DELETE FROM audit WHERE id = 3").await;
    let (writer, id, what) = broken(&world).await;
    assert_eq!((writer.as_str(), id), ("gate-1", 4));
    assert!(what.contains("entry 2"), "{what}");
}

#[tokio::test]
async fn a_removed_tail_is_named_by_the_table() {
    let world = written().await;
    world.tamper("DELETE FROM audit WHERE id = 4").await;
    let (writer, id, what) = broken(&world).await;
    assert_eq!((writer.as_str(), id), ("gate-1", 4));
    assert!(what.contains("entry 3"), "{what}");
}

#[tokio::test]
async fn a_removed_tail_with_a_rewound_table_is_named_by_the_file() {
    let world = written().await;
    world
        .tamper(
            "DELETE FROM audit WHERE id = 5;
             UPDATE audit_heads SET number = 1, id = 1, hash = (SELECT hash FROM audit WHERE id = 1)
             WHERE writer = 'registry'",
        )
        .await;
    let (writer, id, what) = broken(&world).await;
    assert_eq!((writer.as_str(), id), ("registry", 5));
    assert!(what.contains("entry 2"), "{what}");
}

#[tokio::test]
async fn a_whole_chain_removed_with_its_head_is_named_by_the_file() {
    let world = written().await;
    world
        .tamper("DELETE FROM audit WHERE writer = 'gate-1'; DELETE FROM audit_heads WHERE writer = 'gate-1'")
        .await;
    assert_eq!(broken(&world).await.0, "gate-1");
    let other = written().await;
    std::fs::remove_file(other.directory.path().join("audit-heads")).unwrap();
    assert!(broken(&other).await.2.contains("audit-heads"));
}

#[tokio::test]
async fn entries_are_found_by_what_they_say() {
    let world = written().await;
    let found = async |filter: AuditFilter| {
        let rows = world.registry.search_audit(&filter).await.unwrap();
        rows.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    let all = AuditFilter::default;
    assert_eq!(found(all()).await, [1, 2, 3, 4, 5]);
    assert_eq!(found(AuditFilter { site: Some("portal.test".into()), ..all() }).await, [2, 3, 4]);
    assert_eq!(found(AuditFilter { party: Some("alice".into()), ..all() }).await, [1, 2, 3, 4, 5]);
    assert!(found(AuditFilter { code: Some("expired".into()), ..all() }).await.is_empty());
    assert_eq!(found(AuditFilter { verdict: Some("changed".into()), ..all() }).await, [1, 5]);
    assert_eq!(found(AuditFilter { reference: Some("R-1".into()), ..all() }).await, [3]);
    assert_eq!(found(AuditFilter { since: Some(NOON.plus(1)), ..all() }).await, [3, 4]);
    assert_eq!(found(AuditFilter { until: Some(NOON.plus(1)), ..all() }).await, [1, 2, 3, 5]);
    assert_eq!(found(AuditFilter { limit: Some(2), ..all() }).await, [4, 5]);
    assert_eq!(found(AuditFilter { limit: Some(2), after_id: Some(1), ..all() }).await, [2, 3]);
    assert_eq!(found(AuditFilter { limit: Some(2), before_id: Some(4), ..all() }).await, [2, 3]);
    assert_eq!(found(AuditFilter { before_id: Some(1), ..all() }).await, [0; 0]);
    assert_eq!(world.registry.last_audit_id().await.unwrap(), 5);
    let row = &world.registry.search_audit(&all()).await.unwrap()[1];
    let json = serde_json::to_value(row).unwrap();
    assert_eq!((&json["writer"], &json["verdict"]), (&"gate-1".into(), &"refused".into()));
}

#[tokio::test]
async fn refusals_are_counted_by_code_and_stretch_and_admissions_by_party_and_site() {
    let world = World::new().await;
    let event = |seconds: i64, verdict: &str, code: Option<&str>, count: u32| AuditEvent {
        time: NOON.plus(seconds),
        site: Some("portal.test".into()),
        party: Some("alice".into()),
        verdict: verdict.into(),
        code: code.map(str::to_owned),
        count,
        ..AuditEvent::default()
    };
    let events = [
        event(-1, "refused", Some("expired"), 9),
        event(0, "refused", Some("expired"), 3),
        event(3_599, "refused", Some("expired"), 1),
        event(3_600, "refused", Some("revoked"), 5),
        event(3_600, "admitted", None, 2),
        event(7_200, "admitted", None, 1),
    ];
    world.registry.append_audit("gate-1", &events).await.unwrap();
    let counts = world.registry.count_refusals(NOON, 3_600).await.unwrap();
    let told: Vec<_> = counts
        .iter()
        .map(|one| (one.from.seconds() - NOON.seconds(), one.code.as_str(), one.count))
        .collect();
    assert_eq!(told, [(0, "expired", 4), (3_600, "revoked", 5)]);
    let entered = world.registry.who_entered(NOON, NOON.plus(7_199)).await.unwrap();
    assert_eq!(entered, [("alice".to_owned(), "portal.test".to_owned(), 2)]);
    assert!(world.registry.who_entered(NOON, NOON.plus(3_599)).await.unwrap().is_empty());
}

#[tokio::test]
async fn however_many_are_appended_at_once_each_is_stored_whole_and_in_its_place() {
    let world = World::new().await;
    let event = |number: u32| AuditEvent {
        time: NOON.plus(number.into()),
        site: Some(format!("site-{number}.test")),
        party: number.is_multiple_of(2).then(|| format!("party-{number}")),
        verdict: "refused".into(),
        code: number.is_multiple_of(3).then(|| "expired".into()),
        reference: number.is_multiple_of(5).then(|| format!("7F3K-{number}")),
        detail: Some("a \"quoted\" word, a \\ and an é".into()),
        count: number,
        ..AuditEvent::default()
    };
    let mut all: Vec<AuditEvent> = Vec::new();
    for count in [0, 1, 2, 3, 63, 64, 65, 127, 128, 200] {
        let some: Vec<_> = (0..count).map(|next| event(all.len() as u32 + next)).collect();
        world.registry.append_audit("gate-1", &some).await.unwrap();
        all.extend(some);
    }
    let filter = AuditFilter { limit: Some(10_000), ..AuditFilter::default() };
    let stored = world.registry.search_audit(&filter).await.unwrap();
    let ids: Vec<_> = stored.iter().map(|row| row.id).collect();
    assert_eq!(ids, (ids[0]..).take(all.len()).collect::<Vec<_>>());
    assert_eq!(stored.into_iter().map(|row| row.event).collect::<Vec<_>>(), all);
    for (filter, found) in [
        (AuditFilter { site: Some("site-400.test".into()), ..AuditFilter::default() }, 400),
        (AuditFilter { party: Some("party-64".into()), ..AuditFilter::default() }, 64),
        (AuditFilter { reference: Some("7F3K-65".into()), ..AuditFilter::default() }, 65),
    ] {
        let rows = world.registry.search_audit(&filter).await.unwrap();
        assert_eq!(rows.iter().map(|row| row.event.count).collect::<Vec<_>>(), [found]);
    }
    let entries = all.len() as u64;
    assert!(
        matches!(world.registry.verify_audit().await, Ok(AuditVerdict::Whole { entries: whole, .. }) if whole == entries)
    );
}
