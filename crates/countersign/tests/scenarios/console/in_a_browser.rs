//! The console in Chromium, with operators' certificates in its store: every screen and every change, by mouse, by keyboard
//! alone and without a script; and what pages of others cannot do.

use testkit::{Leaf, Policy, SITE, TestCa};

use super::*;
use crate::chromium::Chromium;

fn console(portal: &Portal) -> String {
    format!("https://localhost:{}", portal.admin_port)
}

/// A browser that shows the owner's certificate to the console.
fn owners(portal: &Portal) -> Chromium {
    Chromium::showing(portal, &[(console(portal), OWNER, "operator")])
}

/// What links of the console lead to, at the least.
const SCREENS: [&str; 10] = [
    "/",
    "/sites",
    "/parties",
    "/parties/alice",
    "/pending",
    "/cas",
    "/log",
    "/log/verify",
    "/explain",
    "/settings",
];

/// Subjects as an attacker would choose them: scripts, text that turns around, what ends lines and terminals, and length.
const HOSTILE: [&str; 5] = [
    "<script>window.harmed=1</script>",
    "\"><img src=x onerror=window.harmed=1>",
    "\u{202e}ecila\u{2066}\u{200b}",
    "a\r\nSet-Cookie: b=c\u{1b}[2J\u{7}",
    "=HYPERLINK(\"https://evil.example\")",
];

/// A portal whose visitors, CA, party and certificates have hostile names.
fn hostile_portal() -> Portal {
    let enrol =
        format!("[enrol]\nlisten = \"127.0.0.1:{0}\"\nurl = \"https://localhost:{0}\"\n", free_port());
    let open = "[[site.\"portal.test\".path]]\nprefix = \"/open\"\nclient_auth = \"off\"\n";
    let mut portal = Portal::build(&binary()).extra_toml(open).extra_toml(&enrol).party("alice").prepare();
    let ca = TestCa::new(HOSTILE[0]);
    ca.write(portal.sandbox.dir(), "hostile-ca");
    let rule = "--match=san:dns=*.partner.example";
    portal.countersign(&["ca", "add", "hostile-ca.pem", "--name", "hostile", "--site", SITE, rule]).ok();
    portal.start_gate();
    let long = "very-long-".repeat(400);
    for (number, name) in HOSTILE.into_iter().chain([long.as_str()]).enumerate() {
        let leaf = Leaf::new(name).subject(&[("O", HOSTILE[number % HOSTILE.len()]), ("CN", name)]);
        let file = format!("hostile{number}");
        leaf.self_signed().write(portal.sandbox.dir(), &file);
        assert_eq!(portal.curl(Some(&file), "/", &[]).status, 403, "{name}");
        // What a CA vouches for does not become pending, and is in the log all the same.
        let file = format!("{file}-issued");
        leaf.issued_by(&ca).write(portal.sandbox.dir(), &file);
        assert_eq!(portal.curl(Some(&file), "/", &[]).status, 403, "{name}");
    }
    let pinned = Leaf::new("pinned").subject(&[("O", HOSTILE[2]), ("CN", HOSTILE[1])]).self_signed();
    let body =
        json!({ "party": "bob", "sites": [SITE], "label": HOSTILE[0], "certificate": pinned.chain_pem });
    assert_eq!(post(&portal, OWNER, "/api/v1/parties", "1", &body).status, 201);
    let body = json!({ "label": HOSTILE[1], "code": true });
    assert_eq!(post(&portal, OWNER, "/api/v1/parties/bob/invite", "2", &body).status, 201);
    portal.curl(Some("alice"), "/", &[]);
    eventually("all have knocked", || {
        let list = ask(&portal, Some(OWNER), "/api/v1/pending", &[]).json();
        (list["items"].as_array().unwrap().len() == HOSTILE.len() + 1).then_some(())
    });
    portal
}

/// Each screen that a link leads to, axe-core and all, in light and dark, wide and narrow, by keyboard and without a script;
/// with names from certificates that would do harm if they could.
#[test]
fn every_screen_is_right_for_everybody_asks_nobody_else_and_is_harmed_by_no_name() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = hostile_portal();
    let day = &get(&portal, OWNER, "/api/v1/log?limit=1").json()["items"][0]["time"].as_str().unwrap()[..10]
        .to_owned();
    let harmful = "%22%3E%3Cscript%3Ewindow.harmed%3D1%3C/script%3E%E2%80%AE";
    let more = [
        format!("/log/entered?on={day}"),
        format!("/parties?q={harmful}"),
        format!("/log?party={harmful}"),
        format!("/explain?reference={harmful}&site={harmful}"),
    ];
    let browser = owners(&portal);
    let seen = browser.run("screens.mjs", json!({ "origin": console(&portal), "more": more }));
    let screens: Vec<&str> = seen["screens"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for screen in SCREENS {
        assert!(screens.contains(&screen), "no link leads to {screen}: {screens:?}");
    }
}

