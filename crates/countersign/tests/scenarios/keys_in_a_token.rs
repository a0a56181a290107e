//! The authority's keys in a token, reached by PKCS#11: SoftHSM, in a directory of its own.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use testkit::{Echo, Gate, Output, SITE, Sandbox, eventually, free_port, process, tools};

use crate::support::binary;

const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
const PIN: &str = "8765-4321";
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with a token, and commands that find it.
struct World {
    sandbox: Sandbox,
    echo: Echo,
    port: u16,
}

impl World {
    /// An empty directory, and the token `countersign`.
    fn new() -> Self {
        let world = Self { sandbox: Sandbox::new(&binary()), echo: Echo::start(), port: free_port() };
        std::fs::create_dir(world.sandbox.path("tokens")).unwrap();
        let tokens = world.sandbox.path("tokens");
        world.sandbox.write("softhsm2.conf", format!("directories.tokendir = {}\n", tokens.display()));
        world.token("countersign");
        world.secret("pin", PIN);
        world
    }

    fn secret(&self, name: &str, text: &str) {
        let path = self.sandbox.write(name, format!("{text}\n"));
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }

    fn token(&self, label: &str) {
        let args = ["--init-token", "--free", "--label", label, "--so-pin", "12345678", "--pin", PIN];
        self.run(Command::new("softhsm2-util").args(args)).ok();
    }

    fn run(&self, command: &mut Command) -> Output {
        command.current_dir(self.sandbox.dir()).env("SOFTHSM2_CONF", self.sandbox.path("softhsm2.conf"));
        process::run(command, b"", PATIENCE)
    }

    fn countersign(&self, args: &[&str]) -> Output {
        self.run(&mut self.sandbox.command(args))
    }

    /// `init` with keys of this kind in the token.
    fn init(&self, kind: &str) -> Output {
        let (listen, admin) = (format!("127.0.0.1:{}", self.port), format!("127.0.0.1:{}", free_port()));
        let upstream = self.echo.url();
        self.countersign(&[
            "init",
            "--site",
            SITE,
            "--upstream",
            &upstream,
            "--listen",
            &listen,
            "--admin",
            &admin,
            "--yes",
            "--key",
            kind,
            "--pkcs11",
            MODULE,
            "--token",
            "countersign",
            "--passphrase-file",
            "pin",
        ])
    }

    /// What the token has, by another program.
    fn objects(&self, class: &str) -> String {
        let args = ["--module", MODULE, "--login", "--pin", PIN, "--list-objects", "--type", class];
        self.run(Command::new("pkcs11-tool").args(args)).ok().stdout
    }

    fn openssl(&self, args: &[&str]) -> String {
        tools::openssl(self.sandbox.dir(), args, b"").ok().both()
    }

    fn start(&self) -> Gate {
        let root = self.countersign(&["ca", "show", "own", "--format", "pem"]).ok().stdout;
        self.sandbox.write("ca.pem", root);
        let mut command = self.sandbox.command(&["run"]);
        command.env("SOFTHSM2_CONF", self.sandbox.path("softhsm2.conf"));
        Gate::start(command)
    }

    fn enters(&self, name: &str) {
        eventually(&format!("{name} enters"), || {
            let answer = tools::curl_at(self.sandbox.dir(), SITE, self.port, Some(name), "/", &[]);
            (answer.status == 200).then_some(())
        });
    }
}

#[test]
fn keys_of_every_kind_are_made_in_the_token_stay_there_and_sign() {
    for (kind, shown) in [
        ("ecdsa-p256", "ecdsa-with-SHA256"),
        ("ecdsa-p384", "ecdsa-with-SHA384"),
        ("rsa-3072", "sha256WithRSAEncryption"),
        ("ed25519", "ED25519"),
    ] {
        let world = World::new();
        world.init(kind).ok();
        for role in ["root", "client", "server", "operator"] {
            let text = world.sandbox.read(&format!("state/ca/{role}.key"));
            assert!(text.starts_with("pkcs11:token=countersign;id=%"), "{role}: {text}");
            assert!(!text.contains("KEY"), "{role}: {text}");
        }
        assert!(!world.sandbox.path("state/ca.passphrase").exists());
        let private = world.objects("privkey");
        assert_eq!(private.matches("Private Key Object").count(), 4, "{private}");
        assert!(private.contains("Countersign Client CA"), "{private}");
        assert_eq!(
            private.matches("sensitive, always sensitive, never extractable, local").count(),
            4,
            "{private}"
        );

        world.countersign(&["party", "add", "alice", "--site", SITE, "--pem", "--out", "."]).ok();
        let verify = [
            "verify",
            "-x509_strict",
            "-CAfile",
            "state/ca/root.pem",
            "-untrusted",
            "alice.pem",
            "alice.pem",
        ];
        assert!(world.openssl(&verify).contains("OK"));
        let text = world.openssl(&["x509", "-in", "alice.pem", "-noout", "-text"]);
        assert!(text.contains(&format!("Signature Algorithm: {shown}")), "{kind}: {text}");
        world.countersign(&["party", "revoke", "alice"]).ok();
        world.countersign(&["ca", "crl", "--out", "own.crl", "--format", "pem"]).ok();
        let list =
            world.openssl(&["crl", "-in", "own.crl", "-CAfile", "state/ca/client.pem", "-noout", "-text"]);
        assert!(list.contains("verify OK") && list.contains("Serial Number"), "{list}");
    }
}

