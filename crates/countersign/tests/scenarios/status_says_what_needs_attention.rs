use authority::{CreateOptions, Hierarchy, KeyType, Passphrase, Role, keys};
use examiner::UnixTime;
use policy::issuance::{AltName, Plan, Profile, check};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use testkit::times::{DAY, clock};
use testkit::{Leaf, Portal, TestCa};

use crate::support::{binary, eventually};

/// `status --json`: the exit code, the lines of `attention`, the lines of `mentions`.
fn status(portal: &Portal) -> (i32, Vec<String>, Vec<String>) {
    let output = portal.countersign(&["status", "--json"]);
    let json = output.json();
    let lines = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect()
    };
    (output.code, lines(&json["attention"]), lines(&json["mentions"]))
}

/// An authority made `age` seconds ago, in the place of the portal's own.
fn age_authority(portal: &Portal, age: i64) -> (Hierarchy, Passphrase) {
    let directory = portal.sandbox.path("state/ca");
    std::fs::remove_dir_all(&directory).unwrap();
    let passphrase = Passphrase::read(&portal.sandbox.path("state/ca.passphrase")).unwrap();
    let options = CreateOptions {
        sites: vec!["portal.test".into()],
        key_type: KeyType::EcdsaP256,
        store: authority::KeyStore::Files,
        now: clock().plus(-age),
        organisation: "Countersign".into(),
    };
    (Hierarchy::create(&directory, &passphrase, &options).unwrap(), passphrase)
}

/// A certificate of the own server CA for the portal's site, issued at `at`, where the gate keeps it.
fn site_certificate(portal: &Portal, hierarchy: &Hierarchy, passphrase: &Passphrase, at: UnixTime) {
    let signer = hierarchy.unlock(Role::Server, passphrase).unwrap();
    let key = keys::generate(KeyType::EcdsaP256).unwrap();
    let mut plan = Plan::new(Profile::Server, "portal.test", "", key.spki().unwrap(), signer.window(), at);
    plan.alt_names = vec![AltName::Dns("portal.test".into())];
    let issued = signer.issue(&check(plan, signer.window(), at).unwrap()).unwrap();
    std::fs::create_dir_all(portal.sandbox.path("state/server")).unwrap();
    portal.sandbox.write("state/server/portal.test.pem", issued.to_pem());
    portal.sandbox.write("state/server/portal.test.key", key.to_pem().unwrap().as_bytes());
}

#[test]
fn a_healthy_portal_needs_no_attention() {
    let portal = Portal::build(&binary()).prepare();
    assert_eq!(status(&portal), (0, vec![], vec![]));
}

#[test]
fn an_own_ca_that_ends_within_fourteen_days_needs_attention() {
    let portal = Portal::build(&binary()).prepare();
    age_authority(&portal, 5 * 365 * DAY - 15 * DAY);
    assert_eq!(status(&portal).0, 0, "fifteen days are left");
    age_authority(&portal, 5 * 365 * DAY - 13 * DAY);
    let (code, attention, _) = status(&portal);
    assert_eq!((code, attention.len()), (1, 3), "the three issuing CAs, not the root: {attention:?}");
    assert!(attention.iter().all(|line| line.starts_with("own CA: ") && line.contains(" ends at ")));
    age_authority(&portal, 5 * 365 * DAY + DAY);
    let (_, attention, _) = status(&portal);
    assert!(
        attention.iter().any(|line| line.contains("Client CA") && line.contains(" ended at ")),
        "{attention:?}"
    );
}

#[test]
fn a_server_certificate_that_ends_soon_or_is_overdue_needs_attention() {
    let portal = Portal::build(&binary()).prepare();
    let (hierarchy, passphrase) = age_authority(&portal, 100 * DAY);
    let seen = |issued_days_ago: i64| {
        site_certificate(&portal, &hierarchy, &passphrase, clock().plus(-issued_days_ago * DAY));
        status(&portal)
    };
    assert_eq!(seen(10).0, 0, "young");
    assert_eq!(seen(60).0, 0, "due, and the gate has a day to do it");
    let (code, attention, _) = seen(63);
    assert_eq!(code, 1);
    assert!(
        attention[0].starts_with("certificate of portal.test: its renewal is overdue; it ends at"),
        "{attention:?}"
    );
    let (code, attention, _) = seen(80);
    assert_eq!(code, 1);
    assert!(attention[0].starts_with("certificate of portal.test: CN=portal.test ends at"), "{attention:?}");
    let (code, attention, _) = seen(91);
    assert_eq!(code, 1);
    assert!(attention[0].starts_with("certificate of portal.test: CN=portal.test ended at"), "{attention:?}");
}

