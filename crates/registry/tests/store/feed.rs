//! The feed tells what the state holds, and neither goes without the audit.

use std::collections::{BTreeMap, BTreeSet};

use examiner::Name;
use policy::Records;
use policy::record::{Origin, PinExceptions};
use registry::many::Fate;
use registry::{AuditFilter, Feed, FeedEntry, Gap, StoredCa, StoredSite};

use super::*;

/// The records in a form that can be compared: order of maps and empty sets aside.
pub(crate) fn comparable(records: &Records) -> String {
    let sorted = |lines: Vec<String>| lines.into_iter().collect::<BTreeSet<_>>();
    let grants: BTreeMap<_, _> = records.ca_grants.iter().filter(|(_, cas)| !cas.is_empty()).collect();
    format!(
        "{:#?}",
        (
            sorted(records.parties.iter().map(|party| format!("{:?}", party.to_party())).collect()),
            sorted(records.certificates.iter().map(|entry| format!("{entry:?}")).collect()),
            sorted(records.keys.iter().map(|entry| format!("{entry:?}")).collect()),
            sorted(records.subjects.iter().map(|entry| format!("{entry:?}")).collect()),
            grants,
            records.compromised_keys.iter().collect::<BTreeSet<_>>(),
        )
    )
}

/// The changes after this number, for a reader of the registry's own epoch.
pub(crate) async fn changes(registry: &Registry, seq: i64) -> Vec<FeedEntry> {
    match registry.changes_since(registry.epoch(), seq).await.unwrap() {
        Feed::Changes(all) => all,
        Feed::Reload(gap) => panic!("{gap:?}"),
    }
}

/// Something of every kind, some of it taken back.
pub(crate) async fn busy_world() -> World {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    for party in ["acme", "alice", "bob", "carol", "kiosk"] {
        registry.ensure_party(&name(party), actor, NOON).await.unwrap();
        registry.grant(&name(party), &site(), actor, NOON).await.unwrap();
    }
    registry.ungrant(&name("carol"), &site(), actor, NOON).await.unwrap();
    registry.suspend(&name("carol"), actor, NOON).await.unwrap();
    registry.suspend(&name("alice"), actor, NOON).await.unwrap();
    registry.resume(&name("alice"), actor, NOON).await.unwrap();

    let old = world.add(party("alice"), Origin::Own, certificate("alice").der.to_vec()).await;
    world.add(party("alice"), Origin::Own, certificate("alice").der.to_vec()).await;
    registry.supersede(&[old.thumbprint], NOON.plus(60), actor, NOON).await.unwrap();
    for holder in ["acme", "bob", "bob"] {
        world.add(party(holder), Origin::Pinned, certificate(holder).der.to_vec()).await;
    }
    world.add(party("bob"), Origin::Own, certificate("bob").der.to_vec()).await;
    let role = policy::record::OperatorRole::Owner;
    let owner = Holder::Operator { name: name("root"), role };
    world.add(owner, Origin::Own, certificate("root").der.to_vec()).await;

    let none = PinExceptions::default();
    let key = rcgen::KeyPair::generate().unwrap();
    for (party, cn) in [("acme", "one"), ("bob", "two")] {
        let certificate = certificate_with(cn, &key);
        registry.add_key_pin(&name(party), None, &certificate, none.clone(), actor, NOON).await.unwrap();
    }
    for (party, subject) in [("acme", "O=Acme,CN=a"), ("bob", "O=Acme,CN=b"), ("carol", "CN=c")] {
        let subject = Name::parse_rfc4514(subject).unwrap();
        registry.add_subject_rule(&name(party), "other", &subject, actor, NOON).await.unwrap();
    }
    let ca = StoredCa {
        name: "gone".into(),
        pem: "PEM".into(),
        sites: vec![site()],
        settings: "accept_any = true".into(),
    };
    registry.put_ca(StoredCa { name: "other".into(), ..ca.clone() }, actor, NOON).await.unwrap();
    registry.put_ca(ca, actor, NOON).await.unwrap();
    for ca in ["other", "gone"] {
        registry.grant_ca(ca, &site(), actor, NOON).await.unwrap();
    }
    let subject = Name::parse_rfc4514("CN=gone").unwrap();
    registry.add_subject_rule(&name("acme"), "gone", &subject, actor, NOON).await.unwrap();
    registry.remove_ca("gone", actor, NOON).await.unwrap();
    registry.put_site(StoredSite { name: site(), settings: String::new() }, actor, NOON).await.unwrap();

    for _ in 0..2 {
        world.add(party("kiosk"), Origin::Own, certificate("kiosk").der.to_vec()).await;
    }
    let meant = |text: &str| policy::Selection::parse(&[text]).unwrap();
    let held = Fate::Revoked("certificate-hold");
    for (text, fate) in [
        ("party=kiosk", held),
        ("party=kiosk", Fate::Released),
        ("party=kiosk and label=cert-1", Fate::Revoked("key-compromise")),
        ("party=kiosk", held),
    ] {
        assert!(!registry.change_selected(&meant(text), fate, actor, NOON).await.unwrap().is_empty());
    }
    registry.release(&name("kiosk"), None, actor, NOON).await.unwrap();

    registry.revoke(&name("acme"), None, "key-compromise", actor, NOON).await.unwrap();
    registry.remove_party(&name("bob"), actor, NOON).await.unwrap();
    world
}

