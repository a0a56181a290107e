//! Pending certificates stay within their limits, on both sides of each.

use registry::Knock;

use super::*;

fn knock(certificate: &Certificate, address: &str, reference: &str, at: UnixTime) -> Knock {
    Knock {
        der: certificate.der.to_vec(),
        site: "portal.test".into(),
        reason: "unknown-issuer".into(),
        note: String::new(),
        address: address.parse().unwrap(),
        reference: reference.into(),
        at,
    }
}

async fn knocks(world: &World, count: usize, address: impl Fn(usize) -> String) {
    for i in 0..count {
        let knock = knock(&certificate("x"), &address(i), "R", NOON);
        world.registry.knock(knock).await.unwrap();
    }
}

async fn counts(world: &World) -> (usize, u64) {
    let entries = world.registry.pendings().await.unwrap().len();
    (entries, world.registry.pending_dropped().await.unwrap())
}

#[tokio::test]
async fn a_source_prefix_has_twenty_entries() {
    let world = World::new().await;
    knocks(&world, 20, |i| format!("192.0.2.{i}")).await;
    assert_eq!(counts(&world).await, (20, 0));
    knocks(&world, 1, |_| "::ffff:192.0.2.200".into()).await;
    assert_eq!(counts(&world).await, (20, 1));
    knocks(&world, 1, |_| "192.0.3.1".into()).await;
    assert_eq!(counts(&world).await, (21, 1));
    knocks(&world, 21, |i| format!("2001:db8:1:{i:x}::1")).await;
    assert_eq!(counts(&world).await, (41, 2));
}

#[tokio::test]
async fn the_list_has_a_thousand_entries() {
    let world = World::new().await;
    knocks(&world, 1_000, |i| format!("10.{}.{}.1", i / 250, i % 250)).await;
    assert_eq!(counts(&world).await, (1_000, 0));
    knocks(&world, 1, |_| "203.0.113.1".into()).await;
    assert_eq!(counts(&world).await, (1_000, 1));
    let id = world.registry.pendings().await.unwrap()[0].id.clone();
    world.registry.remove_pending(&id, &world.actor, "dismissed", NOON).await.unwrap();
    knocks(&world, 1, |_| "203.0.113.1".into()).await;
    assert_eq!(counts(&world).await, (1_000, 1));
}

#[tokio::test]
async fn one_key_has_one_entry_with_its_last_64_references() {
    let world = World::new().await;
    let stranger = certificate("stranger");
    for i in 0..66 {
        let knock = knock(&stranger, "192.0.2.1", &format!("R-{i}"), NOON.plus(i));
        world.registry.knock(knock).await.unwrap();
    }
    let row = world.registry.pendings().await.unwrap().remove(0);
    assert_eq!((row.count, row.first_seen, row.last_seen), (66, NOON, NOON.plus(65)));
    assert_eq!((row.references.len(), row.references[0].as_str()), (64, "R-2"));
    assert_eq!(row.subject, "CN=stranger");
    assert_eq!(world.registry.pending(&row.id).await.unwrap(), Some(row));
}

#[tokio::test]
async fn another_certificate_with_the_same_key_is_another_entry_without_the_references() {
    let world = World::new().await;
    let key = rcgen::KeyPair::generate().unwrap();
    for (cn, reference) in [("harmless", "R-1"), ("admin", "R-2")] {
        let knock = knock(&certificate_with(cn, &key), "192.0.2.1", reference, NOON);
        world.registry.knock(knock).await.unwrap();
    }
    let rows = world.registry.pendings().await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(
        (rows[0].subject.as_str(), rows[0].references.as_slice()),
        ("CN=admin", &["R-2".to_owned()][..])
    );
    assert!(rows[0].thumbprint.to_string().starts_with(&rows[0].id));
}

#[tokio::test]
async fn an_entry_is_kept_thirty_days_and_no_longer() {
    let world = World::new().await;
    let days = |days: i64| NOON.plus(days * 86_400);
    world.registry.knock(knock(&certificate("old"), "192.0.2.1", "R", NOON)).await.unwrap();
    world.registry.knock(knock(&certificate("a"), "192.0.2.1", "R", days(30))).await.unwrap();
    assert_eq!(counts(&world).await.0, 2);
    world.registry.knock(knock(&certificate("b"), "192.0.2.1", "R", days(30).plus(1))).await.unwrap();
    let left = world.registry.pendings().await.unwrap();
    assert_eq!(left.iter().map(|row| row.subject.as_str()).collect::<Vec<_>>(), ["CN=b", "CN=a"]);
}

#[tokio::test]
async fn a_certificate_that_is_on_record_when_its_knock_is_noted_is_not_pending() {
    let world = World::new().await;
    let (registry, actor) = (&world.registry, &world.actor);
    let (pinned, keyed, stranger) =
        (certificate("pinned"), rcgen::KeyPair::generate().unwrap(), certificate("x"));
    let by_key = certificate_with("keyed", &keyed);
    for one in [&pinned, &by_key] {
        registry.knock(knock(one, "192.0.2.1", "R", NOON)).await.unwrap();
    }
    assert_eq!(counts(&world).await, (2, 0));
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    world.add(party("alice"), Origin::Pinned, pinned.der.to_vec()).await;
    registry.add_key_pin(&name("alice"), None, &by_key, PinExceptions::default(), actor, NOON).await.unwrap();
    for row in registry.pendings().await.unwrap() {
        registry.remove_pending(&row.id, actor, "approved", NOON).await.unwrap();
    }
    // What knocked before the gate had heard of it is told only now.
    for one in [&pinned, &by_key, &certificate_with("keyed", &keyed)] {
        registry.knock(knock(one, "192.0.2.1", "R", NOON)).await.unwrap();
    }
    assert_eq!(counts(&world).await, (0, 0));
    for one in [&stranger, &certificate_with("other", &keyed)] {
        registry.knock(knock(one, "192.0.2.1", "R", NOON)).await.unwrap();
    }
    assert_eq!(counts(&world).await, (2, 0), "a stranger, and the key with other names");
}
