//! `site export`: a site's allow list on real servers of other makers; who is admitted enters, others do not.

use std::path::PathBuf;

use testkit::tools::curl_at;
use testkit::{CurlResult, Leaf, Portal, TestCa};

use crate::other_servers::Server;
use crate::support::binary;

const HOST: &str = "portal.test";

struct World {
    portal: Portal,
}

impl World {
    /// alice and carol may enter, carol is suspended; bob may not; acme enters with a saved certificate of nobody's, dora with
    /// a saved one of a partner's CA; stray's is saved too, and its CA is not known. eve has a certificate for alice's name
    /// from a CA of her own, frank one of the partner's that is not on record.
    fn new() -> Self {
        let portal = Portal::build(&binary()).party("alice").party("carol").prepare();
        let dir = portal.sandbox.dir();
        let ca = TestCa::new("Web CA");
        ca.issue_server(HOST).write(dir, "web");
        ca.write(dir, "web-ca");
        portal.sandbox.write("web-ca.pem", ca.pem());
        Leaf::new("acme").self_signed().write(dir, "acme");
        Leaf::new("zed").self_signed().write(dir, "zed");
        TestCa::new("Eve").issue("alice").write(dir, "eve");
        let partner = TestCa::new("Partner CA");
        partner.issue("dora").write(dir, "dora");
        partner.issue("frank").write(dir, "frank");
        portal.sandbox.write("partner.pem", partner.pem());
        TestCa::new("Far CA").issue("stray").write(dir, "stray");
        portal
            .countersign(&["ca", "add", "partner.pem", "--name", "partner", "--site", HOST, "--named-only"])
            .ok();
        for name in ["acme", "dora", "stray"] {
            let file = format!("{name}.pem");
            portal
                .countersign(&["party", "add", name, "--cert", &file, "--pin", "cert", "--site", HOST])
                .ok();
        }
        portal.countersign(&["party", "add", "bob", "--pem", "--out", "."]).ok();
        portal.countersign(&["party", "suspend", "carol", "--yes"]).ok();
        Self { portal }
    }

    fn export(&self, server: &str) -> PathBuf {
        self.portal.countersign(&["site", "export", HOST, "--for", server, "--out", server]).ok();
        self.portal.sandbox.path(server)
    }

    fn read(&self, server: &str, file: &str) -> String {
        std::fs::read_to_string(self.portal.sandbox.path(server).join(file)).unwrap()
    }

    fn ask(&self, server: &Server, who: Option<&str>) -> CurlResult {
        curl_at(self.portal.sandbox.dir(), HOST, server.port, who, "/", &["--cacert", "web-ca.pem"])
    }

    #[track_caller]
    fn holds(&self, server: &Server) {
        for who in ["alice", "acme", "dora"] {
            let answer = self.ask(server, Some(who));
            assert_eq!((answer.status, answer.text().as_str()), (200, "behind it"), "{who}: {answer:?}");
        }
        for who in [Some("bob"), Some("carol"), Some("eve"), Some("frank"), Some("zed"), Some("stray"), None]
        {
            let answer = self.ask(server, who);
            assert_ne!(answer.exit, 58, "curl has the certificate: {answer:?}");
            assert_ne!(answer.status, 200, "{who:?}: {answer:?}");
            assert!(!answer.text().contains("behind it"), "{who:?}: {answer:?}");
        }
        // Known to the CA and not on the list: refused in words, and not for want of trust.
        assert_eq!(self.ask(server, Some("bob")).status, 403);
    }
}

#[test]
fn on_nginx_who_is_admitted_enters_and_others_do_not() {
    let world = World::new();
    let out = world.export("nginx");
    let http = format!("include {}/allow.conf;", out.display());
    let site = format!(
        "ssl_certificate web.pem; ssl_certificate_key web.key;\ninclude {}/site.conf;",
        out.display()
    );
    world.holds(&Server::nginx(world.portal.sandbox.dir(), &http, &site, HOST));
}

#[test]
fn on_apache_who_is_admitted_enters_and_others_do_not() {
    let world = World::new();
    let out = world.export("apache");
    let here = world.portal.sandbox.dir().display().to_string();
    let site = format!(
        "SSLCertificateFile {here}/web.pem\nSSLCertificateKeyFile {here}/web.key\nInclude {}/site.conf",
        out.display()
    );
    world.holds(&Server::apache(world.portal.sandbox.dir(), &site, HOST));
}

