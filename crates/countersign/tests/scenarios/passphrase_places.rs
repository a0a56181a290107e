use std::os::unix::fs::PermissionsExt;

use testkit::{Portal, process};

use crate::support::binary;

/// Takes the passphrase out of the state directory, and returns it.
fn taken(portal: &Portal) -> String {
    let passphrase = portal.sandbox.read("state/ca.passphrase").trim().to_owned();
    std::fs::remove_file(portal.sandbox.path("state/ca.passphrase")).unwrap();
    passphrase
}

/// `party add NAME` with these variables: its exit code, and what it said.
fn issue(portal: &Portal, name: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let mut command = portal.sandbox.command(&["party", "add", name, "--site", "portal.test", "--pem"]);
    command.envs(variables.iter().copied());
    let output = process::run(&mut command, b"", std::time::Duration::from_secs(30));
    (output.code, output.both())
}

#[test]
fn a_passphrase_in_a_variable_opens_the_keys_and_never_reaches_the_gate() {
    let mut portal = Portal::build(&binary()).prepare();
    let passphrase = taken(&portal);
    assert_ne!(issue(&portal, "alice", &[]).0, 0, "without it nothing is issued");
    let (code, said) = issue(&portal, "alice", &[("COUNTERSIGN_PASSPHRASE", "another")]);
    assert!(code != 0 && said.contains("does not open"), "{said}");
    let (code, said) = issue(&portal, "alice", &[("COUNTERSIGN_PASSPHRASE", &passphrase)]);
    assert_eq!(code, 0, "{said}");

    let mut command = portal.sandbox.command(&["run"]);
    command.env("COUNTERSIGN_PASSPHRASE", &passphrase);
    portal.gate = Some(testkit::Gate::start(command));
    let environment = |pid: u32| std::fs::read(format!("/proc/{pid}/environ")).unwrap();
    let holds = |bytes: &[u8]| bytes.windows(passphrase.len()).any(|part| part == passphrase.as_bytes());
    assert!(holds(&environment(portal.gate().pid())), "the supervisor hands it to who signs");
    assert!(!holds(&environment(portal.gate().gate_pid().unwrap())), "the gate has it not");
    // The sites' certificates were signed with it.
    assert_eq!(portal.curl(None, "/", &[]).status, 403);
}

#[test]
fn a_credential_of_the_service_manager_opens_the_keys_unless_others_can_read_it() {
    let portal = Portal::build(&binary()).prepare();
    let passphrase = taken(&portal);
    let credential = portal.sandbox.write("countersign.passphrase", format!("{passphrase}\n"));
    let folder = portal.sandbox.dir().to_str().unwrap().to_owned();
    let with = [("CREDENTIALS_DIRECTORY", folder.as_str())];
    let mode = |mode| std::fs::set_permissions(&credential, PermissionsExt::from_mode(mode)).unwrap();
    mode(0o444);
    let (code, said) = issue(&portal, "alice", &with);
    assert!(code != 0 && said.contains("can be read or written by others"), "{said}");
    mode(0o440);
    let (code, said) = issue(&portal, "alice", &with);
    assert_eq!(code, 0, "{said}");
}
