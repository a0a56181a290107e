//! What is spoken with upstreams: TLS, HTTP/2, Unix sockets; trailers, 100-continue, interim answers, events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gateway::{Upstream, UpstreamTls};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::{Conn, RawUpstream, TestCa, TestCert};

use crate::peer::{Peer, Speaks};
use crate::world::{World, party, until};

fn to(target: &str, tls: Option<UpstreamTls>) -> Upstream {
    Upstream { targets: vec![target.parse().unwrap()], tls: tls.map(Arc::new), check: None, proxied: false }
}

fn use_upstream(world: &World, upstream: Upstream) {
    let changes = vec![party("bob", &["portal.test"])];
    world.apply_site("portal.test", changes, |_| {}, |site| site.upstream = upstream);
}

fn verified(ca: &TestCa, own: Option<&TestCert>, servername: Option<&str>) -> UpstreamTls {
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    let own = own.map(|own| {
        let chain = CertificateDer::pem_slice_iter(own.chain_pem.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
        let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key).unwrap();
        Arc::new(rustls::sign::CertifiedKey::new(chain, key))
    });
    UpstreamTls::new(&[root], own, servername).unwrap()
}

async fn alice(world: &World) -> Conn {
    world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap()
}

#[tokio::test]
async fn an_https_upstream_is_verified_and_speaks_what_it_chooses() {
    let world = World::new();
    let ca = TestCa::new("Upstream CA");
    for (alpn, version) in
        [(vec!["h2", "http/1.1"], "HTTP/2.0"), (vec!["http/1.1"], "HTTP/1.1"), (vec![], "HTTP/1.1")]
    {
        let peer = Peer::start(Speaks::Tls { own: ca.issue_server("localhost"), alpn, wants: None });
        let target = format!("https://localhost:{}", peer.port);
        use_upstream(&world, to(&target, Some(verified(&ca, None, None))));
        let mut asking = alice(&world).await;
        for _ in 0..3 {
            assert_eq!(asking.get("/", &[]).await.unwrap().text(), "alice 1");
        }
        let port = world.port();
        assert_eq!(peer.last().version, version);
        let host = format!("portal.test:{port}");
        let came = peer.last();
        let named = if version == "HTTP/2.0" {
            came.uri == format!("https://{host}/") && came.header("host").is_none()
        } else {
            came.header("host") == Some(&host)
        };
        assert!(named, "{came:?}");
        assert!(!came.shown);
    }
}

#[tokio::test]
async fn an_upstream_that_is_not_verified_sees_no_request() {
    let world = World::new();
    let (ca, other) = (TestCa::new("Upstream CA"), TestCa::new("Other CA"));
    let peer =
        Peer::start(Speaks::Tls { own: ca.issue_server("inside.test"), alpn: vec!["h2"], wants: None });
    let target = format!("https://localhost:{}", peer.port);
    let reach = |tls: UpstreamTls| {
        let upstream = to(&target, Some(tls));
        async move {
            let site = policy::HostName::parse("portal.test").unwrap();
            gateway::reach(&site, &upstream, &upstream.targets[0], Duration::from_secs(5)).await
        }
    };
    for (tls, why) in [
        (verified(&other, None, Some("inside.test")), "upstream_tls.roots"),
        (verified(&ca, None, None), "upstream_tls.servername"),
    ] {
        let told = reach(verified(
            if why.ends_with("roots") { &other } else { &ca },
            None,
            why.ends_with("roots").then_some("inside.test"),
        ))
        .await;
        assert!(told.unwrap_err().contains(why));
        use_upstream(&world, to(&target, Some(tls)));
        let answer = alice(&world).await.get("/", &[]).await.unwrap();
        assert_eq!((answer.status, answer.code()), (502, "upstream-unreachable".to_owned()));
    }
    assert!(peer.came().is_empty());
    assert_eq!(reach(verified(&ca, None, Some("inside.test"))).await, Ok("TLS, HTTP/2"));
    use_upstream(&world, to(&target, Some(verified(&ca, None, Some("inside.test")))));
    assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().status, 200);

    // No TLS at all.
    let plain = Peer::start(Speaks::Http1);
    let target = format!("https://localhost:{}", plain.port);
    use_upstream(&world, to(&target, Some(verified(&ca, None, None))));
    assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().status, 502);
    assert!(plain.came().is_empty());
}

