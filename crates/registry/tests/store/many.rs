//! Many certificates are revoked by one change, and a hold alone is taken back.

use policy::record::Revoked;
use policy::{RecordChange, Selection};
use registry::many::Fate;
use registry::{AuditFilter, Issuer};

use super::*;

const HOLD: Fate<'static> = Fate::Revoked("certificate-hold");

fn meant(text: &str) -> Selection {
    Selection::parse(&[text]).unwrap()
}

/// Two kiosks with two certificates each, and a person with one.
async fn kiosks() -> World {
    let world = World::new().await;
    for party_name in ["kiosk-1", "kiosk-2", "alice"] {
        world.registry.ensure_party(&name(party_name), &world.actor, NOON).await.unwrap();
    }
    for holder in ["kiosk-1", "kiosk-1", "kiosk-2", "kiosk-2", "alice"] {
        world.add(party(holder), Origin::Own, certificate(holder).der.to_vec()).await;
    }
    world
}

async fn state(world: &World, party: &str) -> Vec<Option<(UnixTime, String)>> {
    let rows = world.registry.certificates(&name(party)).await.unwrap();
    rows.into_iter().map(|row| row.revoked.map(|Revoked { at, reason }| (at, reason))).collect()
}

#[tokio::test]
async fn all_that_are_meant_are_revoked_by_one_change_and_the_others_are_not() {
    let world = kiosks().await;
    let World { registry, actor, .. } = &world;
    let before = registry.last_seq().await.unwrap();
    let fate = Fate::Revoked("key-compromise");
    let shown = registry.select(&meant("party=kiosk-*"), fate).await.unwrap();
    assert_eq!(registry.last_seq().await.unwrap(), before, "to look changes nothing");

    let done = registry.change_selected(&meant("party=kiosk-*"), fate, actor, NOON).await.unwrap();
    assert_eq!(done.len(), 4);
    assert_eq!(done, shown);
    let expected = Some((NOON, "key-compromise".to_owned()));
    assert_eq!(state(&world, "kiosk-1").await, vec![expected.clone(); 2]);
    assert_eq!(state(&world, "kiosk-2").await, vec![expected; 2]);
    assert_eq!(state(&world, "alice").await, [None]);

    let fed = crate::feed::changes(registry, before).await;
    let [entry] = &fed[..] else { panic!("one change, not {}", fed.len()) };
    let RecordChange::Revocations(all) = &entry.change else { panic!("{entry:?}") };
    assert_eq!((all.certificates.len(), all.compromised_keys.len()), (4, 4));
    assert_eq!(registry.revoked_serials(Issuer::Client, NOON).await.unwrap().len(), 4);
    let audit = registry.search_audit(&AuditFilter::default()).await.unwrap();
    let last = &audit.last().unwrap().event;
    assert_eq!(last.count, 4);
    assert_eq!(
        last.detail.as_deref(),
        Some("4 certificate(s) revoked for key-compromise: party=kiosk-*; by root")
    );
}

#[tokio::test]
async fn nothing_meant_changes_nothing() {
    let world = kiosks().await;
    let World { registry, actor, .. } = &world;
    let before = registry.last_seq().await.unwrap();
    let entries = registry.search_audit(&AuditFilter::default()).await.unwrap().len();
    for (text, fate) in [("party=nobody", Fate::Revoked("superseded")), ("party=*", Fate::Released)] {
        assert!(registry.change_selected(&meant(text), fate, actor, NOON).await.unwrap().is_empty());
    }
    assert_eq!(registry.last_seq().await.unwrap(), before);
    assert_eq!(registry.search_audit(&AuditFilter::default()).await.unwrap().len(), entries);
}

#[tokio::test]
async fn operators_are_never_meant() {
    let world = World::new().await;
    let role = policy::record::OperatorRole::Owner;
    let owner = Holder::Operator { name: name("ann"), role };
    world.add(owner, Origin::Own, certificate("ann").der.to_vec()).await;
    let all = world.registry.select(&meant("party=*"), Fate::Revoked("unspecified")).await.unwrap();
    assert!(all.is_empty(), "{all:?}");
}

