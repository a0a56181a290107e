//! What the upstream is told about who is there and where from, over real sockets.

use gateway::IdentityHeader;
use gateway::networks::{Network, Networks};
use testkit::RawUpstream;

use crate::world::{World, until};

const ALL: [IdentityHeader; 9] = [
    IdentityHeader::ClientCert,
    IdentityHeader::ClientCertChain,
    IdentityHeader::Party,
    IdentityHeader::Xfcc,
    IdentityHeader::Nginx,
    IdentityHeader::Traefik,
    IdentityHeader::Aws,
    IdentityHeader::Azure,
    IdentityHeader::ProxyV2,
];

/// Every name that one of the dialects sets.
const NAMES: [&str; 18] = [
    "client-cert",
    "client-cert-chain",
    "countersign-party",
    "x-forwarded-client-cert",
    "x-ssl-client-verify",
    "x-ssl-client-s-dn",
    "x-ssl-client-i-dn",
    "x-ssl-client-serial",
    "x-ssl-client-fingerprint",
    "x-ssl-client-cert",
    "x-forwarded-tls-client-cert",
    "x-forwarded-tls-client-cert-info",
    "x-amzn-mtls-clientcert-serial-number",
    "x-amzn-mtls-clientcert-issuer",
    "x-amzn-mtls-clientcert-subject",
    "x-amzn-mtls-clientcert-validity",
    "x-amzn-mtls-clientcert-leaf",
    "x-arr-clientcert",
];

fn loopback() -> Networks {
    [Network::parse("127.0.0.0/8").unwrap()].into_iter().collect()
}

#[tokio::test]
async fn every_dialect_reaches_the_upstream_once_and_nothing_of_what_was_sent_in() {
    let world = World::new();
    let dialects = ALL[..8].to_vec();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.identity = dialects);
    let forged: Vec<(&str, &str)> = NAMES.iter().map(|name| (*name, "forged")).collect();
    let alice = world.client().showing(&world.alice);
    let mut h1 = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(h1.get("/", &forged).await.unwrap().status, 200);
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(h2.get("/", &forged).await.unwrap().status, 200);
    for seen in world.echo.requests() {
        for name in NAMES {
            // alice's certificate is pinned: nothing was verified above it.
            let expected = usize::from(name != "client-cert-chain");
            assert_eq!(seen.all(name).len(), expected, "{name}");
            assert!(!seen.all(name).contains(&"forged"), "{name}");
        }
        assert_eq!(seen.all("x-ssl-client-verify"), ["SUCCESS"]);
        assert_eq!(seen.all("x-ssl-client-s-dn"), ["CN=alice"]);
    }
    assert_eq!(world.echo.count(), 2);
}

#[tokio::test]
async fn nobody_is_told_as_nobody_on_open_paths_and_while_observing() {
    let world = World::new();
    for (dialect, expected) in [
        (IdentityHeader::Nginx, vec![("x-ssl-client-verify", "NONE")]),
        (IdentityHeader::Haproxy, vec![("x-ssl", "1"), ("x-ssl-client-verify", "NONE")]),
    ] {
        world.apply_site("open.test", vec![], |_| {}, |site| site.identity = vec![dialect]);
        let forged = [
            ("X-SSL-Client-Verify", "SUCCESS"),
            ("x_ssl_client_s_dn", "CN=root"),
            ("X-SSL-Client-DN", "/CN=root"),
        ];
        for client in [world.client(), world.client().showing(&world.alice)] {
            let mut connection = client.connect(world.port(), "open.test").await.unwrap();
            assert_eq!(connection.get("/health", &forged).await.unwrap().status, 200);
            let seen = world.echo.last();
            let told = seen.headers.iter().filter(|(name, _)| name.contains("ssl"));
            let told: Vec<(&str, &str)> = told.map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(told, expected);
        }
    }
    let until = examiner::UnixTime(world.now().seconds() + 60);
    let observe = |site: &mut policy::Site| site.observe_until = Some(until);
    world.apply_site("portal.test", vec![], observe, |site| site.identity = vec![IdentityHeader::Nginx]);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    assert_eq!(world.echo.last().all("x-ssl-client-verify"), ["NONE"]);
}

