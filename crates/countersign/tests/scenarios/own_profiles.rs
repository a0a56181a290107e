//! Profiles of the configuration: their life, their keys, their names, and who may have one.

use examiner::{Certificate, GeneralName, cert::pem};
use serde_json::json;
use testkit::{Portal, free_port, openssl};

use super::authority_process::{P256, ask, key, proposal};
use crate::support::binary;

const KIOSK: &str = "[group]\nlab = [\"svc\"]\n[profile.kiosk]\nlike = \"device\"\nlife = \"30d\"\ngrace = \"2d\"\n\
    keys = [\"ecdsa-p256\", \"rsa-3072\"]\nnames = [\"dns:{party}.kiosks.test\", \"uri:urn:example:kiosk:{party}\"]\n\
    parties = [\"kiosk-*\", \"group:lab\"]\n";

fn add(portal: &Portal, party: &str, more: &[&str]) -> testkit::Output {
    let add = ["party", "add", party, "--site", "portal.test", "--profile", "kiosk", "--pem", "--out", "."];
    portal.countersign(&[&add[..], more].concat())
}

fn certificate(portal: &Portal, file: &str) -> Certificate {
    pem::certificates(portal.sandbox.read(file).as_bytes()).unwrap().swap_remove(0)
}

fn assert_kiosk(one: &Certificate, party: &str) {
    let days = (one.not_after.seconds() - one.not_before.seconds()) / 86_400;
    assert_eq!(days, 30);
    let names: Vec<&GeneralName> = one.subject_alt_names.iter().collect();
    assert!(names.contains(&&GeneralName::Dns(format!("{party}.kiosks.test"))), "{names:?}");
    assert!(names.contains(&&GeneralName::Uri(format!("urn:example:kiosk:{party}"))), "{names:?}");
}

#[test]
fn a_certificate_has_the_life_and_names_of_its_profile_and_keeps_them_in_renewals() {
    let port = free_port();
    let enrol =
        format!("[enrol]\nlisten = \"127.0.0.1:{port}\"\nurl = \"https://localhost:{port}\"\n{KIOSK}");
    let mut portal = Portal::build(&binary()).extra_toml(&enrol).prepare();
    add(&portal, "kiosk-7", &[]).ok();
    assert_kiosk(&certificate(&portal, "kiosk-7.pem"), "kiosk-7");
    add(&portal, "svc", &["--days", "30"]).ok();
    let shown = portal.countersign(&["party", "show", "kiosk-7", "--json"]).ok().json();
    assert_eq!(shown["certificates"][0]["profile"], "kiosk");
    portal.countersign(&["party", "renew", "kiosk-7", "--pem", "--out", "again"]).ok();
    assert_kiosk(&certificate(&portal, "again/kiosk-7.pem"), "kiosk-7");

    portal.start_gate();
    let url = format!("https://localhost:{port}");
    let renew =
        ["renew", "--cert", "svc.pem", "--key", "svc.key", "--cacert", "ca.pem", "--url", &url, "--force"];
    portal.countersign(&renew).ok();
    assert_kiosk(&certificate(&portal, "svc.pem"), "svc");
    // And over the authority's socket, whatever names are proposed.
    let request = key(&portal, "machine", &P256);
    let made = ask(&portal, &proposal("svc", &request, |one| one["profile"] = json!("kiosk")));
    portal.sandbox.write("machine.pem", made["issued"]["pem"].as_str().unwrap_or_else(|| panic!("{made}")));
    assert_kiosk(&certificate(&portal, "machine.pem"), "svc");

    // A profile that is gone issues and renews nothing.
    let config = portal.sandbox.read("countersign.toml").replace("profile.kiosk", "profile.booth");
    portal.sandbox.write("countersign.toml", config);
    let gone =
        portal.countersign(&["party", "renew", "kiosk-7", "--cert", "cert-2", "--out", "third"]).exited(1);
    assert!(gone.stderr.contains("profile `kiosk` is no longer in the configuration"), "{}", gone.story());
    let gone = portal.countersign(&renew).exited(1);
    assert!(gone.stderr.contains("no profile `kiosk`"), "{}", gone.story());
    let refused = ask(&portal, &proposal("svc", &request, |one| one["profile"] = json!("kiosk")));
    assert_eq!(refused["refused"]["code"], "profile");
}

