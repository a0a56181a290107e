//! The pages "Coming from …" of the guide: the other server's settings and ours are taken out of the page and run, each
//! for real, and the same visitors knock at both. Who enters, and what the website is told, is compared.

mod page;
mod world;

use crate::other_servers::Server;
use page::Page;
use world::{EVERYONE, World};

/// A page, how its server is run, and what is expected of it.
struct Peer {
    /// The page's file without `.md`.
    page: &'static str,
    /// The language of its settings' blocks.
    language: &'static str,
    /// Starts the server on settings, the last of them its main file.
    start: fn(&World, u16, &[String]) -> Server,
    /// The blocks of the server as it is before the move.
    before: &'static [usize],
    /// The blocks of the server in front of the gate, where it can be.
    in_front: Option<&'static [usize]>,
    /// The blocks of the server as the gate's upstream.
    behind: &'static [usize],
    /// Who enters, there and here.
    enters: &'static [&'static str],
    /// What the website is told in the same words by both.
    headers: &'static [&'static str],
}

const NGINX: Peer = Peer {
    page: "from-nginx",
    language: "nginx",
    start: |world, port, conf| match &conf[0] {
        stream if stream.starts_with("stream {") => Server::nginx_with(world.dir(), port, stream, ""),
        http => Server::nginx_with(world.dir(), port, "", http),
    },
    before: &[0],
    in_front: Some(&[1]),
    behind: &[2],
    enters: &["svc-1", "svc-2"],
    headers: &[
        "x-ssl-client-verify",
        "x-ssl-client-s-dn",
        "x-ssl-client-i-dn",
        "x-ssl-client-serial",
        "x-ssl-client-fingerprint",
        "x-ssl-client-cert",
        "x-forwarded-for",
        "x-forwarded-proto",
    ],
};

const APACHE: Peer = Peer {
    page: "from-apache",
    language: "apache",
    start: |world, port, conf| {
        let listen =
            if conf[0].contains("Listen ") { String::new() } else { format!("Listen 127.0.0.1:{port}\n") };
        Server::apache_with(world.dir(), port, &(listen + &conf[0]))
    },
    before: &[0],
    in_front: None,
    behind: &[1],
    enters: &["svc-1", "svc-2"],
    headers: &["x-ssl-client-verify", "x-ssl-client-s-dn", "x-ssl-client-i-dn", "x-ssl-client-serial"],
};

const HAPROXY: Peer = Peer {
    page: "from-haproxy",
    language: "haproxy",
    start: |world, port, conf| Server::haproxy_with(world.dir(), port, &conf[0]),
    before: &[0],
    in_front: Some(&[1]),
    behind: &[2],
    enters: &["svc-1", "svc-2"],
    headers: &[
        "x-ssl",
        "x-ssl-client-verify",
        "x-ssl-client-dn",
        "x-ssl-client-cn",
        "x-ssl-issuer",
        "x-ssl-client-notbefore",
        "x-ssl-client-notafter",
        "x-ssl-client-sha1",
        "x-forwarded-for",
        "x-forwarded-proto",
    ],
};

const CADDY: Peer = Peer {
    page: "from-caddy",
    language: "caddy",
    start: |world, port, conf| {
        // The options of all sites stand first; those of a test are that it listens here alone, and asks no CA.
        let options = "admin off\nauto_https disable_redirects\ndefault_bind 127.0.0.1\n";
        let conf = match conf[0].strip_prefix("{\n") {
            Some(rest) => format!("{{\n{options}{rest}"),
            None => format!("{{\n{options}}}\n{}", conf[0]),
        };
        Server::caddy_with(world.dir(), port, &conf)
    },
    before: &[0],
    in_front: None,
    behind: &[1],
    enters: &["svc-1", "svc-2"],
    headers: &["client-cert", "x-forwarded-for", "x-forwarded-proto"],
};

