//! `check` ends with a code that follows `--fail-on`, and shows a progress bar over many files on a terminal alone.

use std::process::Command;
use std::time::Duration;

use testkit::times::DAY;
use testkit::{Leaf, Sandbox, TestCa, process};

use crate::support::binary;

/// `nothing.pem`, `notice.pem`, `warning.pem`, `error.pem`, each named for the worst that is found in it.
fn files() -> Sandbox {
    let sandbox = Sandbox::new(&binary());
    let ca = TestCa::new("Some CA");
    sandbox.write("ca.pem", ca.pem());
    let leaf = || Leaf::server("www.example.com");
    for (name, leaf) in [
        // Short-lived: it needs no address of a revocation list.
        ("nothing", leaf().valid_from_now(-DAY, 5 * DAY)),
        ("notice", leaf().valid_from_now(-DAY, 60 * DAY)),
        ("warning", leaf().valid_from_now(-60 * DAY, 2 * DAY)),
        ("error", leaf().ended_yesterday()),
    ] {
        leaf.issued_by(&ca).write(sandbox.dir(), name);
    }
    sandbox.write("none.pem", "no certificate\n");
    sandbox
}

fn check(sandbox: &Sandbox, args: &[&str]) -> process::Output {
    sandbox.countersign(&[&["check", "--private", "--roots", "ca.pem"], args].concat())
}

#[test]
fn each_severity_fails_from_itself_on() {
    let sandbox = files();
    for (file, codes) in [
        ("nothing.pem", [0, 0, 0, 0]),
        ("notice.pem", [0, 0, 1, 0]),
        ("warning.pem", [0, 1, 1, 0]),
        ("error.pem", [1, 1, 1, 0]),
    ] {
        check(&sandbox, &[file]).exited(codes[0]);
        for (limit, code) in ["error", "warning", "notice", "never"].iter().zip(codes) {
            check(&sandbox, &[file, "--fail-on", limit]).exited(code);
            check(&sandbox, &[file, "--fail-on", limit, "--json"]).exited(code);
        }
    }
    // Of several files the worst counts.
    check(&sandbox, &["nothing.pem", "warning.pem", "notice.pem", "--fail-on", "warning"]).exited(1);
    check(&sandbox, &["nothing.pem", "notice.pem", "--fail-on", "warning"]).exited(0);
    check(&sandbox, &["nothing.pem", "--fail-on", "sometimes"]).exited(2);
}

#[test]
fn what_could_not_be_examined_never_ends_like_what_was_found() {
    let sandbox = files();
    for limit in ["error", "warning", "notice", "never"] {
        // Nothing in it, and not there: also beside files with findings, and whatever counts as one.
        check(&sandbox, &["none.pem", "--fail-on", limit]).exited(2);
        check(&sandbox, &["missing.pem", "--fail-on", limit]).exited(5);
        check(&sandbox, &["error.pem", "none.pem", "--fail-on", limit]).exited(2);
        check(&sandbox, &["missing.pem", "error.pem", "--fail-on", limit]).exited(5);
    }
}

/// Runs the check on a terminal (`script` gives it one) and hands back all that the terminal showed.
fn on_a_terminal(sandbox: &Sandbox, args: &str) -> String {
    let program = sandbox.command(&[]);
    let program = program.get_program().to_str().unwrap();
    let line = format!("{program} check --private --roots ca.pem --fail-on never {args}");
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(sandbox.dir());
    let output = process::run(command.env("TERM", "xterm"), b"", Duration::from_secs(60));
    assert_eq!(output.code, 0, "{}", output.story());
    output.stdout
}

#[test]
fn many_files_have_a_progress_bar_on_a_terminal_alone() {
    let sandbox = files();
    let many = ["nothing.pem"; 200].join(" ");
    let shown = on_a_terminal(&sandbox, &format!("{many} >/dev/null"));
    assert!(shown.contains("/200 ") && shown.contains("nothing.pem"), "{shown:?}");
    // One file has none; nor has who asks for quiet.
    assert!(!on_a_terminal(&sandbox, "nothing.pem >/dev/null").contains("/1 "));
    assert!(!on_a_terminal(&sandbox, &format!("--quiet {many} >/dev/null")).contains("/200 "));
    // Piped there is nothing on standard error at all.
    let files: Vec<&str> = many.split(' ').collect();
    let piped = check(&sandbox, &files);
    assert_eq!((piped.code, piped.stderr.as_str()), (0, ""), "{}", piped.story());
}
