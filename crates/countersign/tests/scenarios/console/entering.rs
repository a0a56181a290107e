//! Who enters a site, changed there; certificates renewed.

use super::*;

#[test]
fn parties_are_granted_and_banned_at_a_site() {
    let portal = portal();
    portal.add_party("bob");
    let change = |path: &str, key: &str, body: Value| post(&portal, "ops", path, key, &body);
    let bob = json!({ "parties": ["bob"] });
    let taken = change("/api/v1/sites/portal.test/ungrant", "1", bob.clone()).json();
    assert_eq!((&taken["granted"], &taken["late"]), (&json!(false), &json!([])), "{taken}");
    assert_eq!(portal.curl(Some("bob"), "/", &[]).code(), "not-allowed");
    assert_eq!(change("/api/v1/sites/portal.test/grant", "2", bob).json()["granted"], true);
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
    let page = get(&portal, "ops", "/sites").text();
    assert!(page.contains("action=\"/sites/portal.test/grant\"") && page.contains("value=\"bob\""), "{page}");
    assert!(!page.contains("action=\"/sites/portal.test/deny\""), "what stands in the file is changed there");
    assert!(!get(&portal, "vic", "/sites").text().contains("<form"), "a viewer is offered nothing");
    for (path, body, status) in [
        ("/api/v1/sites/portal.test/grant", json!({ "parties": ["nobody"] }), 404),
        ("/api/v1/sites/other.test/grant", json!({ "parties": ["bob"] }), 404),
        ("/api/v1/sites/portal.test/grant", nothing(), 400),
        ("/api/v1/sites/portal.test/deny", json!({ "who": ["bob"] }), 400),
    ] {
        assert_eq!(change(path, &format!("{path}{body}"), body.clone()).status, status, "{path} {body}");
    }

    // A site that the registry holds has its lists there.
    let upstream = format!("http://127.0.0.1:{}", portal.echo.port());
    portal.countersign(&["site", "add", "b.test", "--upstream", &upstream, "--allow", "bob"]).ok();
    let at_b = || tools::curl_at(portal.sandbox.dir(), "b.test", portal.port, Some("bob"), "/", &[]);
    eventually("bob enters b.test", || (at_b().status == 200).then_some(()));
    let denied = change("/api/v1/sites/b.test/deny", "3", json!({ "who": ["bob"] })).json();
    assert_eq!((&denied["list"], &denied["late"]), (&json!("deny"), &json!([])), "{denied}");
    assert_eq!(at_b().code(), "not-allowed");
    assert_eq!(change("/api/v1/sites/b.test/deny", "4", json!({ "who": ["bob"] })).status, 409, "once");
    let shown = get(&portal, "vic", "/api/v1/sites/b.test").json();
    assert_eq!(shown["deny"], json!(["bob"]));
    let undone = change("/api/v1/sites/b.test/deny", "5", json!({ "who": ["bob"], "undo": true }));
    assert_eq!(undone.json()["undone"], true, "{}", undone.text());
    assert_eq!(at_b().status, 200);
    assert_eq!(
        change("/api/v1/sites/b.test/allow", "6", json!({ "who": ["bob"], "undo": true })).status,
        200
    );
    assert_eq!(at_b().code(), "not-allowed");
    assert_eq!(
        change("/api/v1/sites/b.test/allow", "7", json!({ "who": ["group:nobody"] })).status,
        422,
        "no such group"
    );
    // By the page, and by the command line.
    let page = get(&portal, "ops", "/sites").text();
    let form = format!("token={}&key={}&who=bob", hidden(&page, "token"), hidden(&page, "key"));
    let done = ask(&portal, Some("ops"), "/sites/b.test/allow", &["--data", &form]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert_eq!(at_b().status, 200);
    portal.countersign(&["site", "deny", "b.test", "bob", "--dry-run"]).ok();
    assert_eq!(at_b().status, 200);
    portal.countersign(&["site", "deny", "b.test", "bob"]).ok();
    assert_eq!(at_b().code(), "not-allowed");
    portal.countersign(&["site", "deny", "b.test", "bob", "--undo"]).ok();
    portal.countersign(&["site", "deny", "portal.test", "bob"]).exited(2);
}

#[test]
fn open_paths_stand_out_and_upstreams_say_how_they_fare() {
    let rule = "[[site.\"portal.test\".path]]\nprefix = \"/health\"\nclient_auth = \"off\"\n";
    let mut portal = Portal::build(&binary()).extra_toml(rule).party("alice").prepare();
    portal.start_gate();
    let page = get(&portal, OWNER, "/sites").text();
    let row = page.split("<tr class=\"bad\">").nth(1).expect("an open path stands out");
    assert!(row.starts_with("<td><code>/health</code></td><td>open to everybody</td>"), "{row}");
    eventually("its upstream fares well", || {
        let got = get(&portal, OWNER, "/api/v1/sites").json();
        (got["items"][0]["upstreams"][0]["state"] == "up").then_some(())
    });
    assert!(get(&portal, OWNER, "/sites").text().contains("<span class=\"tag good\">up</span>"));
}

#[test]
fn a_certificate_is_renewed_for_the_key_of_a_request_and_the_old_one_holds_for_the_overlap() {
    let portal = portal();
    let args =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    openssl(portal.sandbox.dir(), &[&args[..], &["-keyout", "next.key", "-out", "next.csr"]].concat(), b"")
        .ok();
    let request = portal.sandbox.read("next.csr");
    let renew = |who: &str, key: &str, more: Value| {
        let mut body = json!({ "request": request });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        post(&portal, "ops", &format!("/api/v1/parties/{who}/renew"), key, &body)
    };
    assert!(get(&portal, "ops", "/parties/alice").text().contains("action=\"/parties/alice/renew\""));
    assert_eq!(renew("alice", "1", json!({ "certificate": "none" })).status, 404);
    assert_eq!(renew("alice", "2", json!({ "overlap": "soon" })).status, 400);
    let made = renew("alice", "3", json!({ "overlap": "12h", "label": "next" }));
    assert_eq!(made.status, 201, "{}", made.text());
    let told = made.json();
    portal.sandbox.write("next.pem", told["pem"].as_str().unwrap());
    eventually("the new one enters", || (portal.curl(Some("next"), "/", &[]).status == 200).then_some(()));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "and so does the old one, for the overlap");
    let shown = portal.countersign(&["party", "show", "alice", "--json"]).ok().json();
    let old = shown["certificates"].as_array().unwrap().iter().find(|one| one["label"] != "next").unwrap();
    assert_eq!(old["superseded_after"], told["old_until"]);
    let again = renew("alice", "4", json!({ "certificate": told["old"]["label"] }));
    assert_eq!(again.status, 409, "it has a successor: {}", again.text());
    // Without overlap the old one is out.
    openssl(portal.sandbox.dir(), &[&args[..], &["-keyout", "last.key", "-out", "last.csr"]].concat(), b"")
        .ok();
    let body = json!({ "request": portal.sandbox.read("last.csr"), "certificate": "next", "overlap": "0s" });
    assert_eq!(post(&portal, "ops", "/api/v1/parties/alice/renew", "5", &body).status, 201);
    eventually("the one before is out", || {
        (portal.curl(Some("next"), "/", &[]).code() == "superseded").then_some(())
    });
}

