//! A revocation is never lost, and there is always an owner.

use policy::record::{OperatorRole, Origin, PinExceptions, Revoked};
use registry::Issuer;

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
        records.certificates.get(&row.thumbprint).and_then(|record| record.revoked.cloned())
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
        registry.load().await.unwrap().records.subjects.iter().map(|(rule, _)| rule.ca.clone()).collect();
    assert_eq!(left, ["lab"]);
    let fed = crate::feed::changes(registry, before).await;
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

    assert_eq!(registry.revoked_serials(Issuer::Client, NOON).await.unwrap().len(), 2);
}

/// A self-signed certificate whose last second is this.
fn ending(common_name: &str, not_after: UnixTime) -> Vec<u8> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    params.not_after =
        rcgen::date_time_ymd(1970, 1, 1) + std::time::Duration::from_secs(not_after.0.unsigned_abs());
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[tokio::test]
async fn each_list_has_its_own_cas_serials() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    let own = world.add(party("alice"), Origin::Own, certificate("own").der.to_vec()).await;
    world.add(party("alice"), Origin::Pinned, certificate("pin").der.to_vec()).await;
    for text in ["ann", "ben"] {
        let holder = Holder::Operator { name: name(text), role: OperatorRole::Owner };
        world.add(holder, Origin::Own, certificate(text).der.to_vec()).await;
    }
    assert!(registry.revoked_serials(Issuer::Client, NOON).await.unwrap().is_empty());
    registry.revoke(&name("alice"), None, "superseded", actor, NOON).await.unwrap();
    registry.revoke_operator(&name("ann"), actor, NOON).await.unwrap();

    let serials = async |issuer| {
        let listed = registry.revoked_serials(issuer, NOON).await.unwrap();
        listed
            .iter()
            .map(|one| one.serial.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect::<Vec<String>>()
    };
    let shown = |row: &registry::CertificateRow| row.serial.clone();
    let operators = registry.operators().await.unwrap();
    let plain = |text: String| text.strip_prefix("00").map_or(text.clone(), str::to_owned);
    let client: Vec<_> = serials(Issuer::Client).await.into_iter().map(plain).collect();
    let operator: Vec<_> = serials(Issuer::Operator).await.into_iter().map(plain).collect();
    assert_eq!(client, [shown(&own)]);
    assert_eq!(operator, [shown(&operators[0].2)]);

    world.tamper("UPDATE certificates SET issued_by = NULL WHERE holder_kind = 'operator'").await;
    assert_eq!(
        registry.revoked_serials(Issuer::Client, NOON).await.unwrap().len(),
        2,
        "better twice than never"
    );
}

#[tokio::test]
async fn a_revoked_entry_stays_listed_for_a_lists_life_past_its_end_also_without_its_party() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let alice = name("alice");
    registry.ensure_party(&alice, actor, NOON).await.unwrap();
    let end = NOON.plus(86_400);
    let revoked = world.add(party("alice"), Origin::Own, ending("revoked", end)).await;
    world.add(party("alice"), Origin::Own, ending("removed with the party", end)).await;
    registry.revoke(&alice, Some(&revoked.thumbprint), "key-compromise", actor, NOON).await.unwrap();
    let count = async |at| registry.revoked_serials(Issuer::Client, at).await.unwrap().len();
    let last = end.plus(7 * 86_400);
    for (at, expected) in [(NOON, 1), (end, 1), (end.plus(1), 1), (last, 1), (last.plus(1), 0)] {
        assert_eq!(count(at).await, expected, "{at}");
    }
    registry.remove_party(&alice, actor, NOON.plus(60)).await.unwrap();
    for (at, expected) in [(NOON.plus(60), 2), (end, 2), (end.plus(1), 2), (last, 2), (last.plus(1), 0)] {
        assert_eq!(count(at).await, expected, "{at}, without the party");
    }
    let listed = registry.revoked_serials(Issuer::Client, last).await.unwrap();
    let reasons: Vec<_> = listed.iter().map(|one| (one.reason.as_str(), one.at)).collect();
    assert_eq!(reasons, [("key-compromise", NOON), ("cessation-of-operation", NOON.plus(60))]);
}

