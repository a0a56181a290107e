//! The listener without TLS: redirects, revocation lists, and never the upstream.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use examiner::UnixTime;
use gateway::PublishedList;
use testkit::{Conn, Response};

use crate::world::World;

fn world() -> World {
    World::set(|settings| {
        settings.plain.listen = vec![TcpListener::bind("127.0.0.1:0").unwrap()];
        settings.plain.https_port = 8443;
        let list = |name: &str| {
            let made = UnixTime::parse("2026-11-23T08:49:37Z").unwrap();
            (name == "own").then(|| PublishedList {
                number: 7,
                der: vec![0x30, 0].into(),
                made,
                next_update: UnixTime::FAR_FUTURE,
            })
        };
        settings.plain.lists = Some(Arc::new(list));
    })
}

async fn ask(world: &World, bytes: &str) -> Response {
    let mut connection = Conn::plain(world.gate.bound()[2].port(), "portal.test").await.unwrap();
    connection.send_raw(bytes.as_bytes()).await.unwrap();
    let head = connection.read_head().await.unwrap();
    let body = connection.read_to_end().await.unwrap();
    Response { body, ..head }
}

fn location(answer: &Response) -> Option<&str> {
    answer
        .headers
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_known_host_is_sent_to_https_and_no_other() {
    let world = world();
    let port = world.gate.bound()[2].port();
    for (request, status, wanted) in [
        (
            "GET /a/b?c=d HTTP/1.1\r\nHost: portal.test\r\n\r\n".to_owned(),
            308,
            Some("https://portal.test/a/b?c=d"),
        ),
        (
            format!("GET / HTTP/1.1\r\nHost: PORTAL.test.:{port}\r\n\r\n"),
            308,
            Some("https://portal.test:8443/"),
        ),
        (
            "POST /x HTTP/1.1\r\nHost: strict.test\r\nContent-Length: 3\r\n\r\nabc".into(),
            308,
            Some("https://strict.test/x"),
        ),
        ("HEAD / HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(), 308, Some("https://portal.test/")),
        (
            "GET http://portal.test/abs HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(),
            308,
            Some("https://portal.test/abs"),
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(), 308, Some("https://portal.test/")),
        (
            "GET //evil.test/ HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(),
            308,
            Some("https://portal.test//evil.test/"),
        ),
        ("GET / HTTP/1.1\r\nHost: evil.test\r\n\r\n".into(), 421, None),
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".into(), 421, None),
        ("GET http://evil.test/ HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(), 400, None),
        ("GET / HTTP/1.1\r\nHost: portal.test@evil.test\r\n\r\n".into(), 400, None),
        ("GET / HTTP/1.1\r\n\r\n".into(), 400, None),
        ("GET / HTTP/1.1\r\nHost: portal.test\r\nHost: evil.test\r\n\r\n".into(), 400, None),
        ("CONNECT portal.test:443 HTTP/1.1\r\nHost: portal.test:443\r\n\r\n".into(), 400, None),
        ("TRACE / HTTP/1.1\r\nHost: portal.test\r\n\r\n".into(), 400, None),
    ] {
        let answer = ask(&world, &request).await;
        assert_eq!((answer.status, location(&answer)), (status, wanted), "{request}");
        assert!(answer.body.is_empty(), "{request}");
    }
    assert_eq!(world.echo.count(), 0, "nothing reaches an upstream");
    assert!(world.lines(1).iter().all(|line| line.verdict == "answered"));
}

#[tokio::test]
async fn the_published_list_is_given_out_and_no_file_beside_it() {
    let world = world();
    let answer = ask(&world, "GET /crl/own.crl HTTP/1.1\r\nHost: crl.elsewhere.test\r\n\r\n").await;
    assert_eq!((answer.status, &answer.body[..]), (200, &[0x30, 0][..]));
    let field = |wanted: &str| {
        let all = &answer.headers;
        all.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.clone())
    };
    assert_eq!(field("content-type").as_deref(), Some("application/pkix-crl"));
    assert_eq!(field("last-modified").as_deref(), Some("Mon, 23 Nov 2026 08:49:37 GMT"));
    assert_eq!(field("cache-control").as_deref(), Some("max-age=3600"));
    assert!(field("expires").is_some());
    let head = ask(&world, "HEAD /crl/own.crl HTTP/1.1\r\nHost: portal.test\r\n\r\n").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for (start, status) in [
        ("POST /crl/own.crl", 405),
        ("GET /crl/other.crl", 404),
        ("GET /crl/../ca/root.key.crl", 404),
        ("GET /crl/%2e%2e%2fown.crl", 404),
        ("GET /crl/.crl", 404),
        ("GET /crl/own.crlx", 308),
    ] {
        let answer = ask(&world, &format!("{start} HTTP/1.1\r\nHost: portal.test\r\n\r\n")).await;
        assert_eq!(answer.status, status, "{start}");
    }
}

#[tokio::test]
async fn one_request_a_connection_and_slow_ones_are_closed() {
    let world = World::set(|settings| {
        settings.plain.listen = vec![TcpListener::bind("127.0.0.1:0").unwrap()];
        settings.limits.headers = Duration::from_millis(300);
        settings.limits.half_open_per_address = 1;
    });
    let port = world.gate.bound()[2].port();
    let mut slow = Conn::plain(port, "portal.test").await.unwrap();
    slow.send_raw(b"GET / HTTP/1.1\r\nHost: portal.test\r\n").await.unwrap();
    let (said, _) = slow.ended_within(Duration::from_secs(10)).await.expect("it is closed");
    assert!(!String::from_utf8_lossy(&said).contains("308"), "{said:?}");
    let two = "GET /1 HTTP/1.1\r\nHost: portal.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: portal.test\r\n\r\n";
    let asked = async {
        loop {
            let mut next = Conn::plain(port, "portal.test").await.unwrap();
            next.send_raw(two.as_bytes()).await.unwrap();
            let said = next.read_to_end().await.unwrap_or_default();
            // The share of the slow one is given back only when its task is over.
            if !said.is_empty() {
                return String::from_utf8_lossy(&said).into_owned();
            }
        }
    };
    let said = tokio::time::timeout(Duration::from_secs(20), asked).await.unwrap();
    assert_eq!(said.matches("HTTP/1.1 308").count(), 1, "{said}");
    assert!(said.to_ascii_lowercase().contains("connection: close"), "{said}");
}