#[tokio::test]
async fn our_own_certificate_is_shown_to_an_upstream_that_asks() {
    let world = World::new();
    let (ca, ours) = (TestCa::new("Upstream CA"), TestCa::new("Gates CA"));
    let gate = ours.issue("gate");
    for alpn in [vec!["h2"], vec!["http/1.1"]] {
        let own = ca.issue_server("localhost");
        let peer = Peer::start(Speaks::Tls { own, alpn, wants: Some(ours.root_pem()) });
        let target = format!("https://localhost:{}", peer.port);
        use_upstream(&world, to(&target, Some(verified(&ca, None, None))));
        assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().status, 502);
        let upstream = to(&target, Some(verified(&ca, None, None)));
        let site = policy::HostName::parse("portal.test").unwrap();
        let told = gateway::reach(&site, &upstream, &upstream.targets[0], Duration::from_secs(5)).await;
        assert!(told.clone().unwrap_err().contains("upstream_tls.cert"), "{told:?}");
        assert!(peer.came().is_empty());

        use_upstream(&world, to(&target, Some(verified(&ca, Some(&gate), None))));
        assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().status, 200);
        assert!(peer.last().shown);
    }
}

#[tokio::test]
async fn many_clients_share_an_http_2_connection_and_each_is_itself() {
    let world = World::new();
    let peer = Peer::start(Speaks::H2c);
    use_upstream(&world, to(&format!("h2c://127.0.0.1:{}", peer.port), None));
    let crowd = async || {
        let mut asked = Vec::new();
        for round in 0..20 {
            let (who, cert) = if round % 2 == 0 { ("alice", &world.alice) } else { ("bob", &world.bob) };
            let (client, port) = (world.client().showing(cert), world.port());
            asked.push(tokio::spawn(async move {
                let conn = client.connect_h2(port, "portal.test").await.unwrap();
                for _ in 0..5 {
                    let forged = [("countersign-party", "root"), ("client-cert", ":AAAA:")];
                    let text = conn.get("/slow", &forged).await.unwrap().text();
                    assert!(text.starts_with(&format!("{who} ")), "{who} was told to be {text}");
                }
            }));
        }
        for one in asked {
            one.await.unwrap();
        }
    };
    // Whoever comes first makes a connection, and they all come at once; the next find one.
    crowd().await;
    let first = peer.connections();
    crowd().await;
    assert_eq!(peer.came().len(), 200);
    let more = peer.connections() - first;
    assert!(first <= 20 && more < 20, "{first} connections for 20 clients, {more} for 20 more");
    let came = peer.last();
    assert_eq!((came.version.as_str(), came.header("host")), ("HTTP/2.0", None));
    assert_eq!(came.headers.get_all("countersign-party").iter().count(), 1);
}

#[tokio::test]
async fn a_login_that_belongs_to_the_connection_is_never_on_a_shared_http_2_connection() {
    let world = World::new();
    let peer = Peer::start(Speaks::H2c);
    use_upstream(&world, to(&format!("h2c://127.0.0.1:{}", peer.port), None));
    let mut asking = alice(&world).await;
    assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    let shared = peer.last().connection;
    assert_eq!(asking.get("/", &[("authorization", "NTLM abc")]).await.unwrap().status, 200);
    assert_ne!(peer.last().connection, shared);
    assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(peer.last().connection, shared);
}

#[tokio::test]
async fn trailers_pass_both_ways_and_bring_no_identity() {
    let world = World::new();
    for (speaks, scheme) in [(Speaks::Http1, "http"), (Speaks::H2c, "h2c")] {
        let peer = Peer::start(speaks);
        use_upstream(&world, to(&format!("{scheme}://127.0.0.1:{}", peer.port), None));
        let mut asking = alice(&world).await;
        let request = "POST /trailers HTTP/1.1\r\nHost: portal.test\r\nTE: trailers\r\nTrailer: X-Sent, Countersign-Party\r\n\
                       Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nX-Sent: 5\r\nCountersign-Party: root\r\n\r\n";
        asking.send_raw(request.as_bytes()).await.unwrap();
        let head = asking.read_head().await.unwrap();
        assert_eq!((head.status, head.header("trailer")), (200, Some("x-sum")));
        let mut text = String::new();
        while !text.contains("0\r\n") || !text.ends_with("\r\n\r\n") {
            text += &String::from_utf8(asking.read_some().await.unwrap()).unwrap();
        }
        assert!(text.to_lowercase().contains("x-sum: 7\r\n"), "{scheme}: {text}");
        let came = peer.last();
        assert_eq!(
            (came.body, came.trailers.get("x-sent").map(|value| value.as_bytes())),
            (4, Some(&b"5"[..]))
        );
        assert!(came.trailers.get("countersign-party").is_none());
        assert_eq!(came.header("countersign-party"), Some("alice"));
    }
}

#[tokio::test]
async fn a_unix_socket_is_an_upstream() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.sock");
    let peer = Peer::at(&path);
    use_upstream(&world, to(&format!("unix:{}", path.display()), None));
    let mut asking = alice(&world).await;
    for _ in 0..3 {
        assert_eq!(asking.get("/over?the=socket", &[]).await.unwrap().text(), "alice 1");
    }
    assert_eq!(peer.last().uri, "/over?the=socket");
    use_upstream(&world, to("unix:/nowhere/app.sock", None));
    assert_eq!(asking.get("/", &[]).await.unwrap().status, 502);
}