/// Every change by keyboard, and what came of it.
#[test]
fn every_change_is_made_by_keyboard_alone() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = portal();
    let knock = |name: &str| {
        self_signed(&portal, name, &format!("/CN={name}"));
        let told = portal.curl(Some(name), "/", &[]).json();
        pending(&portal, name);
        told["reference"].as_str().unwrap().to_owned()
    };
    let reference = knock("erin");
    knock("mallory");
    self_signed(&portal, "dave", "/CN=dave");
    let args =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    openssl(portal.sandbox.dir(), &[&args[..], &["-keyout", "carol.key", "-out", "carol.csr"]].concat(), b"")
        .ok();
    let told = owners(&portal).run(
        "changes.mjs",
        json!({
            "origin": console(&portal),
            "certificate": portal.sandbox.read("dave.pem"),
            "request": portal.sandbox.read("carol.csr"),
            "reference": reference,
        }),
    );
    assert_eq!(told["found"], json!(["carol"]), "{told}");
    assert_eq!(told["failedRungs"], 1, "alice is revoked: {told}");
    assert!(told["invited"].as_str().unwrap().contains("/invite#"), "{told}");
    for (party, enters) in [("dave", 200), ("erin", 200), ("alice", 403), ("mallory", 403)] {
        eventually(party, || (portal.curl(Some(party), "/", &[]).status == enters).then_some(()));
    }
    let carol = get(&portal, "vic", "/api/v1/parties/carol").json();
    let certificates = carol["certificates"].as_array().unwrap();
    assert_eq!(
        (certificates.len(), &certificates[0]["revoked"]["reason"]),
        (1, &json!("superseded")),
        "{carol}"
    );
    assert_eq!(get(&portal, "vic", "/api/v1/invites").json()["items"], json!([]));
    let issued = told["issued"].as_str().unwrap();
    assert!(issued.contains("-----BEGIN CERTIFICATE-----\nMII"), "its lines are lines: {issued}");
    for what in ["suspended", "resumed", "granted", "revoked"] {
        let by: Vec<Value> = changes_that_say(&portal, what);
        assert!(
            by.iter().any(|one| one["detail"].as_str().unwrap().ends_with("by operator operator")),
            "{what}"
        );
    }
}

/// Issuers, generations from begin to finish, who enters a site, and a renewal: given and taken back by keyboard, and what
/// came of it at the gate.
#[test]
fn every_change_of_trust_is_made_by_keyboard_alone() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = portal();
    let ca = TestCa::new("Partner CA");
    for (name, mail) in [("in", "in@acme.example"), ("out", "out@elsewhere.example")] {
        Leaf::new(name).email(mail).issued_by(&ca).write(portal.sandbox.dir(), name);
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 403);
    }
    for name in ["bob", "mallory"] {
        self_signed(&portal, name, &format!("/CN={name}"));
    }
    portal.countersign(&["party", "add", "bob", "--cert", "bob.pem", "--pin", "cert"]).ok();
    let upstream = format!("http://127.0.0.1:{}", portal.echo.port());
    portal.countersign(&["site", "add", "second.test", "--upstream", &upstream, "--allow", "alice"]).ok();
    for name in ["bob", "mallory"] {
        assert_eq!(portal.curl(Some(name), "/", &[]).status, 403);
    }
    pending(&portal, "CN=mallory");
    let args =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    openssl(portal.sandbox.dir(), &[&args[..], &["-keyout", "new.key", "-out", "new.csr"]].concat(), b"")
        .ok();
    let browser = owners(&portal);
    let enter = |all: [(&str, u16); 3]| {
        for (name, status) in all {
            eventually(name, || (portal.curl(Some(name), "/", &[]).status == status).then_some(()));
        }
    };

    let request = portal.sandbox.read("new.csr");
    let at_second = |status: u16| {
        let ask = || tools::curl_at(portal.sandbox.dir(), "second.test", portal.port, Some("bob"), "/", &[]);
        eventually("bob at the second site", || (ask().status == status).then_some(()));
    };
    at_second(403);

    let give =
        json!({ "origin": console(&portal), "step": "give", "certificates": ca.pem(), "request": request });
    let told = browser.run("trust.mjs", give);
    enter([("in", 200), ("out", 403), ("bob", 200)]);
    at_second(200);
    assert!(told["preview"].as_str().unwrap().contains("san:email=*@acme.example"), "{told}");
    let alice = get(&portal, "vic", "/api/v1/parties/alice").json();
    assert_eq!(alice["certificates"].as_array().unwrap().len(), 2, "{alice}");
    let status = portal.countersign(&["ca", "rollover", "status", "--json"]);
    assert!(status.stdout.contains("alice"), "she needs the old generation: {}", status.story());
    let ignored = portal.countersign(&["pending", "ignored", "--json"]).ok().both();
    assert!(ignored.contains("mallory"), "{ignored}");

    let told = browser.run("trust.mjs", json!({ "origin": console(&portal), "step": "take" }));
    enter([("in", 403), ("out", 403), ("bob", 403)]);
    at_second(403);
    let ignored = portal.countersign(&["pending", "ignored", "--json"]).ok().both();
    assert!(!ignored.contains("mallory"), "{ignored}");
    assert!(told["checked"].as_str().unwrap().contains("localhost"), "{told}");

    portal.countersign(&["party", "revoke", "alice"]).ok();
    browser.run("trust.mjs", json!({ "origin": console(&portal), "step": "end" }));
    at_second(200);
    let status = portal.countersign(&["ca", "rollover", "status", "--json"]).ok().json();
    assert_eq!(status, json!([]), "the old generation is gone");
}

