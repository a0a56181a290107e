//! A revocation is never lost, and there is always an owner.

use policy::record::{OperatorRole, Origin, PinExceptions, Revoked};

use super::*;

#[tokio::test]
async fn a_revocation_survives_a_later_one_the_partys_end_and_its_return() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let alice = name("alice");
    registry.ensure_party(&alice, actor, NOON).await.unwrap();
    let pin = world.add(party("alice"), Origin::Pinned, certificate("pin").der.to_vec()).await;
    let own = world.add(party("alice"), Origin::Own, certificate("own").der.to_vec()).await;
    let kept = world.add(party("alice"), Origin::Own, certificate("kept").der.to_vec()).await;
    let loose = world.add(party("alice"), Origin::Pinned, certificate("loose").der.to_vec()).await;
    for (row, reason) in [(&pin, "superseded"), (&own, "key-compromise")] {
        let done = registry.revoke(&alice, Some(&row.thumbprint), reason, actor, NOON).await.unwrap();
        assert_eq!(done.len(), 1);
    }

    let later = NOON.plus(3600);
    let done = registry.revoke(&alice, Some(&own.thumbprint), "superseded", actor, later).await.unwrap();
    assert!(done.is_empty(), "a key's compromise is not taken back");
    registry.remove_party(&alice, actor, later).await.unwrap();
    registry.ensure_party(&alice, actor, later).await.unwrap();

    let records = registry.load().await.unwrap().records;
    let revoked = |row: &registry::CertificateRow| {
        records.certificates.get(&row.thumbprint).and_then(|record| record.revoked.clone())
    };
    let expected = |at, reason: &str| Some(Revoked { at, reason: reason.into() });
    assert_eq!(revoked(&pin), expected(NOON, "superseded"));
    assert_eq!(revoked(&own), expected(NOON, "key-compromise"));
    assert_eq!(revoked(&kept), expected(later, "cessation-of-operation"));
    assert!(records.certificates.get(&loose.thumbprint).is_none());
    assert!(records.compromised_keys.contains(&own.key_pin));
    assert!(!records.compromised_keys.contains(&pin.key_pin));

    let exceptions = PinExceptions::default();
    let new = NewCertificate {
        holder: party("alice"),
        label: None,
        der: pin.der.clone(),
        origin: Origin::Pinned,
        profile: String::new(),
        exceptions,
    };
    let again = registry.add_certificate(new, actor, later).await;
    assert!(matches!(again, Err(RegistryError::Conflict { .. })));
}

#[tokio::test]
async fn a_whole_party_loses_its_subject_rules_too_and_the_audit_tells() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let subject = examiner::Name::parse_rfc4514("O=Lab,CN=svc").unwrap();
    for party in ["svc", "other"] {
        registry.ensure_party(&name(party), actor, NOON).await.unwrap();
    }
    let laptop = world.add(party("svc"), Origin::Own, certificate("laptop").der.to_vec()).await;
    registry.add_subject_rule(&name("svc"), "acme", &subject, actor, NOON).await.unwrap();
    registry.add_subject_rule(&name("other"), "lab", &subject, actor, NOON).await.unwrap();

    registry.revoke(&name("svc"), Some(&laptop.thumbprint), "superseded", actor, NOON).await.unwrap();
    assert_eq!(registry.load().await.unwrap().records.subjects.len(), 2, "one certificate is not all");

    let before = registry.last_seq().await.unwrap();
    registry.revoke(&name("svc"), None, "superseded", actor, NOON).await.unwrap();
    let left: Vec<String> =
        registry.load().await.unwrap().records.subjects.keys().map(|rule| rule.ca.clone()).collect();
    assert_eq!(left, ["lab"]);
    let fed = registry.changes_since(before).await.unwrap();
    assert!(
        fed.iter()
            .any(|one| matches!(&one.change, policy::RecordChange::Subject(rule, None) if rule.ca == "acme"))
    );
    let audit = registry.search_audit(&Default::default()).await.unwrap();
    let told = audit.iter().filter_map(|row| row.event.detail.as_deref());
    assert!(
        told.clone().any(|text| text.starts_with("subject `O=Lab,CN=svc` of CA `acme` removed; by ")),
        "{audit:?}"
    );
}

