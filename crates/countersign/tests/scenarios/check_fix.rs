//! `check --fix` and `--out`: a broken chain is handed back whole, and real servers then serve it.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use testkit::{Sandbox, TestCa};

use crate::check_hosts::server::Server as Live;
use crate::other_servers::Server;
use crate::support::binary;

const HOST: &str = "www.example.com";

struct Site {
    sandbox: Sandbox,
}

impl Site {
    /// `alone.pem`: the server's certificate without its intermediate; `jumbled.pem`: intermediate, root and certificate in
    /// no order; `issuing.pem`, `ca.pem`, `www.key`.
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let root = TestCa::new("Some Root");
        let issuing = root.intermediate("Some Issuing CA");
        let www = issuing.issue_server(HOST);
        www.write(sandbox.dir(), "www");
        sandbox.write("alone.pem", www.pem.clone());
        sandbox.write("issuing.pem", issuing.pem());
        sandbox.write("ca.pem", root.pem());
        sandbox.write("jumbled.pem", format!("{}{}{}", www.pem, root.pem(), issuing.pem()));
        Self { sandbox }
    }

    fn dir(&self) -> &Path {
        self.sandbox.dir()
    }

    fn check(&self, args: &[&str]) -> testkit::Output {
        let all = [&["check", "--private", "--roots", "ca.pem", "--servername", HOST], args].concat();
        self.sandbox.countersign(&all)
    }

    /// The steps for this server, by a look at a live one that serves its certificate alone, with the chain written to
    /// `fullchain.pem`; shell steps but the last are run.
    fn steps(&self, server: &str) -> String {
        let broken = Live::start(self.dir(), "alone", "www", &[]);
        let host = format!("{HOST}:{}", broken.port);
        let look = [host.as_str(), "--connect", "127.0.0.1"];
        let found = self.check(&[&look[..], &["--json"]].concat()).exited(1).json();
        assert!(ids(&found).contains(&"chain-incomplete"), "{found:#}");
        let args = ["--intermediates", "issuing.pem", "--key", "www.key"];
        let fix = ["--fix", server, "--out", "fullchain.pem", "--json"];
        let told = self.check(&[&look[..], &args, &fix].concat()).ok();
        let steps = told.json()["steps"].as_array().unwrap().clone();
        let (last, before) = steps.split_last().unwrap();
        assert_eq!(last["reads"], "shell", "the last step makes the server read it: {last}");
        let mut settings = String::new();
        for step in before {
            let lines = step["lines"].as_str().unwrap();
            match step["reads"].as_str().unwrap() {
                "shell" => {
                    let run =
                        Command::new("sh").args(["-euc", lines]).current_dir(self.dir()).status().unwrap();
                    assert!(run.success(), "{lines}");
                }
                _ => settings += lines,
            }
        }
        settings
    }

    /// A look at the server finds nothing wrong with its chain.
    fn is_clean(&self, server: &Server) {
        let host = format!("{HOST}:{}", server.port);
        let told = self.check(&[&host, "--connect", "127.0.0.1", "--json"]).exited(0);
        let report = told.json();
        let ids: Vec<&str> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|f| f["severity"] != "notice")
            .map(|f| f["id"].as_str().unwrap())
            .collect();
        let served =
            report["chain"].as_array().unwrap().iter().filter(|link| link["source"] == "served").count();
        assert_eq!(served, 2, "{report:#}");
        assert!(!ids.iter().any(|id| id.starts_with("chain-")), "{ids:?}");
        assert_ne!(report["verdict"], "errors", "{report:#}");
    }
}

