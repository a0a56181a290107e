//! What is looked up by an index says what the whole state says.

use std::collections::BTreeSet;

use policy::record::SubjectRule;
use registry::Page;

use super::feed::busy_world;
use super::*;

#[tokio::test]
async fn a_page_has_the_parties_after_a_name_with_all_that_a_list_shows() {
    let world = busy_world().await;
    let registry = &world.registry;
    let all = registry.party_page(&Page::default()).await.unwrap();
    let (parties, ends) = (
        registry.parties().await.unwrap(),
        registry.last_ends(UnixTime(0), UnixTime(i64::MAX)).await.unwrap(),
    );
    assert_eq!(all.iter().map(|one| one.party.clone()).collect::<Vec<_>>(), parties);
    for one in &all {
        assert_eq!(one.last_end.as_ref(), ends.get(&one.party.name), "{}", one.party.name);
    }
    let ways: Vec<_> =
        all.iter().filter(|one| one.has_other_way).map(|one| one.party.name.as_str()).collect();
    assert_eq!(ways, ["carol"], "a revoked key is no way, and a removed party has none");
    let names: BTreeSet<&PartyName> = all.iter().map(|one| &one.party.name).collect();
    assert_eq!(registry.with_other_ways(&names).await.unwrap(), BTreeSet::from([name("carol")]));

    let page = Page { after: Some(name("acme")), limit: Some(2), ..Page::default() };
    let page = registry.party_page(&page).await.unwrap();
    assert_eq!(page, all[1..3]);
    assert_eq!(registry.count_parties().await.unwrap(), all.len() as u64);

    for part in ["a", "ar", "%", "_", "'"] {
        let page = Page { containing: Some(part.into()), ..Page::default() };
        let found = registry.party_page(&page).await.unwrap();
        let wanted = all.iter().filter(|one| one.party.name.as_str().contains(part));
        assert_eq!(found, wanted.cloned().collect::<Vec<_>>(), "{part}: text, no pattern");
    }
}

