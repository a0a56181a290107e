//! Who had access on a day, and what the log leaves out.

use super::*;

#[test]
fn a_day_tells_who_could_enter_beside_who_did() {
    let portal = portal();
    portal.add_party("bob");
    portal.countersign(&["party", "add", "idle", "--out", "."]).ok();
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    portal.countersign(&["party", "ungrant", "bob", "--site", "portal.test"]).ok();
    portal.countersign(&["party", "remove", "bob", "--yes"]).ok();
    let today =
        portal.countersign(&["log", "search", "--verdict", "changed", "--limit", "1", "--json"]).ok().json();
    let today = today[0]["time"].as_str().unwrap()[..10].to_owned();
    let told = eventually("alice's entry", || {
        let told = get(&portal, "vic", &format!("/api/v1/log/access?on={today}")).json();
        told["did"].as_array().unwrap().iter().any(|one| one["party"] == "alice").then_some(told)
    });
    let could: Vec<&str> =
        told["could"].as_array().unwrap().iter().map(|one| one["party"].as_str().unwrap()).collect();
    assert_eq!(
        could,
        ["alice", "bob"],
        "bob could, before he was removed; idle was never granted a site: {told}"
    );
    assert_eq!(told["could"][0]["sites"], json!([{ "site": "portal.test", "by": "grant" }]));
    assert!(told["could"][0]["ways"][0].as_str().unwrap().starts_with("certificate "), "{told}");
    assert!(told["did"].as_array().unwrap().iter().all(|one| one["party"] != "bob"), "and did not");
    let codes: Vec<&str> =
        told["doubts"].as_array().unwrap().iter().map(|one| one["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["rules-as-now"], "what is on no record is said");
    assert_eq!(
        portal.countersign(&["log", "access", "--on", &today, "--json"]).ok().json()["could"],
        told["could"]
    );

    let page = get(&portal, "vic", &format!("/log/entered?on={today}")).text();
    for words in
        ["Who could enter", "Who did enter", "What this cannot tell", "is not on record", "bob", "alice"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    // Before anything was on record nobody could; what is to come is not told.
    let early = get(&portal, "vic", "/api/v1/log/access?on=2020-01-01").json();
    assert_eq!((&early["could"], &early["did"]), (&json!([]), &json!([])));
    for wrong in ["2999-01-01", "yesterday"] {
        assert_eq!(
            ask(&portal, Some("vic"), &format!("/api/v1/log/access?on={wrong}"), &[]).status,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn the_log_leaves_out_who_looked_at_the_console_unless_it_is_asked_for() {
    let portal = portal();
    let admitted = |query: &str| -> Vec<String> {
        let got = get(&portal, "vic", &format!("/api/v1/log?verdict=admitted{query}")).json();
        got["items"].as_array().unwrap().iter().map(|one| one["party"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    eventually("both are logged", || {
        let all = admitted("&admin=true");
        (all.iter().any(|one| one == "vic") && all.iter().any(|one| one == "alice")).then_some(())
    });
    assert_eq!(admitted(""), ["alice"]);
    assert!(!admitted("&site=admin.countersign.internal").is_empty(), "who asks for that site has it");
    // Refusals there are shown: somebody tried the door.
    assert_eq!(ask(&portal, Some("alice"), "/", &[]).status, 403);
    eventually("the refusal at the admin address", || {
        let got = get(&portal, "vic", "/api/v1/log?verdict=refused").json();
        let all = got["items"].as_array().unwrap();
        all.iter().any(|one| one["site"] == "admin.countersign.internal").then_some(())
    });
    let page = get(&portal, "vic", "/log").text();
    assert!(page.contains("name=\"admin\" value=\"true\">") && page.contains("--without-admin"), "{page}");
    let page = get(&portal, "vic", "/log?admin=true").text();
    assert!(page.contains("value=\"true\" checked") && !page.contains("--without-admin"), "{page}");
    let rows = portal
        .countersign(&["log", "search", "--verdict", "admitted", "--without-admin", "--json"])
        .ok()
        .json();
    assert!(rows.as_array().unwrap().iter().all(|one| one["party"] == "alice"), "{rows}");
}
