//! Trusted issuers: shown before they are trusted, trusted and removed; the own CAs' generations; issuers that are ignored.

use testkit::{Leaf, TestCa};

use super::*;

/// What a partner's CA with this rule is, as the API is told.
fn partner(ca: &TestCa, rule: Option<&str>, matches: &[&str]) -> Value {
    json!({ "name": "partner", "certificates": ca.pem(), "sites": ["portal.test"], "rule": rule, "match": matches })
}

#[test]
fn a_rule_shows_what_it_would_let_in_before_it_is_saved() {
    let (ours, other) = (TestCa::new("Partner CA"), TestCa::new("Other CA"));
    let portal = portal();
    let dir = portal.sandbox.dir().to_path_buf();
    for (name, mail, ca) in [
        ("in", "bob@acme.example", &ours),
        ("out", "bob@elsewhere.example", &ours),
        ("no", "x@acme.example", &other),
    ] {
        Leaf::new(name).email(mail).issued_by(ca).write(&dir, name);
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 403);
        pending(&portal, &format!("CN={name}"));
    }
    Leaf::new("saved").email("eve@acme.example").issued_by(&ours).write(&dir, "saved");
    portal.countersign(&["party", "add", "eve", "--cert", "saved.pem", "--pin", "cert"]).ok();
    let ask_for = |rule: Option<&str>, matches: &[&str]| {
        let got = post(&portal, "vic", "/api/v1/ca-previews", "p", &partner(&ours, rule, matches));
        assert_eq!(got.status, 200, "{}", got.text());
        got.json()
    };
    // Without a rule it is as if everyone got in, which is said.
    for everyone in [ask_for(None, &[]), ask_for(Some("everyone"), &[])] {
        assert_eq!(everyone["everyone"], true);
        assert_eq!((&everyone["pending"]["count"], &everyone["pending"]["let_in"]), (&json!(2), &json!(2)));
        assert_eq!((&everyone["saved"]["count"], &everyone["saved"]["let_in"]), (&json!(1), &json!(1)));
    }
    let fit = ask_for(Some("match"), &["san:email=*@acme.example"]);
    assert_eq!(
        (&fit["everyone"], &fit["pending"]["count"], &fit["pending"]["let_in"]),
        (&json!(false), &json!(2), &json!(1))
    );
    assert_eq!(fit["pending"]["examples"][0]["subject"], "CN=in");
    assert_eq!(fit["pending"]["examples"][0]["becomes"], "ca/partner");
    let refused = &fit["pending"]["refused"][0];
    assert_eq!((&refused["subject"], &refused["becomes"]), (&json!("CN=out"), &json!("not-allowed")));
    assert_eq!((&fit["saved"]["examples"][0]["party"], &fit["saved"]["let_in"]), (&json!("eve"), &json!(1)));
    let named = ask_for(Some("named-only"), &[]);
    assert_eq!((&named["pending"]["count"], &named["pending"]["let_in"]), (&json!(2), &json!(0)));
    for (rule, matches) in
        [(Some("match"), &[][..]), (Some("everyone"), &["san:dns=a.test"]), (Some("match"), &["san:dns"])]
    {
        let got = post(&portal, "vic", "/api/v1/ca-previews", "p", &partner(&ours, rule, matches));
        assert!([400, 422].contains(&got.status), "{rule:?}: {}", got.text());
    }
    // The command line says the same.
    portal.sandbox.write("partner.pem", ours.pem());
    let same = portal.countersign(&[
        "ca",
        "add",
        "partner.pem",
        "--name",
        "partner",
        "--site",
        "portal.test",
        "--match",
        "san:email=*@acme.example",
        "--dry-run",
        "--json",
    ]);
    assert_eq!(same.ok().json(), fit);
    assert_eq!(get(&portal, "vic", "/api/v1/cas").json()["items"], json!([]), "nothing was saved");
    assert_eq!(portal.curl(Some("in"), "/", &[]).status, 403);
}

