//! A certificate authority asks whether a name leads here; nobody gets in by asking so.

use std::collections::HashSet;
use std::net::TcpListener;
use std::sync::Arc;

use gateway::OpenChallenge;
use policy::HostName;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::ca::Leaf;
use testkit::{Client, Conn, TestCa, TestCert};

use crate::world::World;

const TOKEN: &str = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA";
const ACME: &str = "acme-tls/1";

struct Asked {
    world: World,
    /// What the challenge shows.
    shown: TestCert,
    ca: TestCa,
}

/// A world in which a challenge is open for these names, and certificates come by ACME for those.
fn asked(open: &'static [&'static str], ordered: &[&str]) -> Asked {
    let ca = TestCa::new("Challenges");
    let shown = Leaf::server("portal.test").dns("strict.test").dns("more.test").issued_by(&ca);
    let chain = CertificateDer::pem_slice_iter(shown.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(shown.key_pem.as_bytes()).unwrap();
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
    let pair = Arc::new(CertifiedKey::new(chain, key));
    let world = World::set(|settings| {
        settings.plain.listen = vec![TcpListener::bind("127.0.0.1:0").unwrap()];
        settings.challenges = Some(Arc::new(move |name: &HostName| {
            if name.as_str() == "http.test" {
                let answer = format!("{TOKEN}.thumbprint");
                return Some(OpenChallenge::Http { token: TOKEN.into(), answer });
            }
            open.contains(&name.as_str()).then(|| OpenChallenge::Tls(pair.clone()))
        }));
    });
    let names: HashSet<HostName> = ordered.iter().map(|name| HostName::parse(name).unwrap()).collect();
    let mut state = world.state.clone();
    state.challenged = Arc::new(names);
    world.gate.apply(state, Vec::new());
    Asked { world, shown, ca }
}

impl Asked {
    /// The authority: it takes the challenge's certificate alone.
    fn authority(&self) -> Client {
        Client::trusting(&self.ca.root_pem()).alpn(&[ACME])
    }

    async fn alert(&self, client: Client, name: &str) -> Option<u8> {
        let outcome = client.knock(self.world.port(), name, "/").await;
        outcome.expect_err("nobody gets in").alert
    }
}

#[tokio::test]
async fn an_open_challenge_is_shown_and_nothing_else_is_served_on_that_connection() {
    let asked =
        asked(&["portal.test", "strict.test", "more.test"], &["portal.test", "strict.test", "more.test"]);
    // A name that is no site can be in a site's certificate; a strict site asks for no client certificate here.
    for name in ["portal.test", "strict.test", "more.test"] {
        for client in [asked.authority().tls12(), asked.authority().tls13()] {
            let mut connection = client.connect(asked.world.port(), name).await.unwrap();
            assert_eq!(connection.alpn().as_deref(), Some(ACME));
            assert_eq!(connection.server_chain()[0], asked.shown.der);
            let request = format!("GET / HTTP/1.1\r\nHost: {name}\r\n\r\n");
            let _ = connection.send_raw(request.as_bytes()).await;
            let answer = connection.read_to_end().await.unwrap_or_default();
            assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
        }
    }
    assert_eq!(asked.world.echo.count(), 0);
}

#[tokio::test]
async fn a_client_that_offers_more_than_the_challenge_is_a_client_like_any_other() {
    let asked = asked(&["portal.test", "strict.test"], &["portal.test", "strict.test"]);
    let trusted = || asked.world.client();
    for offered in [&[ACME, "http/1.1"][..], &["http/1.1", ACME], &["h2", ACME, "http/1.1"]] {
        // A certificate is asked for, and none is shown.
        assert_eq!(
            asked.alert(trusted().tls13().alpn(offered), "strict.test").await,
            Some(116),
            "{offered:?}"
        );
        if offered.contains(&"h2") {
            continue;
        }
        let refused = trusted().alpn(offered).knock(asked.world.port(), "portal.test", "/").await.unwrap();
        assert_eq!((refused.status, refused.code().as_str()), (403, "no-certificate"), "{offered:?}");
    }
    // The challenge's protocol twice is no challenge either, and no other protocol.
    assert_eq!(asked.alert(trusted().alpn(&[ACME, ACME]), "portal.test").await, Some(120));
    assert_eq!(asked.world.echo.count(), 0);
}

#[tokio::test]
async fn without_an_open_challenge_nothing_is_shown() {
    let asked = asked(&["portal.test", "other.test"], &["portal.test", "strict.test"]);
    for client in [asked.authority(), asked.world.client().alpn(&[ACME])] {
        let client =
            |alice: bool| if alice { client.clone().showing(&asked.world.alice) } else { client.clone() };
        for alice in [false, true] {
            // A site without an open challenge, one whose certificate does not come by ACME, and no site at all.
            for name in ["strict.test", "open.test", "other.test", "unknown.test"] {
                assert_eq!(asked.alert(client(alice), name).await, Some(120), "{name}");
            }
            assert_eq!(asked.alert(client(alice).without_sni(), "portal.test").await, Some(120), "no name");
        }
    }
    // The admin address has a listener of its own, and answers no challenge.
    let admin =
        asked.world.client().alpn(&[ACME]).knock(asked.world.admin_port(), "portal.test", "/livez").await;
    assert_eq!(admin.expect_err("nobody gets in").alert, Some(120));
    assert_eq!(asked.world.echo.count(), 0);
}

#[tokio::test]
async fn by_http_the_token_that_is_open_is_answered_and_no_other() {
    let asked = asked(&[], &["http.test", "portal.test"]);
    let port = asked.world.gate.bound()[2].port();
    let ask = async |method: &str, host: &str, path: &str| {
        let mut connection = Conn::plain(port, host).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        connection.send_raw(request.as_bytes()).await.unwrap();
        let head = connection.read_head().await.unwrap();
        (head.status, String::from_utf8(connection.read_to_end().await.unwrap()).unwrap())
    };
    let path = format!("/.well-known/acme-challenge/{TOKEN}");
    assert_eq!(ask("GET", "http.test", &path).await, (200, format!("{TOKEN}.thumbprint")));
    assert_eq!(ask("GET", "http.test:80", &path).await.0, 200);
    for (method, host, path, status) in [
        ("GET", "http.test", "/.well-known/acme-challenge/other", 421),
        ("GET", "http.test", "/.well-known/acme-challenge/", 421),
        ("GET", "http.test", "/", 421),
        ("POST", "http.test", path.as_str(), 421),
        // As any other path of a site.
        ("GET", "portal.test", path.as_str(), 308),
        ("GET", "open.test", path.as_str(), 308),
        ("GET", "unknown.test", path.as_str(), 421),
    ] {
        let (seen, body) = ask(method, host, path).await;
        assert_eq!((seen, body.contains("thumbprint")), (status, false), "{method} {host} {path}");
    }
    assert_eq!(asked.world.echo.count(), 0);
}
