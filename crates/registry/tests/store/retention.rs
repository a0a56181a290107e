//! Old audit entries go, the rest stays verifiable, and nothing else can be taken away so.

use registry::{AuditEvent, AuditFilter, AuditVerdict};

use super::*;

const DAY: i64 = 86_400;

fn entry(at: UnixTime) -> AuditEvent {
    AuditEvent { time: at, verdict: "refused".into(), count: 1, ..AuditEvent::default() }
}

/// Three entries of a gate, a day apart, and two changes at noon.
async fn written() -> World {
    let world = World::new().await;
    for party in ["alice", "bob"] {
        world.registry.ensure_party(&name(party), &world.actor, NOON).await.unwrap();
    }
    for day in 0..3 {
        world.registry.append_audit("gate", &[entry(NOON.plus(day * DAY))]).await.unwrap();
    }
    world
}

async fn whole(world: &World) -> u64 {
    match world.registry.verify_audit().await.unwrap() {
        AuditVerdict::Whole { entries, .. } => entries,
        broken => panic!("{broken:?}"),
    }
}

async fn broken(world: &World) -> (String, String) {
    match world.registry.verify_audit().await.unwrap() {
        AuditVerdict::Broken { writer, what, .. } => (writer, what),
        whole => panic!("{whole:?}"),
    }
}

#[tokio::test]
async fn entries_go_when_they_are_older_than_so_many_days_and_the_rest_is_whole() {
    let world = written().await;
    assert_eq!(world.registry.retain(NOON.plus(10 * DAY), 10).await.unwrap(), 0, "ten days old is kept");
    assert_eq!(whole(&world).await, 5);
    assert_eq!(world.registry.retain(NOON.plus(10 * DAY + 1), 10).await.unwrap(), 3);
    assert_eq!(whole(&world).await, 2);
    let kept = world.registry.search_audit(&AuditFilter::default()).await.unwrap();
    assert!(kept.iter().all(|row| row.event.time > NOON));

    world.registry.suspend(&name("alice"), &world.actor, NOON.plus(11 * DAY)).await.unwrap();
    world.registry.append_audit("gate", &[entry(NOON.plus(11 * DAY))]).await.unwrap();
    assert_eq!(whole(&world).await, 4, "the chains go on");
    assert_eq!(world.registry.retain(NOON.plus(30 * DAY), 10).await.unwrap(), 4);
    assert_eq!(whole(&world).await, 0);
    let Ok(AuditVerdict::Whole { heads, .. }) = world.registry.verify_audit().await else { panic!() };
    assert_eq!(heads.iter().map(|head| head.number).collect::<Vec<_>>(), [4, 3], "the numbers go on");
    world.registry.append_audit("gate", &[entry(NOON.plus(31 * DAY))]).await.unwrap();
    assert_eq!(whole(&world).await, 1);
}

#[tokio::test]
async fn an_entry_dated_late_keeps_those_behind_it() {
    let world = World::new().await;
    for at in [NOON, NOON.plus(DAY), NOON, NOON.plus(2 * DAY)] {
        world.registry.append_audit("gate", &[entry(at)]).await.unwrap();
    }
    assert_eq!(world.registry.retain(NOON.plus(DAY), 0).await.unwrap(), 1);
    assert_eq!(whole(&world).await, 3);
}

#[tokio::test]
async fn a_deletion_without_a_signed_checkpoint_is_found() {
    let forged = "INSERT INTO audit_checkpoints SELECT writer, number, id, hash FROM audit WHERE id = 4
                  ON CONFLICT (writer) DO UPDATE SET number = excluded.number, id = excluded.id, hash = excluded.hash;
                  DELETE FROM audit WHERE writer = 'gate' AND id <= 4";
    let world = written().await;
    world.tamper(forged).await;
    let (writer, what) = broken(&world).await;
    assert_eq!(writer, "gate");
    assert!(what.contains("up to 2") && what.contains("signed"), "{what}");

    let world = written().await;
    world.registry.retain(NOON.plus(10 * DAY + 1), 10).await.unwrap();
    world.tamper(forged).await;
    assert_eq!(broken(&world).await.0, "gate", "a true checkpoint lends nothing to a further one");

    let world = written().await;
    world.registry.retain(NOON.plus(10 * DAY + 1), 10).await.unwrap();
    world.tamper("DELETE FROM audit WHERE id = 4").await;
    assert!(broken(&world).await.1.contains("entry 2"), "behind the checkpoint the chain has no gaps");

    let world = written().await;
    world.registry.retain(NOON.plus(10 * DAY + 1), 10).await.unwrap();
    world.tamper("DELETE FROM audit_checkpoints WHERE writer = 'gate'").await;
    assert!(broken(&world).await.1.contains("entry 1"), "a chain without its checkpoint begins at 1");
}

#[tokio::test]
async fn the_file_keeps_no_lines_of_entries_that_are_gone() {
    let world = written().await;
    let lines =
        || std::fs::read_to_string(world.directory.path().join("audit-heads")).unwrap().lines().count();
    assert_eq!(lines(), 5);
    world.registry.retain(NOON.plus(10 * DAY + 1), 10).await.unwrap();
    assert_eq!(lines(), 4, "two heads of the gate, and two starts");
    world.registry.retain(NOON.plus(30 * DAY), 10).await.unwrap();
    assert_eq!(lines(), 2, "one start for each chain");
}
