//! Ten websites that are broken as websites are, on real servers: the report's first sentence has the true cause, and what
//! the report says repairs it. The table in the guide's page on the check is this one.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{Access, KeyType, Leaf, Output, Sandbox, TestCa};

use crate::check_fetches::http::{Http, ok};
use crate::other_servers::Server;
use crate::support::binary;

const HOST: &str = "www.example.com";
/// An older nginx leaves the newest version out, if it is not told.
const BOTH_VERSIONS: &str = "ssl_protocols TLSv1.2 TLSv1.3;";

/// A CA of two levels whose intermediate can be fetched, and what its sites serve.
struct World {
    sandbox: Sandbox,
    issuing: TestCa,
    http: Http,
}

impl World {
    /// `www.pem`, `www.key`: a right chain of the host; `alone.pem`: its first certificate; `ca.pem`: the root.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let http = Http::start();
        let root = TestCa::new("Some Root");
        let issuing = root.intermediate("Some Issuing CA");
        http.gives("/issuing.cer", ok(issuing.der()));
        sandbox.write("ca.pem", root.pem());
        let world = Self { sandbox, issuing, http };
        world.issue("www", Leaf::server(HOST));
        let whole = world.sandbox.read("www.pem");
        let end = "-----END CERTIFICATE-----\n";
        world.sandbox.write("alone.pem", whole.split_inclusive(end).next().unwrap());
        world
    }

    /// A certificate with its key and its intermediate, whose address it names.
    fn issue(&self, name: &str, leaf: Leaf) {
        let url = self.http.url("/issuing.cer");
        leaf.access(&[(Access::Issuer, &url)]).issued_by(&self.issuing).write(self.dir(), name);
    }

    fn dir(&self) -> &Path {
        self.sandbox.dir()
    }

    /// A look at the server at this port.
    fn look(&self, port: u16, extra: &[&str]) -> Output {
        let host = format!("{HOST}:{port}");
        let args = ["check", &host, "--connect", "127.0.0.1", "--private", "--roots", "ca.pem"];
        self.sandbox.countersign(&[&args[..], extra].concat())
    }

    /// The site is understood: the first sentence begins so, and the report has this remedy.
    #[track_caller]
    fn understood(&self, port: u16, extra: &[&str], sentence: &str, remedy: &str) {
        let told = self.look(port, extra);
        let lines = told.stdout.lines().collect::<Vec<_>>();
        assert!(lines.iter().any(|line| line.starts_with(sentence)), "{sentence}\n{}", told.story());
        let flat = told.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(flat.contains(remedy), "{remedy}\n{}", told.story());
    }

    /// Nothing is wrong with the site any more.
    #[track_caller]
    fn repaired(&self, port: u16, extra: &[&str]) {
        let told = self.look(port, &[&["--fail-on", "warning"][..], extra].concat());
        assert_eq!(told.code, 0, "{}", told.story());
        assert!(told.stdout.contains("Nothing wrong was found."), "{}", told.story());
    }

    /// Does what `--fix` says for this server at this port: its shell steps but the last are run, and its settings handed
    /// back. The chain is written to `fullchain.pem`.
    fn fix(&self, port: u16, server: &str, extra: &[&str]) -> String {
        let args = ["--key", "www.key", "--fix", server, "--out", "fullchain.pem", "--json"];
        let told = self.look(port, &[&args[..], extra].concat()).exited(0).json();
        let mut steps = told["steps"].as_array().unwrap().clone();
        // What makes the server read its settings: here it is started anew.
        if steps.last().is_some_and(|last| last["title"] == "Then") {
            steps.pop();
        }
        let mut settings = String::new();
        for step in steps {
            let lines = step["lines"].as_str().unwrap();
            match step["reads"].as_str().unwrap() {
                "shell" => assert!(shell(self.dir(), lines), "{lines}"),
                _ => settings += lines,
            }
        }
        settings
    }

    fn nginx(&self, certificates: &[&str], more: &str) -> Server {
        let dir = self.dir().display();
        let each = certificates.iter().map(|name| {
            let key = if *name == "alone" { "www" } else { *name };
            format!("ssl_certificate {dir}/{name}.pem; ssl_certificate_key {dir}/{key}.key;")
        });
        Server::nginx(self.dir(), BOTH_VERSIONS, &(each.collect::<String>() + more), HOST)
    }

    fn apache(&self, name: &str, more: &str) -> Server {
        let dir = self.dir().display();
        let lines =
            format!("SSLCertificateFile {dir}/{name}.pem\nSSLCertificateKeyFile {dir}/{name}.key\n{more}\n");
        Server::apache(self.dir(), &lines, HOST)
    }
}