#[test]
fn an_owner_trusts_an_issuer_by_the_page_that_showed_it_and_removes_it() {
    let ours = TestCa::new("Partner CA");
    let portal = portal();
    let dir = portal.sandbox.dir().to_path_buf();
    for (name, mail) in [("in", "bob@acme.example"), ("out", "bob@elsewhere.example")] {
        Leaf::new(name).email(mail).issued_by(&ours).write(&dir, name);
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 403);
    }
    let page = get(&portal, OWNER, "/cas").text();
    assert!(
        page.contains("action=\"/ca-previews\"") && !page.contains("formaction=\"/cas\""),
        "looked at first: {page}"
    );
    assert!(!get(&portal, "ops", "/cas").text().contains("action=\"/ca-previews\""), "it is an owner's");
    portal.sandbox.write("partner.pem", ours.pem());
    let send = |cert: &str, path: &str, page: &str, more: &[&str]| {
        let token = format!("token={}", hidden(page, "token"));
        let key = format!("key={}", hidden(page, "key"));
        let fixed = [
            "--data-urlencode",
            &token,
            "--data-urlencode",
            &key,
            "--data-urlencode",
            "certificates@partner.pem",
            "--data-urlencode",
            "name=partner",
            "--data-urlencode",
            "sites=portal.test",
        ];
        let more: Vec<&str> = more.iter().flat_map(|one| ["--data-urlencode", one]).collect();
        ask(&portal, Some(cert), path, &[&fixed[..], &more].concat())
    };
    let open = send(OWNER, "/ca-previews", &page, &[]).text();
    assert!(open.contains("Everyone with a certificate from this issuer gets in."), "{open}");
    assert!(!open.contains("formaction=\"/cas\""), "without a rule it cannot be saved: {open}");
    let rule = ["rule=match", "match=san:email=*@acme.example", "match="];
    let shown = send(OWNER, "/ca-previews", &page, &rule).text();
    assert!(shown.contains("formaction=\"/cas\"") && shown.contains("san:email=*@acme.example"), "{shown}");
    assert!(shown.contains("-----BEGIN CERTIFICATE-----\n"), "the lines stay lines: {shown}");
    assert_eq!(send(OWNER, "/cas", &shown, &rule[..1]).status, 400, "a condition is missing");
    let saved = send(OWNER, "/cas", &shown, &rule);
    assert_eq!(saved.status, 200, "{}", saved.text());
    assert!(saved.text().contains("id=\"partner\""), "{}", saved.text());
    eventually("the partner enters", || (portal.curl(Some("in"), "/", &[]).status == 200).then_some(()));
    assert_eq!(portal.curl(Some("out"), "/", &[]).code(), "not-allowed");
    assert!(
        changes_that_say(&portal, "CA `partner` set")[0]["detail"]
            .as_str()
            .unwrap()
            .ends_with("by operator operator")
    );

    let twice = post(&portal, OWNER, "/api/v1/cas", "2", &partner(&ours, Some("everyone"), &[]));
    assert_eq!(twice.status, 400, "the name is taken: {}", twice.text());
    let no = post(&portal, "ops", "/api/v1/cas/partner/remove", "3", &nothing());
    assert_eq!((no.status, no.code()), (403, "role".into()));
    let gone = post(&portal, OWNER, "/api/v1/cas/partner/remove", "4", &nothing()).json();
    assert_eq!((&gone["removed"], &gone["late"]), (&json!("partner"), &json!([])), "{gone}");
    assert_eq!(portal.curl(Some("in"), "/", &[]).code(), "unknown-issuer");
    assert_eq!(post(&portal, OWNER, "/api/v1/cas/partner/remove", "5", &nothing()).status, 404);
}

#[test]
fn an_own_ca_is_rolled_over_and_whoever_still_needs_the_old_one_keeps_it_from_its_end() {
    let portal = portal();
    let step = |cert: &str, what: &str, key: &str, body: Value| {
        post(&portal, cert, &format!("/api/v1/cas/own/rollovers/{what}"), key, &body)
    };
    assert_eq!(step("ops", "start", "0", json!({ "ca": "client" })).status, 403, "it is an owner's");
    assert_eq!(step(OWNER, "finish", "1", json!({ "ca": "client" })).status, 409, "none is under way");
    assert_eq!(step(OWNER, "start", "2", json!({ "ca": "root" })).status, 400);
    let begun = step(OWNER, "start", "3", json!({ "ca": "client", "key": "ecdsa-p384" }));
    assert_eq!(begun.status, 200, "{}", begun.text());
    assert_ne!(begun.json()["new"]["key_pin"], begun.json()["old"]["key_pin"]);
    let noted = &changes_that_say(&portal, "rollover begun")[0];
    assert!(noted["detail"].as_str().unwrap().ends_with("by operator operator"), "{noted}");
    let standing = get(&portal, "vic", "/api/v1/cas/own/rollovers").json();
    assert_eq!(standing["items"][0]["stragglers"][0]["holder"], "alice");
    let command = portal.countersign(&["ca", "rollover", "status", "--json"]).exited(1).json();
    assert_eq!(standing["items"], command);
    let page = get(&portal, OWNER, "/cas").text();
    assert!(page.contains("A rollover is under way") && page.contains("href=\"/parties/alice\""), "{page}");
    assert!(!page.contains("/rollovers/finish"), "nothing is offered that would cut somebody off");
    let early = step(OWNER, "finish", "4", json!({ "ca": "client" }));
    assert!(early.status == 409 && early.text().contains("alice"), "{}", early.text());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);

    let revoke = json!({ "reason": "superseded" });
    assert_eq!(post(&portal, "ops", "/api/v1/parties/alice/revoke", "5", &revoke).status, 200);
    let done = step(OWNER, "finish", "6", json!({ "ca": "client" }));
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(!portal.sandbox.path("state/ca/client.old.key").exists());
    assert_eq!(get(&portal, "vic", "/api/v1/cas/own/rollovers").json()["items"], json!([]));
    portal.add_party("bob");
    eventually("bob enters by the new one", || {
        (portal.curl(Some("bob"), "/", &[]).status == 200).then_some(())
    });
}

