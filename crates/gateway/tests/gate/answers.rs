//! Answers that are neither the upstream's nor a refusal by policy, and observing.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use examiner::UnixTime;
use gateway::Upstream;
use policy::record::Revoked;
use testkit::Response;

use crate::world::{World, pinned};

/// The answer has a reference, and the access log's line of this answer has the same.
#[track_caller]
fn is_logged(world: &World, answer: &Response) {
    let reference = answer.json()["reference"].as_str().unwrap().to_owned();
    crate::world::until(|| {
        let lines = world.heard.lines.lock().unwrap();
        lines.iter().any(|line| line.status == answer.status && line.reference == reference)
    });
}

#[tokio::test]
async fn an_upstream_that_is_not_there_is_told_to_who_is_admitted_only() {
    let world = World::new();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(gone.to_string()));
    let alice = world.client().showing(&world.alice);
    let answer = alice.knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!((answer.status, answer.code()), (502, "upstream-unreachable".to_owned()));
    is_logged(&world, &answer);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 403);

    world.apply_site("portal.test", vec![], |_| {}, |_| {});
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
}

#[tokio::test]
async fn an_upstream_that_never_answers_is_504_and_one_that_does_in_time_is_not() {
    let world = World::with(|limits| limits.first_byte = Duration::from_millis(500));
    // The system takes the connection; nobody ever looks at it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let alice = world.client().showing(&world.alice);
    let answer = alice.knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!((answer.status, answer.code()), (504, "upstream-timeout".to_owned()));
    is_logged(&world, &answer);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 403);

    world.apply_site("portal.test", vec![], |_| {}, |_| {});
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
}

