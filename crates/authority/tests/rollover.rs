//! From one generation of a CA to the next.

mod support;

use std::fs;

use authority::crl::{self, About, CrlEntry};
use authority::{AuthorityError, Hierarchy, KeyType, Role};
use policy::issuance::{Profile, Reason};
use support::{NOW, World, mode, openssl, passphrase};

fn begin(world: &mut World, role: Role) -> Result<(), AuthorityError> {
    world.hierarchy.begin_rollover(role, KeyType::EcdsaP384, &passphrase(), NOW)
}

#[test]
fn the_next_generation_issues_and_the_old_one_signs_lists_alone() {
    let mut world = World::new();
    let old = world.hierarchy.certificate(Role::Client).clone();
    let before = world.issue(Profile::Person, |_| {});
    assert!(world.hierarchy.former(Role::Client).is_none());
    assert!(world.hierarchy.unlock_former(Role::Client, &passphrase()).unwrap().is_none());
    begin(&mut world, Role::Client).unwrap();

    let again = Hierarchy::open(&world.ca).unwrap();
    let new = again.certificate(Role::Client).clone();
    assert_ne!((&new.spki, &new.subject_der), (&old.spki, &old.subject_der));
    assert_eq!(again.former(Role::Client).unwrap().thumbprint, old.thumbprint);
    assert!(again.former(Role::Operator).is_none());
    for key in ["client.key", "client.old.key"] {
        assert_eq!(mode(&world.ca.join(key)), 0o600, "{key}");
    }
    let issued = world.issue(Profile::Person, |_| {});
    assert_eq!(issued.chain_der[0], new.der.to_vec());
    world.verify(&issued, "sslclient", &[]).unwrap();
    world.verify(&before, "sslclient", &[]).unwrap();

    let former = again.unlock_former(Role::Client, &passphrase()).unwrap().unwrap();
    let entry = CrlEntry { serial: vec![7], revoked_at: NOW, reason: Reason::Superseded };
    let next_update = NOW.plus(86_400);
    let about = About { number: 1, this_update: NOW, next_update, addresses: &[] };
    let list = crl::build(&former, [entry], about).unwrap();
    let list = world.write("list.crl", examiner::cert::pem::encode("X509 CRL", &list));
    let ca = world.ca.join("client.old.pem");
    openssl(&["crl", "-in", list.to_str().unwrap(), "-CAfile", ca.to_str().unwrap(), "-noout"]).unwrap();
}

#[test]
fn one_rollover_of_a_ca_at_a_time_and_none_of_root_and_server_ca() {
    let mut world = World::new();
    for role in [Role::Root, Role::Server] {
        assert!(matches!(begin(&mut world, role), Err(AuthorityError::NoRollover(_))));
    }
    begin(&mut world, Role::Client).unwrap();
    let now = world.hierarchy.certificate_pem(Role::Client);
    assert!(matches!(begin(&mut world, Role::Client), Err(AuthorityError::RolloverUnderWay(_))));
    assert_eq!(fs::read_to_string(world.ca.join("client.pem")).unwrap(), now);
    begin(&mut world, Role::Operator).unwrap();
}

#[test]
fn without_the_roots_key_nothing_is_begun() {
    let mut world = World::new();
    fs::rename(world.ca.join("root.key"), world.path("safe")).unwrap();
    assert!(matches!(begin(&mut world, Role::Client), Err(AuthorityError::KeyAway { role: Role::Root, .. })));
    assert!(!world.ca.join("client.old.pem").exists());
    fs::rename(world.path("safe"), world.ca.join("root.key")).unwrap();
    begin(&mut world, Role::Client).unwrap();
}

#[test]
fn the_end_takes_trust_and_key_of_the_old_generation_away() {
    let mut world = World::new();
    let refused = world.hierarchy.end_rollover(Role::Client).unwrap_err();
    assert!(matches!(refused, AuthorityError::NoRolloverUnderWay(Role::Client)), "{refused}");
    begin(&mut world, Role::Client).unwrap();
    let issued = world.issue(Profile::Person, |_| {});
    world.hierarchy.end_rollover(Role::Client).unwrap();
    let again = Hierarchy::open(&world.ca).unwrap();
    assert!(again.former(Role::Client).is_none());
    assert_eq!(fs::read_dir(&world.ca).unwrap().count(), 8, "nothing of the old generation is left");
    world.verify(&issued, "sslclient", &[]).unwrap();
    begin(&mut world, Role::Client).unwrap();
}

#[test]
fn the_key_of_an_old_generation_is_certified_for_nobody() {
    let mut world = World::new();
    let spki = world.hierarchy.certificate(Role::Client).spki.to_vec();
    begin(&mut world, Role::Client).unwrap();
    let plan = world.plan_for(Profile::Person, spki, |_| {});
    let refused = world.signer(Role::Client).issue(&plan).unwrap_err();
    assert!(matches!(refused, AuthorityError::KeyOfCa(Role::Client)), "{refused}");
}

/// After each step of a start, the files are as they would be had the process been killed there.
#[test]
fn a_start_that_was_cut_short_leaves_the_old_generation_issuing_and_can_be_done_again() {
    let whole = {
        let mut world = World::new();
        let before = ["client.pem", "client.key"].map(|name| fs::read(world.ca.join(name)).unwrap());
        begin(&mut world, Role::Client).unwrap();
        let after = ["client.pem", "client.key"].map(|name| fs::read(world.ca.join(name)).unwrap());
        (world, before, after)
    };
    let (mut world, [old_pem, old_key], [_, new_key]) = whole;
    for (step, key, has_old_pem) in [(1, &old_key, false), (2, &old_key, true), (3, &new_key, true)] {
        fs::write(world.ca.join("client.pem"), &old_pem).unwrap();
        fs::write(world.ca.join("client.key"), key).unwrap();
        fs::write(world.ca.join("client.old.key"), &old_key).unwrap();
        let former = world.ca.join("client.old.pem");
        if has_old_pem {
            fs::write(&former, &old_pem).unwrap()
        } else {
            let _ = fs::remove_file(&former);
        }
        world.hierarchy = Hierarchy::open(&world.ca).unwrap();
        assert!(world.hierarchy.former(Role::Client).is_none(), "step {step}");
        let issued = world.issue(Profile::Person, |_| {});
        assert_eq!(
            issued.chain_der[0],
            world.hierarchy.certificate(Role::Client).der.to_vec(),
            "step {step}"
        );
        begin(&mut world, Role::Client).unwrap();
        assert!(world.hierarchy.former(Role::Client).is_some(), "step {step}");
        world.issue(Profile::Person, |_| {});
        assert!(world.hierarchy.unlock_former(Role::Client, &passphrase()).unwrap().is_some(), "step {step}");
    }
}

#[test]
fn an_old_generation_that_the_root_did_not_sign_is_not_opened() {
    let (world, mut other) = (World::new(), World::new());
    begin(&mut other, Role::Client).unwrap();
    fs::copy(other.ca.join("client.old.pem"), world.ca.join("client.old.pem")).unwrap();
    let refused = Hierarchy::open(&world.ca).unwrap_err();
    assert!(refused.to_string().contains("client.old.pem: is not signed by the root"), "{refused}");
}
