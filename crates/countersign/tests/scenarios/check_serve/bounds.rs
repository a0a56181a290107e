//! Which hosts are looked at: public ones, however they are spelt; of others nobody hears anything.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use testkit::Sandbox;

use super::page::path;
use super::*;

/// A listener on every loopback address of both families, which counts who comes.
pub struct Trap {
    pub port: u16,
    count: Arc<AtomicUsize>,
}

impl Trap {
    pub fn new() -> Self {
        Self::on(TcpListener::bind("[::]:0").or_else(|_| TcpListener::bind("0.0.0.0:0")).unwrap())
    }

    /// The same on a listener that is there.
    pub fn on(listener: TcpListener) -> Self {
        let trap = Self { port: listener.local_addr().unwrap().port(), count: Arc::default() };
        let count = trap.count.clone();
        std::thread::spawn(move || {
            for _stream in listener.incoming().map_while(Result::ok) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        trap
    }

    /// How many came, with one of our own as the last.
    pub fn visitors(&self) -> usize {
        let before = self.count.load(Ordering::SeqCst);
        drop(std::net::TcpStream::connect(("127.0.0.1", self.port)).expect("the trap is open"));
        let all = testkit::eventually("our own visit", || {
            let now = self.count.load(Ordering::SeqCst);
            (now > before).then_some(now)
        });
        self.count.store(0, Ordering::SeqCst);
        all - 1
    }
}

/// Addresses that are not public, in the spelling of the standards.
const INNER: &[&str] = &[
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.0.1",
    "169.254.169.254",
    "168.63.129.16",
    "192.0.0.192",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:10.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::169.254.169.254]",
    "[64:ff9b:1::1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]",
    "[2001::1]",
    "[2001:0:7f00:1::]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[100::1]",
    // The same with what people and tools let pass.
    "127.0.0.1.",
    "\u{ff11}\u{ff12}\u{ff17}.0.0.1",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}\u{2461}\u{2466}.0.0.1",
    // Names that lead within, or mean nothing elsewhere.
    "localhost",
    "LOCALHOST",
    "localhost.",
    "\u{24db}ocalhost",
    "a.localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "intranet",
    "printer.local",
    "metadata.google.internal",
    "db.corp",
    "nas.home.arpa",
    "router.lan",
    "x.onion",
];

/// What is no host, or one that two programs read differently.
const ODD: &[&str] = &[
    "2130706433",
    "0x7f000001",
    "0X7F000001",
    "0x7f.0.0.0x1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.01",
    "127.0.0.1.0x0",
    "[::1%lo]",
    "[fe80::1%25eth0]",
    "::1%1",
    "[127.0.0.1]",
    "[::1",
    "user@127.0.0.1",
    "http://127.0.0.1",
    "gopher://127.0.0.1",
    "file:///etc/passwd",
    "unix:/run/socket",
    "//127.0.0.1",
    "https://user@127.0.0.1/",
    "https://www.example.com@127.0.0.1/",
    "https://www.example.com\\@127.0.0.1/",
    "https://www.example.com\\.127.0.0.1/",
    "www.example.com/../127.0.0.1",
    "127.0.0.1 www.example.com",
    "127.0.0.1\r\nwww.example.com",
    "127.0.0.1\0.example.com",
    "127.0.0.1%00.example.com",
    "www.example.com:443:443",
    "*.example.com",
    "-x.example.com",
];

/// The host with a port behind it, where one can stand there.
fn at(host: &str, port: u16) -> String {
    let is_web = host.contains("//");
    if is_web { host.to_owned() } else { format!("{host}:{port}") }
}