fn shell(dir: &Path, lines: &str) -> bool {
    Command::new("sh").args(["-euc", lines]).current_dir(dir).status().unwrap().success()
}

/// 1. nginx serves its certificate alone. The report offers to fetch what is missing.
#[test]
fn the_intermediate_is_missing() {
    let world = World::new();
    let broken = world.nginx(&["alone"], "");
    let sentence = "Clients that fetch nothing refuse it; others must fetch what is missing: the certificate of its issuer is missing: CN=Some Issuing CA";
    world.understood(broken.port, &[], sentence, "put the missing certificate behind the server's own");
    let settings = world.fix(broken.port, "nginx", &["--fetch"]);
    drop(broken);
    world.repaired(Server::nginx(world.dir(), BOTH_VERSIONS, &settings, HOST).port, &[]);
}

/// 2. Apache serves a certificate that ended: it is renewed, and Apache reads it.
#[test]
fn the_certificate_ended() {
    let world = World::new();
    world.issue("old", Leaf::server(HOST).ended_yesterday());
    let broken = world.apache("old", "");
    let remedy = "Renew the certificate, and see that what renews it also reloads the server.";
    world.understood(broken.port, &[], "Every client refuses it: the certificate ended ", remedy);
    drop(broken);
    world.repaired(world.apache("www", "").port, &[]);
}

/// 3. HAProxy has the certificates in a wrong order.
#[test]
fn the_certificates_are_in_a_wrong_order() {
    let world = World::new();
    let lower = world.issuing.intermediate("Some Lower CA");
    let leaf = lower.issue_server(HOST);
    leaf.write(world.dir(), "www");
    let all = [&leaf.pem, &world.issuing.pem(), &lower.pem(), &world.sandbox.read("www.key")];
    world.sandbox.write("jumbled.pem", all.map(String::as_str).concat());
    let bind = format!("bind :443 ssl crt {}/jumbled.pem\n", world.dir().display());
    let broken = Server::haproxy(world.dir(), &bind);
    let sentence =
        "Clients take it, with a warning: Some Issuing CA stands before the certificate that it issued";
    world.understood(broken.port, &[], sentence, "Put the certificates in order");
    let settings = world.fix(broken.port, "haproxy", &[]);
    drop(broken);
    world.repaired(Server::haproxy(world.dir(), &settings).port, &[]);
}

/// 4. nginx serves the certificate of another site of its own.
#[test]
fn the_certificate_is_that_of_another_site() {
    let world = World::new();
    world.issue("shop", Leaf::server("shop.example.com"));
    let broken = world.nginx(&["shop"], "");
    let sentence =
        "Every client refuses it: the certificate is not for www.example.com, but for shop.example.com";
    world.understood(
        broken.port,
        &[],
        sentence,
        "Have a certificate issued whose subject alternative names list",
    );
    drop(broken);
    world.repaired(world.nginx(&["www"], "").port, &[]);
}

/// 5. Caddy serves a certificate that it signed itself.
#[test]
fn the_certificate_is_signed_by_itself() {
    let world = World::new();
    let own = Leaf::server(HOST).self_signed();
    own.write(world.dir(), "own");
    let dir = world.dir().display();
    let broken = Server::caddy(world.dir(), &format!("tls {dir}/own.pem {dir}/own.key"), HOST);
    let sentence =
        "Clients with these roots refuse it: the chain ends at www.example.com, which is no trust anchor";
    world.understood(broken.port, &[], sentence, "Get a certificate from a CA that the clients trust");
    drop(broken);
    let caddy = Server::caddy(world.dir(), &format!("tls {dir}/www.pem {dir}/www.key"), HOST);
    world.repaired(caddy.port, &[]);
}