#[tokio::test]
async fn a_hold_is_released_and_leaves_the_list() {
    let world = kiosks().await;
    let World { registry, actor, .. } = &world;
    registry.change_selected(&meant("party=kiosk-*"), HOLD, actor, NOON).await.unwrap();
    let listed = async || registry.revoked_serials(Issuer::Client, NOON).await.unwrap();
    assert!(listed().await.iter().all(|one| one.reason == "certificate-hold"));
    assert_eq!(listed().await.len(), 4);

    let one = registry.certificates(&name("kiosk-1")).await.unwrap()[0].thumbprint;
    registry.release(&name("kiosk-1"), Some(&one), actor, NOON).await.unwrap();
    assert_eq!(listed().await.len(), 3);
    let again = registry.release(&name("kiosk-1"), Some(&one), actor, NOON).await;
    assert!(matches!(again, Err(RegistryError::Conflict { .. })), "it is not held any more");
    registry.change_selected(&meant("party=kiosk-1"), Fate::Released, actor, NOON).await.unwrap();
    assert_eq!(state(&world, "kiosk-1").await, [None, None]);
    assert_eq!(listed().await.len(), 2);
    let records = registry.load().await.unwrap().records;
    assert!(records.certificates.get(&one).unwrap().revoked.is_none());
}

#[tokio::test]
async fn a_hold_can_become_final_with_its_date_and_nothing_final_is_released() {
    let world = kiosks().await;
    let World { registry, actor, .. } = &world;
    let later = NOON.plus(3600);
    registry.revoke(&name("kiosk-1"), None, "certificate-hold", actor, NOON).await.unwrap();
    registry.change_selected(&meant("party=kiosk-2"), HOLD, actor, NOON).await.unwrap();

    let done = registry.revoke(&name("kiosk-1"), None, "superseded", actor, later).await.unwrap();
    assert_eq!(done.len(), 2);
    let fate = Fate::Revoked("cessation-of-operation");
    registry.change_selected(&meant("party=kiosk-2"), fate, actor, later).await.unwrap();
    assert_eq!(state(&world, "kiosk-1").await, vec![Some((NOON, "superseded".to_owned())); 2]);
    assert_eq!(state(&world, "kiosk-2").await, vec![Some((NOON, "cessation-of-operation".to_owned())); 2]);

    for party in ["kiosk-1", "kiosk-2"] {
        let refused = registry.release(&name(party), None, actor, later).await;
        assert!(matches!(refused, Err(RegistryError::Conflict { .. })), "{party}");
    }
    assert!(registry.select(&meant("party=*"), Fate::Released).await.unwrap().is_empty());
    let held_again = registry.revoke(&name("kiosk-1"), None, "certificate-hold", actor, later).await.unwrap();
    assert!(held_again.is_empty(), "what is final is not held");
}

#[tokio::test]
async fn a_partys_key_pins_are_held_and_released_with_its_certificates() {
    let world = kiosks().await;
    let World { registry, actor, .. } = &world;
    let alice = name("alice");
    let key = certificate("key");
    registry.add_key_pin(&alice, None, &key, PinExceptions::default(), actor, NOON).await.unwrap();
    registry.revoke(&alice, None, "certificate-hold", actor, NOON).await.unwrap();
    assert!(registry.key_pins(&alice).await.unwrap()[0].revoked.is_some());
    assert!(!registry.load().await.unwrap().records.compromised_keys.contains(&key.key_pin));

    let (certificates, keys) = registry.release(&alice, None, actor, NOON).await.unwrap();
    assert_eq!((certificates.len(), keys), (1, vec!["key-1".to_owned()]));
    assert!(registry.key_pins(&alice).await.unwrap()[0].revoked.is_none());
    let unknown = registry.release(&name("nobody"), None, actor, NOON).await;
    assert!(matches!(unknown, Err(RegistryError::NotFound { .. })));
}
