//! A database that goes back to a copy is noticed, and stays so until an operator confirms it.

use registry::{AuditVerdict, Feed, Gap};

use super::*;

/// A copy of the database as it is now.
async fn copy(world: &World) -> Vec<u8> {
    world.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await;
    std::fs::read(world.path()).unwrap()
}

/// Puts the copy back; the files beside the database stay.
async fn restore(world: World, copy: &[u8]) -> (Registry, World) {
    world.tamper("PRAGMA wal_checkpoint(TRUNCATE)").await;
    for suffix in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(world.directory.path().join(format!("registry.db{suffix}")));
    }
    let path = world.path();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, copy).unwrap();
    (Registry::open(&path).await.unwrap(), world)
}

/// One party, a copy, and a suspension that the copy does not know.
async fn suspended_after_the_copy() -> (World, Vec<u8>) {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    let copy = copy(&world).await;
    world.registry.suspend(&name("alice"), &world.actor, NOON).await.unwrap();
    (world, copy)
}

#[tokio::test]
async fn a_database_as_it_was_left_is_no_finding() {
    let (world, _) = suspended_after_the_copy().await;
    assert_eq!(world.registry.restored(), None);
    let again = Registry::open(&world.path()).await.unwrap();
    assert_eq!(again.restored(), None);
    let confirmed = again.confirm_restored(&world.actor, NOON).await;
    assert!(matches!(confirmed, Err(RegistryError::Conflict { .. })));
}

#[tokio::test]
async fn a_database_that_went_back_is_noticed_also_when_it_has_caught_up() {
    let (world, copy) = suspended_after_the_copy().await;
    let (restored, world) = restore(world, &copy).await;
    let found = restored.restored().expect("a finding").clone();
    assert_eq!((found.noted_seq, found.seq), (Some(2), 1));
    assert_eq!(found.noted_epoch.as_deref(), Some(restored.epoch()));

    for other in ["bob", "carol", "dave"] {
        restored.ensure_party(&name(other), &world.actor, NOON).await.unwrap();
    }
    let again = Registry::open(&world.path()).await.unwrap();
    assert!(again.restored().is_some(), "its numbers have passed the noted one");
    assert!(Registry::open(&world.path()).await.unwrap().restored().is_some());
}

#[tokio::test]
async fn a_confirmed_database_has_a_new_epoch_and_higher_list_numbers() {
    let (world, copy) = suspended_after_the_copy().await;
    let old = world.registry.epoch().to_owned();
    let (restored, world) = restore(world, &copy).await;
    let state = restored.load().await.unwrap();
    let confirmed = restored.confirm_restored(&world.actor, NOON.plus(60)).await.unwrap();
    assert_eq!(confirmed.restored(), None);
    assert_ne!(confirmed.epoch(), old);
    assert!(confirmed.next_crl_number().await.unwrap() > NOON.0.unsigned_abs());
    assert_eq!(confirmed.changes_since(&old, state.seq).await.unwrap(), Feed::Reload(Gap::OtherEpoch));
    assert_eq!(confirmed.load().await.unwrap().epoch, confirmed.epoch());
    let whole = confirmed.verify_audit().await.unwrap();
    assert!(matches!(whole, AuditVerdict::Whole { entries: 2, .. }), "{whole:?}");

    confirmed.suspend(&name("alice"), &world.actor, NOON).await.unwrap();
    let again = Registry::open(&world.path()).await.unwrap();
    assert_eq!((again.restored(), again.epoch()), (None, confirmed.epoch()));
}

#[tokio::test]
async fn another_database_and_a_missing_or_damaged_note_are_findings() {
    let (world, _) = suspended_after_the_copy().await;
    let note = world.directory.path().join("epoch");
    let written = std::fs::read_to_string(&note).unwrap();
    for damaged in ["", "rubbish", "a b c\n", &written[1..], &written[..written.len() - 1]] {
        std::fs::write(&note, damaged).unwrap();
        let opened = Registry::open(&world.path()).await.unwrap();
        assert!(opened.restored().is_some(), "{damaged:?}");
        assert!(Registry::open(&world.path()).await.unwrap().restored().is_some(), "{damaged:?} again");
    }
    std::fs::write(&note, &written).unwrap();
    assert_eq!(Registry::open(&world.path()).await.unwrap().restored(), None);
    std::fs::remove_file(&note).unwrap();
    let opened = Registry::open(&world.path()).await.unwrap();
    assert_eq!(opened.restored().expect("a finding").noted_epoch, None);
    assert!(Registry::open(&world.path()).await.unwrap().restored().is_some(), "it is not made anew");
}

#[tokio::test]
async fn a_change_of_a_restored_database_does_not_hide_that_it_was() {
    let (world, copy) = suspended_after_the_copy().await;
    let (restored, world) = restore(world, &copy).await;
    restored.seal(NOON.plus(600)).await.unwrap();
    let note = std::fs::read_to_string(world.directory.path().join("epoch")).unwrap();
    assert!(note.ends_with("restored\n"), "{note}");
}

#[tokio::test]
async fn an_invite_opens_nothing_in_a_restored_database_and_is_gone_once_it_is_confirmed() {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    let new = registry::NewInvite {
        party: name("alice"),
        profile: "person".into(),
        label: None,
        has_code: false,
        expires_at: NOON.plus(3600),
    };
    let made = world.registry.add_invite(new, &world.actor, NOON).await.unwrap();
    let copy = copy(&world).await;
    world.registry.suspend(&name("alice"), &world.actor, NOON).await.unwrap();
    let (restored, world) = restore(world, &copy).await;
    let presented = registry::Presented { token: &made.token, code: None, key: None };
    let refused = restored.present_invite(&presented, NOON).await;
    assert!(matches!(refused, Err(RegistryError::NotConfirmed)), "{refused:?}");
    let confirmed = restored.confirm_restored(&world.actor, NOON).await.unwrap();
    let refused = confirmed.present_invite(&presented, NOON).await;
    assert!(matches!(refused, Err(RegistryError::InviteNotOpen)), "{refused:?}");
}

#[tokio::test]
async fn an_account_binding_is_gone_once_a_restored_database_is_confirmed() {
    let world = World::new().await;
    world.registry.ensure_party(&name("svc"), &world.actor, NOON).await.unwrap();
    let new = registry::NewBinding {
        party: name("svc"),
        profile: "service".into(),
        names: Vec::new(),
        expires_at: NOON.plus(3600),
    };
    let made = world.registry.add_binding(new, &world.actor, NOON).await.unwrap();
    let copy = copy(&world).await;
    world.registry.suspend(&name("svc"), &world.actor, NOON).await.unwrap();
    let (restored, world) = restore(world, &copy).await;
    let confirmed = restored.confirm_restored(&world.actor, NOON).await.unwrap();
    let refused = confirmed.make_account(&made.id, ([1; 32], "{}"), &[], &world.actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::BindingNotOpen)), "{refused:?}");
}