#[tokio::test]
async fn a_whole_party_is_revoked_with_its_keys_and_one_certificate_alone() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    for party in ["alice", "bob"] {
        registry.ensure_party(&name(party), actor, NOON).await.unwrap();
    }
    let laptop = world.add(party("alice"), Origin::Own, certificate("laptop").der.to_vec()).await;
    world.add(party("alice"), Origin::Own, certificate("phone").der.to_vec()).await;
    let key = certificate("key");
    registry.add_key_pin(&name("alice"), None, &key, PinExceptions::default(), actor, NOON).await.unwrap();

    let wrong = registry.revoke(&name("bob"), Some(&laptop.thumbprint), "superseded", actor, NOON).await;
    assert!(matches!(wrong, Err(RegistryError::NotFound { .. })));
    let unknown = registry.revoke(&name("eve"), None, "superseded", actor, NOON).await;
    assert!(matches!(unknown, Err(RegistryError::NotFound { .. })));

    registry.revoke(&name("alice"), Some(&laptop.thumbprint), "superseded", actor, NOON).await.unwrap();
    let rows = registry.certificates(&name("alice")).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.revoked.is_some()).collect::<Vec<_>>(), [true, false]);
    assert!(registry.key_pins(&name("alice")).await.unwrap()[0].revoked.is_none());

    let done = registry.revoke(&name("alice"), None, "key-compromise", actor, NOON.plus(1)).await.unwrap();
    assert_eq!(done.len(), 2, "the earlier one becomes a compromise");
    assert_eq!(done[0].revoked.as_ref().unwrap().at, NOON);
    assert!(registry.key_pins(&name("alice")).await.unwrap()[0].revoked.is_some());
    assert!(registry.load().await.unwrap().records.compromised_keys.contains(&key.key_pin));

    let listed = registry.revoked_own().await.unwrap();
    assert_eq!(listed.len(), 2);
    let end = listed[0].not_after.plus(7 * 86_400);
    if end < UnixTime::FAR_FUTURE {
        assert!(listed[0].is_listed(end) && !listed[0].is_listed(end.plus(1)));
    }
}

#[tokio::test]
async fn list_numbers_rise_and_are_given_once() {
    let world = World::new().await;
    assert_eq!(world.registry.next_crl_number().await.unwrap(), 1);
    let again = Registry::open(&world.path()).await.unwrap();
    assert_eq!(again.next_crl_number().await.unwrap(), 2);
    assert_eq!(world.registry.next_crl_number().await.unwrap(), 3);
}

#[tokio::test]
async fn the_last_owner_stays_and_another_makes_the_first_one_free_to_go() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let operator = |text: &str, role| Holder::Operator { name: name(text), role };
    let der = || certificate("operator").der.to_vec();
    world.add(operator("ann", OperatorRole::Owner), Origin::Own, der()).await;
    world.add(operator("ann", OperatorRole::Owner), Origin::Own, der()).await;
    world.add(operator("vic", OperatorRole::Viewer), Origin::Own, der()).await;

    let refused = registry.revoke_operator(&name("ann"), actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::LastOwner)));
    registry.revoke_operator(&name("vic"), actor, NOON).await.unwrap();

    world.add(operator("ben", OperatorRole::Owner), Origin::Own, der()).await;
    registry.revoke_operator(&name("ann"), actor, NOON).await.unwrap();
    let refused = registry.revoke_operator(&name("ben"), actor, NOON).await;
    assert!(matches!(refused, Err(RegistryError::LastOwner)));
    let standing = registry.operators().await.unwrap();
    let standing: Vec<_> = standing.iter().filter(|(_, _, row)| row.revoked.is_none()).collect();
    assert_eq!(standing.len(), 1);
    assert_eq!((standing[0].0.as_str(), standing[0].1), ("ben", OperatorRole::Owner));
}

#[tokio::test]
async fn a_gates_last_report_is_kept() {
    let world = World::new().await;
    for seq in [1, 2] {
        world.registry.report("gate-1", "epoch", seq, 3, NOON).await.unwrap();
    }
    let receipts = world.registry.receipts().await.unwrap();
    assert_eq!(receipts.len(), 1);
    assert_eq!((receipts[0].gate.as_str(), receipts[0].seq, receipts[0].cut), ("gate-1", 2, 3));
}
