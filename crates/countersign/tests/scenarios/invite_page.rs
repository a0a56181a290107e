//! Somebody follows an invite's link in a browser: the key is made there, and the file that is saved opens the site.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Home, Policy, Portal, openssl, process};

use super::chromium_enters::{chromium, exported};
use super::enrolment::{HOST, invite, records, request, started};

/// What Chromium saw and gave on the way through these steps.
fn follow(portal: &Portal, home: &Path, url: &str, language: &str, steps: &[Value]) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let settings = json!({
        "url": url,
        "home": home,
        "profile": profile.path(),
        "downloads": portal.sandbox.path("downloads"),
        "language": language,
        "steps": steps,
    });
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/invite_page.mjs");
    let mut command = Command::new("node");
    let output = process::run(command.arg(driver).arg(settings.to_string()), b"", Duration::from_secs(90));
    assert_eq!(output.code, 0, "{}", output.story());
    output.json()
}

/// A home whose certificate store trusts the authority's root.
fn home(portal: &Portal) -> Home {
    Home::trusting(&portal.sandbox.path("ca.pem"))
}

fn until(what: &str) -> Value {
    json!({ "until": what })
}

fn get(what: &str) -> Value {
    json!({ "get": what })
}

fn is_shown(id: &str) -> String {
    format!("document.getElementById('{id}')?.offsetParent")
}

fn told(what: &str) -> String {
    format!("!document.querySelector('[data-for={what}]').hidden")
}

fn click(id: &str) -> Value {
    get(&format!("document.getElementById('{id}').click()"))
}

/// Waits for what the browser saves under this name.
fn saved(portal: &Portal, name: &str) -> std::path::PathBuf {
    let file = portal.sandbox.path(&format!("downloads/{name}"));
    testkit::eventually(&format!("{name} is saved"), || {
        (file.exists() && file.metadata().is_ok_and(|data| data.len() > 0)).then_some(())
    });
    file
}

#[test]
fn the_page_makes_a_key_and_a_file_that_opens_the_site_and_sends_neither() {
    let (portal, port) = started();
    let made = invite(&portal, "alice", &["--code"]);
    let (url, token) = (made["url"].as_str().unwrap(), made["token"].as_str().unwrap());
    let code = format!("document.getElementById('code').value = '{}'", made["code"].as_str().unwrap());
    let home = home(&portal);
    std::fs::create_dir(portal.sandbox.path("downloads")).unwrap();
    // The link alone, as a preview sees it: nothing is used up, in whatever language.
    let look =
        [until(&is_shown("make")), get("document.documentElement.lang"), get("document.body.innerText")];
    for (language, word) in [("nl", "uitgenodigd"), ("de", "eingeladen"), ("fr", "invité"), ("pt", "invited")]
    {
        let seen = follow(&portal, home.path(), url, language, &look);
        let (lang, text) = (seen["given"][0].as_str().unwrap(), seen["given"][1].as_str().unwrap());
        assert_eq!(lang, if language == "pt" { "en" } else { language });
        assert!(text.contains(word), "{text}");
        assert_eq!(seen["complaints"], json!([]), "{seen}");
    }
    assert_eq!(records(&portal, "alice").len(), 0);

    let steps = [
        until(&is_shown("make")),
        click("make"),
        until(&told("code-wanted")),
        get(&code),
        click("make"),
        until(&is_shown("done")),
        get("document.getElementById('password').textContent"),
        get("Array.from(document.querySelectorAll('#sites a'), (link) => link.href)"),
        get("location.href"),
        click("p12"),
        get("new Promise((done) => setTimeout(done, 1000))"),
    ];
    let seen = follow(&portal, home.path(), url, "en", &steps);
    let password = seen["given"][3].as_str().unwrap();
    assert_eq!(password.len(), 20, "{seen}");
    assert_eq!(seen["given"][4], json!([format!("https://portal.test:{}/", portal.port)]));
    let origin = format!("https://{HOST}:{port}/");
    assert_eq!(seen["given"][5], json!(format!("{origin}invite")), "the token is gone from the address");
    // Nothing was asked for elsewhere, and the token is in no address but the link's own.
    let addresses = seen["addresses"].as_array().unwrap();
    for address in addresses.iter().map(|address| address.as_str().unwrap()) {
        assert!(address.starts_with(&origin) || address.starts_with("blob:"), "{seen}");
        assert!(!address.contains(token) || address == url, "{seen}");
    }
    let file = saved(&portal, "alice.p12");
    let dir = portal.sandbox.dir();
    let (file, pass) = (file.to_str().unwrap(), format!("pass:{password}"));
    let info = openssl(dir, &["pkcs12", "-in", file, "-passin", &pass, "-info", "-noout"], b"").ok();
    for word in ["AES-256-CBC", "hmacWithSHA256", "MAC: sha256"] {
        assert!(info.both().contains(word), "{}", info.story());
    }
    openssl(dir, &["pkcs12", "-in", file, "-passin", &pass, "-nodes", "-nocerts", "-out", "alice.key"], b"")
        .ok();
    openssl(dir, &["pkcs12", "-in", file, "-passin", &pass, "-nokeys", "-out", "alice.pem"], b"").ok();
    let wrong = openssl(dir, &["pkcs12", "-in", file, "-passin", "pass:", "-noout"], b"");
    assert_ne!(wrong.code, 0);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(records(&portal, "alice").len(), 1);

    // The link again, once it is used up, and a link that is not whole.
    let again = [until(&is_shown("make")), click("make"), until(&told("refused"))];
    follow(&portal, home.path(), url, "en", &again);
    follow(&portal, home.path(), &format!("{origin}invite#x"), "en", &[until(&told("no-token"))]);
    assert_eq!(records(&portal, "alice").len(), 1);
}

