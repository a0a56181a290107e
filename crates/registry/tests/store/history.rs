//! Who could enter at another time is told by the record and by what the audit says has changed.

use examiner::Thumbprint;
use policy::issuance::Reason;
use registry::{Past, PastWay};

use super::*;

const HOUR: i64 = 3600;

impl World {
    fn at(hours: i64) -> UnixTime {
        NOON.plus(hours * HOUR)
    }

    /// Pins a certificate that holds from 1975 to 4096.
    async fn pin(&self, party_name: &str, hours: i64) -> Thumbprint {
        let at = Self::at(hours);
        self.registry.ensure_party(&name(party_name), &self.actor, at).await.unwrap();
        let new = NewCertificate {
            holder: party(party_name),
            label: None,
            der: certificate(party_name).der.to_vec(),
            origin: Origin::Pinned,
            profile: String::new(),
            exceptions: PinExceptions::default(),
        };
        self.registry.add_certificate(new, &self.actor, at).await.unwrap().thumbprint
    }

    async fn past(&self, from: i64, until: i64) -> Past {
        self.registry.who_could_enter(Self::at(from), Self::at(until)).await.unwrap()
    }

    /// The parties that a site was granted to in this stretch of hours, while something led to them.
    async fn could(&self, from: i64, until: i64) -> Vec<String> {
        let past = self.past(from, until).await;
        let granted = past.parties.iter().filter(|one| one.granted.contains(&site()));
        granted.map(|one| one.name.to_string()).collect()
    }
}

#[tokio::test]
async fn a_grant_counts_from_the_second_it_was_given_to_the_one_it_was_taken_back() {
    let world = World::new().await;
    let (registry, actor, alice) = (&world.registry, &world.actor, name("alice"));
    world.pin("alice", 0).await;
    registry.grant(&alice, &site(), actor, World::at(2)).await.unwrap();
    registry.ungrant(&alice, &site(), actor, World::at(4)).await.unwrap();
    registry.grant(&alice, &site(), actor, World::at(6)).await.unwrap();
    let second = async |seconds: i64| {
        let at = NOON.plus(seconds);
        let past = registry.who_could_enter(at, at).await.unwrap();
        past.parties.iter().any(|one| one.granted.contains(&site()))
    };
    for (seconds, could) in [
        (2 * HOUR - 1, false),
        (2 * HOUR, true),
        (4 * HOUR, true),
        (4 * HOUR + 1, false),
        (6 * HOUR - 1, false),
        (6 * HOUR, true),
        (6000 * HOUR, true),
    ] {
        assert_eq!(second(seconds).await, could, "{seconds}");
    }
    assert_eq!(world.could(0, 2).await, ["alice"], "at some second of it");
}

#[tokio::test]
async fn a_suspension_a_revocation_and_a_hold_take_it_away_for_their_time() {
    let world = World::new().await;
    let (registry, actor) = (&world.registry, &world.actor);
    for who in ["alice", "bob", "carol"] {
        world.pin(who, 0).await;
        registry.grant(&name(who), &site(), actor, World::at(0)).await.unwrap();
    }
    registry.suspend(&name("alice"), actor, World::at(2)).await.unwrap();
    registry.resume(&name("alice"), actor, World::at(4)).await.unwrap();
    registry.revoke(&name("bob"), None, Reason::Superseded.word(), actor, World::at(2)).await.unwrap();
    registry.revoke(&name("carol"), None, Reason::CertificateHold.word(), actor, World::at(2)).await.unwrap();
    registry.release(&name("carol"), None, actor, World::at(4)).await.unwrap();
    assert_eq!(world.could(0, 1).await, ["alice", "bob", "carol"]);
    assert!(world.could(3, 3).await.is_empty(), "none of them");
    assert_eq!(world.could(5, 9).await, ["alice", "carol"]);
    assert!(!world.past(0, 1).await.many_released);
}

