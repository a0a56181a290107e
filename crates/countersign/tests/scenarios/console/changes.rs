//! Changes: by whom, from where, once, and with what effect.

use super::*;

#[test]
fn a_revocation_says_what_it_cut_and_which_list_names_it() {
    let portal = portal();
    // The last list was made a while ago, so that the next need not wait.
    let beside = portal.sandbox.read("state/crl/own.json");
    let mut value: Value = serde_json::from_str(&beside).unwrap();
    let number = value["number"].as_u64().unwrap();
    value["at"] = "2026-01-01T00:00:00Z".into();
    portal.sandbox.write("state/crl/own.json", value.to_string());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _download = runtime.block_on(async {
        let mut download = portal.client_as("alice").connect(portal.port, "portal.test").await.unwrap();
        download.send_request("GET", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        download
    });
    let done =
        post(&portal, "ops", "/api/v1/parties/alice/revoke", "r1", &json!({ "reason": "key-compromise" }));
    assert_eq!(done.status, 200, "{}", done.text());
    let told = done.json();
    assert_eq!(told["applied"][0]["cut"], 1, "{told}");
    assert_eq!(told["late"], json!([]), "{told}");
    // A machine that is busy makes the list a little later.
    assert!(told["list"] == json!(number + 1) || told["list_due"] == true, "{told}");
    eventually("the next list", || {
        let beside: Value = serde_json::from_str(&portal.sandbox.read("state/crl/own.json")).ok()?;
        (beside["number"] == json!(number + 1)).then_some(())
    });
    assert_eq!(told["revoked"][0]["revoked"]["reason"], "key-compromise");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).code(), "revoked");
    let entry = &changes_that_say(&portal, "revoked")[0];
    assert!(entry["detail"].as_str().unwrap().ends_with("by operator ops"), "{entry}");
    // Sent again with its key it is answered the same, and done once.
    let again =
        post(&portal, "ops", "/api/v1/parties/alice/revoke", "r1", &json!({ "reason": "key-compromise" }));
    assert_eq!(again.json(), told);
    assert_eq!(changes_that_say(&portal, "revoked").len(), 1);
    let other =
        post(&portal, "ops", "/api/v1/parties/alice/revoke", "r1", &json!({ "reason": "superseded" }));
    assert_eq!((other.status, other.code()), (422, "other-request".into()));
}

