//! `check HOST --starttls`: the servers that people run, each of Debian's, on a free port with a certificate of its own;
//! and the way through a proxy.

use std::process::{Command, Stdio};

use serde_json::Value;
use testkit::peers::{self, Files, Started};
use testkit::{Gate, Leaf, Output, Sandbox, TestCa, TestCert, eventually, free_port};

use crate::support::binary;

/// The name that the servers' certificates are for, and that an XMPP server serves.
const HOST: &str = "localhost";

/// A CA and a server certificate of it, in a directory with `root.pem`.
struct World {
    sandbox: Sandbox,
    cert: TestCert,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let ca = TestCa::new("Mail CA");
        sandbox.write("root.pem", ca.pem());
        Self { sandbox, cert: Leaf::server(HOST).issued_by(&ca) }
    }

    fn check(&self, port: u16, extra: &[&str]) -> Output {
        let host = format!("{HOST}:{port}");
        let args = ["check", &host, "--connect", "127.0.0.1", "--private", "--roots", "root.pem", "--json"];
        self.sandbox.countersign(&[&args[..], extra].concat())
    }

    /// Each protocol of the server leads to its certificate, and nothing is wrong with it.
    fn is_right(&self, (_peer, ports): Started) {
        for (word, port) in ports {
            let told = self.check(port, &["--starttls", word]).exited(0);
            let report = told.json();
            assert_ne!(report["verdict"], "errors", "{word} {}", told.story());
            assert_eq!(report["chain"][0]["thumbprint"], self.cert.thumbprint(), "{word} {}", told.story());
            assert_eq!(report["host"]["addresses"][0]["early"], Value::Null, "{word} {}", told.story());
            let has_key = report["host"]["addresses"][0]["handshakes"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["has_key"] == true);
            assert!(has_key, "{word} {}", told.story());
        }
    }

    /// What is said of a server that speaks the protocol and has no TLS.
    fn has_none(&self, (_peer, ports): Started, said: &str) {
        let (word, port) = ports[0];
        let told = self.check(port, &["--starttls", word]).exited(4);
        assert!(told.stderr.contains("does not offer"), "{word} {}", told.story());
        assert!(told.stderr.contains(said), "{word} {}", told.story());
        assert!(told.stderr.contains("turn TLS on in the server"), "{word} {}", told.story());
    }
}

#[test]
fn postfix_shows_its_certificate_or_says_that_it_has_none() {
    let world = World::new();
    world.is_right(peers::postfix(&Files::new(&world.cert), true));
    world.has_none(peers::postfix(&Files::new(&world.cert), false), "250 mail.example");
}

#[test]
fn dovecot_shows_its_certificate_by_imap_pop3_managesieve_and_lmtp() {
    let world = World::new();
    world.is_right(peers::dovecot(&Files::new(&world.cert)));
}

#[test]
fn vsftpd_shows_its_certificate_or_says_that_it_has_none() {
    let world = World::new();
    world.is_right(peers::vsftpd(&Files::new(&world.cert), true));
    world.has_none(peers::vsftpd(&Files::new(&world.cert), false), "530");
}

#[test]
fn openldap_shows_its_certificate_or_says_that_it_has_none() {
    let world = World::new();
    world.is_right(peers::slapd(&Files::new(&world.cert), true));
    world.has_none(peers::slapd(&Files::new(&world.cert), false), "protocolError");
}

#[test]
fn prosody_shows_its_certificate() {
    let world = World::new();
    world.is_right(peers::prosody(&Files::new(&world.cert)));
}

#[test]
fn postgresql_shows_its_certificate_or_says_that_it_has_none() {
    let world = World::new();
    world.is_right(peers::postgresql(&Files::new(&world.cert), true));
    world.has_none(peers::postgresql(&Files::new(&world.cert), false), "\u{201c}N\u{201d}");
}

#[test]
fn mariadb_shows_its_certificate_or_says_that_it_has_none() {
    let world = World::new();
    world.is_right(peers::mariadb(&Files::new(&world.cert), true));
    world.has_none(peers::mariadb(&Files::new(&world.cert), false), "MariaDB");
}

/// tinyproxy leads to the mail server on this port and to no other port.
fn tinyproxy(world: &World, port: u16) -> (Gate, u16) {
    let proxy = free_port();
    let conf = format!(
        "Port {proxy}\nListen 127.0.0.1\nAllow 127.0.0.1\nConnectPort {port}\nMaxClients 10\nTimeout 30\n\
         BasicAuth checker open-sesame\n"
    );
    world.sandbox.write("tinyproxy.conf", conf);
    let mut command = Command::new("tinyproxy");
    command.args(["-d", "-c"]).arg(world.sandbox.dir().join("tinyproxy.conf")).stdin(Stdio::null());
    let program = Gate::spawn(command);
    eventually("the proxy listens", || std::net::TcpStream::connect(("127.0.0.1", proxy)).ok());
    (program, proxy)
}

#[test]
fn a_proxy_leads_to_the_server_and_is_told_of_when_it_does_not() {
    let world = World::new();
    let files = Files::new(&world.cert);
    let (_peer, ports) = peers::postfix(&files, true);
    let (_proxy, at) = tinyproxy(&world, ports[0].1);
    world.sandbox.write("proxy.password", "open-sesame\n");
    let named = format!("http://checker@127.0.0.1:{at}");
    let through = ["--starttls", "smtp", "--proxy", &named, "--proxy-password-file", "proxy.password"];
    let told = world.check(ports[0].1, &through).exited(0);
    let report = told.json();
    assert_eq!(report["chain"][0]["thumbprint"], world.cert.thumbprint(), "{}", told.story());
    let address = format!("127.0.0.1:{} through 127.0.0.1:{at}", ports[0].1);
    assert_eq!(report["host"]["addresses"][0]["address"], address, "{}", told.story());

    let stranger = format!("http://127.0.0.1:{at}");
    let told = world.check(ports[0].1, &["--starttls", "smtp", "--proxy", &stranger]).exited(4);
    assert!(told.stderr.contains("wants a user's name and password"), "{}", told.story());
    assert!(told.stderr.contains("--proxy-password-file"), "{}", told.story());
    let told = world.check(free_port(), &through).exited(4);
    assert!(told.stderr.contains("the proxy does not lead to 127.0.0.1:"), "{}", told.story());
    let told = world.check(1, &["--proxy", "http://me:secret@127.0.0.1:1"]).exited(2);
    assert!(!told.both().contains("secret"), "{}", told.story());
}

#[test]
fn what_is_for_servers_alone_is_refused_beside_a_file() {
    let world = World::new();
    for (flag, value) in
        [("--starttls", "smtp"), ("--proxy", "http://127.0.0.1:1"), ("--connect", "127.0.0.1")]
    {
        let told = world.sandbox.countersign(&["check", "root.pem", flag, value]).exited(2);
        assert!(told.stderr.contains(&format!("{flag} is for a server")), "{}", told.story());
    }
    let told = world.check(1, &["--starttls", "gopher"]).exited(2);
    assert!(told.both().contains("possible values: smtp"), "{}", told.story());
}
