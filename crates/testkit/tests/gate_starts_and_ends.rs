//! The gate's life, with a shell script in the place of the binary.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use testkit::{Binary, Portal, Sandbox};

const SCRIPT: &str = r#"#!/bin/sh
case "$1" in
init) printf '[server]\nlisten = ["%s"]\n\n[site."portal.test"]\nupstream = "%s"\n' "$7" "$5" > countersign.toml ;;
ca) cat ../ca-source.pem 2>/dev/null || echo PEM ;;
party) echo cert > "$3.pem"; echo key > "$3.key" ;;
run)
    if grep -q broken countersign.toml; then echo "countersign.toml:1:1: wrong" >&2; exit 3; fi
    trap 'echo drained >&2; exit 0' TERM
    echo '{"access":1}'
    echo 'countersign: ready' >&2
    while :; do sleep 0.05; done ;;
*) echo out; echo err >&2; exit 2 ;;
esac
"#;

fn binary(dir: &Path) -> Binary {
    let path = dir.join("countersign");
    std::fs::write(&path, SCRIPT).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    Binary::new(path.to_str().unwrap())
}

#[test]
fn a_portal_is_set_up_started_and_ended() {
    let dir = tempfile::tempdir().unwrap();
    let binary = binary(dir.path());

    let mut portal = Portal::build(&binary)
        .on_refuse("handshake")
        .server_line("http3 = false")
        .extra_toml("[log]\nretain_days = 3")
        .party("alice")
        .start();

    let config = portal.sandbox.read("countersign.toml");
    assert!(config.contains("[site.\"portal.test\"]\non_refuse = \"handshake\"\nupstream"), "{config}");
    assert!(config.starts_with("[server]\nhttp3 = false\n"), "{config}");
    assert!(config.ends_with("[log]\nretain_days = 3\n"), "{config}");
    assert_eq!(portal.sandbox.read("alice.key"), "key\n");
    portal.gate().wait_stdout("access", Duration::from_secs(5));
    let mut gate = portal.gate.take().expect("a gate");
    assert_eq!((gate.exited(), gate.terminate(), gate.exited()), (None, 0, Some(0)));
    assert_eq!(gate.stderr(), "countersign: ready\ndrained\n");
    portal.start_gate();
    assert_eq!(portal.stop_gate(), 0);

    let sandbox = Sandbox::new(&binary);
    let output = sandbox.countersign(&["nonsense"]).exited(2);
    assert_eq!(output.both(), "out\nerr\n");
    sandbox.write("countersign.toml", "broken");
    let story = std::panic::catch_unwind(|| sandbox.start_gate()).err().expect("no gate");
    let story = story.downcast::<String>().unwrap();
    assert!(story.contains("countersign.toml:1:1: wrong"), "{story}");
}