#[tokio::test]
async fn a_way_that_was_not_there_yet_or_has_ended_leads_to_nobody() {
    let world = World::new().await;
    let (registry, actor, alice) = (&world.registry, &world.actor, name("alice"));
    registry.ensure_party(&alice, actor, World::at(0)).await.unwrap();
    registry.grant(&alice, &site(), actor, World::at(0)).await.unwrap();
    assert!(world.could(0, 9).await.is_empty(), "a grant alone lets nobody in");
    let old = world.pin("alice", 2).await;
    registry.supersede(&[old], World::at(4), actor, World::at(3)).await.unwrap();
    let key = certificate("alice");
    registry
        .add_key_pin(&alice, Some("hsm".into()), &key, PinExceptions::default(), actor, World::at(6))
        .await
        .unwrap();
    registry.add_subject_rule(&alice, "acme", &key.subject, actor, World::at(8)).await.unwrap();
    let ways = async |hour: i64| {
        world.past(hour, hour).await.parties.into_iter().flat_map(|one| one.ways).collect::<Vec<_>>()
    };
    assert_eq!(ways(1).await, []);
    assert_eq!(ways(3).await, [PastWay::Certificate("cert-1".into(), old)]);
    assert_eq!(ways(5).await, []);
    assert_eq!(ways(7).await, [PastWay::Key("hsm".into())]);
    let subject = PastWay::Subject { ca: "acme".into(), subject: "CN=alice".into() };
    assert_eq!(ways(9).await, [PastWay::Key("hsm".into()), subject]);
    registry.revoke(&alice, None, Reason::Superseded.word(), actor, World::at(10)).await.unwrap();
    assert_eq!(ways(11).await, []);
    assert_eq!(ways(9).await.len(), 2, "what was, was");
}

#[tokio::test]
async fn a_party_that_was_removed_is_told_of_and_a_later_one_of_its_name_inherits_nothing() {
    let world = World::new().await;
    let (registry, actor, alice) = (&world.registry, &world.actor, name("alice"));
    world.pin("alice", 0).await;
    registry.grant(&alice, &site(), actor, World::at(1)).await.unwrap();
    registry.remove_party(&alice, actor, World::at(4)).await.unwrap();
    assert_eq!(world.could(2, 3).await, ["alice"]);
    assert!(world.past(2, 3).await.parties[0].is_incomplete, "the dates of a removed pin are not on record");
    assert!(world.past(5, 5).await.parties.is_empty());
    world.pin("alice", 6).await;
    let later = world.past(7, 7).await;
    assert!(!later.parties[0].is_incomplete);
    assert_eq!((later.parties.len(), later.parties[0].granted.len()), (1, 0));
}

#[tokio::test]
async fn cas_have_their_grants_for_their_time_and_what_the_audit_lost_is_said() {
    let world = World::new().await;
    let (registry, actor) = (&world.registry, &world.actor);
    registry.grant_ca("acme", &site(), actor, World::at(1)).await.unwrap();
    registry.ungrant_ca("acme", &site(), actor, World::at(3)).await.unwrap();
    world.pin("alice", 4).await;
    registry.grant(&name("alice"), &site(), actor, World::at(4)).await.unwrap();
    assert!(world.past(0, 0).await.cas.is_empty());
    assert_eq!(world.past(2, 2).await.cas, [(site(), "acme".into())]);
    assert!(world.past(4, 4).await.cas.is_empty());
    assert_eq!(world.past(4, 4).await.begins, None);

    // Two days later all of this is older than is kept.
    registry.suspend(&name("alice"), actor, World::at(48)).await.unwrap();
    registry.retain(World::at(50), 1).await.unwrap();
    let past = world.past(5, 5).await;
    assert_eq!(past.begins, Some(World::at(48)));
    assert_eq!(world.could(5, 5).await, ["alice"], "by what is on record now");
}

#[tokio::test]
async fn operators_are_no_parties() {
    let world = World::new().await;
    let ann = Holder::Operator { name: name("ann"), role: policy::record::OperatorRole::Owner };
    world.add(ann, Origin::Pinned, certificate("ann").der.to_vec()).await;
    assert!(world.past(0, 9).await.parties.is_empty());
}
