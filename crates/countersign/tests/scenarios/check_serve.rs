//! `check serve`: the page and the end point over the real binary: what they show, what they refuse, how much they do, and
//! what hostile visitors and hostile servers come to.

pub mod bounds;
mod looks;
mod pace;
mod page;
mod rebinding;
mod requests;
pub mod resolver;

use serde_json::Value;
use testkit::{Leaf, Sandbox, TestCa};

use crate::check_hosts::server::Server;
use crate::support::binary;
use page::Page;

/// The name in the certificates here. The page is asked for an address: a certificate for that is right.
const HOST: &str = "127.0.0.1";

/// A PKI of three levels in a directory, and a server that shows the whole chain.
struct Bench {
    sandbox: Sandbox,
    issuing: TestCa,
}

impl Bench {
    /// `www.pem` (the server's chain) with `www.key`, `leaf.pem` (its own alone), `issuing.pem` and `root.pem`.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let root = TestCa::new("Page Root");
        let issuing = root.intermediate("Page Issuing CA");
        let leaf = Leaf::server("www.page.example").ip(HOST.parse().unwrap()).issued_by(&issuing);
        leaf.write(sandbox.dir(), "www");
        sandbox.write("leaf.pem", &leaf.pem);
        sandbox.write("issuing.pem", issuing.pem());
        sandbox.write("root.pem", root.pem());
        Self { sandbox, issuing }
    }

    fn serve(&self, chain: &str, key: &str, extra: &[&str]) -> Server {
        Server::start(self.sandbox.dir(), chain, key, extra)
    }

    /// A page for inner hosts at any port.
    fn page(&self, extra: &[&str]) -> Page {
        let args =
            ["--allow-private", "--ports", "any", "--private", "--roots", "root.pem", "--rate", "100000"];
        Page::start(&self.sandbox, &[&args[..], extra].concat())
    }
}

/// The ids of a report's findings.
fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}
