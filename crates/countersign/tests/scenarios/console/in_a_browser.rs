//! An operator works in Chromium, with the certificate in its store: by keyboard and with a script, in light and dark.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::process;

use super::*;
use crate::support::browser_policy;

/// The managed policy that shows an operator's certificate without asking; removed with the test.
struct Policy(PathBuf);

impl Policy {
    fn of(portal: &Portal) -> Self {
        let choice = json!({
            "pattern": format!("https://localhost:{}", portal.admin_port),
            "filter": {},
        });
        let folder = Path::new("/etc/chromium/policies/managed");
        std::fs::create_dir_all(folder).expect("the policy directory can be made (this test runs as root)");
        let file = folder.join("countersign-console-test.json");
        let policy = json!({ "AutoSelectCertificateForUrls": [choice.to_string()] });
        std::fs::write(&file, policy.to_string()).unwrap();
        Self(file)
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A home whose certificate store has the authority's root and this operator's certificate.
fn home(portal: &Portal, name: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".pki/nssdb")).unwrap();
    let (pem, key, p12) = (format!("{name}.pem"), format!("{name}.key"), home.path().join("operator.p12"));
    let p12 = p12.to_str().unwrap();
    let export = [
        "pkcs12",
        "-export",
        "-in",
        &pem,
        "-inkey",
        &key,
        "-out",
        p12,
        "-passout",
        "pass:word",
        "-name",
        "operator",
    ];
    openssl(portal.sandbox.dir(), &export, b"").ok();
    let database = format!("sql:{}/.pki/nssdb", home.path().display());
    let ca = portal.sandbox.path("ca.pem");
    for (tool, args) in [
        ("certutil", &["-N", "--empty-password"][..]),
        ("certutil", &["-A", "-n", "root", "-t", "C,,", "-i", ca.to_str().unwrap()]),
        ("pk12util", &["-i", p12, "-W", "word"]),
    ] {
        let mut command = Command::new(tool);
        let output = process::run(command.args(["-d", &database]).args(args), b"", Duration::from_secs(30));
        assert_eq!(output.code, 0, "{}", output.story());
    }
    home
}

/// What Chromium saw and gave on the way through these steps.
fn follow(portal: &Portal, home: &Path, path: &str, view: Option<Value>, steps: &[Value]) -> Value {
    let profile = tempfile::tempdir().unwrap();
    let settings = json!({
        "url": format!("https://localhost:{}{path}", portal.admin_port),
        "home": home,
        "profile": profile.path(),
        "downloads": portal.sandbox.path("downloads"),
        "language": "en",
        "view": view,
        "steps": steps,
    });
    let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/invite_page.mjs");
    let mut command = Command::new("node");
    let output = process::run(command.arg(driver).arg(settings.to_string()), b"", Duration::from_secs(120));
    assert_eq!(output.code, 0, "{}", output.story());
    output.json()
}

fn until(what: &str) -> Value {
    json!({ "until": what })
}

fn get_value(what: &str) -> Value {
    json!({ "get": what })
}

fn may_run() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    eprintln!("left out: the managed policy of Chromium can only be written by root");
    assert!(std::env::var_os("CI").is_none(), "in CI this test must run");
    false
}

/// What is wrong for whoever does not see, or not well: controls without a name, headings that skip, text that does not
/// stand out (WCAG 2.2, 1.3.1, 1.4.3, 4.1.2), ids that are there twice, tables without headings.
const AUDIT: &str = r#"(() => {
  const wrong = [];
  const named = (one) => one.getAttribute("aria-label") || one.textContent.trim() || one.alt
    || (one.labels && Array.from(one.labels).some((label) => label.textContent.trim()));
  document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, summary, meter, [role=img], [tabindex]").forEach((one) => {
    if (!named(one)) wrong.push("no name: " + one.outerHTML.slice(0, 120));
  });
  const ids = Array.from(document.querySelectorAll("[id]"), (one) => one.id);
  ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => wrong.push("twice: " + id));
  let level = 0;
  document.querySelectorAll("h1, h2, h3, h4").forEach((one) => {
    const here = Number(one.tagName[1]);
    if (here > level + 1) wrong.push("skips to " + one.outerHTML.slice(0, 80));
    level = here;
  });
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  document.querySelectorAll("table").forEach((one) => { if (!one.querySelector("th[scope=col]")) wrong.push("table without headings"); });
  if (!document.documentElement.lang || !document.title || !document.querySelector("main")) wrong.push("no language, title or main");
  const colour = (text) => { const found = text.match(/[\d.]+/g).map(Number); return { rgb: found.slice(0, 3), alpha: found[3] ?? 1 }; };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((all, c, at) => all + c * [0.2126, 0.7152, 0.0722][at], 0);
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found.alpha === 1) return found.rgb;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const one = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !one.getClientRects().length || one.closest("svg, option, .skip, .unseen")) continue;
    const pair = [light(colour(getComputedStyle(one).color).rgb), light(ground(one))].sort((a, b) => b - a);
    const contrast = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (contrast < 4.5) wrong.push(contrast.toFixed(2) + ": " + one.outerHTML.slice(0, 120));
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1) wrong.push("wider than the screen");
  return wrong;
})()"#;

