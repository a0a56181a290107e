//! The settings of what stands in front of the gate and beside its decision, through the real binary.

use testkit::{Conn, Portal, block_on, free_port};

use crate::support::{binary, eventually};

#[test]
fn port_80_sends_to_https_and_gives_out_the_published_list() {
    let http = free_port();
    let portal = Portal::build(&binary())
        .server_line(&format!("http = [\"127.0.0.1:{http}\"]"))
        .party("alice")
        .prepare();
    // In time for the first list: after that they are a minute apart.
    portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise"]).ok();
    let mut portal = portal;
    portal.start_gate();
    let ask = |path: &str, host: &str| {
        block_on(async {
            let mut connection = Conn::plain(http, host).await.unwrap();
            connection.get(path, &[]).await.unwrap()
        })
    };
    let answer = ask("/a?b", &format!("portal.test:{http}"));
    assert_eq!((answer.status, answer.header("location")), (308, Some(portal.url("/a?b").as_str())));
    assert_eq!(ask("/a", "evil.test").status, 421);
    eventually("the revocation on the published list", || {
        let list = ask("/crl/own.crl", "portal.test");
        assert_eq!((list.status, list.header("content-type")), (200, Some("application/pkix-crl")));
        portal.sandbox.write("fetched.crl", &list.body);
        let text = ["crl", "-inform", "DER", "-in", "fetched.crl", "-noout", "-text"];
        testkit::openssl(portal.sandbox.dir(), &text, b"").stdout.contains("Key Compromise").then_some(())
    });
    assert_eq!(ask("/crl/operator.crl", "portal.test").status, 404);
    assert_eq!(portal.echo.count(), 0);
}

#[test]
fn a_listed_load_balancer_announces_and_everything_else_of_the_settings_holds() {
    let portal = Portal::build(&binary())
        .server_line("proxy_protocol = [\"127.0.0.1\"]")
        .site_line("identity = [\"party\", \"xfcc\", \"client-cert-chain\"]")
        .site_line("hsts = \"1d\"")
        .site_line("max_body = \"1kB\"")
        .site_line("rate_limit = { party_per_minute = 2 }")
        .party("alice")
        .start();
    let header = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n";
    let alice = portal.client_as("alice");
    assert!(block_on(alice.knock(portal.port, "portal.test", "/")).is_err(), "it has to announce");
    let alice = alice.announced_by(header);
    let answer = block_on(alice.knock(portal.port, "portal.test", "/")).unwrap();
    assert_eq!((answer.status, answer.header("strict-transport-security")), (200, Some("max-age=86400")));
    let seen = portal.echo.last();
    assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9"]);
    assert_eq!(seen.all("countersign-party"), ["alice"]);
    assert_eq!(
        seen.all("client-cert-chain")[0].matches(':').count(),
        2,
        "the issuing CA, which is the anchor"
    );
    assert!(seen.all("x-forwarded-client-cert")[0].starts_with("By=https://portal.test;Hash="));
    assert!(seen.header("client-cert").is_none());
    let post = async |length: usize| {
        let mut connection = alice.connect(portal.port, "portal.test").await.unwrap();
        connection.request("POST", "/sink", &[], &vec![b'x'; length]).await.unwrap().status
    };
    assert_eq!(block_on(post(1001)), 413);
    assert_eq!(block_on(post(1000)), 200);
    assert_eq!(block_on(alice.knock(portal.port, "portal.test", "/")).unwrap().status, 429);
    let logged = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
    assert!(logged.as_array().unwrap().iter().all(|one| one["address"] != "127.0.0.1"), "{logged}");
}

#[test]
fn every_code_of_an_answer_is_explained() {
    let portal = Portal::build(&binary()).prepare();
    for other in gateway::pages::others::OTHERS {
        let said = portal.countersign(&["explain", other.code]).ok();
        assert!(said.stdout.contains(other.title), "{}", said.stdout);
    }
    let said = portal.countersign(&["explain", "to-many-requests"]);
    assert_eq!(said.code, 5);
    assert!(format!("{}{}", said.stdout, said.stderr).contains("too-many-requests"));
}

#[test]
fn an_address_that_is_none_is_named_with_its_place() {
    let portal = Portal::build(&binary()).server_line("trusted_proxies = [\"10.1.0.0/8\"]").prepare();
    let answer = portal.countersign(&["validate"]);
    assert_eq!(answer.code, 3);
    let all = format!("{}{}", answer.stdout, answer.stderr);
    assert!(all.contains("`10.1.0.0/8` sets bits beyond its prefix; the range is 10.0.0.0/8"), "{all}");
}