#[test]
fn what_is_against_a_profile_is_refused_with_the_reason() {
    let portal = Portal::build(&binary()).extra_toml(KIOSK).start();
    for (party, more, word) in [
        ("alice", &[][..], "profile `kiosk` is not for `alice`"),
        ("kiosk-1", &["--key-type", "ecdsa-p384"], "takes keys of these kinds only: ecdsa-p256, rsa-3072"),
        ("kiosk-1", &["--days", "31"], "profile `kiosk` allows at most 30"),
        ("kiosk-1", &["--profile", "kisok"], "did you mean `kiosk`"),
        ("kiosk-1", &["--profile", "operator"], "there is no profile `operator`"),
    ] {
        let mut args = vec!["party", "add", party, "--out", "."];
        if !more.contains(&"--profile") {
            args.extend(["--profile", "kiosk"]);
        }
        args.extend(more);
        let refused = portal.countersign(&args).exited(2);
        assert!(refused.stderr.contains(word) && refused.stderr.contains("help:"), "{}", refused.story());
    }
    // A request's key is held to it as well.
    let dir = portal.sandbox.dir();
    openssl(
        dir,
        &[
            "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "x.key", "-out", "x.csr", "-subj",
            "/CN=x",
        ],
        b"",
    )
    .ok();
    let refused =
        portal.countersign(&["party", "add", "kiosk-1", "--profile", "kiosk", "--csr", "x.csr"]).exited(2);
    assert!(refused.stderr.contains("this one is RSA 2048 bit"), "{}", refused.story());
    let request = key(&portal, "machine", &P256);
    portal.countersign(&["party", "add", "alice", "--out", "a"]).ok();
    let refused = ask(&portal, &proposal("alice", &request, |one| one["profile"] = json!("kiosk")));
    assert_eq!(refused["refused"]["code"], "rules", "{refused}");
}

#[test]
fn a_profile_that_makes_no_sense_is_a_configuration_error() {
    let portal = Portal::build(&binary()).prepare();
    let config = portal.sandbox.read("countersign.toml");
    for (text, word) in [
        ("[profile.kiosk]", "no `like`"),
        ("[profile.kiosk]\nlike = \"operator\"", "no profile to be like"),
        ("[profile.person]\nlike = \"person\"", "cannot name a profile"),
        ("[profile.\"A b\"]\nlike = \"person\"", "cannot name a profile"),
        ("[profile.kiosk]\nlike = \"device\"\nlife = \"1826d\"", "1825d"),
        ("[profile.kiosk]\nlike = \"device\"\nlife = \"12h\"", "whole days"),
        ("[profile.kiosk]\nlike = \"device\"\nkeys = [\"rsa-1024\"]", "no kind of key"),
        ("[profile.kiosk]\nlike = \"device\"\nnames = [\"dns:*.x.test\"]", "wildcard"),
        ("[profile.kiosk]\nlike = \"device\"\nnames = [\"ip:10.0.0.1\"]", "address"),
        ("[profile.kiosk]\nlike = \"device\"\nnames = [\"uri:urn:uuid:{party}\"]", "urn:uuid"),
        ("[profile.kiosk]\nlike = \"device\"\nparties = [\"*\"]", "beginning"),
        ("[profile.kiosk]\nlike = \"device\"\nparties = [\"group:none\"]", "no group"),
        ("[profile.kiosk]\nlike = \"device\"\nis_ca = true", "is_ca"),
    ] {
        portal.sandbox.write("countersign.toml", format!("{config}\n{text}\n"));
        let refused = portal.countersign(&["validate"]).exited(3);
        assert!(refused.both().contains(word), "{text}: {}", refused.story());
    }
}
