//! A key has one holder, and after its compromise none.

use policy::record::{Origin, PinExceptions};

use super::*;

fn new(holder: Holder, origin: Origin, der: &[u8]) -> NewCertificate {
    let exceptions = PinExceptions::default();
    NewCertificate { holder, label: None, der: der.to_vec(), origin, profile: String::new(), exceptions }
}

/// Self-signed certificates of one new key.
fn same_key<const COUNT: usize>(names: [&str; COUNT]) -> [Certificate; COUNT] {
    let key = rcgen::KeyPair::generate().unwrap();
    names.map(|name| {
        let mut params = rcgen::CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.serial_number = Some(name.as_bytes().to_vec().into());
        Certificate::from_der(params.self_signed(&key).unwrap().der()).unwrap()
    })
}

#[tokio::test]
async fn a_key_is_certified_for_one_holder_alone() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    for one in ["alice", "bob"] {
        registry.ensure_party(&name(one), actor, NOON).await.unwrap();
    }
    let [first, second, third] = same_key(["first", "second", "third"]);
    world.add(party("alice"), Origin::Own, first.der.to_vec()).await;
    world.add(party("alice"), Origin::Own, second.der.to_vec()).await;

    let refused = registry.add_certificate(new(party("bob"), Origin::Own, &third.der), actor, NOON).await;
    let Err(RegistryError::KeyKnown { what }) = refused else { panic!("{refused:?}") };
    assert_eq!(what, "the key is one of party `alice`");
    let operator = Holder::Operator { name: name("alice"), role: policy::record::OperatorRole::Viewer };
    let refused = registry.add_certificate(new(operator, Origin::Own, &third.der), actor, NOON).await;
    assert!(
        matches!(refused, Err(RegistryError::KeyKnown { .. })),
        "an operator is somebody else: {refused:?}"
    );
    assert_eq!(registry.certificates(&name("bob")).await.unwrap(), []);
    // Whom a pin admits is the owner's own word about a certificate that exists.
    world.add(party("bob"), Origin::Pinned, third.der.to_vec()).await;
}

#[tokio::test]
async fn a_compromised_key_is_certified_for_nobody_and_pinned_for_nobody() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    let [lost, again] = same_key(["lost", "again"]);
    let row = world.add(party("alice"), Origin::Own, lost.der.to_vec()).await;
    registry.revoke(&name("alice"), Some(&row.thumbprint), "key-compromise", actor, NOON).await.unwrap();
    for origin in [Origin::Own, Origin::Pinned] {
        let refused = registry.add_certificate(new(party("alice"), origin, &again.der), actor, NOON).await;
        let Err(RegistryError::KeyKnown { what }) = refused else { panic!("{refused:?}") };
        assert_eq!(what, format!("the key was revoked as compromised on {}", NOON.date()));
    }
    let [other, superseded] = same_key(["other", "superseded"]);
    let row = world.add(party("alice"), Origin::Own, other.der.to_vec()).await;
    registry.revoke(&name("alice"), Some(&row.thumbprint), "superseded", actor, NOON).await.unwrap();
    world.add(party("alice"), Origin::Own, superseded.der.to_vec()).await;
}

#[tokio::test]
async fn a_new_party_is_put_on_record_with_its_pin_or_rule_or_not_at_all() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    let key = certificate("key");
    let subject = examiner::Name::parse_rfc4514("O=Lab,CN=svc").unwrap();
    let none = PinExceptions::default;
    registry.add_key_pin(&name("alice"), None, &key, none(), actor, NOON).await.unwrap();
    registry.add_subject_rule(&name("bob"), "lab", &subject, actor, NOON).await.unwrap();
    let names = async || {
        let rows = registry.parties().await.unwrap();
        rows.into_iter().map(|row| row.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["alice", "bob"]);

    let taken = registry.add_key_pin(&name("eve"), None, &key, none(), actor, NOON).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })), "{taken:?}");
    let taken = registry.add_subject_rule(&name("eve"), "lab", &subject, actor, NOON).await;
    assert!(matches!(taken, Err(RegistryError::Conflict { .. })), "{taken:?}");
    assert_eq!(names().await, ["alice", "bob"]);
}
