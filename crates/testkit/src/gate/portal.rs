//! A whole portal: echo upstream, configured site, running gate, parties.

use super::{Binary, Gate, Heir, Sandbox, free_port};
use crate::client::Client;
use crate::echo::Echo;
use crate::process::Output;
use crate::tools::{self, CurlResult};

/// The host name of a portal's site.
pub const SITE: &str = "portal.test";

/// A portal before its start.
pub struct PortalBuilder {
    sandbox: Sandbox,
    upstream: Option<String>,
    site_lines: Vec<String>,
    server_lines: Vec<String>,
    extra: String,
    parties: Vec<String>,
}

impl PortalBuilder {
    /// Another upstream than the portal's own echo.
    pub fn upstream(mut self, url: &str) -> Self {
        self.upstream = Some(url.to_owned());
        self
    }

    /// `on_refuse` of the site: `page` or `handshake`.
    pub fn on_refuse(self, how: &str) -> Self {
        self.site_line(&format!("on_refuse = \"{how}\""))
    }

    /// One more line in the site's table.
    pub fn site_line(mut self, line: &str) -> Self {
        self.site_lines.push(line.to_owned());
        self
    }

    /// One more line in `[server]`.
    pub fn server_line(mut self, line: &str) -> Self {
        self.server_lines.push(line.to_owned());
        self
    }

    /// TOML appended to the file.
    pub fn extra_toml(mut self, text: &str) -> Self {
        self.extra += "\n";
        self.extra += text;
        self.extra += "\n";
        self
    }

    /// A party with a certificate and a grant, made before the start.
    pub fn party(mut self, name: &str) -> Self {
        self.parties.push(name.to_owned());
        self
    }

    /// Writes a file into the directory before the start.
    pub fn file(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        self.sandbox.write(name, content);
        self
    }

    /// `init`, the edits, `ca show own`, `party add`, `run`.
    #[track_caller]
    pub fn start(self) -> Portal {
        let mut portal = self.prepare();
        portal.start_gate();
        portal
    }

    /// Everything but `run`.
    #[track_caller]
    pub fn prepare(self) -> Portal {
        let Self { sandbox, upstream, site_lines, server_lines, extra, parties } = self;
        let echo = Echo::start();
        let (port, admin_port) = (free_port(), free_port());
        let upstream = upstream.unwrap_or_else(|| echo.url());
        let (listen, admin) = (format!("127.0.0.1:{port}"), format!("127.0.0.1:{admin_port}"));
        let init = [
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
        ];
        sandbox.countersign(&init).ok();
        let mut config = sandbox.read("countersign.toml");
        config = insert_below(&config, &format!("[site.\"{SITE}\"]"), &site_lines);
        config = insert_below(&config, "[server]", &server_lines);
        sandbox.write("countersign.toml", config + &extra);
        let ca_pem = sandbox.countersign(&["ca", "show", "own", "--format", "pem"]).ok().stdout;
        sandbox.write("ca.pem", &ca_pem);
        let portal = Portal { gate: None, sandbox, echo, port, admin_port, ca_pem };
        for name in &parties {
            portal.add_party(name);
        }
        portal
    }
}

/// A portal; without a gate until it is started.
pub struct Portal {
    /// The running gate. First, so that it ends before its directory and upstream.
    pub gate: Option<Gate>,
    /// Its directory: countersign.toml, ca.pem, state, NAME.pem and NAME.key of the parties.
    pub sandbox: Sandbox,
    /// Its upstream.
    pub echo: Echo,
    /// Where the site listens.
    pub port: u16,
    /// Where the admin address listens.
    pub admin_port: u16,
    /// The own CA's root, for the client side.
    pub ca_pem: String,
}

/// What `party add … --pem --out .` left behind.
#[derive(Clone, Debug)]
pub struct Party {
    /// Its name, and that of its files.
    pub name: String,
    /// NAME.pem: certificate, then issuing CA.
    pub chain_pem: String,
    /// NAME.key.
    pub key_pem: String,
    /// What the command printed.
    pub output: Output,
}

impl Portal {
    /// A portal in the making.
    pub fn build(binary: &Binary) -> PortalBuilder {
        PortalBuilder {
            sandbox: Sandbox::new(binary),
            upstream: None,
            site_lines: Vec::new(),
            server_lines: Vec::new(),
            extra: String::new(),
            parties: Vec::new(),
        }
    }