#[tokio::test]
async fn a_body_that_waits_for_100_goes_when_the_upstream_says_so_and_not_where_it_refuses() {
    let world = World::new();
    let (h1, h2) = (Peer::start(Speaks::Http1), Peer::start(Speaks::H2c));
    for target in [format!("http://127.0.0.1:{}", h1.port), format!("h2c://127.0.0.1:{}", h2.port)] {
        use_upstream(&world, to(&target, None));
        let mut asking = alice(&world).await;
        let since = Instant::now();
        let fields = [("Expect", "100-continue"), ("Content-Length", "4")];
        asking.send_request("POST", "/", &fields, b"").await.unwrap();
        let said = asking.read_some().await.unwrap();
        assert!(said.starts_with(b"HTTP/1.1 100 "), "{}", String::from_utf8_lossy(&said));
        assert!(since.elapsed() < Duration::from_millis(900), "{:?}", since.elapsed());
        asking.send_raw(b"body").await.unwrap();
        assert_eq!(asking.read_head().await.unwrap().status, 200);
    }
    assert_eq!((h1.last().body, h2.last().body), (4, 4));
    assert_eq!((h1.last().header("expect"), h2.last().header("expect")), (Some("100-continue"), None));

    use_upstream(&world, to(&format!("http://127.0.0.1:{}", h1.port), None));
    let mut asking = alice(&world).await;
    let fields = [("Expect", "100-continue"), ("Content-Length", "4000000")];
    asking.send_request("POST", "/refused", &fields, b"").await.unwrap();
    let said = asking.read_some().await.unwrap();
    assert!(
        said.starts_with(b"HTTP/1.1 413 "),
        "no byte of the body was asked for: {}",
        String::from_utf8_lossy(&said)
    );
    assert_eq!(alice(&world).await.get("/", &[]).await.unwrap().text().split(' ').next(), Some("alice"));
}

#[tokio::test]
async fn an_upstream_that_never_says_100_gets_the_body_all_the_same() {
    let world = World::new();
    let raw = RawUpstream::start();
    use_upstream(&world, to(&raw.url(), None));
    let mut asking = alice(&world).await;
    let fields = [("Expect", "100-continue"), ("Content-Length", "4")];
    asking.send_request("POST", "/", &fields, b"").await.unwrap();
    assert!(asking.read_some().await.unwrap().starts_with(b"HTTP/1.1 100 "));
    asking.send_raw(b"body").await.unwrap();
    assert_eq!(asking.read_head().await.unwrap().status, 200);
    assert!(raw.text().ends_with("body"));
}

#[tokio::test]
async fn interim_answers_are_dropped_without_harm_to_the_final_one() {
    let world = World::new();
    let interim =
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n";
    let raw = RawUpstream::answering(format!(
        "{interim}HTTP/1.1 200 OK\r\nX-Final: yes\r\nContent-Length: 2\r\n\r\nok"
    ));
    use_upstream(&world, to(&raw.url(), None));
    let mut asking = alice(&world).await;
    for _ in 0..3 {
        asking.send_request("GET", "/", &[], b"").await.unwrap();
        let mut text = String::new();
        while !text.ends_with("ok") {
            text += &String::from_utf8(asking.read_some().await.unwrap()).unwrap();
        }
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\n") && text.to_lowercase().contains("x-final: yes"),
            "{text}"
        );
    }
    assert_eq!(raw.connections(), 1, "the connection is as good as before");
}

#[tokio::test]
async fn events_arrive_one_by_one() {
    let world = World::new();
    for h2 in [false, true] {
        let since = Instant::now();
        let mut arrived = Vec::new();
        if h2 {
            let conn =
                world.client().showing(&world.alice).connect_h2(world.port(), "portal.test").await.unwrap();
            let mut stream =
                conn.start("GET", "portal.test", "/slow-stream?ms=100&chunks=5", &[], b"").await.unwrap();
            while let Some(event) = stream.next().await.unwrap() {
                arrived.push((since.elapsed(), event.len()));
            }
        } else {
            let mut asking = alice(&world).await;
            asking
                .send_request("GET", "/slow-stream?ms=100&chunks=5", &[("Connection", "close")], b"")
                .await
                .unwrap();
            asking.read_head().await.unwrap();
            loop {
                let event = asking.read_some().await.unwrap();
                if event.is_empty() {
                    break;
                }
                arrived.push((since.elapsed(), event.len()));
            }
        }
        assert!(arrived.len() >= 5, "{arrived:?}");
        let between = arrived[4].0 - arrived[0].0;
        assert!(between >= Duration::from_millis(300), "held back: {arrived:?}");
    }
    until(|| world.echo.open_streams() == 0);
}