#[tokio::test]
async fn a_serial_number_leads_to_the_certificate_of_the_ca_that_gave_it_out_and_of_no_other() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    assert_eq!(registry.last_serial(Issuer::Client).await.unwrap(), None);
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    let (own, pinned) = (certificate("own"), certificate("pinned"));
    world.add(party("alice"), Origin::Own, own.der.to_vec()).await;
    world.add(party("alice"), Origin::Pinned, pinned.der.to_vec()).await;
    let found = async |issuer, serial: &[u8]| registry.find_serial(issuer, serial).await.unwrap();
    let row = found(Issuer::Client, &own.serial).await.expect("the own one");
    assert_eq!((row.thumbprint, row.revoked), (own.thumbprint, None));
    assert_eq!(found(Issuer::Operator, &own.serial).await, None);
    assert_eq!(found(Issuer::Client, &pinned.serial).await, None, "others' serial numbers are none of ours");
    assert_eq!(found(Issuer::Client, &own.serial[1..]).await, None);
    registry.revoke(&name("alice"), Some(&own.thumbprint), "superseded", actor, NOON).await.unwrap();
    let revoked = found(Issuer::Client, &own.serial).await.and_then(|row| row.revoked).expect("revoked");
    assert_eq!((revoked.at, revoked.reason.as_str()), (NOON, "superseded"));
    assert_eq!(registry.last_serial(Issuer::Client).await.unwrap(), Some(own.serial.to_vec()));
    assert_eq!(registry.last_serial(Issuer::Operator).await.unwrap(), None);
}

/// A self-signed certificate with a new key and this serial number, its content octets; DER.
fn numbered(common_name: &str, serial: &[u8]) -> Vec<u8> {
    let mut params = rcgen::CertificateParams::default();
    params.distinguished_name.push(rcgen::DnType::CommonName, common_name);
    params.serial_number = Some(rcgen::SerialNumber::from_slice(serial));
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[tokio::test]
async fn no_ca_gives_out_a_serial_number_twice() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    for party in ["alice", "bob"] {
        registry.ensure_party(&name(party), actor, NOON).await.unwrap();
    }
    let serial = [1, 2, 3, 4, 5, 6, 7, 8];
    world.add(party("alice"), Origin::Own, numbered("first", &serial)).await;
    let before = registry.last_seq().await.unwrap();
    for holder in ["alice", "bob"] {
        let new = NewCertificate {
            holder: party(holder),
            label: None,
            der: numbered("second", &serial),
            origin: Origin::Own,
            profile: String::new(),
            exceptions: PinExceptions::default(),
        };
        assert!(registry.add_certificate(new, actor, NOON).await.is_err(), "{holder}");
    }
    assert_eq!(registry.last_seq().await.unwrap(), before, "nothing of it is on record");
    assert!(registry.certificates(&name("bob")).await.unwrap().is_empty());
    // Another CA counts for itself, and so does whoever issued what is pinned.
    let ann = Holder::Operator { name: name("ann"), role: OperatorRole::Owner };
    world.add(ann, Origin::Own, numbered("operator", &serial)).await;
    world.add(party("bob"), Origin::Pinned, numbered("pinned", &serial)).await;
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

#[tokio::test]
async fn a_gate_that_is_silent_for_a_day_is_forgotten() {
    let world = World::new().await;
    let gates = async |at| {
        world.registry.report("gate-2", "epoch", 1, 0, at).await.unwrap();
        world.registry.receipts().await.unwrap().len()
    };
    world.registry.report("gate-1", "epoch", 1, 0, NOON).await.unwrap();
    assert_eq!(gates(NOON.plus(86_400)).await, 2);
    assert_eq!(gates(NOON.plus(86_401)).await, 1);
}