#[test]
fn the_owners_own_certificate_file_is_looked_at_too() {
    let ca = TestCa::new("Public CA");
    let site = Leaf::server("portal.test").valid_from_now(-DAY, 30 * DAY).issued_by(&ca);
    let portal = Portal::build(&binary())
        .site_line(r#"certificate = { cert = "site.pem", key = "site.key" }"#)
        .file("site.pem", &site.chain_pem)
        .file("site.key", &site.key_pem)
        .prepare();
    assert_eq!(status(&portal).0, 0);
    Leaf::server("portal.test")
        .valid_from_now(-DAY, 13 * DAY)
        .issued_by(&ca)
        .write(portal.sandbox.dir(), "site");
    let (code, attention, _) = status(&portal);
    assert_eq!(code, 1);
    assert!(attention[0].starts_with("certificate of portal.test: CN=portal.test ends at"), "{attention:?}");
}

#[test]
fn a_trusted_issuer_that_ends_soon_and_a_site_that_observes_need_attention() {
    let soon = TestCa::build("Acme CA").valid_from_now(-DAY, 13 * DAY).root();
    let until = clock().plus(10 * DAY).date();
    let portal = Portal::build(&binary())
        .file("acme.pem", soon.pem())
        .site_line(&format!("mode = {{ observe_until = {until} }}"))
        .extra_toml(
            "[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\nmatch = [\"san:dns=*.acme.example\"]",
        )
        .prepare();
    let (code, attention, mentions) = status(&portal);
    assert_eq!((code, mentions), (1, vec![]));
    let told = |start: &str| attention.iter().any(|line| line.starts_with(start));
    assert!(told("site portal.test observes until "), "{attention:?}");
    assert!(told("CA acme: CN=Acme CA ends at "), "{attention:?}");
}

#[test]
fn exceptions_and_open_paths_are_mentioned_and_are_no_alarm() {
    let acme = TestCa::new("Acme CA");
    let until = clock().plus(10 * DAY).date();
    let portal = Portal::build(&binary())
        .file("acme.pem", acme.pem())
        .extra_toml(&format!(
            "[ca.acme]\nfile = \"acme.pem\"\nsites = [\"portal.test\"]\nmatch = [\"san:dns=*.acme.example\"]\n\
             accept_without_client_usage = {{ until = {until} }}\n\
             [[site.\"portal.test\".path]]\nprefix = \"/health\"\nclient_auth = \"off\""
        ))
        .prepare();
    let device = Leaf::new("device").server_usage().self_signed();
    device.write(portal.sandbox.dir(), "device");
    let pin = ["party", "add", "device", "--cert", "device.pem", "--pin", "cert"];
    let excuse = ["--accept-without-client-usage-until", &until];
    portal.countersign(&[&pin[..], &excuse].concat()).ok();
    let (code, attention, mentions) = status(&portal);
    assert_eq!((code, attention), (0, vec![]));
    let told = |parts: [&str; 2]| mentions.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(told(["exception: CA acme without client usage until", &until]), "{mentions:?}");
    assert!(told(["exception: certificate", &device.thumbprint()]), "{mentions:?}");
    assert!(told(["site portal.test", "/health is open"]), "{mentions:?}");
    assert_eq!(mentions.len(), 3, "{mentions:?}");
}

#[test]
fn a_gate_that_does_not_follow_is_stale() {
    let portal = Portal::start(&binary());
    eventually("a gate that has followed", || (status(&portal).0 == 0).then_some(()));
    let pid = Pid::from_raw(portal.gate().gate_pid().unwrap().cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let said = portal.countersign(&["party", "suspend", "alice"]).exited(1);
    assert!(said.stderr.contains("has not applied it yet"), "{}", said.story());
    let (code, attention, _) = status(&portal);
    kill_process(pid, Signal::CONT).unwrap();
    assert_eq!((code, attention.len()), (1, 1), "{attention:?}");
    assert!(attention[0].contains(" is stale: change "), "{attention:?}");
    eventually("the gate has caught up", || (status(&portal).0 == 0).then_some(()));
}