    /// A running portal as `init` makes it, with the party alice.
    #[track_caller]
    pub fn start(binary: &Binary) -> Self {
        Self::build(binary).party("alice").start()
    }

    /// Starts the gate; panics if it runs already.
    #[track_caller]
    pub fn start_gate(&mut self) {
        assert!(self.gate.is_none(), "the gate runs already");
        self.gate = Some(self.sandbox.start_gate());
    }

    /// Ends the gate with SIGTERM and returns its exit code.
    #[track_caller]
    pub fn stop_gate(&mut self) -> i32 {
        self.gate.take().expect("a running gate").terminate()
    }

    /// `countersign upgrade`: the process that serves from now on.
    #[track_caller]
    pub fn upgrade(&self) -> Heir {
        let done = self.countersign(&["upgrade", "--json"]).ok().json();
        let pid = done["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        Heir::new(pid.unwrap_or_else(|| panic!("no pid in {done}")))
    }

    /// The running gate.
    #[track_caller]
    pub fn gate(&self) -> &Gate {
        self.gate.as_ref().expect("a running gate")
    }

    /// `https://portal.test:PORT/path`.
    pub fn url(&self, path: &str) -> String {
        format!("https://{SITE}:{}{path}", self.port)
    }

    /// Runs a command in the portal's directory.
    #[track_caller]
    pub fn countersign(&self, args: &[&str]) -> Output {
        self.sandbox.countersign(args)
    }

    /// `party add NAME --site portal.test --pem --out .`, which leaves NAME.pem and NAME.key.
    #[track_caller]
    pub fn add_party(&self, name: &str) -> Party {
        let output = self.countersign(&["party", "add", name, "--site", SITE, "--pem", "--out", "."]).ok();
        let (chain_pem, key_pem) = self.files(name);
        Party { name: name.to_owned(), chain_pem, key_pem, output }
    }

    /// `party add NAME --site portal.test --p12 PROFILE --out . --json`, which leaves NAME.p12; its password.
    #[track_caller]
    pub fn add_p12(&self, name: &str, profile: &str) -> String {
        let add = ["party", "add", name, "--site", SITE, "--p12", profile, "--out", ".", "--json"];
        let made = self.countersign(&add).ok().json();
        made["password"].as_str().expect("a password").to_owned()
    }

    /// A client that trusts the own CA and shows no certificate.
    pub fn client(&self) -> Client {
        Client::trusting(&self.ca_pem)
    }

    /// The same, showing NAME.pem and NAME.key of the directory.
    #[track_caller]
    pub fn client_as(&self, name: &str) -> Client {
        let (chain, key) = self.files(name);
        self.client().showing_pem(&chain, &key)
    }

    /// The same, showing the operator's certificate; connect it to `admin_port` and the name `localhost`.
    #[track_caller]
    pub fn operator(&self) -> Client {
        self.client_as("state/operator")
    }

    /// curl at the site; `cert` names NAME.pem and NAME.key of the directory.
    #[track_caller]
    pub fn curl(&self, cert: Option<&str>, path: &str, extra: &[&str]) -> CurlResult {
        tools::curl(self, cert, path, extra)
    }

    #[track_caller]
    fn files(&self, name: &str) -> (String, String) {
        (self.sandbox.read(&format!("{name}.pem")), self.sandbox.read(&format!("{name}.key")))
    }
}

/// `text` with `lines` below the line `header`; panics if there is none.
#[track_caller]
fn insert_below(text: &str, header: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return text.to_owned();
    }
    let mut found = false;
    let mut edited = String::new();
    for line in text.lines() {
        edited += line;
        edited += "\n";
        if line.trim() == header {
            found = true;
            lines.iter().for_each(|line| edited += &format!("{line}\n"));
        }
    }
    assert!(found, "countersign.toml has no line `{header}`:\n{text}");
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_below_their_table() {
        let edited = insert_below("[a]\nx = 1\n[b]\n", "[a]", &["y = 2".to_owned()]);
        assert_eq!(edited, "[a]\ny = 2\nx = 1\n[b]\n");
    }
}
