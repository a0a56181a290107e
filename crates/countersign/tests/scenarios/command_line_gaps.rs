use serde_json::Value;
use testkit::Portal;

use crate::support::binary;

#[test]
fn explain_speaks_the_words_of_the_pages_in_the_language_asked_for() {
    let portal = Portal::build(&binary()).prepare();
    let dutch = portal.countersign(&["explain", "expired", "--lang", "nl"]).ok();
    for word in ["expired", "TLS alert 45", "Het certificaat is verlopen", "Vernieuw het certificaat"] {
        assert!(dutch.stdout.contains(word), "{word}: {}", dutch.story());
    }
    let json = portal.countersign(&["explain", "expired", "--lang", "de", "--json"]).ok().json();
    for key in ["title", "detail", "next"] {
        assert!(json[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {json}");
    }
    assert_eq!((&json["code"], &json["alert"]), (&"expired".into(), &45.into()));
    let from_environment =
        portal.sandbox.command(&["explain", "expired"]).env("LC_ALL", "nl_NL.UTF-8").output();
    assert_eq!(String::from_utf8(from_environment.unwrap().stdout).unwrap(), dutch.stdout);
}

#[test]
fn a_password_is_taken_from_standard_input() {
    let portal = Portal::build(&binary()).prepare();
    let add = ["party", "add", "alice", "--password-stdin", "--json"];
    let refused = portal.sandbox.countersign_with_input(&add, b"correct horse\n").exited(2);
    assert!(refused.stderr.contains("modern"), "{}", refused.story());
    for command in
        [&["party", "add", "alice"][..], &["party", "renew", "alice"], &["operator", "add", "olga"]]
    {
        let all = [command, &["--p12", "modern", "--password-stdin", "--json"]].concat();
        let all: Vec<&str> =
            if command[1] == "renew" { all.into_iter().chain(["--out", "renewed"]).collect() } else { all };
        let made = portal.sandbox.countersign_with_input(&all, b"correct horse\nbattery\n").ok();
        // Who chose it knows it: it is on no screen, and opens the file.
        assert!(!made.both().contains("correct horse"), "{}", made.story());
        assert_eq!(made.json()["password"], Value::Null, "{}", made.story());
        let files: Vec<String> = serde_json::from_value(made.json()["files"].clone()).unwrap();
        let p12 = files.iter().find(|file| file.ends_with(".p12")).expect("a PKCS#12 file");
        let open = ["pkcs12", "-in", p12, "-passin", "pass:correct horse", "-noout"];
        testkit::openssl(portal.sandbox.dir(), &open, b"").ok();
    }
    let both = ["party", "add", "bob", "--password-stdin", "--password-file", "x"];
    portal.countersign(&both).exited(2);
}

#[test]
fn the_schema_names_the_keys_of_the_file() {
    let portal = Portal::build(&binary()).prepare();
    let schema = portal.countersign(&["config", "schema"]).ok().json();
    assert_eq!(schema["additionalProperties"], false);
    let site = &schema["$defs"]["SiteFile"]["properties"];
    assert!(site["hsts"]["description"].is_string());
    assert!(site["upstream"]["description"].is_string());
    assert!(site["upsteam"].is_null());
    assert_eq!(schema["properties"]["site"]["additionalProperties"]["$ref"], "#/$defs/SiteFile");
}

#[test]
fn a_registry_site_names_only_groups_and_cas_that_are_there() {
    let portal = Portal::build(&binary()).prepare();
    let add = ["site", "add", "two.test", "--upstream", "http://127.0.0.1:1"];
    for (who, missing) in [("group:nobody", "group `nobody`"), ("ca:nowhere", "CA `nowhere`")] {
        let refused = portal.countersign(&[&add[..], &["--allow", who]].concat()).exited(3);
        assert!(refused.stderr.contains(missing), "{}", refused.story());
    }
    portal.countersign(&[&add[..], &["--allow", "ca:own"]].concat()).ok();
}

#[test]
fn wrong_usage_is_one_json_document_where_json_is_asked_for() {
    let portal = Portal::build(&binary()).prepare();
    for wrong in [&["party", "ad", "--json"][..], &["--json", "site", "add", "x.test"], &["--json"]] {
        let refused = portal.countersign(wrong).exited(2);
        let json = refused.json();
        assert!(json["error"].as_str().is_some_and(|text| !text.is_empty()), "{}", refused.story());
        assert!(json["help"].is_string(), "{}", refused.story());
    }
    let plain = portal.countersign(&["party", "ad"]).exited(2);
    assert!(plain.stdout.is_empty(), "{}", plain.story());
}

#[test]
fn a_test_shows_the_five_steps_and_the_one_that_fails() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let test = ["site", "test", "portal.test", "--cert", "alice.pem", "-v"];
    let state = |json: &Value, step: usize| json["steps"][step]["state"].as_str().unwrap().to_owned();

    let admitted = portal.countersign(&test).ok();
    for line in ["ok   1. ", "ok   2. ", "ok   3. ", "ok   4. ", "ok   5. ", "admitted as alice"] {
        assert!(admitted.stdout.contains(line), "{line}: {}", admitted.story());
    }
    let none = portal.countersign(&["site", "test", "portal.test", "--json"]).exited(1).json();
    let states: Vec<String> = (0..5).map(|step| state(&none, step)).collect();
    assert_eq!(states, ["passed", "passed", "failed", "not-reached", "not-reached"]);

    portal.countersign(&["party", "suspend", "alice"]).ok();
    let suspended = portal.countersign(&[&test[..5], &["--json"]].concat()).exited(1).json();
    let states: Vec<String> = (0..5).map(|step| state(&suspended, step)).collect();
    assert_eq!(states, ["passed", "passed", "passed", "not-reached", "failed"]);

    portal.countersign(&["party", "revoke", "alice", "--yes"]).ok();
    let revoked = portal.countersign(&test).exited(1);
    for line in ["ok   3. ", "FAIL 4. ", "FAIL not-revoked", "-    5. ", "refused: revoked"] {
        assert!(revoked.stdout.contains(line), "{line}: {}", revoked.story());
    }
}

#[test]
fn whose_certificates_end_soon_is_a_list_of_its_own() {
    let portal = Portal::build(&binary()).prepare();
    for (name, days) in [("late", "40"), ("soon", "20"), ("sooner", "5"), ("gone", "3")] {
        portal.countersign(&["party", "add", name, "--days", days]).ok();
    }
    portal.countersign(&["party", "renew", "sooner", "--out", "renewed"]).ok();
    portal.countersign(&["party", "revoke", "gone"]).ok();
    let listed = |within: &str| {
        let all = portal.countersign(&["party", "list", "--expires-within", within, "--json"]).ok().json();
        let name = |row: &Value| row["party"].as_str().unwrap().to_owned();
        all.as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(
        listed("41d"),
        ["soon", "late"],
        "the earliest first; a successor lasts, a revoked one does not count"
    );
    assert_eq!(listed("39d"), ["soon"]);
    assert!(listed("19d").is_empty());
    let none = portal.countersign(&["party", "list", "--expires-within", "1h"]).ok();
    assert!(none.stdout.contains("no party's last certificate"), "{}", none.story());
    let wrong = portal.countersign(&["party", "list", "--expires-within", "soon"]).exited(2);
    assert!(wrong.stderr.contains("such as 30d"), "{}", wrong.story());
}

#[test]
fn where_a_new_party_may_enter_is_told_by_grants_and_by_the_configuration() {
    let other = "[site.\"files.test\"]\nupstream = \"http://127.0.0.1:9\"\nallow = [\"erin\", \"group:staff\"]\n\
                 deny = [\"mallory\"]\n\n[group]\nstaff = [\"frank\", \"mallory\"]\n";
    let portal = Portal::build(&binary()).extra_toml(other).prepare();
    let told = |args: &[&str]| portal.countersign(&[&["party", "add"], args].concat()).ok().stdout;
    for (args, wanted) in [
        (&["dora"][..], "dora enters no site yet (countersign party grant)"),
        (
            &["dora", "--label", "phone", "--site", "portal.test", "--out", "phone"],
            "dora may enter portal.test",
        ),
        (&["dora", "--label", "desk", "--out", "desk"], "dora may enter portal.test"),
        (&["erin"], "erin may enter files.test"),
        (&["frank", "--site", "portal.test"], "frank may enter files.test, portal.test"),
        (&["mallory"], "mallory enters no site yet"),
    ] {
        let told = told(args);
        assert!(told.contains(wanted), "{args:?}: {told}");
    }
}
