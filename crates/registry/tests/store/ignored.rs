//! Certificates of an issuer that is ignored are counted, and do not become pending.

use registry::Knock;

use super::*;

fn knock(certificate: &Certificate, at: UnixTime) -> Knock {
    Knock {
        der: certificate.der.to_vec(),
        site: "portal.test".into(),
        reason: "unknown-issuer".into(),
        note: String::new(),
        address: "192.0.2.1".parse().unwrap(),
        reference: "R".into(),
        at,
    }
}

#[tokio::test]
async fn certificates_of_an_ignored_issuer_are_pending_no_longer_until_it_is_heeded_again() {
    let world = World::new().await;
    let (registry, actor) = (&world.registry, &world.actor);
    // Self-signed: its issuer is what it says of itself.
    let (noise, other) = (certificate("noise"), certificate("other"));
    for one in [&noise, &certificate("noise"), &other] {
        registry.knock(knock(one, NOON)).await.unwrap();
    }
    let issuers = async || {
        let all = registry.pendings().await.unwrap();
        let mut all: Vec<_> = all.into_iter().map(|row| row.issuer).collect();
        all.sort();
        all
    };
    assert_eq!(issuers().await, ["CN=noise", "CN=noise", "CN=other"]);
    assert_eq!(registry.ignore_issuer("CN=noise", actor, NOON).await.unwrap(), 2);
    assert_eq!(issuers().await, ["CN=other"]);
    let again = registry.ignore_issuer("CN=noise", actor, NOON).await;
    assert!(matches!(again, Err(RegistryError::Conflict { .. })));

    for at in [5, 3] {
        registry.knock(knock(&certificate("noise"), NOON.plus(at))).await.unwrap();
    }
    registry.knock(knock(&certificate("noise "), NOON)).await.unwrap();
    assert_eq!(issuers().await.len(), 2, "another name is another issuer");
    let ignored = registry.ignored_issuers().await.unwrap().remove(0);
    assert_eq!(
        (ignored.issuer.as_str(), ignored.count, ignored.last_seen),
        ("CN=noise", 2, Some(NOON.plus(5)))
    );
    assert_eq!((ignored.at, ignored.by.as_str()), (NOON, "root"));

    registry.heed_issuer("CN=noise", actor, NOON).await.unwrap();
    let gone = registry.heed_issuer("CN=noise", actor, NOON).await;
    assert!(matches!(gone, Err(RegistryError::NotFound { .. })));
    registry.knock(knock(&noise, NOON)).await.unwrap();
    assert_eq!(issuers().await.len(), 3);
}
