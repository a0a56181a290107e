//! What a site wants done beside the decision: preflights, requests of other sites' pages, rates, HSTS.

use gateway::networks::Network;
use testkit::Client;

use crate::world::{World, party};

const APP: &str = "https://app.example.com";

fn listed(world: &World) {
    world.apply_site("portal.test", vec![], |_| {}, |site| site.manners.cors_origins = vec![APP.into()]);
}

#[tokio::test]
async fn a_preflight_of_a_listed_origin_is_answered_without_certificate_and_upstream() {
    let world = World::new();
    listed(&world);
    let preflight = [("origin", APP), ("access-control-request-method", "PUT")];
    let ask = async |fields: &[(&str, &str)]| {
        let mut connection = world.client().connect(world.port(), "portal.test").await.unwrap();
        connection.request("OPTIONS", "/x", fields, b"").await.unwrap()
    };
    let answer = ask(&preflight).await;
    assert_eq!(answer.status, 204);
    let field = |name: &str| answer.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    assert_eq!(field("access-control-allow-origin"), Some(APP));
    assert_eq!(field("access-control-allow-methods"), Some("PUT"));
    for fields in
        [&[("origin", "https://evil.test"), preflight[1]][..], &[preflight[0]], &[preflight[1]], &[]]
    {
        let answer = ask(fields).await;
        assert_eq!((answer.status, answer.code()), (403, "no-certificate".to_owned()), "{fields:?}");
    }
    let h2 = world.client().connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(h2.request("OPTIONS", "portal.test", "/", &preflight, b"").await.unwrap().status, 204);
    let h2 = world.client().connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(h2.request("OPTIONS", "open.test", "/", &preflight, b"").await.unwrap().status, 421);
    assert_eq!(world.echo.count(), 0);
    world.apply_site("portal.test", vec![], |_| {}, |_| {});
    assert_eq!(ask(&preflight).await.status, 403);
}

#[tokio::test]
async fn a_page_of_another_site_sends_nothing_unsafe_with_the_visitors_certificate() {
    let world = World::new();
    listed(&world);
    let alice = world.client().showing(&world.alice);
    let cross = ("sec-fetch-site", "cross-site");
    let websocket = [cross, ("connection", "upgrade"), ("upgrade", "websocket")];
    let mut refused = 0;
    for (method, fields) in [
        ("POST", vec![cross]),
        ("PUT", vec![cross, ("origin", "https://evil.test")]),
        ("DELETE", vec![cross, ("origin", "null")]),
        ("GET", websocket.to_vec()),
    ] {
        let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
        let answer = connection.request(method, "/x", &fields, b"").await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, "cross-site".to_owned()), "{method} {fields:?}");
        refused += 1;
        assert_eq!(connection.get("/y", &[]).await.unwrap().status, 200, "the connection goes on");
        assert_eq!(world.echo.last().target, "/y");
    }
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let answer = h2.request("POST", "portal.test", "/x", &[cross], b"x").await.unwrap();
    assert_eq!(answer.status, 403);
    assert_eq!(world.echo.count(), refused);
    assert_eq!(world.audited("cross-site")[0].party.as_deref(), Some("alice"));

    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    for (method, fields) in [
        ("GET", vec![cross]),
        ("POST", vec![cross, ("origin", APP)]),
        ("POST", vec![("sec-fetch-site", "same-origin")]),
        ("POST", vec![]),
    ] {
        let answer = connection.request(method, "/x", &fields, b"").await.unwrap();
        assert_eq!(answer.status, 200, "{method} {fields:?}");
    }
    // Without a certificate there is nothing to abuse: an open path takes what it is sent.
    let mut open = world.client().connect(world.port(), "open.test").await.unwrap();
    assert_eq!(open.request("POST", "/health", &[cross], b"x").await.unwrap().status, 200);
}

#[tokio::test]
async fn a_party_and_an_address_have_their_number_of_requests() {
    let world = World::new();
    let both = vec![party("bob", &["portal.test", "open.test"])];
    world.apply_site("portal.test", both, |_| {}, |site| site.manners.party_per_minute = Some(3));
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    for _ in 0..3 {
        assert_eq!(alice.get("/", &[]).await.unwrap().status, 200);
    }
    let answer = alice.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (429, "too-many-requests".to_owned()));
    let wait =
        answer.headers.iter().find(|(name, _)| name == "retry-after").unwrap().1.parse::<u64>().unwrap();
    assert!((15..=20).contains(&wait), "{wait}");
    // On another connection it is the same party; another party has its own number.
    let again = world.client().showing(&world.alice).knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!(again.status, 429);
    let bob = world.client().showing(&world.bob).knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!(bob.status, 200);
    assert_eq!(world.echo.count(), 4);

    world.apply_site("open.test", vec![], |_| {}, |site| site.manners.address_per_minute = Some(2));
    let mut open = world.client().connect(world.port(), "open.test").await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(open.get("/health", &[]).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(world.echo.count(), 6);
}

