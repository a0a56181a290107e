//! What keeps an old generation of a CA from being given up: the certificates of it that would be admitted now.

use policy::record::{OperatorRole, Origin};
use registry::Issuer;

use super::*;

#[tokio::test]
async fn a_certificate_is_in_use_until_its_end_its_overlaps_end_or_its_revocation() {
    let world = World::new().await;
    let World { registry, actor, .. } = &world;
    registry.ensure_party(&name("alice"), actor, NOON).await.unwrap();
    // Each is its own issuer, so the issuer's name tells one from another.
    let kept = world.add(party("alice"), Origin::Own, certificate("kept").der.to_vec()).await;
    let renewed = world.add(party("alice"), Origin::Own, certificate("renewed").der.to_vec()).await;
    let gone = world.add(party("alice"), Origin::Own, certificate("gone").der.to_vec()).await;
    world.add(party("alice"), Origin::Pinned, certificate("pinned").der.to_vec()).await;
    let operator = Holder::Operator { name: name("root"), role: OperatorRole::Owner };
    world.add(operator, Origin::Own, certificate("operators").der.to_vec()).await;
    let until = NOON.plus(3600);
    registry.supersede(&[renewed.thumbprint], until, actor, NOON).await.unwrap();
    registry.revoke(&name("alice"), Some(&gone.thumbprint), "superseded", actor, NOON).await.unwrap();

    let holders = async |issuer, common_name: &str, now| -> Vec<Holder> {
        let rows = registry.in_use_of(issuer, &format!("CN={common_name}"), now).await.unwrap();
        rows.into_iter().map(|row| row.holder).collect()
    };
    let alice = vec![party("alice")];
    assert_eq!(holders(Issuer::Client, "kept", NOON).await, alice);
    assert_eq!(holders(Issuer::Client, "kept", kept.not_after).await, alice);
    assert_eq!(holders(Issuer::Client, "kept", kept.not_after.plus(1)).await, []);
    assert_eq!(holders(Issuer::Client, "renewed", until).await, alice);
    assert_eq!(holders(Issuer::Client, "renewed", until.plus(1)).await, []);
    for other in ["gone", "pinned", "operators", "KEPT"] {
        assert_eq!(holders(Issuer::Client, other, NOON).await, [], "{other}");
    }
    assert_eq!(holders(Issuer::Operator, "operators", NOON).await.len(), 1);
    assert_eq!(holders(Issuer::Operator, "kept", NOON).await, []);
}