#[tokio::test]
async fn the_feed_from_its_beginning_gives_the_state_that_is_loaded() {
    let world = busy_world().await;
    let state = world.registry.load().await.unwrap();
    let feed = changes(&world.registry, 0).await;

    let mut replayed = Records::default();
    for (entry, number) in feed.iter().zip(1..) {
        assert_eq!(entry.seq, number, "numbers have no gaps");
        replayed.apply(entry.change.clone());
    }
    assert_eq!(comparable(&replayed), comparable(&state.records));
    assert_eq!(feed.last().unwrap().seq, state.seq);
    assert_eq!(world.registry.last_seq().await.unwrap(), state.seq);
    assert_eq!(state.epoch, world.registry.epoch());
    assert_eq!(state.sites.len(), 1);
    assert_eq!(state.cas[0].sites, [site()]);
    assert_eq!(changes(&world.registry, state.seq - 1).await.len(), 1);
    assert!(changes(&world.registry, state.seq).await.is_empty());
}

#[tokio::test]
async fn changes_applied_twice_change_nothing() {
    let world = busy_world().await;
    let feed = changes(&world.registry, 0).await;
    let mut records = world.registry.load().await.unwrap().records;
    let before = comparable(&records);
    for entry in feed {
        records.apply(entry.change);
    }
    assert_eq!(comparable(&records), before);
}