/// Certificates and requests from files, as a browser gives them: PEM, DER, with a key beside, and what is none of these.
#[test]
fn a_file_is_read_into_its_field_and_what_is_no_certificate_is_refused() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = portal();
    let write = |name: &str, content: &[u8]| std::fs::write(portal.sandbox.path(name), content).unwrap();
    let ca = TestCa::new("Partner CA");
    ca.write(portal.sandbox.dir(), "partner");
    for name in ["partner", "dave"] {
        if name == "dave" {
            self_signed(&portal, name, "/CN=dave");
        }
        let args = ["x509", "-in", &format!("{name}.pem"), "-outform", "DER", "-out", &format!("{name}.der")];
        openssl(portal.sandbox.dir(), &args, b"").ok();
    }
    std::fs::rename(portal.sandbox.path("partner.der"), portal.sandbox.path("ca.der")).unwrap();
    let args =
        ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"];
    let out = ["-keyout", "only.key", "-outform", "DER", "-out", "carol.csr.der"];
    openssl(portal.sandbox.dir(), &[&args[..], &out].concat(), b"").ok();
    write("ca-and-key.pem", format!("{}{}", portal.sandbox.read("only.key"), ca.pem()).as_bytes());
    write("long.pem", ca.pem().repeat(1_000).as_bytes());
    write("picture.png", include_bytes!("../../../../../docs/guide/console-cas.png"));

    let told = owners(&portal)
        .run("files.mjs", json!({ "origin": console(&portal), "folder": portal.sandbox.dir() }));
    assert!(told["picture"].as_str().unwrap().contains("it cannot be read"), "{told}");
    assert!(told["issued"].as_str().unwrap().contains("-----BEGIN CERTIFICATE-----\nMII"), "{told}");
    eventually("dave", || (portal.curl(Some("dave"), "/", &[]).status == 200).then_some(()));
    assert!(changes_that_say(&portal, "partner").is_empty(), "it was looked at alone");
}

/// From the first knock to the end: in the browser of the stranger, and in that of the operator.
#[test]
fn a_stranger_knocks_is_let_in_enters_and_is_cut_off() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = portal();
    self_signed(&portal, "stranger", "/CN=stranger");
    let site = portal.url("");
    let shown = [(console(&portal), "ops", "ops"), (site.clone(), "stranger", "stranger")];
    let seen = Chromium::showing(&portal, &shown)
        .run("knock.mjs", json!({ "origin": console(&portal), "portal": site, "party": "zoe" }));
    println!("in the open console after {} ms", seen["waited"]);
    assert!(seen["told"].as_str().unwrap().contains("New connections are refused."), "{seen}");
    assert!(seen["refused"].as_str().unwrap().contains("revoked"), "{seen}");
    let entered: Vec<_> = portal
        .echo
        .requests()
        .into_iter()
        .filter(|one| one.header("countersign-party") == Some("zoe"))
        .collect();
    assert!(entered.iter().any(|one| one.header("upgrade").is_some()), "{entered:?}");
}

/// Pages of others, in a browser that shows an owner's certificate to whoever asks at the console's address.
#[test]
fn no_page_of_another_host_sends_frames_reads_or_rebinds() {
    if !Policy::may_be_set() {
        return;
    }
    let portal = portal();
    let page = get(&portal, OWNER, "/parties/alice").text();
    let script = page.split("<script src=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let rebound = format!("https://evil.test:{}", portal.admin_port);
    let shown = [(console(&portal), OWNER, "operator"), (rebound, OWNER, "operator")];
    let told = Chromium::showing(&portal, &shown).run(
        "elsewhere.mjs",
        json!({
            "origin": console(&portal),
            "port": portal.admin_port,
            "token": hidden(&page, "token"),
            "key": hidden(&page, "key"),
            "script": script,
        }),
    );
    for host in ["evil.test", "localhost"] {
        assert!(told[host].as_str().unwrap().contains("A page of another site sent this request"), "{told}");
    }
    assert_eq!(told["rebound"][0], 421, "{told}");
    assert!(!told["rebound"][1].as_str().unwrap().contains("alice"), "{told}");
    assert!(changes_that_say(&portal, "suspended").is_empty());
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
}
