//! Many certificates are revoked at once, and a hold is taken back: at the gate, and on the published list.

use std::time::Duration;

use serde_json::json;
use testkit::{Portal, openssl};

use crate::support::{binary, eventually};

/// Serial numbers and reasons on the published list, as openssl tells them, once its signature is verified.
fn published(portal: &Portal) -> Vec<(String, String)> {
    let args = [
        "crl",
        "-inform",
        "DER",
        "-in",
        "state/crl/own.crl",
        "-CAfile",
        "state/ca/client.pem",
        "-noout",
        "-text",
    ];
    let text = openssl(portal.sandbox.dir(), &args, b"").ok().both();
    assert!(text.contains("verify OK"), "{text}");
    let after = |entry: &str, mark: &str| {
        entry.split_once(mark).map(|(_, rest)| rest.lines().next().unwrap_or_default().trim().to_owned())
    };
    let entries = text.split("Serial Number: ").skip(1);
    entries
        .map(|entry| {
            let reason = after(entry, "CRL Reason Code: \n").unwrap_or_default();
            (entry.lines().next().unwrap_or_default().trim().to_lowercase(), reason)
        })
        .collect()
}

/// Lets the next list be published without the pause between two: the last one was made a while ago.
///
/// The file beside the list is written after it, and is waited for: otherwise it would be written over once more.
fn forget_the_pause(portal: &Portal) {
    let mut about = eventually("what the list was made of", || {
        let about: serde_json::Value =
            serde_json::from_str(&portal.sandbox.read("state/crl/own.json")).unwrap();
        let number = ["crl", "-inform", "DER", "-in", "state/crl/own.crl", "-noout", "-crlnumber"];
        let number = openssl(portal.sandbox.dir(), &number, b"").ok().both();
        let number = number.trim().trim_start_matches("crlNumber=").trim_start_matches("0x").to_owned();
        (u64::from_str_radix(&number, 16).ok() == about["number"].as_u64()).then_some(about)
    });
    about["at"] = "2026-01-01T00:00:00Z".into();
    portal.sandbox.write("state/crl/own.json", about.to_string());
}

fn serial(portal: &Portal, party: &str) -> String {
    let pem = portal.sandbox.read(&format!("{party}.pem"));
    examiner::cert::pem::certificates(pem.as_bytes()).unwrap()[0].serial_hex()
}

#[test]
fn all_that_fit_are_out_at_once_and_the_others_are_untouched() {
    let portal = Portal::build(&binary()).party("kiosk-1").party("kiosk-2").party("alice").start();
    let dry =
        portal.countersign(&["party", "revoke", "--match", "party=kiosk-*", "--dry-run", "--json"]).ok();
    assert_eq!(dry.json()["count"], 2, "{}", dry.story());
    let unsaid = portal.countersign(&["party", "revoke", "--match", "party=kiosk-*"]).refused();
    assert_eq!(unsaid.code, 2, "{}", unsaid.story());
    assert!(unsaid.stderr.contains("2 certificate(s) of 2 parties fit"), "{}", unsaid.story());
    for party in ["kiosk-1", "kiosk-2", "alice"] {
        assert_eq!(portal.curl(Some(party), "/", &[]).status, 200, "{party}, before");
    }

    testkit::block_on(async {
        let mut download = portal.client_as("kiosk-1").connect(portal.port, "portal.test").await.unwrap();
        download.send_request("GET", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        let mut kept = portal.client_as("alice").connect(portal.port, "portal.test").await.unwrap();
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
        forget_the_pause(&portal);

        let rule = ["party", "revoke", "--match", "party=kiosk-* and profile=person"];
        let more = ["--reason", "ca-compromise", "--yes", "--json"];
        let done = portal.countersign(&[&rule[..], &more].concat()).ok().json();
        assert_eq!(done["count"], 2, "{done}");
        assert_eq!(done["match"], "party=kiosk-* and profile=person");
        assert_eq!(done["applied"].as_array().map(Vec::len), Some(1), "{done}");
        assert!(download.ended_within(Duration::from_millis(1500)).await.is_some(), "the download ends");
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200, "the same connection of another goes on");
    });
    for party in ["kiosk-1", "kiosk-2"] {
        assert_eq!(portal.curl(Some(party), "/", &[]).json()["code"], "revoked", "{party}");
    }
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    let mut expected =
        ["kiosk-1", "kiosk-2"].map(|party| (serial(&portal, party), "CA Compromise".to_owned()));
    expected.sort();
    eventually("the list with both", || {
        let mut listed = published(&portal);
        listed.sort();
        (listed == expected).then_some(())
    });

    let again = portal.countersign(&["party", "revoke", "--match", "party=kiosk-*", "--yes"]).refused();
    assert_eq!(again.code, 5, "{}", again.story());
    assert!(
        again.stderr.contains("no certificate that is not revoked fits party=kiosk-*"),
        "{}",
        again.story()
    );
}