/// The ids of a report's findings.
fn ids(report: &Value) -> Vec<&str> {
    report["findings"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect()
}

#[test]
fn the_broken_chain_is_broken() {
    let site = Site::new();
    for (file, id) in [("alone.pem", "chain-incomplete"), ("jumbled.pem", "chain-wrong-order")] {
        let report = site.check(&[file, "--json"]).json();
        let found: Vec<&str> =
            report["findings"].as_array().unwrap().iter().map(|f| f["id"].as_str().unwrap()).collect();
        assert!(found.contains(&id), "{file}: {found:?}");
    }
}

#[test]
fn out_writes_what_is_missing_in_order_and_without_the_root() {
    let site = Site::new();
    let whole = std::fs::read_to_string(site.dir().join("www.pem")).unwrap();
    assert_eq!(whole.matches("BEGIN CERTIFICATE").count(), 2);
    site.check(&["alone.pem", "--intermediates", "issuing.pem", "--out", "a.pem"]).ok();
    assert_eq!(std::fs::read_to_string(site.dir().join("a.pem")).unwrap(), whole);
    site.check(&["jumbled.pem", "--out", "b.pem"]).ok();
    assert_eq!(std::fs::read_to_string(site.dir().join("b.pem")).unwrap(), whole);
    let same = site.check(&["www.pem", "--out", "c.pem"]).ok();
    assert_eq!(std::fs::read_to_string(site.dir().join("c.pem")).unwrap(), whole);
    assert!(same.stderr.contains("in its right form as it is"), "{}", same.story());
}

/// A chain is put together by its names and signatures, also where no client would take it.
#[test]
fn a_weak_certificate_gets_its_chain_too_and_the_weakness_is_said() {
    let site = Site::new();
    let root = TestCa::new("Old Root");
    let issuing = root.intermediate("Old Issuing CA");
    let old = testkit::Leaf::server(HOST).sha1().issued_by(&issuing);
    site.sandbox.write("old.pem", old.pem.clone());
    site.sandbox.write("old-issuing.pem", issuing.pem());
    site.sandbox.write("ca.pem", root.pem());
    let told = site.check(&["old.pem", "--intermediates", "old-issuing.pem", "--out", "a.pem"]).exited(1);
    assert!(told.stderr.contains("signature-sha1"), "{}", told.story());
    assert_eq!(std::fs::read_to_string(site.dir().join("a.pem")).unwrap(), old.chain_pem);
}

#[test]
fn without_the_missing_certificate_nothing_is_written_and_it_is_named() {
    let site = Site::new();
    let told = site.check(&["alone.pem", "--out", "a.pem", "--fix", "nginx"]).exited(1);
    assert!(told.stderr.contains("Some Issuing CA"), "{}", told.story());
    assert!(told.stderr.contains("--intermediates"), "{}", told.story());
    assert!(!site.dir().join("a.pem").exists());
    assert_eq!(told.stdout, "");
}

#[test]
fn a_dry_run_writes_nothing() {
    let site = Site::new();
    site.check(&["jumbled.pem", "--out", "a.pem", "--dry-run"]).ok();
    assert!(!site.dir().join("a.pem").exists());
}

#[test]
fn what_a_chain_cannot_mend_is_said_and_fails() {
    let site = Site::new();
    let args = ["check", "www.pem", "--private", "--roots", "ca.pem", "--servername", "mail.example.com"];
    let told = site.sandbox.countersign(&[&args[..], &["--fix", "nginx"]].concat()).exited(1);
    assert!(told.stderr.contains("This does not mend"), "{}", told.story());
    assert!(told.stderr.contains("hostname-mismatch"), "{}", told.story());
}

#[test]
fn without_out_the_lines_hold_the_chain_itself() {
    let site = Site::new();
    // Without --servername the host is taken from the certificate.
    let args = ["check", "jumbled.pem", "--private", "--roots", "ca.pem", "--fix", "nginx"];
    let told = site.sandbox.countersign(&args).ok();
    let whole = std::fs::read_to_string(site.dir().join("www.pem")).unwrap();
    assert!(
        told.stdout.contains(&format!("cat > /etc/ssl/{HOST}.pem <<'END'\n{whole}END\n")),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains(&format!("ssl_certificate     /etc/ssl/{HOST}.pem;")), "{}", told.stdout);
}

#[test]
fn nginx_serves_the_chain_after_its_lines() {
    let site = Site::new();
    let lines = site.steps("nginx");
    site.is_clean(&Server::nginx(site.dir(), "", &lines, HOST));
}

#[test]
fn apache_serves_the_chain_after_its_lines() {
    let site = Site::new();
    let lines = site.steps("apache");
    site.is_clean(&Server::apache(site.dir(), &lines, HOST));
}

#[test]
fn haproxy_serves_the_chain_after_its_lines() {
    let site = Site::new();
    let lines = site.steps("haproxy");
    site.is_clean(&Server::haproxy(site.dir(), &lines));
}

#[test]
fn caddy_serves_the_chain_after_its_lines() {
    let site = Site::new();
    let lines = site.steps("caddy");
    site.is_clean(&Server::caddy(site.dir(), &lines, HOST));
}

/// The pkcs12 file that IIS and Java take holds the whole chain and the key.
#[test]
fn the_file_for_iis_and_java_holds_chain_and_key() {
    let site = Site::new();
    for (server, ending) in [("iis", "pfx"), ("java", "p12")] {
        let args = ["alone.pem", "--intermediates", "issuing.pem", "--key", "www.key"];
        let told = site
            .check(&[&args[..], &["--fix", server, "--out", "fullchain.pem", "--json"]].concat())
            .ok()
            .json();
        let line =
            told["steps"][0]["lines"].as_str().unwrap().replace(" -export", " -export -passout pass:word");
        let run = Command::new("sh").args(["-euc", &line]).current_dir(site.dir()).status().unwrap();
        assert!(run.success(), "{line}");
        site.sandbox.write("password", "word\n");
        let file = format!("fullchain.{ending}");
        let report = site.check(&[&file, "--password-file", "password", "--json"]).json();
        assert_ne!(report["verdict"], "errors", "{report:#}");
    }
}

#[test]
fn node_serves_the_chain_after_its_lines() {
    let site = Site::new();
    let args = ["alone.pem", "--intermediates", "issuing.pem", "--key", "www.key"];
    let told =
        site.check(&[&args[..], &["--fix", "node", "--out", "fullchain.pem", "--json"]].concat()).ok().json();
    site.is_clean(&Server::node(site.dir(), told["steps"][0]["lines"].as_str().unwrap()));
}
