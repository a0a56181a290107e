//! The gate's own decision says who reaches the console, and with which role.

use super::*;

/// What is asked by POST because it does not fit into an address.
const READS_BY_POST: [&str; 2] = ["explain", "previewCa"];
const PAGES: [&str; 8] =
    ["/", "/sites", "/parties", "/parties/alice", "/pending", "/cas", "/log", "/explain"];

#[test]
fn nobody_without_an_operators_certificate_reaches_it() {
    let portal = portal();
    for path in
        PAGES.into_iter().chain(["/api/v1/parties", "/api/openapi.json", "/api/v1/events", "/nothing"])
    {
        let none = ask(&portal, None, path, &[]);
        assert_eq!((none.status, none.code()), (403, "no-certificate".into()), "{path}");
        let party = ask(&portal, Some("alice"), path, &[]);
        assert_eq!(party.status, 403, "{path}: {}", party.text());
        assert_ne!(party.code(), "role", "the gate itself refuses: {path}");
    }
    // None of it is on a site.
    let before = portal.echo.count();
    assert_eq!(portal.curl(Some("alice"), "/api/v1/parties", &[]).status, 200);
    assert_eq!(portal.echo.count(), before + 1, "on a site that is the website's own path");
    assert_eq!(portal.curl(Some(OWNER), "/", &[]).status, 403, "an operator's certificate opens no site");
}

#[test]
fn an_operator_who_is_revoked_is_out_at_the_next_request() {
    let portal = portal();
    assert_eq!(ask(&portal, Some("ops"), "/", &[]).status, 200);
    portal.countersign(&["operator", "revoke", "ops"]).ok();
    eventually("the gate follows", || {
        let got = ask(&portal, Some("ops"), "/api/v1/parties", &[]);
        (got.status == 403 && got.code() == "revoked").then_some(())
    });
    let change = post(&portal, "ops", "/api/v1/parties/alice/suspend", "k", &nothing());
    assert_eq!((change.status, change.code()), (403, "revoked".into()));
    assert_eq!(ask(&portal, Some("vic"), "/", &[]).status, 200, "others stay");
}

#[test]
fn every_page_reads_for_every_role_without_a_script_and_asks_nobody_else() {
    let portal = portal();
    for cert in ["vic", "ops", OWNER] {
        for path in PAGES {
            let got = get(&portal, cert, path);
            let text = got.text();
            assert!(got.header("content-type").unwrap().starts_with("text/html"), "{path}");
            assert!(text.contains("<h1>") && text.contains("</html>"), "{path}: {text}");
            let policy = got.header("content-security-policy").unwrap();
            assert!(
                policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(got.header("cache-control"), Some("no-store"), "{path}");
            assert!(
                !text.contains("<style") && !text.contains(" style=") && !text.contains(" onclick"),
                "{path}"
            );
            assert_eq!(
                text.matches("<script").count(),
                text.matches("<script src=\"/assets/").count(),
                "{path}"
            );
            for link in text
                .split("href=\"")
                .skip(1)
                .chain(text.split("src=\"").skip(1))
                .chain(text.split("action=\"").skip(1))
            {
                assert!(
                    link.starts_with('/') || link.starts_with('#'),
                    "{path} leads away: {}",
                    &link[..40.min(link.len())]
                );
            }
            // No link is dead.
            for link in text.split("href=\"").skip(1).filter_map(|rest| rest.split(['"', '#']).next()) {
                if link.starts_with('/') {
                    let link = link.replace("&amp;", "&");
                    assert_eq!(ask(&portal, Some(cert), &link, &[]).status, 200, "{path} has {link}");
                }
            }
        }
    }
}

#[test]
fn a_viewer_changes_nothing() {
    let portal = portal();
    let document = get(&portal, "vic", "/api/openapi.json").json();
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(operation) =
            operations.get("post").filter(|one| !READS_BY_POST.iter().any(|id| one["operationId"] == *id))
        else {
            continue;
        };
        let path = path.replace("{party}", "alice").replace("{id}", "x").replace("{ca}", "x");
        let path = path.replace("{site}", "portal.test");
        let got = post(&portal, "vic", &path, "k", &nothing());
        assert_eq!((got.status, got.code()), (403, "role".into()), "{}", operation["operationId"]);
        tried += 1;
    }
    assert!(tried >= 10, "{tried}");
    // Nor by a form, even with a token of a page of their own.
    let token = hidden(&get(&portal, "vic", "/explain").text(), "token");
    let form = format!("token={token}&key=k&reason=unspecified");
    let got = ask(&portal, Some("vic"), "/parties/alice/revoke", &["--data", &form]);
    assert_eq!(got.status, 403, "{}", got.text());
    assert!(
        !get(&portal, "vic", "/parties/alice").text().contains("action=\"/parties/"),
        "and is offered nothing"
    );
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}