#[test]
fn an_ignored_issuer_is_not_pending_again_until_it_is_heeded() {
    let portal = portal();
    for name in ["noise-1", "noise-2"] {
        self_signed(&portal, name, "/CN=noise");
        portal.curl(Some(name), "/", &[]);
    }
    self_signed(&portal, "quiet", "/CN=quiet");
    portal.curl(Some("quiet"), "/", &[]);
    pending(&portal, "CN=quiet");
    let id = pending(&portal, "CN=noise")["id"].as_str().unwrap().to_owned();
    let page = get(&portal, "ops", "/pending").text();
    assert!(page.contains(&format!("action=\"/pending/{id}/ignore\"")), "{page}");
    let done = post(&portal, "ops", &format!("/api/v1/pending/{id}/ignore"), "1", &nothing()).json();
    assert_eq!((&done["ignored"], &done["dismissed"]), (&json!("CN=noise"), &json!(2)));
    let subjects = || {
        let list = get(&portal, "vic", "/api/v1/pending").json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["subject"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(subjects(), ["CN=quiet"]);
    // It is refused and logged as before.
    assert_eq!(portal.curl(Some("noise-1"), "/", &[]).code(), "unknown-issuer");
    eventually("its knock is counted", || {
        let listed = get(&portal, "vic", "/api/v1/ignored-issuers").json();
        (listed["items"][0]["count"] == 1).then_some(())
    });
    assert_eq!(subjects(), ["CN=quiet"]);
    assert!(get(&portal, "vic", "/pending").text().contains("Issuers that are ignored"));
    let listed = portal.countersign(&["pending", "ignored", "--json"]).ok().json();
    assert_eq!((&listed[0]["issuer"], &listed[0]["by"]), (&json!("CN=noise"), &json!("operator ops")));

    let heed = json!({ "issuer": "CN=noise" });
    assert_eq!(post(&portal, "ops", "/api/v1/ignored-issuers/heed", "2", &heed).status, 200);
    assert_eq!(post(&portal, "ops", "/api/v1/ignored-issuers/heed", "3", &heed).status, 404);
    portal.curl(Some("noise-1"), "/", &[]);
    pending(&portal, "CN=noise");
    // By the command line too.
    let id = pending(&portal, "CN=noise")["id"].as_str().unwrap().to_owned();
    portal.countersign(&["pending", "ignore", &id, "--dry-run"]).ok();
    portal.countersign(&["pending", "ignore", &id]).ok();
    assert_eq!(subjects(), ["CN=quiet"]);
    portal.countersign(&["pending", "heed", "CN=noise"]).ok();
    portal.countersign(&["pending", "heed", "CN=noise"]).exited(5);
}

#[test]
fn an_issuer_that_has_the_name_of_a_trusted_one_is_not_ignored() {
    let portal = portal();
    let own = portal.countersign(&["ca", "list", "--json"]).ok().json();
    let name = own[0]["certificates"][0]["subject"].as_str().unwrap().to_owned();
    let named: String = name.split(',').rev().map(|part| format!("/{part}")).collect();
    self_signed(&portal, "namesake", &named);
    portal.curl(Some("namesake"), "/", &[]);
    let row = pending(&portal, &name);
    let id = row["id"].as_str().unwrap();
    let got = post(&portal, "ops", &format!("/api/v1/pending/{id}/ignore"), "1", &nothing());
    assert_eq!((got.status, got.code()), (409, "conflict".into()), "{row}: {}", got.text());
    assert!(!get(&portal, "ops", "/pending").text().contains("/ignore\""), "nor is it offered");
}