#[test]
fn no_spelling_of_an_inner_address_is_looked_at_and_each_is_refused_in_clear_words() {
    let trap = Trap::new();
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &["--ports", "any", "--rate", "100000"]);
    for (hosts, status, code) in [(INNER, 403, "not-public"), (ODD, 400, "bad-host")] {
        for host in hosts {
            let asked = at(host, trap.port);
            let answer = page.get(&path("/api/v1/check", &asked));
            let told = answer.json();
            assert_eq!((answer.status, &*answer.code()), (status, code), "{host:?}: {told:#}");
            assert_eq!(answer.header("content-type"), Some("application/problem+json"));
            for key in ["type", "title", "detail", "help"] {
                assert!(told[key].as_str().is_some_and(|text| text.len() > 10), "{host:?}: {told:#}");
            }
            let shown = page.get(&path("/", &asked));
            assert_eq!(shown.status, status, "{host:?}");
            assert!(shown.text().contains("What to do"), "{host:?}: {}", shown.text());
            let report = page.get(&path("/report.html", &asked));
            assert_eq!(report.status, status, "{host:?}");
        }
    }
    assert_eq!(trap.visitors(), 0);
}

#[test]
fn where_inner_hosts_are_allowed_they_are_looked_at_and_shown() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let page = bench.page(&[]);
    for host in ["127.0.0.1", "127.0.0.1.", "\u{ff11}\u{ff12}\u{ff17}.0.0.1", "[::ffff:127.0.0.1]"] {
        let asked = at(host, server.port);
        let report = page.report(&asked);
        assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{host}: {report:#}");
    }
    let report = page.report(&format!("127.0.0.1:{}", server.port));
    assert_eq!(report["verdict"], "right", "{report:#}");
    let shown = page.shown(&format!("127.0.0.1:{}", server.port));
    assert!(shown.contains("Nothing wrong was found") && shown.contains("Page Issuing CA"), "{shown}");
    // A trap sees that it is looked at: so the other test's trap would have.
    let trap = Trap::new();
    let closed = page.report(&format!("127.0.0.1:{}", trap.port));
    assert!(closed["error"].is_string(), "{closed:#}");
    assert!(trap.visitors() > 0);
    // Odd spellings are none there either.
    for host in ODD {
        assert_eq!(page.get(&path("/api/v1/check", host)).status, 400, "{host:?}");
    }
}

#[test]
fn one_range_can_be_allowed_and_what_lies_beside_it_is_not() {
    let trap = Trap::new();
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &["--ports", "any", "--allow-private=127.0.0.2/31", "--cache", "0"]);
    for host in ["127.0.0.1", "127.0.0.4", "[::1]", "10.0.0.1"] {
        assert_eq!(page.get(&path("/api/v1/check", &at(host, trap.port))).status, 403, "{host}");
    }
    assert_eq!(trap.visitors(), 0);
    assert_eq!(page.get(&path("/api/v1/check", &at("127.0.0.3", trap.port))).status, 200);
    assert!(trap.visitors() > 0);
}

#[test]
fn ports_are_those_of_tls_unless_told_otherwise() {
    let trap = Trap::new();
    let sandbox = Sandbox::new(&binary());
    let page = Page::start(&sandbox, &["--allow-private", "--rate", "100000"]);
    for port in [22, 80, 6379, 11211, trap.port] {
        let answer = page.get(&path("/api/v1/check", &at("127.0.0.1", port)));
        assert_eq!((answer.status, &*answer.code()), (403, "port-not-allowed"), "{port}");
        assert!(answer.text().contains("443, 8443"), "{}", answer.text());
    }
    assert_eq!(trap.visitors(), 0);
    let port = trap.port.to_string();
    let page = Page::start(&sandbox, &["--allow-private", "--ports", &format!("443,{port}")]);
    assert_eq!(page.get(&path("/api/v1/check", &at("127.0.0.1", trap.port))).status, 200);
    assert!(trap.visitors() > 0);
    // A protocol is one of those that are known.
    let answer = page.get(&(path("/api/v1/check", "www.example.com") + "&starttls=telnet"));
    assert_eq!((answer.status, &*answer.code()), (400, "bad-protocol"));
}