/// A website that answers under `/quick` and is silent otherwise.
fn quick_or_silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
                while let Ok(count @ 1..) = stream.read(&mut piece) {
                    seen.extend_from_slice(&piece[..count]);
                    if seen.ends_with(b"\r\n\r\n") && seen.starts_with(b"GET /quick") {
                        seen.clear();
                        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn each_answer_of_a_connection_has_its_own_time_to_begin() {
    let world = World::with(|limits| limits.first_byte = Duration::from_millis(500));
    let address = quick_or_silent();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = Upstream::http(address));
    let alice = world.client().showing(&world.alice);

    let alone = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(alone.get("/silent", &[]).await.unwrap().status, 504);
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    for round in 0..3 {
        let late = async { h2.get("/silent", &[]).await.unwrap() };
        let meanwhile = async {
            loop {
                assert_eq!(h2.get("/quick", &[]).await.unwrap().status, 200);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let late = tokio::select! { late = late => late, () = meanwhile => unreachable!() };
        assert_eq!((late.status, late.code()), (504, "upstream-timeout".to_owned()), "{round}");
        assert_eq!(h2.get("/quick", &[]).await.unwrap().status, 200, "{round}");
    }
    let (one, other, quick) =
        tokio::join!(h2.get("/silent", &[]), h2.get("/silent", &[]), h2.get("/quick", &[]));
    assert_eq!([one, other, quick].map(|answer| answer.unwrap().status), [504, 504, 200]);

    let mut h1 = alice.connect(world.port(), "portal.test").await.unwrap();
    for path in ["/quick", "/quick", "/silent", "/quick", "/silent"] {
        let status = if path == "/quick" { 200 } else { 504 };
        assert_eq!(h1.get(path, &[]).await.unwrap().status, status, "{path}");
    }
}

#[tokio::test]
async fn a_body_that_goes_on_gives_its_answer_time_and_one_that_stops_does_not() {
    const PIECES: usize = 6;
    let world = World::with(|limits| limits.first_byte = Duration::from_secs(2));
    let alice = world.client().showing(&world.alice);
    let length = PIECES.to_string();
    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    connection.send_request("POST", "/sink", &[("content-length", &length)], b"x").await.unwrap();
    for _ in 1..PIECES {
        tokio::time::sleep(Duration::from_millis(500)).await;
        connection.send_raw(b"x").await.unwrap();
    }
    assert_eq!(connection.read_head().await.unwrap().status, 200);

    let mut stopped = alice.connect(world.port(), "portal.test").await.unwrap();
    stopped.send_request("POST", "/sink", &[("content-length", &length)], b"xx").await.unwrap();
    let answer = stopped.read_head().await.unwrap();
    assert_eq!(answer.status, 504);
}

#[tokio::test]
async fn a_body_longer_than_the_limit_is_413_whether_it_says_so_or_not() {
    let world = World::new();
    world.apply_site("portal.test", vec![], |_| {}, |site| site.manners.max_body = Some(10));
    let alice = world.client().showing(&world.alice);
    let mut said = alice.connect(world.port(), "portal.test").await.unwrap();
    let answer = said.request("POST", "/sink", &[], b"elevenbytes").await.unwrap();
    assert_eq!((answer.status, answer.code()), (413, "bad-request".to_owned()));
    is_logged(&world, &answer);
    let mut unsaid = alice.connect(world.port(), "portal.test").await.unwrap();
    let chunked = [("transfer-encoding", "chunked")];
    let answer = unsaid.request("POST", "/sink", &chunked, b"b\r\nelevenbytes\r\n0\r\n\r\n").await.unwrap();
    assert_eq!(answer.status, 413);
    is_logged(&world, &answer);
    assert_eq!(world.echo.count(), 0);

    let mut fits = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(fits.request("POST", "/sink", &[], b"ten bytes.").await.unwrap().status, 200);
    assert_eq!(world.echo.last().body_len, 10);
}

#[tokio::test]
async fn more_fields_than_the_limit_are_431_and_as_many_are_not() {
    let world = World::with(|limits| limits.header_fields = 20);
    let alice = world.client().showing(&world.alice);
    let names: Vec<String> = (0..21).map(|n| format!("x-{n}")).collect();
    let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let answer = h2.get("/", &fields).await.unwrap();
    assert_eq!((answer.status, answer.code()), (431, "bad-request".to_owned()));
    is_logged(&world, &answer);
    assert_eq!(world.echo.count(), 0);
    assert_eq!(h2.get("/", &fields[..20]).await.unwrap().status, 200);

    // With Host it is one more; above the limit the parser answers by itself.
    let mut h1 = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(h1.get("/", &fields[..19]).await.unwrap().status, 200);
    assert_eq!(h1.get("/", &fields[..20]).await.unwrap().status, 431);
    assert_eq!(world.echo.count(), 2);
}

#[tokio::test]
async fn a_request_that_names_two_hosts_is_400_with_a_reference() {
    let world = World::new();
    let mut alice = world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap();
    let answer = alice.get("/", &[("host", "portal.test"), ("Host", "portal.test")]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (400, "bad-request".to_owned()));
    is_logged(&world, &answer);
    assert_eq!(world.echo.count(), 0);
    assert_eq!(alice.get("/", &[("host", "portal.test")]).await.unwrap().status, 200);
}

#[tokio::test]
async fn observing_lets_through_without_identity_what_would_be_refused_and_never_the_revoked() {
    let world = World::new();
    let end = UnixTime(world.now().seconds() + 3600);
    let revoked = Revoked { at: world.now(), reason: "key-compromise".into() };
    let observe = |changes| {
        world.apply_site("portal.test", changes, |site| site.observe_until = Some(end), |_| {});
    };
    observe(vec![]);
    let forged = [("Countersign-Would-Refuse", "nothing"), ("Countersign-Party", "root")];
    for (client, code) in [
        (world.client(), "no-certificate"),
        (world.client().showing(&world.mallory), "unknown-issuer"),
        (world.client().showing(&world.bob), "not-allowed"),
    ] {
        let mut connection = client.connect(world.port(), "portal.test").await.unwrap();
        assert_eq!(connection.get("/", &forged).await.unwrap().status, 200, "{code}");
        let seen = world.echo.last();
        assert_eq!(seen.all("countersign-would-refuse"), [code]);
        assert!(seen.header("countersign-party").is_none() && seen.header("client-cert").is_none());
        assert_eq!(world.audited(code).last().unwrap().verdict, "observed");
    }
    let alice = world.client().showing(&world.alice);
    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(connection.get("/", &forged).await.unwrap().status, 200);
    let seen = world.echo.last();
    assert_eq!(seen.all("countersign-party"), ["alice"]);
    assert!(seen.header("countersign-would-refuse").is_none());

    observe(vec![pinned("alice", &world.alice, Some(revoked))]);
    let answer = alice.knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "revoked".to_owned()));
    world.clock.store(end.seconds(), std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    world.clock.store(end.seconds() + 1, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 403);
    assert_eq!(world.echo.count(), 5);
}

#[tokio::test]
async fn observing_never_lets_through_another_host_an_unproven_key_or_a_policy_too_old() {
    let world = World::new();
    let end = UnixTime(world.now().seconds() + 1_000_000);
    world.apply_site("portal.test", vec![], |site| site.observe_until = Some(end), |_| {});
    let mut nobody = world.client().connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(nobody.get("/", &[]).await.unwrap().status, 200, "it observes");
    assert_eq!(nobody.get("/", &[("host", "open.test")]).await.unwrap().status, 421);
    let stolen = world.client().showing_stolen(&world.alice, &world.mallory);
    assert_eq!(stolen.knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(51));

    let (confirmed, most) = (&world.state.confirmed, world.state.max_stale);
    let last = confirmed.load(std::sync::atomic::Ordering::SeqCst) + most;
    world.clock.store(last, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(world.client().knock(world.port(), "portal.test", "/").await.unwrap().status, 200);
    world.clock.store(last + 1, std::sync::atomic::Ordering::SeqCst);
    let answer = world.client().knock(world.port(), "portal.test", "/").await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "policy-stale".to_owned()));
    assert_eq!(world.echo.count(), 2);
}

#[tokio::test]
async fn the_admin_address_answers_to_its_own_names_only() {
    let world = World::new();
    let port = world.admin_port();
    let with_port = format!("localhost:{port}");
    let client = world.client();
    for path in ["/livez", "/readyz", "/metrics"] {
        for host in [with_port.as_str(), "localhost", "LOCALHOST", "127.0.0.1", "127.0.0.1:1", "[::1]"] {
            let mut connection = client.connect(port, "localhost").await.unwrap();
            let answer = connection.get(path, &[("host", host)]).await.unwrap();
            assert_eq!(answer.status, 200, "{path} {host}");
        }
        for host in ["evil.test", "localhost.evil.test", "portal.test", "127.0.0.2", "[::2]", "0.0.0.0"] {
            let mut connection = client.connect(port, "localhost").await.unwrap();
            let answer = connection.get(path, &[("host", host)]).await.unwrap();
            assert_eq!((answer.status, answer.code()), (421, "host-mismatch".to_owned()), "{path} {host}");
        }
        let h2 = client.connect_h2(port, "localhost").await.unwrap();
        assert_eq!(h2.request("GET", "evil.test", path, &[], b"").await.unwrap().status, 421);
        assert_eq!(h2.request("GET", "127.0.0.1", path, &[], b"").await.unwrap().status, 200);
    }
    assert_eq!(world.audited("host-mismatch").len(), 1, "equal refusals are one entry");
}

#[tokio::test]
async fn a_refusal_of_head_has_the_fields_and_no_content() {
    let world = World::new();
    let bob = world.client().showing(&world.bob);
    let asked = bob.connect_h2(world.port(), "portal.test").await.unwrap().get("/", &[]).await.unwrap();
    let h2 = bob
        .connect_h2(world.port(), "portal.test")
        .await
        .unwrap()
        .request("HEAD", "portal.test", "/", &[], b"")
        .await;
    let mut h1 = bob.connect(world.port(), "portal.test").await.unwrap();
    for answer in [h2.unwrap(), h1.request("HEAD", "/", &[], b"").await.unwrap()] {
        assert_eq!((answer.status, answer.body.len()), (403, 0));
        let field = |name: &str| answer.headers.iter().find(|one| one.0 == name).map(|one| one.1.clone());
        assert_eq!(field("content-type").as_deref(), Some("application/problem+json"));
        let length: usize = field("content-length").unwrap().parse().unwrap();
        assert!(length > 0 && length.abs_diff(asked.body.len()) < 40, "{length} beside {}", asked.body.len());
    }
    assert_eq!(world.echo.count(), 0);
}