#[test]
fn who_was_invited_imports_the_file_and_enters_with_the_same_browser() {
    if !Policy::may_be_set() {
        return;
    }
    let (portal, _) = started();
    let made = invite(&portal, "alice", &[]);
    let home = home(&portal);
    std::fs::create_dir(portal.sandbox.path("downloads")).unwrap();
    let _policy = Policy::saying(&exported(&portal));
    let url = portal.url("/from-the-invite");
    let before = chromium(home.path(), &url, portal.port);
    assert!(before.contains("no-certificate"), "{before}");
    let steps = [
        until(&is_shown("make")),
        click("make"),
        until(&is_shown("done")),
        get("document.getElementById('password').textContent"),
        click("p12"),
        get("new Promise((done) => setTimeout(done, 1000))"),
    ];
    let seen = follow(&portal, home.path(), made["url"].as_str().unwrap(), "en", &steps);
    let password = seen["given"][1].as_str().unwrap_or_else(|| panic!("{seen}"));
    home.import(&saved(&portal, "alice.p12"), password);
    let entered = chromium(home.path(), &url, portal.port);
    assert!(entered.contains("/from-the-invite"), "{entered}");
    let seen = portal.echo.requests();
    assert!(seen.iter().any(|request| request.header("countersign-party") == Some("alice")), "{seen:?}");
}

#[test]
fn the_page_takes_a_request_that_was_made_elsewhere() {
    let (portal, _) = started();
    let made = invite(&portal, "bob", &[]);
    request(&portal, "bob");
    let home = home(&portal);
    std::fs::create_dir(portal.sandbox.path("downloads")).unwrap();
    let paste = |text: &str| get(&format!("document.getElementById('csr').value = {}", json!(text)));
    let csr = portal.sandbox.read("bob.csr");
    let steps = [
        until(&is_shown("make")),
        get("document.getElementById('own').open = true"),
        paste("no request"),
        click("bring"),
        until(&told("request")),
        paste(&csr),
        click("bring"),
        until(&is_shown("done")),
        click("pem"),
        get("new Promise((done) => setTimeout(done, 1000))"),
    ];
    follow(&portal, home.path(), made["url"].as_str().unwrap(), "en", &steps);
    let file = saved(&portal, "bob.pem");
    portal.sandbox.write("bob.pem", std::fs::read(file).unwrap());
    assert_eq!(portal.curl(Some("bob"), "/", &[]).status, 200);
}
