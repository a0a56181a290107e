//! One host name, many spellings: handshake and request agree on what it is.

use testkit::{Portal, openssl_s_client};

use crate::support::{SITE, binary, block_on};

#[test]
fn a_host_is_the_same_site_in_every_spelling_and_no_other() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let upstream = portal.echo.url();
    portal.countersign(&["site", "add", "bücher.test", "--upstream", &upstream]).ok();
    let mut portal = portal;
    portal.start_gate();
    for name in ["PORTAL.TEST", "Portal.Test"] {
        let args = ["-cert", "alice.pem", "-key", "alice.key"];
        let seen = openssl_s_client(portal.sandbox.dir(), portal.port, Some(name), &args);
        assert!(seen.output.contains("HTTP/1.1 200"), "{name}: {}", seen.output);
    }
    assert_eq!(portal.echo.count(), 2);
    let alice = portal.client_as("alice");
    let ask = |sni: &'static str, host: &'static str| {
        block_on(async {
            let mut conn = alice.connect(portal.port, sni).await.unwrap();
            conn.get("/", &[("Host", host)]).await.unwrap()
        })
    };
    for host in ["portal.test", "PORTAL.test.", "portal.test:443"] {
        assert_eq!(ask(SITE, host).status, 200, "{host}");
    }
    let before = portal.echo.count();
    for host in ["xn--bcher-kva.test", "XN--BCHER-KVA.TEST.", "Xn--Bcher-Kva.Test:1"] {
        assert_eq!(ask(SITE, host).status, 421, "{host}");
        let at_home = ask("xn--bcher-kva.test", host);
        assert_eq!((at_home.status, at_home.code().as_str()), (403, "not-allowed"), "{host}");
    }
    for host in [SITE, "PORTAL.test."] {
        assert_eq!(ask("xn--bcher-kva.test", host).status, 421, "{host}");
    }
    for host in
        ["portal。test", "portal.test..", ".portal.test", "portal.test%00", "portal.test@x", "a.portal.test"]
    {
        let status = ask(SITE, host).status;
        assert!(matches!(status, 400 | 421), "{host}: {status}");
    }
    assert_eq!(portal.echo.count(), before, "none of these reached the upstream");
}

#[test]
fn a_request_for_another_site_on_an_http2_connection_is_misdirected() {
    let portal = Portal::build(&binary()).party("alice").prepare();
    let other = testkit::Echo::start();
    portal.countersign(&["site", "add", "b.test", "--upstream", &other.url()]).ok();
    // alice may enter both: what keeps her out is the connection, made under the other site's terms.
    portal.countersign(&["party", "grant", "alice", "--site", "b.test"]).ok();
    let mut portal = portal;
    portal.start_gate();
    block_on(async {
        let conn = portal.client_as("alice").connect_h2(portal.port, SITE).await.unwrap();
        assert_eq!(conn.get("/", &[]).await.unwrap().status, 200);
        let mut stream = conn.start("GET", "b.test", "/", &[], b"").await.unwrap();
        assert_eq!(stream.head.status, 421);
        while let Ok(Some(_)) = stream.next().await {}
        let mut own = conn.start("GET", "PORTAL.test.:443", "/", &[], b"").await.unwrap();
        assert_eq!(own.head.status, 200);
        while let Ok(Some(_)) = own.next().await {}
    });
    assert_eq!((portal.echo.count(), other.count()), (2, 0));
}