const TRAEFIK: Peer = Peer {
    page: "from-traefik",
    language: "yaml",
    start: |world, port, conf| {
        world.write("dynamic.yml", &conf[1]);
        Server::traefik_with(world.dir(), port, &conf[0])
    },
    before: &[0, 1],
    in_front: Some(&[0, 2]),
    behind: &[3, 4],
    // It has neither a rule about names nor a revocation list.
    enters: &["svc-1", "svc-2", "other", "revoked"],
    headers: &["x-forwarded-tls-client-cert", "x-forwarded-for", "x-forwarded-proto"],
};

impl Peer {
    fn page(&self) -> Page {
        Page::read(self.page)
    }

    /// The server with these blocks of its page, with `words` and the folder changed in them.
    #[track_caller]
    fn run(&self, world: &World, port: u16, blocks: &[usize], words: &[(&str, String)]) -> Server {
        let page = self.page();
        let conf: Vec<String> =
            blocks.iter().map(|number| world.here(page.block(self.language, *number), words)).collect();
        (self.start)(world, port, &conf)
    }

    /// The same visitors at both: who enters, and what the website is told of them.
    fn is_replaced_by_the_page(&self) {
        let world = World::new();
        let theirs = {
            let port = testkit::free_port();
            let words = [(":443", format!(":{port}")), (" 443", format!(" 127.0.0.1:{port}"))];
            let named =
                [("portal.test {", format!("portal.test:{port} {{")), ("127.0.0.1:3000", world.upstream())];
            let _server = self.run(&world, port, self.before, &[&words[..], &named[..]].concat());
            world.wait_until_it_serves(port);
            // A certificate made for nothing in particular is let in there, and is refused here.
            if self.language != "caddy" {
                assert!(world.knock(port, Some("no-usage"), "/").is_some(), "the page says that it enters");
            }
            EVERYONE.map(|who| world.knock(port, who, "/"))
        };
        let gate = world.gate(&self.page(), &[], &world.upstream());
        let ours = EVERYONE.map(|who| world.knock(gate.port, who, "/"));
        assert!(world.knock(gate.port, Some("no-usage"), "/").is_none());

        for ((who, theirs), ours) in EVERYONE.iter().zip(&theirs).zip(&ours) {
            let expected = who.is_some_and(|who| self.enters.contains(&who));
            assert_eq!(theirs.is_some(), expected, "{who:?} at {}", self.page);
            assert_eq!(ours.is_some(), expected, "{who:?} at the gate, by {}", self.page);
            let (Some(theirs), Some(ours)) = (theirs, ours) else { continue };
            for header in self.headers {
                assert_eq!(theirs.all(header).len(), 1, "{header} of {who:?}: {theirs:#?}");
                assert_eq!(theirs.all(header), ours.all(header), "{header} of {who:?}");
            }
            assert!(!theirs.all("x-spoofed").is_empty(), "what it does not know passes");
        }
    }

    /// The server hands the connections on unopened: the gate decides, and knows the visitor's address.
    fn hands_on(&self) {
        let world = World::new();
        let gate = world.gate(&self.page(), &["proxy_protocol = [\"127.0.0.1\"]"], &world.upstream());
        assert!(
            world.knock(gate.port, Some("svc-1"), "/").is_none(),
            "without an announcement nobody enters"
        );
        let port = testkit::free_port();
        let words = [
            ("127.0.0.1:8443", format!("127.0.0.1:{}", gate.port)),
            (":443", format!(":{port}")),
            (" 443", format!(" 127.0.0.1:{port}")),
        ];
        let blocks = self.in_front.unwrap();
        let _server = self.run(&world, port, blocks, &words);
        world.wait_until_it_serves(port);
        for who in EVERYONE {
            let seen = world.knock(port, who, "/");
            assert_eq!(seen.is_some(), who.is_some_and(|who| self.enters.contains(&who)), "{who:?}");
            let Some(seen) = seen else { continue };
            assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"], "{who:?}");
        }
    }