/// The common name and `verify` of the PROXY header that a connection began with.
fn announced(bytes: &[u8]) -> (Option<String>, u8) {
    assert_eq!(bytes[..12], *b"\r\n\r\n\0\r\nQUIT\n", "{}", String::from_utf8_lossy(bytes));
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    let mut rest = &bytes[28..16 + length];
    let (mut name, mut verify) = (None, 9);
    while let [kind, high, low, more @ ..] = rest {
        let (value, behind) = more.split_at(usize::from(u16::from_be_bytes([*high, *low])));
        rest = behind;
        match kind {
            0x20 => {
                verify = value[4];
                rest = &value[5..];
            }
            0x22 => name = Some(String::from_utf8(value.to_vec()).unwrap()),
            _ => {}
        }
    }
    assert!(bytes[16 + length..].starts_with(b"GET "), "the request follows");
    (name, verify)
}

#[tokio::test]
async fn with_proxy_v2_an_upstream_connection_is_one_clients_alone() {
    let world = World::new();
    let raw = RawUpstream::start();
    let address = format!("127.0.0.1:{}", raw.port());
    for name in ["portal.test", "open.test"] {
        let address = address.clone();
        let carol = vec![crate::world::party("bob", &["portal.test", "open.test"])];
        world.apply_site(
            name,
            carol,
            |_| {},
            |site| {
                site.identity = vec![IdentityHeader::ProxyV2];
                site.upstream = gateway::Upstream::http(address);
            },
        );
        raw.connections();
        if name == "portal.test" {
            for cert in [&world.alice, &world.bob] {
                let client = world.client().showing(cert);
                let mut connection = client.connect(world.port(), name).await.unwrap();
                for _ in 0..3 {
                    assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
                }
            }
            let seen: Vec<_> = raw.received().iter().map(|bytes| announced(bytes)).collect();
            assert_eq!(seen, [(Some("alice".to_owned()), 0), (Some("bob".to_owned()), 0)]);
            for bytes in raw.received() {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                assert_eq!(text.matches("GET / HTTP/1.1").count(), 3);
                assert!(!text.contains("client-cert"), "{text}");
            }
        } else {
            assert_eq!(world.client().knock(world.port(), name, "/health").await.unwrap().status, 200);
            assert_eq!(announced(raw.received().last().unwrap()), (None, 1));
        }
    }
}

const V1: &[u8] = b"PROXY TCP4 203.0.113.9 198.51.100.1 4711 443\r\n";

