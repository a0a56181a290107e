//! The page of the check inside the console: whose it is, what it looks at, and from where.

use super::*;

#[test]
fn the_page_of_the_check_is_read_by_every_role_and_looks_for_those_who_may_change_things() {
    let portal = portal();
    let moved = ask(&portal, Some("vic"), "/check", &[]);
    assert_eq!((moved.status, moved.header("location")), (308, Some("/check/")));
    for cert in ["vic", "ops"] {
        let front = get(&portal, cert, "/check/");
        assert!(front.text().contains("Is the certificate right?"), "{}", front.text());
        assert!(front.text().contains("href=\"/\">Console</a>"), "it leads back: {}", front.text());
        let policy = front.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none';") && policy.contains("frame-ancestors 'none'"),
            "{policy}"
        );
        assert_eq!(front.header("cache-control"), Some("no-store"));
    }
    let front = get(&portal, "vic", "/check/").text();
    for asset in front.split("href=\"").skip(1).chain(front.split("src=\"").skip(1)) {
        let asset = asset.split('"').next().unwrap();
        if asset.starts_with("page-") {
            assert_eq!(ask(&portal, Some("vic"), &format!("/check/{asset}"), &[]).status, 200, "{asset}");
        }
    }
    // Nothing is looked at for a viewer, or for a page of another site.
    for path in
        ["/check/?host=127.0.0.1", "/check/report.json?host=127.0.0.1", "/check/api/v1/check?host=127.0.0.1"]
    {
        // This host is refused to whoever may look, too: so why counts.
        let got = ask(&portal, Some("vic"), path, &[]);
        assert_eq!(got.status, 403, "{path}");
        assert!(got.text().contains("Your role does not allow this"), "{path}: {}", got.text());
        for site in ["cross-site", "same-site"] {
            let told = format!("Sec-Fetch-Site: {site}");
            let got = ask(&portal, Some("ops"), path, &["-H", &told, "-H", "Sec-Fetch-Dest: document"]);
            assert_eq!(got.status, 403, "{path} {site}");
            assert!(
                got.text().contains("A page of another site sent this request"),
                "{path}: {}",
                got.text()
            );
        }
    }
    assert_eq!(ask(&portal, Some("vic"), "/api/v1/check?host=127.0.0.1", &[]).code(), "role");
    assert_eq!(ask(&portal, Some("alice"), "/check/", &[]).status, 403);
    assert_eq!(ask(&portal, None, "/check/", &[]).code(), "no-certificate");
    assert_eq!(ask(&portal, Some("ops"), "/check/nothing", &[]).status, 404);
    let change = ask(&portal, Some("ops"), "/check/", &["--data", "host=a.example"]);
    assert!([404, 405].contains(&change.status), "{}", change.text());
}

/// A look reaches neither this host, nor its network, nor the console, however they are written.
#[test]
fn the_console_is_no_way_to_inner_addresses() {
    let portal = portal();
    let admin = format!("127.0.0.1:{}", portal.admin_port);
    for host in [
        &admin,
        "localhost",
        "[::1]:443",
        "10.0.0.1",
        "169.254.169.254",
        "0x7f000001",
        "2130706433",
        "127.0.0.1:22",
        "host.internal",
    ] {
        let page = ask(&portal, Some("ops"), &format!("/check/?host={host}"), &["--globoff"]);
        assert!((400..=403).contains(&page.status), "{host}: {} {}", page.status, page.text());
        let api = ask(&portal, Some("ops"), &format!("/api/v1/check?host={host}"), &["--globoff"]);
        assert_eq!((api.status, api.code()), (400, "invalid".into()), "{host}: {}", api.text());
        assert!(!api.json()["help"].as_str().unwrap().is_empty());
    }
    let odd = ask(&portal, Some("ops"), "/api/v1/check", &[]);
    assert_eq!((odd.status, odd.code()), (400, "invalid".into()));
}

#[test]
fn the_process_that_looks_reads_nothing_of_the_state_and_is_started_again() {
    let portal = portal();
    get(&portal, "ops", "/check/");
    let first = portal.gate().checker_pid().expect("a process that checks");
    let environment = std::fs::read(format!("/proc/{first}/environ")).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&environment).contains("PASSPHRASE"));
    let pid = rustix::process::Pid::from_raw(first.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    eventually("it answers again", || {
        (ask(&portal, Some("ops"), "/check/", &[]).status == 200).then_some(())
    });
    assert_ne!(portal.gate().checker_pid(), Some(first));
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}