#[test]
fn on_haproxy_who_is_admitted_enters_and_others_do_not() {
    let world = World::new();
    world.export("haproxy");
    let dir = world.portal.sandbox.dir();
    let both = world.portal.sandbox.read("web.pem") + &world.portal.sandbox.read("web.key");
    world.portal.sandbox.write("both.pem", both);
    let lines = world
        .read("haproxy", "site.cfg")
        .replace(&format!("/etc/haproxy/{HOST}.pem"), &dir.join("both.pem").display().to_string());
    world.holds(&Server::haproxy(dir, &lines));
}

#[test]
fn who_is_revoked_is_gone_from_the_next_export() {
    let world = World::new();
    let list = |world: &World| {
        world.export("haproxy");
        world.read("haproxy", "allow.lst")
    };
    let before = list(&world);
    assert!(before.contains("# alice, ") && before.contains("# acme, "), "{before}");
    assert!(!before.contains("carol") && !before.contains("bob"), "{before}");
    world.portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise", "--yes"]);
    let after = list(&world);
    assert!(!after.contains("alice") && after.contains("# acme, "), "{after}");
}

/// A key that leads to nobody whom this site lets in is no concern of its list.
#[test]
fn a_pinned_key_is_left_out_by_name_only_where_its_party_may_enter() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    Leaf::new("far").self_signed().write(portal.sandbox.dir(), "far");
    let another = ["site", "add", "other.test", "--upstream", "http://127.0.0.1:3000"];
    portal.countersign(&another).ok();
    let pin = ["party", "add", "far", "--cert", "far.pem", "--pin", "key", "--site", "other.test"];
    portal.countersign(&pin).ok();
    let told =
        || portal.countersign(&["site", "export", HOST, "--for", "nginx", "--out", "there"]).ok().stdout;
    assert!(!told().contains("pinned keys"), "{}", told());
    portal.countersign(&["party", "grant", "far", "--site", HOST]).ok();
    assert!(told().contains("Left out: pinned keys: "), "{}", told());
    portal.countersign(&["party", "suspend", "far", "--yes"]).ok();
    assert!(!told().contains("pinned keys"), "{}", told());
}

/// A list for the whole site would open a path to those who may not go there.
#[test]
fn whom_a_path_refuses_is_left_out_of_the_whole_site_and_named() {
    let rules = "[[site.\"portal.test\".path]]\nprefix = \"/admin\"\nallow = [\"bob\"]\n";
    let portal = Portal::build(&binary()).extra_toml(rules).party("alice").party("bob").prepare();
    let told = portal.countersign(&["site", "export", HOST, "--for", "haproxy", "--out", "there"]).ok();
    let list = std::fs::read_to_string(portal.sandbox.path("there/allow.lst")).unwrap();
    assert!(list.contains("# bob, ") && !list.contains("alice"), "{list}");
    assert!(told.stdout.contains("Left out: alice"), "{}", told.story());
}

#[test]
fn a_site_that_nobody_may_enter_is_not_exported() {
    let portal = Portal::build(&binary()).prepare();
    let told = portal.countersign(&["site", "export", HOST, "--for", "nginx", "--out", "there"]).exited(1);
    assert!(told.stderr.contains("would refuse everybody"), "{}", told.story());
    assert!(!portal.sandbox.path("there").exists());
}

#[test]
fn what_the_server_cannot_do_is_said() {
    let world = World::new();
    for server in ["nginx", "apache", "haproxy", "iis"] {
        let told =
            world.portal.countersign(&["site", "export", HOST, "--for", server, "--out", "there"]).ok();
        assert!(told.stdout.contains("What it cannot do as the gate does:"), "{}", told.story());
        assert!(told.stdout.contains("only after the next export"), "{}", told.story());
        for left in ["Left out: stray (", "Left out: ca:partner: "] {
            assert!(told.stdout.contains(left), "{left}: {}", told.story());
        }
    }
    let script = world.read("there", "site.ps1");
    assert!(script.contains("SslRequireCert") && script.contains("# alice, "), "{script}");
}
