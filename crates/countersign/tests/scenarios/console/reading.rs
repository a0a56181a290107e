//! What the pages and the API show.

use super::*;

#[test]
fn the_api_is_described_and_every_reading_verb_answers_as_described() {
    let portal = portal();
    let document = get(&portal, "vic", "/api/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    let mut read = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(operation) = operations.get("get") else { continue };
        if path.ends_with("/events")
            || path.contains("{ca}")
            || path.contains("{id}")
            || path.ends_with("/check")
        {
            continue;
        }
        let mut path = path.replace("{party}", "alice").replace("{site}", "portal.test");
        let needed = operation["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["in"] == "query" && one["required"] == true);
        for one in needed {
            path += &format!("?{}=2026-01-01", one["name"].as_str().unwrap());
        }
        let cert = if operation["description"] == "Role: owner." { OWNER } else { "vic" };
        assert!(get(&portal, cert, &path).json().is_object(), "{path}");
        let odd = ask(&portal, Some(cert), &format!("{}?nonsense=1", path.split('?').next().unwrap()), &[]);
        assert_eq!((odd.status, odd.code()), (400, "invalid".into()), "{path}");
        read += 1;
    }
    assert!(read >= 9, "{read}");
}

#[test]
fn lists_go_on_where_they_ended() {
    let portal = portal();
    for name in ["bob", "carol", "dave", "eve"] {
        portal.countersign(&["party", "add", name, "--site", "portal.test", "--out", "."]).ok();
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/parties?limit=2".to_owned();
    loop {
        let page = get(&portal, "vic", &path).json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        names.extend(items.iter().map(|one| one["party"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/parties?limit=2&after={next}");
    }
    assert_eq!(names, ["alice", "bob", "carol", "dave", "eve"]);
    let found = get(&portal, "vic", "/api/v1/parties?q=AR").json();
    assert_eq!(found["items"][0]["party"], "carol");
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    let page = get(&portal, "vic", "/parties?q=ve").text();
    assert!(
        page.contains("/parties/dave") && page.contains("/parties/eve") && !page.contains("/parties/bob"),
        "{page}"
    );

    let mut ids: Vec<i64> = Vec::new();
    let mut path = "/api/v1/log?limit=3".to_owned();
    loop {
        let page = get(&portal, "vic", &path).json();
        ids.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
        let Some(next) = page["next"].as_i64() else { break };
        path = format!("/api/v1/log?limit=3&before={next}");
    }
    assert!(ids.len() > 6 && ids.is_sorted_by(|a, b| a > b), "newest first, each once: {ids:?}");
}

#[test]
fn names_from_certificates_are_text() {
    let portal = portal();
    let subject = "/O=<script>alert(1)<\\/script>/CN=\u{202e}evil\u{2066}\"onmouseover=x";
    self_signed(&portal, "hostile", subject);
    assert_eq!(portal.curl(Some("hostile"), "/", &[]).status, 403);
    pending(&portal, "script");
    for path in ["/pending", "/log", "/"] {
        let text = get(&portal, "ops", path).text();
        assert!(!text.contains("<script>alert") && !text.contains("\"onmouseover"), "{path}: {text}");
        assert!(
            !text.contains('\u{202e}') && !text.contains('\u{2066}'),
            "what turns text around is seen, not obeyed: {path}"
        );
    }
    let page = get(&portal, "ops", "/pending").text();
    assert!(page.contains("&lt;script") && page.contains("<bdi class=\"foreign\">"), "{page}");
    assert!(page.contains("nobody: anyone could have made it"), "{page}");
}

#[test]
fn pages_speak_four_languages() {
    let portal = portal();
    for (language, lang, word) in [
        ("nl", "nl", "Overzicht"),
        ("de-AT", "de", "Übersicht"),
        ("fr", "fr", "Aperçu"),
        ("pt", "en", "Overview"),
    ] {
        let header = format!("Accept-Language: {language}");
        let text = ask(&portal, Some("vic"), "/", &["-H", &header]).text();
        assert!(
            text.contains(&format!("<html lang=\"{lang}\">")) && text.contains(&format!("<h1>{word}</h1>")),
            "{text}"
        );
    }
}

#[test]
fn a_decision_is_told_step_by_step_as_the_command_tells_it() {
    let portal = portal();
    portal.countersign(&["party", "add", "bob", "--out", "."]).ok();
    let asked = |body: Value| post(&portal, "vic", "/api/v1/explain", "", &body).json();
    let alice = asked(json!({ "site": "portal.test", "party": "alice" }));
    assert_eq!((&alice["verdict"], &alice["party"]), (&json!("admitted"), &json!("alice")));
    let bob = asked(json!({ "site": "portal.test", "party": "bob" }));
    assert_eq!((&bob["verdict"], &bob["code"]), (&json!("refused"), &json!("not-allowed")));
    assert_eq!(asked(json!({ "site": "portal.test" }))["code"], "no-certificate");
    let pem = portal.sandbox.read("alice.pem");
    let by_file = asked(json!({ "site": "portal.test", "certificate": pem }));
    let command =
        portal.countersign(&["explain", "alice.pem", "--site", "portal.test", "--json"]).ok().json();
    assert_eq!(by_file, command);
    assert_eq!(asked(json!({ "site": "other.test" }))["code"], "not-found");
    let token = hidden(&get(&portal, "vic", "/explain").text(), "token");
    let form = format!("token={token}&key=&site=portal.test&party=bob");
    let page = ask(&portal, Some("vic"), "/explain", &["--data", &form]).text();
    assert_eq!(page.matches("<li class=\"failed\">").count(), 1, "{page}");
    // The reference of a refusal leads to its entry.
    let refusal = portal.curl(None, "/", &[]).json();
    let reference = refusal["reference"].as_str().unwrap();
    eventually("the entry", || {
        get(&portal, "vic", &format!("/explain?reference={reference}"))
            .text()
            .contains("no-certificate")
            .then_some(())
    });
}

#[test]
fn the_log_says_who_was_refused_when_and_whether_it_is_whole() {
    let portal = portal();
    portal.curl(Some("alice"), "/", &[]);
    portal.curl(None, "/", &[]);
    let counted = eventually("the refusal is counted", || {
        let counted = get(&portal, "vic", "/api/v1/log/refusals?hours=2").json();
        counted["items"].as_array().unwrap().iter().find(|one| one["code"] == "no-certificate").cloned()
    });
    assert_eq!(counted["count"], 1);
    assert!(get(&portal, "vic", "/").text().contains("<rect class=\"c0\""));
    assert_eq!(get(&portal, "vic", "/api/v1/log/verify").json()["whole"], true);
    assert!(get(&portal, "vic", "/log/verify").text().contains("note good"));
    let day = &get(&portal, "vic", "/api/v1/log?limit=1").json()["items"][0]["time"].as_str().unwrap()[..10]
        .to_owned();
    let entered = get(&portal, "vic", &format!("/api/v1/log/entered?on={day}")).json();
    assert_eq!(
        (&entered["items"][0]["party"], &entered["items"][0]["site"]),
        (&json!("alice"), &json!("portal.test"))
    );
    assert!(get(&portal, "vic", &format!("/log/entered?on={day}")).text().contains("alice"));
    assert_eq!(ask(&portal, Some("vic"), "/log/entered?on=yesterday", &[]).status, 400);
}