#[tokio::test]
async fn a_change_and_its_audit_entry_stand_or_fall_together() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    let pin = world.add(party("alice"), Origin::Pinned, certificate("alice").der.to_vec()).await;
    let before = registry.load().await.unwrap();
    let entries = registry.search_audit(&AuditFilter::default()).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert!(entries.iter().all(|row| row.event.verdict == "changed"));

    world.tamper("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    assert!(registry.ensure_party(&name("bob"), actor, NOON).await.is_err());
    assert!(registry.suspend(&name("alice"), actor, NOON).await.is_err());
    assert!(registry.revoke(&name("alice"), None, "superseded", actor, NOON).await.is_err());
    let after = registry.load().await.unwrap();
    assert_eq!(comparable(&after.records), comparable(&before.records));
    assert_eq!(after.seq, before.seq);

    world.tamper("DROP TRIGGER full").await;
    world.tamper("CREATE TRIGGER full BEFORE INSERT ON changes BEGIN SELECT RAISE(ABORT, 'full'); END").await;
    assert!(registry.revoke(&name("alice"), None, "superseded", actor, NOON).await.is_err());
    assert_eq!(registry.search_audit(&AuditFilter::default()).await.unwrap(), entries);

    world.tamper("DROP TRIGGER full").await;
    let revoked = registry.revoke(&name("alice"), None, "superseded", actor, NOON).await.unwrap();
    assert_eq!(revoked[0].thumbprint, pin.thumbprint);
    assert_eq!(registry.last_seq().await.unwrap(), before.seq + 1);
    assert_eq!(registry.search_audit(&AuditFilter::default()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_party_holds_what_it_was_given() {
    let world = busy_world().await;
    let alice = world.registry.party(&name("alice")).await.unwrap().unwrap();
    assert_eq!((alice.grants.as_slice(), alice.suspended_since), (&[site()][..], None));
    let all = world.registry.parties().await.unwrap();
    assert_eq!(
        all.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(),
        ["acme", "alice", "carol", "kiosk"]
    );
    assert_eq!(all[1], alice);
    assert_eq!((all[2].grants.len(), all[2].suspended_since), (0, Some(NOON)));
    let labels = world.registry.certificates(&name("alice")).await.unwrap();
    assert_eq!(labels.iter().map(|row| row.label.as_str()).collect::<Vec<_>>(), ["cert-1", "cert-2"]);
    assert_eq!(labels[0].superseded_after, Some(NOON.plus(60)));
}

#[tokio::test]
async fn a_certificate_on_record_is_found_and_not_given_to_another() {
    let world = busy_world().await;
    let row = world.registry.certificates(&name("alice")).await.unwrap().remove(0);
    let (holder, found) = world.registry.find_certificate(&row.thumbprint).await.unwrap().unwrap();
    assert_eq!((holder, &found), (party("alice"), &row));
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &row.der);
    let sha1 = sha1.as_ref().try_into().unwrap();
    assert_eq!(world.registry.find_sha1(sha1).await.unwrap(), Some(row.thumbprint));
    assert_eq!(world.registry.find_sha1([0; 20]).await.unwrap(), None);

    assert_eq!(world.add(party("alice"), Origin::Own, row.der.clone()).await, row);
    let new = NewCertificate {
        holder: party("carol"),
        label: None,
        der: row.der,
        origin: Origin::Pinned,
        profile: String::new(),
        exceptions: PinExceptions::default(),
    };
    let taken = world.registry.add_certificate(new, &world.actor, NOON).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })));
}

#[tokio::test]
async fn a_reader_that_was_away_longer_than_the_feed_is_kept_must_load_everything() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    for (party, at) in [("a", NOON), ("b", NOON.plus(60)), ("c", NOON.plus(60))] {
        registry.ensure_party(&name(party), actor, at).await.unwrap();
    }
    let week = NOON.plus(7 * 86_400);
    assert_eq!(registry.prune(week).await.unwrap(), 0, "a week old is kept");
    assert_eq!(changes(registry, 0).await.len(), 3);
    assert_eq!(registry.prune(week.plus(1)).await.unwrap(), 1);
    let since = async |seq| registry.changes_since(registry.epoch(), seq).await.unwrap();
    assert_eq!(since(0).await, Feed::Reload(Gap::Pruned));
    assert_eq!(changes(registry, 1).await.len(), 2);

    assert_eq!(registry.prune(week.plus(1_000)).await.unwrap(), 1, "the last one stays");
    assert_eq!(since(1).await, Feed::Reload(Gap::Pruned));
    assert_eq!(changes(registry, 2).await.len(), 1);
    assert!(changes(registry, 3).await.is_empty());
    assert_eq!(registry.load().await.unwrap().records.parties.iter().count(), 3, "the state is whole");
}

#[tokio::test]
async fn a_change_dated_between_older_ones_goes_with_them_only() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let late = NOON.plus(86_400);
    for (party, at) in [("a", NOON), ("b", late), ("c", NOON), ("d", late)] {
        registry.ensure_party(&name(party), actor, at).await.unwrap();
    }
    assert_eq!(registry.prune(late.plus(7 * 86_400)).await.unwrap(), 1);
    assert_eq!(changes(registry, 1).await.len(), 3, "no gap is made");
}

#[tokio::test]
async fn a_reader_ahead_of_the_database_or_of_another_epoch_must_load_everything() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("a"), actor, NOON).await.unwrap();
    let ahead = registry.changes_since(registry.epoch(), 2).await.unwrap();
    assert_eq!(ahead, Feed::Reload(Gap::Ahead));
    for seq in [0, 1, 2] {
        let other = registry.changes_since("0123", seq).await.unwrap();
        assert_eq!(other, Feed::Reload(Gap::OtherEpoch));
    }
    world.tamper("UPDATE meta SET epoch = 'other'").await;
    assert_eq!(registry.changes_since(registry.epoch(), 1).await.unwrap(), Feed::Reload(Gap::OtherEpoch));
}