#[test]
fn a_party_is_suspended_resumed_granted_and_invited_by_api() {
    let portal = portal();
    let change = |path: &str, key: &str, body: Value| post(&portal, "ops", path, key, &body);
    assert_eq!(change("/api/v1/parties/alice/suspend", "1", nothing()).json()["suspended"], true);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).code(), "suspended");
    assert_eq!(change("/api/v1/parties/alice/resume", "2", nothing()).json()["suspended"], false);
    let twice = change("/api/v1/parties/alice/resume", "3", nothing());
    assert_eq!((twice.status, twice.code()), (409, "conflict".into()));
    eventually("alice is back", || (portal.curl(Some("alice"), "/", &[]).status == 200).then_some(()));
    let sites = json!({ "sites": ["portal.test"] });
    assert_eq!(change("/api/v1/parties/alice/ungrant", "4", sites.clone()).json()["granted"], false);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).code(), "not-allowed");
    assert_eq!(change("/api/v1/parties/alice/grant", "5", sites.clone()).json()["granted"], true);

    let made = change("/api/v1/parties", "6", json!({ "party": "carol", "sites": ["portal.test"] }));
    assert_eq!((made.status, &made.json()["party"]), (201, &json!("carol")));
    let invited = change(
        "/api/v1/parties/carol/invite",
        "7",
        json!({ "label": "laptop", "expires": "2h", "code": true }),
    );
    assert_eq!(invited.status, 201, "{}", invited.text());
    let invited = invited.json();
    assert!(
        invited["url"].as_str().unwrap().contains("/invite#") && invited["code"].is_string(),
        "{invited}"
    );
    let open = get(&portal, "vic", "/api/v1/invites?party=carol");
    assert!(!open.text().contains("invite#"), "the link is told once");
    let id = open.json()["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(change(&format!("/api/v1/invites/{id}/withdraw"), "8", nothing()).json()["party"], "carol");
    assert_eq!(get(&portal, "vic", "/api/v1/invites").json()["items"], json!([]));

    self_signed(&portal, "dave", "/CN=dave");
    let pinned =
        json!({ "party": "dave", "sites": ["portal.test"], "certificate": portal.sandbox.read("dave.pem") });
    assert_eq!(change("/api/v1/parties", "9", pinned).status, 201);
    eventually("dave enters", || (portal.curl(Some("dave"), "/", &[]).status == 200).then_some(()));

    // For the key of a request, which stays where it was made.
    let args =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    openssl(portal.sandbox.dir(), &[&args[..], &["-keyout", "carol.key", "-out", "carol.csr"]].concat(), b"")
        .ok();
    let request =
        json!({ "request": portal.sandbox.read("carol.csr"), "label": "server", "profile": "service" });
    let issued = change("/api/v1/parties/carol/issue", "10", request.clone());
    assert_eq!(issued.status, 201, "{}", issued.text());
    portal.sandbox.write("carol.pem", issued.json()["pem"].as_str().unwrap());
    eventually("carol enters", || (portal.curl(Some("carol"), "/", &[]).status == 200).then_some(()));
    let twice = change("/api/v1/parties/carol/issue", "11", request);
    assert_eq!(twice.status, 409, "a key that is on record: {}", twice.text());

    for (path, body, status) in [
        ("/api/v1/parties/carol/issue", json!({ "request": "none" }), 409),
        ("/api/v1/parties/carol/issue", nothing(), 400),
        ("/api/v1/parties/nobody/issue", json!({ "request": "none" }), 404),
        ("/api/v1/parties/nobody/suspend", nothing(), 404),
        ("/api/v1/parties/alice/grant", json!({ "sites": ["other.test"] }), 404),
        ("/api/v1/parties/alice/grant", nothing(), 400),
        ("/api/v1/parties/alice/revoke", json!({ "reason": "boredom" }), 400),
        ("/api/v1/parties/alice/revoke", json!({ "reason": "unspecified", "certificate": "none" }), 404),
        ("/api/v1/parties/alice/suspend", json!({ "force": true }), 400),
        ("/api/v1/parties", json!({ "party": "Not A Name" }), 400),
        ("/api/v1/parties", json!({ "party": "alice" }), 409),
        ("/api/v1/parties/carol/invite", json!({ "expires": "1y" }), 400),
    ] {
        let got = change(path, &format!("{path} {body}"), body.clone());
        assert_eq!(got.status, status, "{path} {body}: {}", got.text());
        assert!(!got.json()["help"].as_str().unwrap_or("x").is_empty(), "{}", got.text());
    }
}

#[test]
fn a_pending_certificate_is_let_in_with_its_reference_and_dismissed_without() {
    let portal = portal();
    self_signed(&portal, "erin", "/CN=erin");
    let reference = portal.curl(Some("erin"), "/", &[]).json()["reference"].as_str().unwrap().to_owned();
    let id = pending(&portal, "erin")["id"].as_str().unwrap().to_owned();
    let approve = format!("/api/v1/pending/{id}/approve");
    let body = |reference: Option<&str>| json!({ "party": "erin", "sites": ["portal.test"], "reference": reference });
    assert_eq!(post(&portal, "ops", &approve, "1", &body(None)).status, 400);
    assert_eq!(post(&portal, "ops", &approve, "2", &body(Some("7F3K-22"))).status, 409);
    assert_eq!(portal.curl(Some("erin"), "/", &[]).status, 403);
    // By the page, as an operator does it.
    let page = get(&portal, "ops", "/pending").text();
    assert!(
        page.contains("CN=erin") && page.contains(&format!("action=\"/pending/{id}/approve\"")),
        "{page}"
    );
    let form = format!(
        "token={}&key={}&party=erin&sites=portal.test&reference={reference}",
        hidden(&page, "token"),
        hidden(&page, "key")
    );
    let done = ask(&portal, Some("ops"), &format!("/pending/{id}/approve"), &["--data", &form]);
    assert_eq!(done.status, 200, "{}", done.text());
    assert!(done.text().contains("href=\"/parties/erin\""), "{}", done.text());
    eventually("erin enters", || (portal.curl(Some("erin"), "/", &[]).status == 200).then_some(()));

    self_signed(&portal, "mallory", "/CN=mallory");
    portal.curl(Some("mallory"), "/", &[]);
    let id = pending(&portal, "mallory")["id"].as_str().unwrap().to_owned();
    assert_eq!(
        post(&portal, "ops", &format!("/api/v1/pending/{id}/reject"), "3", &nothing()).json()["rejected"],
        json!(id)
    );
    assert_eq!(ask(&portal, Some("vic"), &format!("/api/v1/pending/{id}"), &[]).status, 404);
}

