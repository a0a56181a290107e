//! Connections without an admitted party have a budget of their own; above it they get the alert.

use std::sync::atomic::Ordering;
use std::time::Duration;

use examiner::UnixTime;
use gateway::networks::Network;

use crate::world::{World, until};

#[tokio::test]
async fn strangers_have_a_share_of_the_slots_and_nobody_else_is_kept_out() {
    let world = World::with(|limits| {
        limits.slots = 10;
        limits.stranger_share_percent = 10;
        limits.stranger_life = Duration::from_secs(600);
        limits.first_request = Duration::from_secs(600);
    });
    let alice = world.client().showing(&world.alice);
    let holding = world.client().connect(world.port(), "portal.test").await.unwrap();
    until(|| world.metric("countersign_open_connections{site=\"portal.test\"}") == 1);
    for (client, alert) in [
        (world.client(), 116),
        (world.client().showing(&world.mallory), 48),
        (world.client().showing(&world.bob), 49),
    ] {
        let broken = client.knock(world.port(), "portal.test", "/").await.unwrap_err();
        assert_eq!(broken.alert, Some(alert), "{broken}");
    }
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    let open = world.client().knock(world.port(), "open.test", "/health").await.unwrap();
    assert_eq!(open.status, 200, "open paths take nobody's budget");

    drop(holding);
    let again = async {
        loop {
            if let Ok(answer) = world.client().knock(world.port(), "portal.test", "/").await {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(20), again).await.expect("the slot is given back");
    assert_eq!((answer.status, answer.code()), (403, "no-certificate".to_owned()));
}

#[tokio::test]
async fn strangers_of_one_prefix_have_a_number_a_minute() {
    let world = World::with(|limits| limits.strangers_per_minute = 2);
    let began = world.clock.load(Ordering::SeqCst);
    let stranger = world.client();
    for _ in 0..2 {
        assert_eq!(stranger.knock(world.port(), "portal.test", "/").await.unwrap().status, 403);
    }
    world.clock.store(began + 59, Ordering::SeqCst);
    assert_eq!(stranger.knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(116));
    let alice = world.client().showing(&world.alice);
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    world.clock.store(began + 60, Ordering::SeqCst);
    assert_eq!(stranger.knock(world.port(), "portal.test", "/").await.unwrap().status, 403);
}

#[tokio::test]
async fn a_number_a_minute_is_that_of_an_ipv4_address_and_of_an_ipv6_prefix_of_64_bit() {
    let world = World::set(|settings| {
        settings.front.proxy_protocol = [Network::parse("127.0.0.0/8").unwrap()].into_iter().collect();
        settings.limits.strangers_per_minute = 2;
    });
    let from = async |address: &str| {
        let family = if address.contains(':') { "TCP6" } else { "TCP4" };
        let here = if address.contains(':') { "2001:db8:ffff::1" } else { "192.0.2.1" };
        let header = format!("PROXY {family} {address} {here} 4711 443\r\n");
        let stranger = world.client().announced_by(header.as_bytes());
        match stranger.knock(world.port(), "portal.test", "/").await {
            Ok(answer) => answer.status,
            Err(ended) => u16::from(ended.alert.expect("an alert")),
        }
    };
    for (address, others) in [
        ("203.0.113.9", &["203.0.113.8", "203.0.113.10"][..]),
        ("2001:db8:0:1::1", &["2001:db8:0:2::1", "2001:db8::1"]),
    ] {
        assert_eq!((from(address).await, from(address).await), (403, 403), "{address}");
        assert_eq!(from(address).await, 116, "{address}");
        for other in others {
            assert_eq!(from(other).await, 403, "{other} is counted apart from {address}");
        }
    }
    assert_eq!(
        from("2001:db8:0:1:ffff:ffff:ffff:ffff").await,
        116,
        "the rest of an address is the client's own"
    );
    assert_eq!(from("::ffff:203.0.113.9").await, 116, "an IPv4 address is the same in IPv6");
    assert_eq!(world.echo.count(), 0);
}

#[tokio::test]
async fn whose_requests_observing_or_the_admin_address_lets_in_are_no_strangers() {
    let world = World::with(|limits| limits.strangers_per_minute = 1);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 403);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(116));
    for _ in 0..3 {
        assert_eq!(
            world.client().knock(world.admin_port(), "localhost", "/livez").await.unwrap().status,
            200
        );
    }
    let until = UnixTime(world.now().seconds());
    world.apply_site("portal.test", vec![], |site| site.observe_until = Some(until), |_| {});
    for _ in 0..3 {
        assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    }
    world.clock.store(until.seconds() + 1, Ordering::SeqCst);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(116));
    assert_eq!(world.echo.count(), 3);
}

#[tokio::test]
async fn a_chain_longer_than_the_limit_ends_the_handshake() {
    let world = World::with(|limits| limits.client_certificates = 1);
    let alice = world.client().showing(&world.alice);
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    let longer = format!("{}\n{}", world.alice.pem, world.bob.pem);
    let longer = world.client().showing_pem(&longer, &world.alice.key_pem);
    assert!(longer.knock(world.port(), "portal.test", "/").await.is_err());
    assert_eq!(world.echo.count(), 1);
}