    /// The server is the gate's upstream, and passes on what the gate tells.
    fn passes_on(&self) {
        let world = World::new();
        let port = testkit::free_port();
        let words = [("3001", world.echo.port().to_string()), ("3000", port.to_string())];
        let _server = self.run(&world, port, self.behind, &words);
        let gate = world.gate(&self.page(), &[], &format!("127.0.0.1:{port}"));
        world.wait_until_it_serves(gate.port);
        for who in EVERYONE {
            let seen = world.knock(gate.port, who, "/");
            assert_eq!(seen.is_some(), who.is_some_and(|who| self.enters.contains(&who)), "{who:?}");
            let Some(seen) = seen else { continue };
            for header in self.headers.iter().chain(&["countersign-party"]) {
                assert_eq!(seen.all(header).len(), 1, "{header} of {who:?}: {seen:#?}");
            }
            assert!(seen.header("x-forwarded-for").unwrap().starts_with("127.0.0.1"), "{seen:#?}");
        }
    }
}

macro_rules! pages {
    ($($name:ident: $peer:expr, $($test:ident)+;)*) => {
        $(mod $name {
            use super::*;
            $(#[test]
            fn $test() {
                $peer.$test();
            })+
        })*
    };
}

pages! {
    nginx: NGINX, is_replaced_by_the_page hands_on passes_on;
    apache: APACHE, is_replaced_by_the_page passes_on;
    haproxy: HAPROXY, is_replaced_by_the_page hands_on passes_on;
    caddy: CADDY, is_replaced_by_the_page passes_on;
    traefik: TRAEFIK, is_replaced_by_the_page hands_on passes_on;
}

/// The open path of the page: at both without a certificate, and nobody is named.
#[test]
fn the_open_path_of_the_nginx_page_is_open_at_both() {
    let world = World::new();
    let port = testkit::free_port();
    let words = [(" 443", format!(" 127.0.0.1:{port}")), ("127.0.0.1:3000", world.upstream())];
    let _server = NGINX.run(&world, port, NGINX.before, &words);
    let gate = world.gate(&NGINX.page(), &[], &world.upstream());
    for port in [port, gate.port] {
        let seen = world.knock(port, None, "/health").expect("it is open");
        assert_eq!(seen.all("x-ssl-client-verify"), ["NONE"]);
        assert!(world.knock(port, None, "/healthy").is_none());
    }
}

/// As its page says: it believes no forwarded header of a gate that it was not told to trust.
#[test]
fn traefik_behind_the_gate_takes_its_headers_away_unless_told_to_trust_it() {
    let world = World::new();
    let port = testkit::free_port();
    let words = [
        ("    forwardedHeaders:\n      trustedIPs: [127.0.0.1]\n", String::new()),
        ("3001", world.echo.port().to_string()),
        ("3000", port.to_string()),
    ];
    let _server = TRAEFIK.run(&world, port, TRAEFIK.behind, &words);
    let gate = world.gate(&TRAEFIK.page(), &[], &format!("127.0.0.1:{port}"));
    world.wait_until_it_serves(gate.port);
    let seen = world.knock(gate.port, Some("svc-1"), "/").expect("it enters");
    assert!(seen.all("x-forwarded-tls-client-cert").is_empty(), "{seen:#?}");
    assert_eq!(seen.all("countersign-party").len(), 1, "{seen:#?}");
}

/// No settings stand on a page that nobody has run.
#[test]
fn every_block_of_settings_is_run() {
    for peer in [NGINX, APACHE, HAPROXY, CADDY, TRAEFIK] {
        let page = peer.page();
        let last = peer.behind.last().unwrap();
        assert!(page.count(peer.language) == last + 1, "{}: a block that no test runs", peer.page);
        assert_eq!(page.count("toml"), 1, "{}", peer.page);
    }
}
