//! Pebble, the test server of Let's Encrypt: it asks for real, on the ports that it is told, and refuses nonces by chance.

use std::process::{Command, Stdio};

use serde_json::json;
use testkit::{Gate, Sandbox, TestCa, eventually, free_port};

/// A running server, with a resolver by which every name leads to this machine.
pub struct Pebble {
    /// Where its directory is.
    pub port: u16,
    management: u16,
    /// The root of its own HTTPS certificate.
    pub root: TestCa,
    _resolver: Gate,
    server: Gate,
}

/// How it is started.
pub struct Asked<'a> {
    /// Where it asks by tls-alpn-01.
    pub tls: u16,
    /// Where it asks by http-01.
    pub http: u16,
    /// How many nonces of a hundred it refuses.
    pub refused_nonces: u8,
    /// The key, base64url, of the external account `kid-1`, where one must be named.
    pub external: Option<&'a str>,
    /// The responder that its certificates name.
    pub ocsp: Option<u16>,
    /// Its own port.
    pub port: u16,
}

impl Asked<'_> {
    /// On these ports, and nothing else special.
    pub fn at(tls: u16, http: u16) -> Self {
        Self { tls, http, refused_nonces: 0, external: None, ocsp: None, port: free_port() }
    }
}

impl Pebble {
    pub fn start(sandbox: &Sandbox, asked: &Asked<'_>) -> Self {
        let port = asked.port;
        let (management, dns, resolver_management) = (free_port(), free_port(), free_port());
        let root = TestCa::new("Root of the ACME server");
        root.issue_server("localhost").write(sandbox.dir(), "acme-server");
        sandbox.write("acme-root.pem", root.root_pem());
        let mut config = json!({
            "listenAddress": format!("127.0.0.1:{port}"),
            "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": "acme-server.pem",
            "privateKey": "acme-server.key",
            "httpPort": asked.http,
            "tlsPort": asked.tls,
            "ocspResponderURL": asked.ocsp.map_or_else(String::new, |port| format!("http://127.0.0.1:{port}")),
            "externalAccountBindingRequired": asked.external.is_some(),
            "certificateValidityPeriod": 90 * 86_400,
        });
        if let Some(key) = asked.external {
            config["externalAccountMACKeys"] = json!({ "kid-1": key });
        }
        sandbox.write("pebble.json", json!({ "pebble": config }).to_string());
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        resolver.arg("-dns01").arg(format!("127.0.0.1:{dns}"));
        resolver.arg("-management").arg(format!("127.0.0.1:{resolver_management}")).stdin(Stdio::null());
        let resolver = Gate::spawn(resolver);
        let answers = |port: u16| std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        eventually("the resolver listens", || answers(dns));
        let mut server = Command::new("pebble");
        server.args(["-config", "pebble.json", "-dnsserver", &format!("127.0.0.1:{dns}")]);
        server.current_dir(sandbox.dir()).stdin(Stdio::null());
        server.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_AUTHZREUSE", "0");
        server.env("PEBBLE_WFE_NONCEREJECT", asked.refused_nonces.to_string());
        let server = Gate::spawn(server);
        eventually("the ACME server listens", || answers(port).and(answers(management)));
        Self { port, management, root, _resolver: resolver, server }
    }

    /// Where the directory is.
    pub fn directory(&self) -> String {
        directory(self.port)
    }

    /// The root that its certificates lead to, made anew at each start.
    pub fn issuing_root(&self) -> String {
        self.managed("roots/0")
    }

    /// The CA that issues, and its key.
    pub fn issuer(&self) -> (String, String) {
        (self.managed("intermediates/0"), self.managed("intermediate-keys/0"))
    }

    fn managed(&self, what: &str) -> String {
        let url = format!("https://localhost:{}/{what}", self.management);
        let output = Command::new("curl").args(["-sSk", &url]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("-----BEGIN"), "{url}: {text}");
        text
    }

    /// Ends it: from here on it is away.
    pub fn end(mut self) {
        self.server.kill();
    }
}

/// The directory of a server, or of what stands in front of one, at this port.
pub fn directory(port: u16) -> String {
    format!("https://localhost:{port}/dir")
}
