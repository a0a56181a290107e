//! Names that lead within, or that change where they lead to: each is resolved once, every address of it is judged, and no
//! connection goes anywhere else. What certificates name is under the same rules.

use std::net::{IpAddr, TcpListener, TcpStream};

use super::bounds::Trap;
use super::page::path;
use super::resolver::Resolver;
use super::*;

const NAME: &str = "www.page.example";

/// The server at this port, at another loopback address and port, as often as it is asked.
fn relay(listener: TcpListener, behind: u16) {
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let Ok(server) = TcpStream::connect(("127.0.0.1", behind)) else { return };
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let there = std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Both);
                });
                let (mut from, mut to) = (server, client);
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
                let _ = there.join();
            });
        }
    });
}

/// A port at which 127.0.0.2 leads to the server, and 127.0.0.1 into a trap.
fn two_faced(behind: u16) -> (u16, Trap) {
    loop {
        let allowed = TcpListener::bind("127.0.0.2:0").unwrap();
        let port = allowed.local_addr().unwrap().port();
        if let Ok(trap) = TcpListener::bind(("127.0.0.1", port)) {
            relay(allowed, behind);
            return (port, Trap::on(trap));
        }
    }
}

fn v4(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn a_name_that_leads_elsewhere_the_second_time_is_resolved_once_and_looked_at_where_it_was_judged() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let (port, trap) = two_faced(server.port);
    let resolver = Resolver::start(|_, times| vec![v4(if times == 0 { "127.0.0.2" } else { "127.0.0.1" })]);
    let at = resolver.at.to_string();
    let args =
        ["--resolver", &at, "--allow-private=127.0.0.2", "--ports", "any", "--cache", "0", "--private"];
    let page = Page::start(&bench.sandbox, &[&args[..], &["--roots", "root.pem"]].concat());
    let host = format!("{NAME}:{port}");
    let report = page.report(&host);
    assert_eq!(report["chain"].as_array().unwrap().len(), 3, "{report:#}");
    assert_eq!(report["verdict"], "right", "{report:#}");
    assert_eq!((resolver.times(NAME, 1), resolver.times(NAME, 28)), (1, 1), "each family is asked once");
    assert_eq!(trap.visitors(), 0);
    // Asked again, it is judged again.
    let again = page.get(&path("/api/v1/check", &host));
    assert_eq!((again.status, &*again.code()), (403, "not-public"), "{}", again.text());
    assert_eq!(trap.visitors(), 0);
    assert_eq!(resolver.times(NAME, 1), 2);
}

#[test]
fn one_inner_address_among_others_is_enough_to_refuse_a_name() {
    let trap = Trap::new();
    let bench = Bench::new();
    let resolver = Resolver::start(|name, _| match name {
        "both.page.example" => vec![v4("127.0.0.2"), v4("127.0.0.1")],
        "six.page.example" => vec![v4("127.0.0.2"), v4("::1")],
        "mapped.page.example" => vec![v4("::ffff:127.0.0.1")],
        "metadata.page.example" => vec![v4("169.254.169.254")],
        "nat.page.example" => vec![v4("64:ff9b::7f00:1")],
        _ => vec![v4("10.0.0.7")],
    });
    let at = resolver.at.to_string();
    let page = Page::start(
        &bench.sandbox,
        &["--resolver", &at, "--allow-private=127.0.0.2", "--ports", "any", "--rate", "100000"],
    );
    for name in ["both", "six", "mapped", "metadata", "nat", "inner"] {
        let host = format!("{name}.page.example:{}", trap.port);
        let answer = page.get(&path("/api/v1/check", &host));
        assert_eq!((answer.status, &*answer.code()), (403, "not-public"), "{name}: {}", answer.text());
        // Where it leads is nobody's business outside.
        assert!(
            !answer.text().contains("10.0.0.7") && !answer.text().contains("127.0.0.1"),
            "{}",
            answer.text()
        );
    }
    assert_eq!(trap.visitors(), 0);
}

#[test]
fn a_name_without_an_address_is_an_answer_that_says_so() {
    let bench = Bench::new();
    let resolver = Resolver::start(|_, _| Vec::new());
    let at = resolver.at.to_string();
    let page = Page::start(&bench.sandbox, &["--resolver", &at]);
    let report = page.report("nowhere.page.example");
    assert!(
        report["error"].as_str().unwrap().contains("cannot be resolved: it has no address"),
        "{report:#}"
    );
    let shown = page.shown("nowhere.page.example");
    assert!(shown.contains("It could not be examined") && shown.contains("What to do"), "{shown}");
}

#[test]
fn what_certificates_name_is_asked_only_where_that_is_allowed_and_under_the_same_rules() {
    let trap = Trap::new();
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:{}/issuer.cer", trap.port);
    let access = [(testkit::Access::Issuer, &*url), (testkit::Access::Ocsp, &*url)];
    let leaf = Leaf::server(NAME).access(&access).crl_url(&url).issued_by(&bench.issuing);
    leaf.write(bench.sandbox.dir(), "named");
    bench.sandbox.write("alone.pem", &leaf.pem);
    let server = bench.serve("alone", "named", &[]);
    let (port, _door) = two_faced(server.port);
    let host = format!("127.0.0.2:{port}");
    let within = ["--ports", "any", "--cache", "0", "--private", "--roots", "root.pem"];
    let start = |more: &[&str]| Page::start(&bench.sandbox, &[&within[..], more].concat());
    let asked = |page: &Page| page.report(&host)["network"].as_array().unwrap().clone();

    assert!(asked(&start(&["--allow-private"])).is_empty());
    assert_eq!(trap.visitors(), 0, "nobody is asked without --fetch");
    let told = asked(&start(&["--allow-private=127.0.0.2", "--fetch"]));
    assert!(!told.is_empty());
    for one in &told {
        assert!(one["fault"].as_str().unwrap().contains("is not a public address"), "{one:#}");
    }
    assert_eq!(trap.visitors(), 0, "what the certificate names is not public");
    assert!(!asked(&start(&["--allow-private", "--fetch"])).is_empty());
    assert!(trap.visitors() > 0, "allowed, it is asked");
}
