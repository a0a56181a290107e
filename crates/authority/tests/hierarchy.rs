//! The four CAs: made, opened, unlocked, and a new server CA for new sites.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use authority::{AuthorityError, Hierarchy, KeyType, Passphrase, Role};
use policy::issuance::{AltName, Profile};
use support::{NOW, World, mode, openssl, options, passphrase};

#[test]
fn keys_are_their_owners_alone_and_encrypted() {
    let world = World::new();
    assert_eq!(mode(&world.ca), 0o700);
    assert_eq!(fs::read_dir(&world.ca).unwrap().count(), 8);
    for role in Role::ALL {
        let key = world.ca.join(format!("{}.key", role.word()));
        assert_eq!(mode(&key), 0o600, "{role}");
        assert!(fs::read_to_string(&key).unwrap().starts_with("-----BEGIN ENCRYPTED PRIVATE KEY-----\n"));
        let shown = openssl(&["asn1parse", "-in", key.to_str().unwrap()]).unwrap();
        for algorithm in ["PBES2", "scrypt", "aes-256-cbc"] {
            assert!(shown.contains(algorithm), "{algorithm} in\n{shown}");
        }
    }
}

#[test]
fn each_ca_has_its_own_powers_and_no_more() {
    let world = World::new();
    let text = |role: Role| {
        let path = world.ca.join(format!("{}.pem", role.word()));
        openssl(&["x509", "-noout", "-text", "-in", path.to_str().unwrap()]).unwrap()
    };
    for role in Role::ALL {
        let text = text(role);
        let path_length = if role == Role::Root { 1 } else { 0 };
        assert!(text.contains(&format!(
            "Basic Constraints: critical\n                CA:TRUE, pathlen:{path_length}"
        )));
        assert!(text.contains("Key Usage: critical\n                Certificate Sign, CRL Sign\n"), "{text}");
        let purposes = (text.contains("TLS Web Client"), text.contains("TLS Web Server"));
        let expected = match role {
            Role::Root => (false, false),
            Role::Client | Role::Operator => (true, false),
            Role::Server => (false, true),
        };
        assert_eq!(purposes, expected, "{role}");
        assert_eq!(text.contains("Name Constraints: critical"), role == Role::Server, "{role}");
        let years = if role == Role::Root { 10 } else { 5 };
        assert_eq!(world.hierarchy.window(role).not_after, NOW.plus(years * 365 * 86_400));
    }
}

#[test]
fn two_installations_have_different_names() {
    let (one, two) = (World::new(), World::new());
    for role in Role::ALL {
        let subject = |world: &World| world.hierarchy.certificate(role).subject.to_string();
        assert!(subject(&one).starts_with("CN=Countersign ") && subject(&one).ends_with(",O=Countersign"));
        assert_ne!(subject(&one), subject(&two));
    }
}

#[test]
fn nothing_is_overwritten() {
    let world = World::new();
    let before = fs::read(world.ca.join("root.key")).unwrap();
    let refused = Hierarchy::create(&world.ca, &passphrase(), &options(KeyType::EcdsaP256)).unwrap_err();
    assert!(matches!(refused, AuthorityError::AlreadyThere(_)), "{refused}");
    for role in Role::ALL {
        fs::remove_file(world.ca.join(format!("{}.pem", role.word()))).unwrap();
    }
    assert!(!Hierarchy::is_at(&world.ca));
    let refused = Hierarchy::create(&world.ca, &passphrase(), &options(KeyType::EcdsaP256)).unwrap_err();
    assert!(
        matches!(refused, AuthorityError::AlreadyThere(_)),
        "a key without certificate is kept: {refused}"
    );
    assert_eq!(fs::read(world.ca.join("root.key")).unwrap(), before);
}

#[test]
fn a_site_that_is_no_host_makes_no_hierarchy() {
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca");
    let mut options = options(KeyType::EcdsaP256);
    options.sites.push("https://portal.test".into());
    assert!(matches!(Hierarchy::create(&ca, &passphrase(), &options), Err(AuthorityError::BadSite(_))));
    assert!(!Hierarchy::is_at(&ca) && !ca.exists());
}

