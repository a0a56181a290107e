//! The API as its description says: schemathesis reads it, and asks in all the ways that it allows and forbids.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::process;

use super::*;

/// It may take so long; promises nothing about how soon it is done.
const PATIENCE: Duration = Duration::from_secs(300);

#[test]
fn schemathesis_finds_nothing_that_the_description_does_not_say() {
    let portal = portal();
    self_signed(&portal, "erin", "/CN=erin");
    portal.curl(Some("erin"), "/", &[]);
    pending(&portal, "erin");
    let body = json!({ "code": true });
    assert_eq!(post(&portal, OWNER, "/api/v1/parties/alice/invite", "1", &body).status, 201);

    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let program = target.join("schemathesis/bin/schemathesis");
    assert!(program.is_file(), "schemathesis is not there; see ./check");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openapi");
    let mut command = Command::new(program);
    command.current_dir(portal.sandbox.dir()).arg("--config-file").arg(folder.join("schemathesis.toml"));
    command.env("SCHEMATHESIS_HOOKS", folder.join("keys.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    command.args(["run", &format!("https://localhost:{}/api/openapi.json", portal.admin_port)]);
    command.args(["--tls-verify", "ca.pem", "--no-color"]);
    command.args(["--request-cert", "state/operator.pem", "--request-cert-key", "state/operator.key"]);
    let output = process::run(&mut command, b"", PATIENCE);
    assert_eq!(output.code, 0, "{}", output.story());
    // It has asked, has changed things, and was an operator all the while.
    let passed = output.stdout.split_once(" generated, ").and_then(|(_, rest)| rest.split_once(" passed"));
    let passed: u32 = passed.and_then(|(count, _)| count.parse().ok()).unwrap_or_default();
    assert!(passed > 500, "{}", output.story());
    assert!(!changes_that_say(&portal, "party suspended").is_empty());
    assert_eq!(ask(&portal, Some(OWNER), "/api/v1/overview", &[]).status, 200);
}