#[tokio::test]
async fn a_listed_peer_must_announce_and_its_word_is_the_address() {
    let world = World::set(|settings| settings.front.proxy_protocol = loopback());
    let alice = world.client().showing(&world.alice);
    let mut v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    v2.extend([203, 0, 113, 9, 198, 51, 100, 1, 0x12, 0x67, 1, 187]);
    for header in [V1, &v2] {
        let client = alice.clone().announced_by(header);
        assert_eq!(client.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
        let seen = world.echo.last();
        assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9"]);
        assert_eq!(seen.all("forwarded").len(), 1);
        assert!(seen.all("forwarded")[0].starts_with("for=203.0.113.9;"));
    }
    assert_eq!(world.lines(2)[0].address.to_string(), "203.0.113.9");
    for header in [&b""[..], b"PROXY TCP4 nowhere nowhere 1 2\r\n", &v2[..20]] {
        let client = alice.clone().announced_by(header);
        assert!(client.knock(world.port(), "portal.test", "/").await.is_err());
    }
    let unknown = alice.announced_by(b"PROXY UNKNOWN\r\n");
    assert_eq!(unknown.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    assert_eq!(world.echo.last().all("x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(world.echo.count(), 3);
    assert_eq!(world.client().knock(world.admin_port(), "localhost", "/livez").await.unwrap().status, 200);
}

#[tokio::test]
async fn nobody_else_announces_anybody() {
    let other: Networks = [Network::parse("192.0.2.0/24").unwrap()].into_iter().collect();
    let worlds = [World::new(), World::set(move |settings| settings.front.proxy_protocol = other)];
    for world in worlds {
        let alice = world.client().showing(&world.alice);
        assert!(alice.clone().announced_by(V1).knock(world.port(), "portal.test", "/").await.is_err());
        assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
        assert_eq!(world.echo.count(), 1);
        assert_eq!(world.echo.last().all("x-forwarded-for"), ["127.0.0.1"]);
    }
}

#[tokio::test]
async fn the_shares_are_those_of_whom_is_announced() {
    let world = World::set(|settings| {
        settings.front.proxy_protocol = loopback();
        settings.limits.half_open_per_address = 2;
    });
    // Of three of one address one is beyond its share, whichever is read last; another address is not.
    let mut held = tokio::task::JoinSet::new();
    for _ in 0..3 {
        let mut tcp = tokio::net::TcpStream::connect(("127.0.0.1", world.port())).await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut tcp, V1).await.unwrap();
        held.spawn(async move { tokio::io::AsyncReadExt::read(&mut tcp, &mut [0]).await.unwrap_or(0) });
    }
    let ended = held.join_next().await.unwrap().unwrap();
    assert_eq!(ended, 0, "it is closed without a word");
    let alice = world.client().showing(&world.alice);
    let same = alice.clone().announced_by(V1);
    assert!(same.knock(world.port(), "portal.test", "/").await.is_err());
    let other = alice.announced_by(b"PROXY TCP4 203.0.113.10 198.51.100.1 1 443\r\n");
    assert_eq!(other.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    assert_eq!(held.len(), 2);
    assert!(held.try_join_next().is_none(), "the two within the share are still there");
}

#[tokio::test]
async fn only_a_trusted_proxy_is_believed_about_where_requests_come_from() {
    let sent = [
        ("X-Forwarded-For", "203.0.113.9, 10.0.0.1"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-Host", "www.example.com"),
        ("Forwarded", "for=203.0.113.9"),
        ("x_forwarded_for", "6.6.6.6"),
        ("X-Real-IP", "6.6.6.6"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let trusting = World::set(|settings| settings.front.trusted_proxies = loopback());
    let careful = World::new();
    for (world, believed) in [(trusting, true), (careful, false)] {
        let alice = world.client().showing(&world.alice);
        let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(connection.get("/", &sent).await.unwrap().status, 200);
        let seen = world.echo.last();
        let own = format!("for=127.0.0.1;host=\"portal.test:{}\";proto=https", world.port());
        if believed {
            assert_eq!(seen.all("x-forwarded-for"), ["203.0.113.9, 10.0.0.1, 127.0.0.1"]);
            assert_eq!(seen.all("x-forwarded-proto"), ["http"]);
            assert_eq!(seen.all("x-forwarded-host"), ["www.example.com"]);
            assert_eq!(seen.all("forwarded"), [format!("for=203.0.113.9, {own}")]);
        } else {
            assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
            assert_eq!(seen.all("x-forwarded-proto"), ["https"]);
            assert_eq!(seen.all("x-forwarded-host"), [format!("portal.test:{}", world.port())]);
            assert_eq!(seen.all("forwarded"), [own]);
        }
        assert!(seen.header("x_forwarded_for").is_none() && seen.header("x-real-ip").is_none());
        assert_eq!(seen.all("traceparent").len(), 1);
        let bare = connection.get("/", &[]).await.unwrap();
        assert_eq!(bare.status, 200);
        assert_eq!(world.echo.last().all("x-forwarded-for"), ["127.0.0.1"]);
        until(|| world.echo.count() == 2);
    }
}