/// The forms of pages: without a good token, or from elsewhere, nothing is changed.
#[test]
fn no_page_of_another_site_changes_anything() {
    let portal = portal();
    let page = get(&portal, "ops", "/parties/alice").text();
    let (token, key) = (hidden(&page, "token"), hidden(&page, "key"));
    let others = hidden(&get(&portal, OWNER, "/parties/alice").text(), "token");
    let host = format!("https://localhost:{}", portal.admin_port);
    let send = |token: &str, extra: &[&str]| {
        let form = format!("token={token}&key={key}");
        let all = [&["--data", form.as_str()][..], extra].concat();
        let got = ask(&portal, Some("ops"), "/parties/alice/suspend", &all);
        (got.status, got.text())
    };
    let origin = |origin: &str| format!("Origin: {origin}");
    for wrong in ["", "1-00", &others] {
        assert_eq!(send(wrong, &[]).0, 403, "token {wrong}");
    }
    for elsewhere in [
        "https://evil.example",
        "null",
        "http://localhost",
        "https://localhost:1",
        &format!("{host}.evil.example"),
    ] {
        assert_eq!(send(&token, &["-H", &origin(elsewhere)]).0, 403, "{elsewhere}");
    }
    for site in ["cross-site", "same-site", "none"] {
        assert_eq!(send(&token, &["-H", &format!("Sec-Fetch-Site: {site}")]).0, 403, "{site}");
    }
    // By API a browser needs the token too, and a form cannot be sent there at all.
    let api = "/api/v1/parties/alice/suspend";
    let json = ["-H", "Content-Type: application/json", "-H", "Idempotency-Key: x", "--data", "{}"];
    let own = origin(&host);
    let got = ask(&portal, Some("ops"), api, &[&json[..], &["-H", &own]].concat());
    assert_eq!((got.status, got.code()), (403, "token".into()));
    let got = ask(&portal, Some("ops"), api, &["--data", "a=b", "-H", "Idempotency-Key: x"]);
    assert_eq!((got.status, got.code()), (415, "media-type".into()));
    let got = ask(&portal, Some("ops"), api, &["-H", "Content-Type: application/json", "--data", "{}"]);
    assert_eq!((got.status, got.code()), (400, "invalid".into()), "a change has a key");
    let long = format!("{{\"x\":\"{}\"}}", "y".repeat(300 * 1024));
    portal.sandbox.write("long.json", long);
    let got = ask(
        &portal,
        Some("ops"),
        api,
        &["-H", "Content-Type: application/json", "-H", "Idempotency-Key: x", "--data-binary", "@long.json"],
    );
    assert_eq!(got.status, 413, "{}", got.text());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200, "nothing was changed");
    assert!(changes_that_say(&portal, "suspended").is_empty());

    // The same form, as the page sends it, is done; sent again, it is answered again and done once.
    let sent = send(&token, &["-H", &own, "-H", "Sec-Fetch-Site: same-origin"]);
    assert_eq!(sent.0, 200, "{}", sent.1);
    assert!(sent.1.contains("New connections are refused."), "{}", sent.1);
    assert_eq!(send(&token, &["-H", &own]), sent);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).code(), "suspended");
    assert_eq!(changes_that_say(&portal, "suspended").len(), 1);
    // And a script of a page from here may use the API, with the token of its page.
    let token = format!("X-CSRF-Token: {token}");
    let json = [
        "-H",
        "Content-Type: application/json",
        "-H",
        "Idempotency-Key: y",
        "--data",
        "{}",
        "-H",
        &own,
        "-H",
        &token,
    ];
    assert_eq!(ask(&portal, Some("ops"), "/api/v1/parties/alice/resume", &json).status, 200);
}