/// An answer is told again to the same key after the console's process was started anew; not one that is told once.
#[test]
fn a_change_is_made_once_also_after_the_console_has_ended() {
    let portal = portal();
    let body = json!({ "party": "carol", "sites": ["portal.test"] });
    let first = post(&portal, "ops", "/api/v1/parties", "k1", &body);
    assert_eq!(first.status, 201, "{}", first.text());
    let invite = json!({ "expires": "2h" });
    let invited = post(&portal, "ops", "/api/v1/parties/carol/invite", "k2", &invite);
    assert_eq!(post(&portal, "ops", "/api/v1/parties/carol/invite", "k2", &invite).json(), invited.json());
    assert_eq!(post(&portal, "ops", "/api/v1/parties/nobody/suspend", "k3", &nothing()).status, 404);
    let before = portal.gate().console_pid().expect("a console");
    let pid = rustix::process::Pid::from_raw(before.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually("it answers again", || {
        let answers = ask(&portal, Some("vic"), "/", &[]).status == 200;
        (answers && portal.gate().console_pid().is_some_and(|now| now != before)).then_some(())
    });
    let again = post(&portal, "ops", "/api/v1/parties", "k1", &body);
    assert_eq!((again.status, again.json()), (201, first.json()));
    assert_eq!(
        changes_that_say(&portal, "party added").iter().filter(|one| one["party"] == "carol").count(),
        1
    );
    let other = post(&portal, "ops", "/api/v1/parties", "k1", &json!({ "party": "dave" }));
    assert_eq!((other.status, other.code()), (422, "other-request".into()));
    let once = post(&portal, "ops", "/api/v1/parties/carol/invite", "k2", &invite);
    assert_eq!((once.status, once.code()), (409, "told-once".into()));
    assert!(!once.text().contains("invite#"));
    let database = std::fs::read(portal.sandbox.path("state/registry.db")).unwrap();
    let log = std::fs::read(portal.sandbox.path("state/registry.db-wal")).unwrap_or_default();
    let token = invited.json()["url"].as_str().unwrap().split_once('#').unwrap().1.to_owned();
    for file in [database, log] {
        assert!(!file.windows(token.len()).any(|part| part == token.as_bytes()), "a link lies on the disk");
    }
    assert_eq!(
        post(&portal, "ops", "/api/v1/parties/nobody/suspend", "k3", &nothing()).status,
        404,
        "what failed is tried again"
    );
}