/// Whether a process has the token's library in its memory.
fn has_library(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap().contains("libsofthsm2")
}

#[test]
fn the_authoritys_process_signs_with_it_and_the_gates_process_never_sees_it() {
    let world = World::new();
    world.init("ecdsa-p256").ok();
    world.countersign(&["party", "add", "alice", "--site", SITE, "--pem", "--out", "."]).ok();
    world.countersign(&["party", "add", "bob"]).ok();
    world.countersign(&["party", "revoke", "bob"]).ok();
    // The site's certificate is signed when the gate starts.
    let gate = world.start();
    world.enters("alice");
    let authority = gate.authority_pid().expect("an authority");
    // It hides its memory from everybody but root.
    if rustix::process::geteuid().is_root() {
        assert!(has_library(authority));
    }
    assert!(!has_library(gate.gate_pid().expect("a gate")));
    // And the list that was due then.
    let args = [
        "crl",
        "-inform",
        "DER",
        "-in",
        "state/crl/own.crl",
        "-CAfile",
        "state/ca/client.pem",
        "-noout",
        "-text",
    ];
    eventually("a list with one entry", || {
        world.sandbox.path("state/crl/own.crl").exists().then_some(())?;
        let text = world.openssl(&args);
        (text.contains("verify OK") && text.contains("Serial Number")).then_some(())
    });
    drop(gate);
}

#[test]
fn a_wrong_pin_and_a_token_that_is_not_there_are_told_apart() {
    let world = World::new();
    let add = ["party", "add", "alice"];
    // Before anything is made.
    let no_library = world.countersign(&[
        "init",
        "--site",
        SITE,
        "--upstream",
        "http://127.0.0.1:1",
        "--yes",
        "--pkcs11",
        "/nowhere.so",
        "--token",
        "x",
        "--passphrase-file",
        "pin",
    ]);
    assert_ne!(no_library.code, 0);
    assert!(no_library.stderr.contains("/nowhere.so"), "{}", no_library.story());
    let no_pin = world.countersign(&[
        "init",
        "--site",
        SITE,
        "--upstream",
        "http://127.0.0.1:1",
        "--yes",
        "--pkcs11",
        MODULE,
        "--token",
        "countersign",
    ]);
    assert_eq!(no_pin.code, 2, "{}", no_pin.story());
    assert!(no_pin.stderr.contains("--passphrase-file"), "{}", no_pin.story());
    assert!(!world.sandbox.path("state/ca/root.pem").exists());
    world.secret("pin", "1111-1111");
    let wrong = world.init("ecdsa-p256");
    assert_ne!(wrong.code, 0);
    assert!(wrong.stderr.contains("PIN does not open it"), "{}", wrong.story());
    world.secret("pin", PIN);

    world.init("ecdsa-p256").ok();
    let made = world.objects("privkey");
    world.secret("pin", "1111-1111");
    let wrong = world.countersign(&add).exited(1);
    assert!(wrong.stderr.contains("the passphrase does not open"), "{}", wrong.story());
    world.secret("pin", PIN);
    let tokens = |name: &str| {
        let folder: PathBuf = world.sandbox.path(name);
        std::fs::create_dir_all(&folder).unwrap();
        world.sandbox.write("softhsm2.conf", format!("directories.tokendir = {}\n", folder.display()));
    };
    tokens("empty");
    let away = world.countersign(&add).exited(1);
    assert!(
        away.stderr.contains("there is no such token") && away.stderr.contains("help:"),
        "{}",
        away.story()
    );
    tokens("tokens");
    world.token("countersign");
    let twice = world.countersign(&add).exited(1);
    assert!(twice.stderr.contains("more than one token"), "{}", twice.story());
    assert!(made.contains("Private Key Object"));
}

#[test]
fn a_rollover_makes_the_next_key_in_the_token_and_takes_the_old_one_out() {
    let world = World::new();
    world.init("ecdsa-p256").ok();
    let count = || world.objects("privkey").matches("Private Key Object").count();
    assert_eq!(count(), 4);
    world.countersign(&["ca", "rollover", "start", "--key", "ecdsa-p384"]).ok();
    assert_eq!(count(), 5);
    assert!(world.sandbox.read("state/ca/client.key").starts_with("pkcs11:"));
    world.countersign(&["party", "add", "alice", "--pem", "--out", "."]).ok();
    assert!(world.openssl(&["x509", "-in", "alice.pem", "-noout", "-text"]).contains("ecdsa-with-SHA384"));
    world.countersign(&["ca", "crl", "--old", "--out", "old.crl"]).ok();
    world.countersign(&["ca", "rollover", "finish"]).ok();
    assert_eq!(count(), 4);
    world.countersign(&["party", "add", "bob"]).ok();
}