/// 6. Node.js has its intermediate in `ca`, where it does not belong.
#[test]
fn the_intermediate_is_in_the_wrong_setting() {
    let world = World::new();
    let lines = "const { readFileSync } = require(\"node:fs\");\nconst server = require(\"node:https\").createServer({\n\
                 cert: readFileSync(`${__dirname}/alone.pem`), key: readFileSync(`${__dirname}/www.key`),\n\
                 requestCert: false }, app);\n";
    let broken = Server::node(world.dir(), lines);
    let sentence = "Clients that fetch nothing refuse it; others must fetch what is missing: the certificate of its issuer is missing";
    world.understood(broken.port, &[], sentence, "put the missing certificate behind the server's own");
    let lines = world.fix(broken.port, "node", &["--fetch"]);
    drop(broken);
    world.repaired(Server::node(world.dir(), &lines).port, &[]);
}

/// 7. The file was renewed, and nginx was not made to read it again.
#[test]
fn the_server_was_not_reloaded() {
    let world = World::new();
    let stale = world.nginx(&["www"], "");
    world.issue("www", Leaf::server(HOST));
    let expect = ["--expect", "www.pem"];
    let sentence =
        "Clients take it, but it breaks a rule: the host serves the certificate of www.example.com from ";
    world.understood(stale.port, &expect, sentence, "Make the server read its certificate again");
    drop(stale);
    world.repaired(world.nginx(&["www"], "").port, &expect);
}

/// 8. Apache speaks TLS 1.2 alone.
#[test]
fn the_newest_version_is_turned_off() {
    let world = World::new();
    let broken = world.apache("www", "SSLProtocol -all +TLSv1.2");
    let sentence = "Clients take it, with a warning: the host speaks TLS 1.2 and no TLS 1.3";
    world.understood(broken.port, &[], sentence, "Turn TLS 1.3 on in the server");
    drop(broken);
    world.repaired(world.apache("www", "SSLProtocol -all +TLSv1.2 +TLSv1.3").port, &[]);
}

/// 9. One of two machines behind the name has an old certificate still.
#[test]
fn one_of_two_machines_was_forgotten() {
    let world = World::new();
    let new = world.nginx(&["www"], "");
    world.issue("old", Leaf::server(HOST).valid_from_now(-86_400, 86_400));
    let both = |other: &Server| {
        let addresses = [new.port, other.port].map(|port| format!("127.0.0.1:{port}"));
        let args = [
            "check",
            HOST,
            "--private",
            "--roots",
            "ca.pem",
            "--connect",
            &addresses[0],
            "--connect",
            &addresses[1],
        ];
        world.sandbox.countersign(&[&args[..], &["--json"]].concat())
    };
    let forgotten = world.apache("old", "");
    let reports = both(&forgotten).json();
    let sentence = reports[0]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Clients take it, with a warning: "), "{reports:#}");
    assert!(sentence.contains(&format!("127.0.0.1:{}", forgotten.port)), "{reports:#}");
    let remedy = "Put the same certificate file on every machine behind the name, and load it anew on each.";
    assert!(reports[0]["findings"].to_string().contains(remedy), "{reports:#}");
    drop(forgotten);
    let repaired = both(&world.apache("www", "")).exited(0).json();
    assert_eq!(repaired["verdict"], "right", "{repaired:#}");
}

/// 10. nginx has a second certificate, for old clients, that nobody renewed.
#[test]
fn the_second_certificate_was_forgotten() {
    let world = World::new();
    world.issue("rsa", Leaf::server(HOST).key_type(KeyType::Rsa2048).ended_yesterday());
    let broken = world.nginx(&["www", "rsa"], "");
    let reports = world.look(broken.port, &["--json"]).exited(1).json();
    assert_eq!(reports[0]["verdict"], "right", "{reports:#}");
    let sentence = reports[1]["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("Every client refuses it: the certificate ended "), "{reports:#}");
    drop(broken);
    world.issue("rsa", Leaf::server(HOST).key_type(KeyType::Rsa2048));
    let repaired: Value = world.look(world.nginx(&["www", "rsa"], "").port, &["--json"]).exited(0).json();
    assert!(repaired.as_array().unwrap().iter().all(|one| one["verdict"] == "right"), "{repaired:#}");
}