#[test]
fn only_the_right_passphrase_unlocks() {
    let world = World::new();
    let again = Hierarchy::open(&world.ca).unwrap();
    assert!(again.unlock(Role::Client, &passphrase()).is_ok());
    let refused = again.unlock(Role::Client, &Passphrase::new("wrong").unwrap()).unwrap_err();
    assert!(matches!(refused, AuthorityError::WrongPassphrase(_)));
    assert!(refused.to_string().starts_with("the passphrase does not open "), "{refused}");
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let world = World::new();
    let key = world.ca.join("client.key");
    fs::set_permissions(&key, PermissionsExt::from_mode(0o640)).unwrap();
    let refused = world.hierarchy.unlock(Role::Client, &passphrase()).unwrap_err();
    assert!(matches!(refused, AuthorityError::Exposed { mode: 0o640, .. }), "{refused}");
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    assert!(world.hierarchy.unlock(Role::Client, &passphrase()).is_ok());
}

#[test]
fn a_key_of_another_ca_is_refused() {
    let world = World::new();
    fs::copy(world.ca.join("operator.key"), world.ca.join("client.key")).unwrap();
    let refused = world.hierarchy.unlock(Role::Client, &passphrase()).unwrap_err();
    assert!(matches!(refused, AuthorityError::OtherKey { role: Role::Client, .. }), "{refused}");
}

#[test]
fn a_certificate_of_another_hierarchy_is_refused() {
    let (world, other) = (World::new(), World::new());
    assert!(Hierarchy::open(&world.ca).is_ok());
    fs::copy(other.ca.join("client.pem"), world.ca.join("client.pem")).unwrap();
    let refused = Hierarchy::open(&world.ca).unwrap_err();
    assert!(refused.to_string().contains("not signed by the root"), "{refused}");
}

#[test]
fn the_root_makes_a_new_server_ca_for_a_new_site() {
    let mut world = World::new();
    assert!(world.hierarchy.server_ca_permits("portal.test"));
    assert!(!world.hierarchy.server_ca_permits("shop.test"));
    let before = world.issue(Profile::Server, |_| {});

    world.hierarchy.reissue_server_ca(&["shop.test".to_owned()], &passphrase(), NOW).unwrap();
    assert!(world.hierarchy.server_ca_permits("shop.test"));
    let again = Hierarchy::open(&world.ca).unwrap();
    for kept in ["shop.test", "portal.test", "localhost", "::1"] {
        assert!(again.server_ca_permits(kept), "{kept}");
    }
    assert!(!again.server_ca_permits("else.test"));

    let shop = world.issue(Profile::Server, |plan| plan.alt_names = vec![AltName::Dns("shop.test".into())]);
    world.verify(&shop, "sslserver", &["-verify_hostname", "shop.test"]).unwrap();
    world.verify(&before, "sslserver", &["-verify_hostname", "portal.test"]).unwrap();
    let under_the_new = authority::Issued { chain_der: shop.chain_der.clone(), ..before };
    world.verify(&under_the_new, "sslserver", &["-verify_hostname", "portal.test"]).unwrap();
}

#[test]
fn without_the_roots_key_everything_works_but_a_new_server_ca() {
    let mut world = World::new();
    fs::rename(world.ca.join("root.key"), world.path("root.key")).unwrap();
    world.hierarchy = Hierarchy::open(&world.ca).unwrap();
    assert!(!world.hierarchy.has_key(Role::Root) && world.hierarchy.has_key(Role::Server));
    world.issue(Profile::Person, |_| {});
    let refused = world.hierarchy.reissue_server_ca(&["shop.test".into()], &passphrase(), NOW).unwrap_err();
    assert!(matches!(refused, AuthorityError::KeyAway { role: Role::Root, .. }));
    assert!(refused.remedy().starts_with("Bring the key back to "), "{}", refused.remedy());
    assert!(!world.hierarchy.server_ca_permits("shop.test"));
}
