//! `check HOST`: real `openssl s_server`s in faulty set-ups, each told by its true cause in the first sentence; hosts
//! that ask for client certificates; and hosts that mean harm.

mod certificates;
mod client_certificates;
mod faulty;
mod hostile;
mod more_looks;
pub mod server;
mod versions;

use serde_json::Value;
use testkit::{Leaf, Output, Sandbox, TestCa};

use crate::support::binary;
use server::Server;

/// The host that every server here stands for.
const HOST: &str = "www.look.example";

/// A PKI of three levels in a directory.
struct Bench {
    sandbox: Sandbox,
    root: TestCa,
    issuing: TestCa,
}

impl Bench {
    /// `www.pem` (the server's chain) with `www.key`, `leaf.pem` (its own alone), `issuing.pem` and `root.pem`.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let root = TestCa::new("Look Root");
        let issuing = root.intermediate("Look Issuing CA");
        let leaf = issuing.issue_server(HOST);
        leaf.write(sandbox.dir(), "www");
        sandbox.write("leaf.pem", &leaf.pem);
        sandbox.write("issuing.pem", issuing.pem());
        sandbox.write("root.pem", root.pem());
        Self { sandbox, root, issuing }
    }

    /// Another server certificate and key, `NAME.pem` and `NAME.key`, with the issuing CA's behind it.
    fn leaf(&self, name: &str, leaf: Leaf) {
        leaf.issued_by(&self.issuing).write(self.sandbox.dir(), name);
    }

    /// A server with this chain and the key `KEY.key`.
    fn serve(&self, chain: &str, key: &str, extra: &[&str]) -> Server {
        Server::start(self.sandbox.dir(), chain, key, extra)
    }

    /// The check of what listens on this port.
    fn check(&self, port: u16, extra: &[&str]) -> Output {
        let host = format!("{HOST}:{port}");
        let args = ["check", &host, "--connect", "127.0.0.1", "--private", "--roots", "root.pem"];
        self.sandbox.countersign(&[&args[..], extra].concat())
    }

    /// The same as JSON, which fits the published schema.
    fn report(&self, port: u16, extra: &[&str]) -> Value {
        let report = self.check(port, &[extra, &["--json"]].concat()).json();
        let schema: Value = serde_json::from_str(include_str!("../../../../docs/schema/check.json")).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        let wrong: Vec<String> = schema.iter_errors(&report).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{wrong:?}\n{report:#}");
        report
    }
}

/// The ids of a report's findings.
fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

fn sentence(report: &Value) -> &str {
    report["sentence"].as_str().unwrap()
}
