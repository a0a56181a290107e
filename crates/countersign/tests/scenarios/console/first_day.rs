//! A new user's way: what `quickstart` prints, typed and opened as it stands there, then the console alone.

use std::process::Command;
use std::time::Duration;

use testkit::{Gate, Home, Policy, Sandbox, process};

use super::*;
use crate::chromium::Chromium;

const PATIENCE: Duration = Duration::from_secs(60);

/// What is printed after this text, to the end of the line.
fn after<'a>(printed: &'a str, text: &str) -> &'a str {
    let (_, rest) = printed.split_once(text).unwrap_or_else(|| panic!("no `{text}`: {printed}"));
    rest.lines().next().unwrap().trim()
}

/// From the printed lines to a stranger who knocks, is let in, is explained and is shut out; nothing else was read.
#[test]
fn from_quickstart_a_stranger_is_let_in_explained_and_revoked() {
    if !Policy::may_be_set() {
        return;
    }
    let sandbox = Sandbox::new(&binary());
    let (port, admin) = (free_port(), free_port());
    let (listen, at) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin}"));
    let quickstart = Gate::spawn(sandbox.command(&["quickstart", "--listen", &listen, "--admin", &at]));
    quickstart.wait_stderr("serving until Ctrl-C", PATIENCE);
    quickstart.wait_stdout("Next: ", PATIENCE);
    let printed = quickstart.stdout();
    println!("{printed}");

    let console =
        after(&printed, "The console is at ").split_whitespace().next().unwrap().trim_end_matches('/');
    let site = after(&printed, "The portal is at ").trim_end_matches('/');
    assert_eq!(
        (site, console),
        (&*format!("https://localhost:{port}"), &*format!("https://localhost:{admin}"))
    );
    let line = printed.lines().find(|line| line.contains("operator.p12")).expect("the owner's file is named");
    let (file, password) = (line.split_whitespace().next().unwrap(), line.rsplit(' ').next().unwrap());

    // Somebody whom nobody knows, as printed.
    let type_in = |start: &str| {
        let line =
            printed.lines().map(str::trim).find(|line| line.starts_with(start)).expect("it is printed");
        let mut shell = Command::new("sh");
        process::run(shell.current_dir(sandbox.dir()).args(["-c", line]), b"", PATIENCE)
    };
    type_in("openssl req").ok();

    let home = Home::trusting(&sandbox.path("countersign-quickstart/ca.pem"));
    home.import(&sandbox.path(file), password);
    home.import_pem(&sandbox.path("countersign-quickstart"), "stranger");
    let shown = [(console.to_owned(), "operator"), (site.to_owned(), "stranger")];
    let pictures = std::env::var("COUNTERSIGN_PICTURES").ok();
    let told = Chromium::of(home, &shown)
        .run("first-day.mjs", json!({ "origin": console, "portal": site, "pictures": pictures }));

    assert!(told["entered"].as_str().unwrap().contains("Welcome, visitor."), "{told}");
    assert!(told["letIn"].as_str().unwrap().contains("It may enter: localhost"), "{told}");
    assert_eq!(told["failedRungs"], 0, "it would enter: {told}");
    assert!(told["revoked"].as_str().unwrap().contains("New connections are refused."), "{told}");
    assert!(told["shut"].as_str().unwrap().contains("revoked"), "{told}");
    assert!(told["why"].as_str().unwrap().contains("revoked"), "{told}");
    // And the printed line says the same.
    let curl = printed
        .lines()
        .map(str::trim)
        .find(|line| line.contains("stranger.pem ") && line.starts_with("curl"));
    assert!(type_in(curl.expect("it is printed")).stdout.contains("\"revoked\""));
}