#[test]
fn settings_are_an_owners_to_read() {
    let portal = portal();
    for cert in ["vic", "ops"] {
        assert_eq!(ask(&portal, Some(cert), "/settings", &[]).status, 403, "{cert}");
        let api = ask(&portal, Some(cert), "/api/v1/settings", &[]);
        assert_eq!((api.status, api.code()), (403, "role".into()), "{cert}");
        assert!(!get(&portal, cert, "/").text().contains("href=\"/settings\""), "{cert}");
    }
    assert!(get(&portal, OWNER, "/settings").text().contains("portal.test"));
    let command = portal.countersign(&["config", "show", "--json"]).ok().json();
    assert_eq!(get(&portal, OWNER, "/api/v1/settings").json()["site"], command["site"]);
}

#[test]
fn what_a_client_says_of_itself_is_swept_away() {
    let portal = portal();
    for lie in [
        "Countersign-Role: owner",
        "countersign_role: owner",
        "COUNTERSIGN.ROLE: owner",
        "Countersign-Party: boss",
    ] {
        let got = ask(&portal, Some("vic"), "/api/v1/overview", &["-H", lie]).json();
        assert_eq!(
            (&got["operator"]["name"], &got["operator"]["role"]),
            (&json!("vic"), &json!("viewer")),
            "{lie}"
        );
        let none = ask(&portal, None, "/api/v1/overview", &["-H", lie, "-H", "Countersign-Party: operator"]);
        assert_eq!((none.status, none.code()), (403, "no-certificate".into()));
    }
    // And no site is told a role.
    portal.curl(Some("alice"), "/", &["-H", "Countersign-Role: owner"]);
    let seen = portal.echo.requests();
    assert!(seen.iter().all(|request| request.header("countersign-role").is_none()), "{seen:?}");
}

#[test]
fn other_hosts_and_other_paths_lead_nowhere() {
    let portal = portal();
    let other = ask(&portal, Some(OWNER), "/", &["-H", "Host: evil.example"]);
    assert_eq!((other.status, other.code()), (421, "host-mismatch".into()));
    for path in ["/nothing", "/parties/alice/revoke", "/assets/", "/assets/../log", "/checks"] {
        assert_eq!(ask(&portal, Some(OWNER), path, &["--path-as-is"]).status, 404, "{path}");
    }
    let api = ask(&portal, Some(OWNER), "/api/v1/nothing", &[]);
    assert_eq!((api.status, api.code()), (404, "not-found".into()));
    assert_eq!(api.header("content-type"), Some("application/problem+json"));
    assert!(api.json()["reference"].is_string());
    let method = ask(&portal, Some(OWNER), "/api/v1/parties", &["-X", "DELETE"]);
    assert_eq!((method.status, method.code()), (405, "method".into()));
    // The gate itself lets no TRACE pass, and here it can say what there is instead.
    let trace = ask(&portal, Some(OWNER), "/api/v1/parties", &["-X", "TRACE"]);
    assert_eq!((trace.status, trace.code()), (405, "bad-request".into()));
    assert_eq!(trace.header("allow"), Some("GET, HEAD, POST"));
    // A body where none is asked for is in nobody's way, however often it comes.
    for _ in 0..20 {
        let body = ask(&portal, Some(OWNER), "/api/v1/parties/alice/suspend", &["-X", "GET", "--data", "{}"]);
        assert_eq!((body.status, body.header("allow")), (405, Some("POST")), "{}", body.text());
    }
}

#[test]
fn its_process_is_started_again_and_its_socket_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let portal = portal();
    let about = std::fs::metadata(portal.sandbox.path("state/console.sock")).unwrap();
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let first = eventually("a console", || portal.gate().console_pid());
    let environment = std::fs::read(format!("/proc/{first}/environ")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&environment).contains("PASSPHRASE"));
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(first.try_into().unwrap()).unwrap(),
        rustix::process::Signal::KILL,
    )
    .unwrap();
    // Who asks meanwhile waits in the socket, or is told that it gives no answer.
    eventually("it answers again", || (ask(&portal, Some("vic"), "/", &[]).status == 200).then_some(()));
    assert_ne!(portal.gate().console_pid(), Some(first));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}