#[tokio::test]
async fn an_address_has_its_number_whoever_asks_from_it_and_is_told_when_to_come_again() {
    let world = World::set(|settings| {
        settings.front.proxy_protocol = [Network::parse("127.0.0.0/8").unwrap()].into_iter().collect();
    });
    let rate = |site: &mut gateway::GateSite| site.manners.address_per_minute = Some(2);
    world.apply_site("open.test", vec![party("bob", &["open.test"])], |_| {}, rate);
    let (alice, bob) = (world.client().showing(&world.alice), world.client().showing(&world.bob));
    let from = async |client: &Client, address: &str| {
        let (family, here) =
            if address.contains(':') { ("TCP6", "2001:db8::1") } else { ("TCP4", "192.0.2.1") };
        let client =
            client.clone().announced_by(format!("PROXY {family} {address} {here} 1 443\r\n").as_bytes());
        client.knock(world.port(), "open.test", "/health").await.unwrap()
    };
    let mut passed = 0;
    for (address, same, other) in [
        ("203.0.113.9", "203.0.113.9", "203.0.113.10"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
    ] {
        // An admitted party and nobody from one address share its number.
        assert_eq!(from(&alice, address).await.status, 200);
        assert_eq!(from(&world.client(), same).await.status, 200);
        for client in [&alice, &bob, &world.client()] {
            let answer = from(client, same).await;
            assert_eq!((answer.status, answer.code()), (429, "too-many-requests".to_owned()), "{address}");
            let wait = answer.headers.iter().find(|(name, _)| name == "retry-after").unwrap();
            // One of two a minute comes free in thirty seconds at most.
            assert!((1..=30).contains(&wait.1.parse::<u64>().unwrap()), "{wait:?}");
        }
        assert_eq!(from(&world.client(), other).await.status, 200, "{other} has its own");
        passed += 3;
        assert_eq!(world.echo.count(), passed);
    }
    let refused: Vec<_> = world.lines(12).into_iter().filter(|line| line.status == 429).collect();
    assert_eq!(refused.len(), 6);
    assert!(refused.iter().all(|line| line.verdict == "refused" && !line.reference.is_empty()));
    let entries = world.audited("too-many-requests");
    assert!(refused.iter().all(|line| entries.iter().any(|entry| entry.reference == line.reference)));
    let named = |entry: &gateway::GateEvent| (entry.verdict, entry.address.unwrap().to_string());
    assert!(entries.iter().map(named).any(|one| one == ("refused", "2001:db8:0:1:ffff::2".to_owned())));
}

#[tokio::test]
async fn a_party_has_its_number_on_both_protocols_together_and_whoever_is_refused_takes_none_of_it() {
    let world = World::new();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.manners.party_per_minute = Some(2));
    for _ in 0..5 {
        let bob = world.client().showing(&world.bob);
        assert_eq!(bob.knock(world.port(), "portal.test", "/").await.unwrap().status, 403);
    }
    let alice = world.client().showing(&world.alice);
    let mut h1 = alice.connect(world.port(), "portal.test").await.unwrap();
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!((h1.get("/", &[]).await.unwrap().status, h2.get("/", &[]).await.unwrap().status), (200, 200));
    for answer in [h1.get("/", &[]).await.unwrap(), h2.get("/", &[]).await.unwrap()] {
        assert_eq!((answer.status, answer.code()), (429, "too-many-requests".to_owned()));
        assert!(answer.headers.iter().any(|(name, _)| name == "retry-after"));
    }
    assert_eq!(world.audited("too-many-requests")[0].party.as_deref(), Some("alice"));
    assert_eq!(world.echo.count(), 2);
}

#[tokio::test]
async fn hsts_stands_on_each_answer_once_where_it_is_set() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let hsts = async |client: &testkit::Client| {
        let answer = client.knock(world.port(), "portal.test", "/").await.unwrap();
        let all = answer.headers.into_iter().filter(|(name, _)| name == "strict-transport-security");
        all.map(|(_, value)| value).collect::<Vec<_>>()
    };
    assert!(hsts(&alice).await.is_empty());
    let value = http::HeaderValue::from_static("max-age=31536000");
    world.apply_site("portal.test", vec![], |_| {}, |site| site.manners.hsts = Some(value));
    assert_eq!(hsts(&alice).await, ["max-age=31536000"]);
    assert_eq!(hsts(&world.client()).await, ["max-age=31536000"], "refusals too");
}
