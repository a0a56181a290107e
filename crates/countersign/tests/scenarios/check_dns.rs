//! `check HOST --dns`: what the DNS says of a host, asked of a real dnsmasq; every question is told.

use std::process::{Command, Stdio};

use data_encoding::HEXLOWER;
use serde_json::Value;
use testkit::{Gate, Output, Sandbox, TestCa, TestCert, eventually, free_port};

use crate::check_hosts::server::Server;
use crate::support::binary;

const HOST: &str = "www.look.example";

struct World {
    sandbox: Sandbox,
    cert: TestCert,
    server: Server,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let root = TestCa::new("Look Root");
        let cert = root.issue_server(HOST);
        cert.write(sandbox.dir(), "www");
        sandbox.write("root.pem", root.pem());
        let server = Server::start(sandbox.dir(), "www", "www", &[]);
        Self { sandbox, cert, server }
    }

    /// A resolver that knows these records alone, each `NAME,TYPE,HEX`.
    fn resolver(&self, records: &[String]) -> (Gate, u16) {
        let port = free_port();
        let mut command = Command::new("dnsmasq");
        command.args([
            "--keep-in-foreground",
            "--no-resolv",
            "--no-hosts",
            "--conf-file=/dev/null",
            "--user=root",
        ]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example/", "--pid-file"]);
        command.arg(format!("--port={port}"));
        command.args(records.iter().map(|record| format!("--dns-rr={record}"))).stdin(Stdio::null());
        let program = Gate::spawn(command);
        eventually("the resolver listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        (program, port)
    }

    fn check(&self, resolver: &str, extra: &[&str]) -> Output {
        let host = format!("{HOST}:{}", self.server.port);
        let dns = format!("--dns={resolver}");
        let args = ["check", &host, "--connect", "127.0.0.1", "--roots", "root.pem", "--json", &dns];
        self.sandbox.countersign(&[&args[..], extra].concat())
    }

    /// A TLSA record of the host's port for this data.
    fn pinned(&self, data: &[u8]) -> String {
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, data);
        format!("_{}._tcp.{HOST},52,030001{}", self.server.port, HEXLOWER.encode(hash.as_ref()))
    }
}

/// A CAA record.
fn caa(name: &str, tag: &str, value: &str) -> String {
    let data = [&[0, tag.len() as u8], tag.as_bytes(), value.as_bytes()].concat();
    format!("{name},257,{}", HEXLOWER.encode(&data))
}

fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

#[test]
fn who_may_issue_is_asked_upwards_and_each_question_is_told() {
    let world = World::new();
    let (_program, port) = world.resolver(&[caa("look.example", "issue", ";")]);
    let at = format!("127.0.0.1:{port}");
    let report = world.check(&at, &["--profile", "web"]).json();
    assert!(ids(&report).contains(&"caa-forbids-current-issuer"), "{report:#}");
    assert!(!ids(&report).contains(&"caa-absent"), "{report:#}");
    let asked: Vec<(&str, &str)> = report["network"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["url"].as_str().unwrap(), one["came"].as_str().unwrap()))
        .collect();
    let (own, above) = (format!("dns://{at}/{HOST}?TYPE=CAA"), format!("dns://{at}/look.example?TYPE=CAA"));
    let pins = format!("dns://{at}/_{}._tcp.{HOST}?TYPE=TLSA", world.server.port);
    let led = format!("dns://{at}/_{}._https.{HOST}?TYPE=HTTPS", world.server.port);
    assert_eq!(
        asked,
        [
            (own.as_str(), "no record"),
            (above.as_str(), "one record"),
            (pins.as_str(), "no record"),
            (led.as_str(), "no record")
        ]
    );

    let (_program, port) = world.resolver(&[]);
    let report = world.check(&format!("127.0.0.1:{port}"), &["--profile", "web"]).json();
    assert!(ids(&report).contains(&"caa-absent"), "{report:#}");
}

#[test]
fn a_pin_of_another_certificate_is_found_and_that_of_the_one_in_use_is_right() {
    let world = World::new();
    let own = world.pinned(&world.cert.der);
    let (_program, port) = world.resolver(&[own]);
    let report = world.check(&format!("127.0.0.1:{port}"), &["--private"]).exited(0).json();
    assert!(!ids(&report).contains(&"tlsa-mismatch"), "{report:#}");
    let (_program, port) = world.resolver(&[world.pinned(b"another")]);
    let report = world.check(&format!("127.0.0.1:{port}"), &["--private"]).json();
    let found = report["findings"].as_array().unwrap().iter().find(|one| one["id"] == "tlsa-mismatch");
    // This resolver verifies nothing: clients would not use the record.
    assert_eq!(found.expect("a finding")["severity"], "warning", "{report:#}");
}

#[test]
fn a_resolver_that_does_not_answer_is_told_and_holds_nothing_up() {
    let world = World::new();
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = silent.local_addr().unwrap().to_string();
    let report = world.check(&at, &["--private"]).exited(0).json();
    assert_eq!(report["network"][0]["fault"], "the resolver does not answer", "{report:#}");
    let told = world.check("nowhere", &["--private"]).exited(2);
    assert!(told.both().contains("--dns: `nowhere` is no address"), "{}", told.story());
    let file = world.sandbox.countersign(&["check", "www.pem", "--dns=127.0.0.1"]).exited(2);
    assert!(file.stderr.contains("--dns is for a server"), "{}", file.story());
    // Nobody is asked who was not named.
    let host = format!("{HOST}:{}", world.server.port);
    let args = ["check", &host, "--connect", "127.0.0.1", "--private", "--roots", "root.pem", "--json"];
    let report = world.sandbox.countersign(&args).exited(0).json();
    assert_eq!(report["network"], serde_json::json!([]), "{report:#}");
}