#[test]
fn pages_are_right_for_everybody_in_light_and_dark_and_ask_nobody_else() {
    let _policy_is_ours = browser_policy();
    if !may_run() {
        return;
    }
    let portal = portal();
    let _policy = Policy::of(&portal);
    self_signed(&portal, "greta", "/O=Somebody/CN=greta");
    portal.curl(Some("greta"), "/", &[]);
    portal.curl(None, "/", &[]);
    pending(&portal, "greta");
    let home = home(&portal, "ops");
    let pictures = std::env::var_os("COUNTERSIGN_PICTURES").map(PathBuf::from);
    let origin = format!("https://localhost:{}/", portal.admin_port);
    for (width, scheme) in [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")] {
        for path in ["/", "/sites", "/parties", "/parties/alice", "/pending", "/cas", "/log", "/explain"] {
            let view = json!({ "width": width, "height": 900, "scheme": scheme });
            let open = "document.querySelectorAll('details').forEach((one) => { one.open = true; })";
            let mut steps =
                vec![until("getComputedStyle(document.querySelector('header.top')).display === 'flex'")];
            if let Some(folder) = &pictures {
                let name = if path == "/" { "overview".to_owned() } else { path[1..].replace('/', "-") };
                steps.push(json!({ "picture": folder.join(format!("console-{name}-{scheme}-{width}.png")) }));
            }
            steps.extend([get_value(open), get_value(AUDIT)]);
            let seen = follow(&portal, home.path(), path, Some(view), &steps);
            assert_eq!(
                seen["given"].as_array().unwrap().last(),
                Some(&json!([])),
                "{path} {width} {scheme}: {seen}"
            );
            assert_eq!(seen["complaints"], json!([]), "{path}: {seen}");
            for address in seen["addresses"].as_array().unwrap() {
                let address = address.as_str().unwrap();
                // The browser's own pictures in its controls are none of ours.
                assert!(address.starts_with(&origin) || address.starts_with("data:"), "{path}: {seen}");
            }
        }
    }
}

#[test]
fn an_operator_suspends_a_party_in_the_page_and_sees_a_knock_come() {
    let _policy_is_ours = browser_policy();
    if !may_run() {
        return;
    }
    let portal = portal();
    let _policy = Policy::of(&portal);
    let home = home(&portal, "ops");
    let steps = [
        until("document.querySelector('form[action$=suspend] button')"),
        get_value("document.querySelector('form[action$=suspend] button').click()"),
        until("document.querySelector('.note.good')"),
        get_value("document.querySelector('.note.good').innerText"),
        get_value("document.querySelectorAll('.code .copy').length > 0"),
    ];
    let seen = follow(&portal, home.path(), "/parties/alice", None, &steps);
    assert!(seen["given"][1].as_str().unwrap().contains("New connections are refused."), "{seen}");
    assert_eq!(seen["given"][2], true, "{seen}");
    assert_eq!(seen["complaints"], json!([]), "{seen}");
    assert_eq!(portal.curl(Some("alice"), "/", &[]).code(), "suspended");

    // A knock is seen without a reload: what the page keeps would be gone.
    self_signed(&portal, "hugo", "/CN=hugo");
    portal.curl(Some("hugo"), "/", &[]);
    pending(&portal, "hugo");
    let steps = [
        until("document.querySelector('article')"),
        get_value("window.before = document.querySelector('article').innerText"),
        until("window.before && document.querySelector('article').innerText !== window.before"),
    ];
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| follow(&portal, home.path(), "/pending", None, &steps));
        while !watching.is_finished() {
            portal.curl(Some("hugo"), "/", &[]);
            std::thread::sleep(Duration::from_secs(2));
        }
        let seen = watching.join().unwrap();
        assert_eq!(seen["complaints"], json!([]), "{seen}");
    });
}
