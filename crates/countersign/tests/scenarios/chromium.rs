//! Debian's Chromium, driven by a script of `tests/browser` with playwright-core, showing certificates of its own store.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Home, Policy, Portal, SITE, process};

/// A script may take so long; promises nothing about how soon it is done.
const PATIENCE: Duration = Duration::from_secs(300);

/// A browser with certificates.
pub struct Chromium {
    home: Home,
    _policy: Policy,
}

impl Chromium {
    /// One that trusts the portal's root; for each address it shows NAME.pem of the portal's folder, which has this common
    /// name.
    #[track_caller]
    pub fn showing(portal: &Portal, certificates: &[(String, &str, &str)]) -> Self {
        let choices: Vec<(String, &str)> =
            certificates.iter().map(|(url, _, common_name)| (url.clone(), *common_name)).collect();
        let home = Home::trusting(&portal.sandbox.path("ca.pem"));
        let mut names: Vec<&str> = certificates.iter().map(|(_, name, _)| *name).collect();
        names.dedup();
        names.iter().for_each(|name| home.import_pem(portal.sandbox.dir(), name));
        Self::of(home, &choices)
    }

    /// One with this home, that shows each address the certificate of this common name.
    #[track_caller]
    pub fn of(home: Home, choices: &[(String, &str)]) -> Self {
        Self { home, _policy: Policy::choosing(choices) }
    }

    /// What a script saw; panics with what it says was wrong. Whatever host is named is this one.
    #[track_caller]
    pub fn run(&self, script: &str, mut settings: Value) -> Value {
        settings["modules"] = json!(modules());
        settings["home"] = json!(self.home.path());
        settings["hosts"] = json!(format!(
            "MAP {SITE} 127.0.0.1, MAP evil.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
        ));
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
        let mut command = Command::new("node");
        process::run(command.arg(script).arg(settings.to_string()), b"", PATIENCE).ok().json()
    }
}

/// Where `./check` puts what the scripts import.
fn modules() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let modules = target.join("browser");
    assert!(
        modules.join("node_modules/playwright-core").is_dir(),
        "playwright-core is not there; see ./check"
    );
    modules
}
