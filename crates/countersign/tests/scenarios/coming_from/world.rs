//! A folder with the files that the pages name, a website, and those who knock.

use std::path::Path;

use testkit::ca::Crl;
use testkit::echo::Seen;
use testkit::tools::curl_at;
use testkit::{Echo, Gate, Leaf, Sandbox, TestCa, free_port};

use super::page::Page;
use crate::support::{binary, eventually};

const HOST: &str = "portal.test";

/// Who knocks: two partners; one of the same CA with another organisation; one whom the CA has revoked; one of another CA
/// with a partner's names; nobody.
pub const EVERYONE: [Option<&str>; 6] =
    [Some("svc-1"), Some("svc-2"), Some("other"), Some("revoked"), Some("stranger"), None];

/// The files and the website. Beside [`EVERYONE`] there is `no-usage`, of the CA, without extended key usage.
pub struct World {
    sandbox: Sandbox,
    /// The website.
    pub echo: Echo,
}

/// A running gate and its port.
pub struct Here {
    _gate: Gate,
    /// Where its site listens.
    pub port: u16,
}

impl World {
    pub fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let dir = sandbox.dir();
        let web = TestCa::new("Web CA");
        web.issue_server(HOST).write(dir, "portal");
        sandbox.write("ca.pem", web.pem());
        sandbox.write("portal-and-key.pem", sandbox.read("portal.pem") + &sandbox.read("portal.key"));
        let partner = TestCa::new("Partner CA");
        sandbox.write("partner-ca.pem", partner.pem());
        let leaf = |name: &str, organisation: &str| {
            Leaf::new(name).subject(&[("C", "NL"), ("O", organisation), ("CN", name)])
        };
        for (name, organisation) in [("svc-1", "Acme"), ("svc-2", "Acme"), ("other", "Acme Too")] {
            leaf(name, organisation).issued_by(&partner).write(dir, name);
        }
        leaf("no-usage", "Acme").without_usage().issued_by(&partner).write(dir, "no-usage");
        leaf("svc-1", "Acme").issued_by(&TestCa::new("Partner CA")).write(dir, "stranger");
        let revoked = leaf("revoked", "Acme").issued_by(&partner);
        revoked.write(dir, "revoked");
        sandbox.write("partner.crl", Crl::new().revoke(&revoked, None).pem(&partner));
        Self { sandbox, echo: Echo::start() }
    }

    pub fn dir(&self) -> &Path {
        self.sandbox.dir()
    }

    pub fn write(&self, name: &str, text: &str) {
        self.sandbox.write(name, text);
    }

    /// Host and port of the website.
    pub fn upstream(&self) -> String {
        format!("127.0.0.1:{}", self.echo.port())
    }

    /// Settings of a page with the folder of this test in place of the server's, and `words` changed.
    pub fn here(&self, text: &str, words: &[(&str, String)]) -> String {
        let dir = format!("{}/", self.dir().display());
        let servers = ["nginx", "apache2", "haproxy", "caddy", "traefik"];
        let text =
            servers.iter().fold(text.to_owned(), |text, name| text.replace(&format!("/etc/{name}/"), &dir));
        words.iter().fold(text, |text, (word, here)| text.replace(word, here))
    }

    /// `countersign run` with the page's configuration and its commands, with these lines more in `[server]`.
    #[track_caller]
    pub fn gate(&self, page: &Page, server_lines: &[&str], upstream: &str) -> Here {
        let port = free_port();
        let admin = format!("[server]\nadmin = \"127.0.0.1:{}\"\n{}\n", free_port(), server_lines.join("\n"));
        let words = [
            ("127.0.0.1:8443", format!("127.0.0.1:{port}")),
            ("127.0.0.1:3000", upstream.to_owned()),
            ("[server]\n", admin),
        ];
        self.write("countersign.toml", &self.here(page.block("toml", 0), &words));
        let commands: Vec<&str> = page.parties().collect();
        if !commands.is_empty() {
            // The first start makes the state; the next one begins with all of the parties.
            let mut first = self.sandbox.start_gate();
            for line in commands {
                let args: Vec<&str> = line.split(' ').skip(1).collect();
                self.sandbox.countersign(&args).ok();
            }
            first.terminate();
        }
        Here { _gate: self.sandbox.start_gate(), port }
    }

    /// What the website sees of a visitor; `None` if nothing reaches it, and then the visitor got no 200 either.
    #[track_caller]
    pub fn knock(&self, port: u16, who: Option<&str>, path: &str) -> Option<Seen> {
        let before = self.echo.count();
        let answer = curl_at(self.dir(), HOST, port, who, path, &["-H", "X-Spoofed: yes"]);
        assert_ne!(answer.exit, 58, "curl has the certificate: {answer:?}");
        let reached = self.echo.count() - before;
        assert_eq!(answer.status == 200, reached == 1, "{who:?}: {answer:?}");
        (reached == 1).then(|| self.echo.last())
    }

    /// Waits until one who may enter does: a server may listen before it has read all of its settings.
    #[track_caller]
    pub fn wait_until_it_serves(&self, port: u16) {
        eventually("svc-1 enters", || self.knock(port, Some("svc-1"), "/"));
    }
}