#[tokio::test]
async fn who_ends_within_a_time_is_told_by_the_last_certificate() {
    let world = World::new().await;
    for (holder, ends) in [("alice", &[100, 900][..]), ("bob", &[500]), ("carol", &[])] {
        world.registry.ensure_party(&name(holder), &world.actor, NOON).await.unwrap();
        for end in ends {
            let row = world.add(party(holder), Origin::Own, certificate(holder).der.to_vec()).await;
            let set = format!(
                "UPDATE certificates SET not_after = {end} WHERE subject = '{}' AND label = '{}'",
                row.subject, row.label
            );
            world.tamper(set.leak()).await;
        }
    }
    let within = async |from, to| {
        let page = Page { ends_within: Some((UnixTime(from), UnixTime(to))), ..Page::default() };
        let page = world.registry.party_page(&page).await.unwrap();
        page.into_iter().map(|one| one.party.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(within(0, 499).await, [""; 0], "an earlier certificate of alice's is not her last");
    assert_eq!(within(500, 500).await, ["bob"]);
    assert_eq!(within(500, 900).await, ["alice", "bob"]);
    assert_eq!(within(901, 1_000).await, [""; 0]);
    let ends = async |from, to| {
        let ends = world.registry.last_ends(UnixTime(from), UnixTime(to)).await.unwrap();
        ends.into_iter().map(|(party, end)| (party.to_string(), end.seconds())).collect::<Vec<_>>()
    };
    let [alice, bob] = [("alice".to_owned(), 900), ("bob".to_owned(), 500)];
    assert_eq!(ends(0, 499).await, []);
    assert_eq!(ends(500, 899).await, vec![bob.clone()]);
    assert_eq!(ends(500, 900).await, vec![alice.clone(), bob]);
    world.registry.suspend(&name("bob"), &world.actor, NOON).await.unwrap();
    assert_eq!(ends(0, 1_000).await, vec![alice], "nobody is told of a suspended party");
}

#[tokio::test]
async fn the_basis_knows_which_sites_are_granted_to_anybody() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    assert!(registry.basis().await.unwrap().granted.is_empty());
    let sites = ["a.test", "b.test", "c.test"].map(|site| HostName::parse(site).unwrap());
    for party in ["alice", "bob"] {
        registry.ensure_party(&name(party), actor, NOON).await.unwrap();
        for site in &sites[..2] {
            registry.grant(&name(party), site, actor, NOON).await.unwrap();
        }
    }
    registry.grant_ca("acme", &sites[2], actor, NOON).await.unwrap();
    let state = registry.load().await.unwrap();
    let basis = registry.basis().await.unwrap();
    assert_eq!(basis.granted, BTreeSet::from(sites.clone()));
    assert_eq!((basis.epoch, basis.seq), (state.epoch, state.seq));
    assert_eq!(state.records.parties.granted_sites(), BTreeSet::from_iter(sites[..2].iter().cloned()));
    let who = registry.granted_to(&sites[1]).await.unwrap();
    assert_eq!(who, (vec![name("alice"), name("bob")], Vec::new()));
    assert_eq!(registry.granted_to(&sites[2]).await.unwrap(), (Vec::new(), vec!["acme".to_owned()]));
}

#[tokio::test]
async fn the_records_about_a_certificate_are_those_that_a_decision_looks_at() {
    let world = busy_world().await;
    let registry = &world.registry;
    let state = registry.load().await.unwrap();
    for (thumbprint, record) in state.records.certificates.iter() {
        let (_, row) = registry.find_certificate(thumbprint).await.unwrap().unwrap();
        let certificate = Certificate::from_der(&row.der).unwrap();
        let some = registry.records_about(Some(&certificate), ["other"].into_iter()).await.unwrap();
        assert_eq!(some.certificates.get(thumbprint), Some(record));
        let pin = certificate.key_pin;
        assert_eq!(some.keys.get(&pin), state.records.keys.get(&pin));
        assert_eq!(some.compromised_keys.contains(&pin), state.records.compromised_keys.contains(&pin));
        let twin = |records: &policy::Records| records.certificates.pinned_with_key(&pin).is_some();
        assert_eq!(twin(&some), twin(&state.records));
        if let policy::HolderView::Party(holder) = record.holder {
            let whole =
                |records: &policy::Records| records.parties.named(holder).map(|party| party.to_party());
            assert_eq!(whole(&some), whole(&state.records));
        }
        assert_eq!(some.ca_grants, registry.records_about(None, [].into_iter()).await.unwrap().ca_grants);
    }
    let carol = certificate("c");
    let some = registry.records_about(Some(&carol), ["gone", "other"].into_iter()).await.unwrap();
    let rule = SubjectRule { ca: "other".into(), subject: carol.subject.key().unwrap().0 };
    assert_eq!(some.subjects.get(&rule), Some(&name("carol")));
    assert!(some.parties.named("carol").unwrap().suspended_since.is_some());
    assert!(some.certificates.is_empty());
}

#[tokio::test]
async fn names_near_an_unknown_one_are_those_of_the_registry() {
    let world = busy_world().await;
    let near = world.registry.names_near(&name("alcie")).await.unwrap();
    assert!(near.contains(&name("alice")) && near.contains(&name("kiosk")), "{near:?}");
}

#[tokio::test]
async fn what_is_excused_is_found_by_itself() {
    let world = World::new().await;
    world.registry.ensure_party(&name("alice"), &world.actor, NOON).await.unwrap();
    world.add(party("alice"), Origin::Pinned, certificate("plain").der.to_vec()).await;
    let exceptions = PinExceptions { without_client_usage_until: None, ca_certificate_until: Some(NOON) };
    let new = NewCertificate {
        holder: party("alice"),
        label: None,
        der: certificate("ca").der.to_vec(),
        origin: Origin::Pinned,
        profile: String::new(),
        exceptions: exceptions.clone(),
    };
    let row = world.registry.add_certificate(new, &world.actor, NOON).await.unwrap();
    assert_eq!(world.registry.excused().await.unwrap(), [(row.thumbprint, exceptions)]);
}