#[test]
fn every_reason_is_told_at_the_gate_and_on_the_list() {
    let reasons = [
        ("key-compromise", "Key Compromise"),
        ("affiliation-changed", "Affiliation Changed"),
        ("superseded", "Superseded"),
        ("cessation-of-operation", "Cessation Of Operation"),
        ("privilege-withdrawn", "Privilege Withdrawn"),
        ("ca-compromise", "CA Compromise"),
        ("aa-compromise", "AA Compromise"),
        ("certificate-hold", "Certificate Hold"),
        ("unspecified", ""),
    ];
    let portal =
        reasons.iter().fold(Portal::build(&binary()), |portal, (word, _)| portal.party(word)).start();
    for (word, _) in reasons {
        assert_eq!(portal.curl(Some(word), "/", &[]).status, 200, "{word}, before");
    }
    for (word, _) in &reasons[1..] {
        portal.countersign(&["party", "revoke", word, "--reason", word]).ok();
        let refusal = portal.curl(Some(word), "/", &[]).json();
        assert_eq!(refusal["code"], "revoked", "{word}: {refusal}");
    }
    forget_the_pause(&portal);
    portal.countersign(&["party", "revoke", reasons[0].0, "--reason", reasons[0].0]).ok();
    let mut expected: Vec<_> =
        reasons.iter().map(|(word, shown)| (serial(&portal, word), (*shown).to_owned())).collect();
    expected.sort();
    eventually("the list with all reasons", || {
        let mut listed = published(&portal);
        listed.sort();
        (listed == expected).then_some(())
    });
    let unknown =
        portal.countersign(&["party", "revoke", "superseded", "--reason", "remove-from-crl"]).refused();
    assert_eq!(unknown.code, 2, "{}", unknown.story());
}

#[test]
fn a_released_certificate_enters_again_and_leaves_the_list() {
    let portal = Portal::build(&binary()).party("alice").party("bob").start();
    let status = |party| portal.curl(Some(party), "/", &[]).status;
    let run = |args: &str| portal.countersign(&args.split(' ').collect::<Vec<_>>());
    forget_the_pause(&portal);
    run("party revoke alice --cert cert-1 --reason certificate-hold").ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).json()["code"], "revoked");
    assert_eq!(status("bob"), 200);
    let held = vec![(serial(&portal, "alice"), "Certificate Hold".to_owned())];
    eventually("the held one on the list", || (published(&portal) == held).then_some(()));

    let none = run("party resume bob --cert cert-1").refused();
    assert!(none.stderr.contains("is not on hold"), "{}", none.story());
    forget_the_pause(&portal);
    let released = run("party resume alice --cert cert-1 --json").ok().json();
    assert_eq!(released["released"][0]["label"], "cert-1", "{released}");
    assert_eq!(status("alice"), 200);
    eventually("the list without it", || published(&portal).is_empty().then_some(()));

    run("party revoke --match party=* --reason certificate-hold --yes").ok();
    assert_eq!(["alice", "bob"].map(status), [403, 403]);
    let released = run("party resume --match party=bob --yes --json").ok().json();
    assert_eq!(released["count"], json!(1));
    assert_eq!(["alice", "bob"].map(status), [403, 200]);
    run("party revoke alice --reason superseded").ok();
    let refused = run("party resume alice --held").refused();
    assert!(refused.stderr.contains("nothing of party `alice` is on hold"), "{}", refused.story());
    assert_eq!(status("alice"), 403);
}

#[test]
fn what_a_match_cannot_see_is_said() {
    let acme = testkit::TestCa::new("Acme CA");
    let portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("svc").prepare();
    let run = |args: &[&str]| portal.countersign(args);
    run(&["ca", "add", "acme.pem", "--name", "acme", "--site", "portal.test", "--named-only"]).ok();
    run(&["party", "add", "svc", "--subject", "CN=svc", "--ca", "acme"]).ok();
    let held = run(&["party", "revoke", "svc", "--reason", "certificate-hold"]).refused();
    assert_eq!(held.code, 2, "{}", held.story());
    assert!(held.stderr.contains("party suspend svc"), "{}", held.story());
    let done = run(&["party", "revoke", "--match", "party=svc", "--yes"]).ok();
    assert!(done.stderr.contains("still enter by a key pin or a subject, such as svc"), "{}", done.story());

    let wrong = run(&["party", "revoke", "--match", "colour=red", "--yes"]).refused();
    assert_eq!(wrong.code, 2, "{}", wrong.story());
    assert!(wrong.stderr.contains("`colour` cannot be selected by"), "{}", wrong.story());
    let both = run(&["party", "revoke", "svc", "--match", "party=svc"]).refused();
    assert_eq!(both.code, 2, "{}", both.story());
    let neither = run(&["party", "revoke"]).refused();
    assert_eq!(neither.code, 2, "{}", neither.story());
}
