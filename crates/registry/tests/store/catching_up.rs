//! An earlier state and the changes since give what is loaded, or nothing where they do not.

use policy::Records;
use registry::many::Fate;
use registry::{State, StoredSite};

use super::feed::{busy_world, comparable};
use super::*;

#[tokio::test]
async fn from_every_earlier_moment_the_changes_lead_to_what_is_loaded() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    let mut before = vec![registry.load().await.unwrap()];
    let first = world.add(party("alice"), Origin::Own, certificate("alice").der.to_vec()).await;
    before.push(registry.load().await.unwrap());
    world.add(party("alice"), Origin::Pinned, certificate("other").der.to_vec()).await;
    before.push(registry.load().await.unwrap());
    registry.grant(&name("alice"), &site(), actor, NOON).await.unwrap();
    registry.put_site(StoredSite { name: site(), settings: "x = 1".into() }, actor, NOON).await.unwrap();
    before.push(registry.load().await.unwrap());
    let all = policy::Selection::parse(&["party=alice"]).unwrap();
    registry.change_selected(&all, Fate::Revoked("certificate-hold"), actor, NOON).await.unwrap();
    before.push(registry.load().await.unwrap());
    registry.revoke(&name("alice"), Some(&first.thumbprint), "key-compromise", actor, NOON).await.unwrap();

    let now = registry.load().await.unwrap();
    for state in before.into_iter().chain([now.clone()]) {
        let seq = state.seq;
        let caught_up = registry.catch_up(state).await.unwrap().unwrap_or_else(|| panic!("from {seq}"));
        assert_eq!(comparable(&caught_up.records), comparable(&now.records), "from {seq}");
        assert_eq!((caught_up.seq, &caught_up.mark, &caught_up.sites), (now.seq, &now.mark, &now.sites));
    }
}

#[tokio::test]
async fn a_state_that_is_not_this_databases_past_is_not_gone_on_from() {
    let world = busy_world().await;
    let World { registry, actor, .. } = &world;
    let now = registry.load().await.unwrap();
    assert!(registry.catch_up(now.clone()).await.unwrap().is_some());
    let mark = registry::Mark("0".repeat(64));
    for other in [
        State { epoch: "0".repeat(32), ..now.clone() },
        State { seq: now.seq + 1, ..now.clone() },
        State { seq: now.seq - 1, ..now.clone() },
        State { mark: Some(mark), ..now.clone() },
        State { mark: None, ..now.clone() },
    ] {
        assert!(registry.catch_up(other).await.unwrap().is_none());
    }
    // A copy that went on by itself gives out the same numbers for other changes.
    registry.suspend(&name("kiosk"), actor, NOON).await.unwrap();
    let here = registry.load().await.unwrap();
    registry.ensure_party(&name("dora"), actor, NOON).await.unwrap();
    let copied = format!(
        "DELETE FROM changes WHERE seq > {0}; UPDATE meta SET seq = {0}; UPDATE parties SET suspended_since = NULL WHERE name = 'kiosk'",
        now.seq
    );
    world.tamper(copied.leak()).await;
    registry.ensure_party(&name("eve"), actor, NOON).await.unwrap();
    registry.ensure_party(&name("fay"), actor, NOON).await.unwrap();
    assert_eq!(registry.load().await.unwrap().seq, here.seq + 1);
    assert!(registry.catch_up(here).await.unwrap().is_none(), "its last change is another one there");
    assert!(registry.catch_up(now).await.unwrap().is_some(), "up to there both are one");
}

#[tokio::test]
async fn changes_that_are_kept_no_longer_are_not_left_out() {
    let world = busy_world().await;
    let World { registry, actor, .. } = &world;
    let old = registry.load().await.unwrap();
    let later = NOON.plus(8 * 86_400);
    registry.suspend(&name("kiosk"), actor, later).await.unwrap();
    registry.suspend(&name("acme"), actor, later).await.unwrap();
    assert!(registry.prune(later).await.unwrap() > 0);
    assert!(registry.catch_up(old).await.unwrap().is_none());
    let empty = State { seq: 0, mark: None, records: Records::default(), ..registry.load().await.unwrap() };
    assert!(registry.catch_up(empty).await.unwrap().is_none());
}
