//! Who enters, who is refused and how, and who loses admission while connected.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use examiner::Thumbprint;
use gateway::GateEvent;
use policy::PartyName;
use policy::record::Touched;
use testkit::{KeyType, Leaf};

use crate::world::{World, until};

#[tokio::test]
async fn who_is_admitted_reaches_the_upstream_with_an_identity_that_cannot_be_forged() {
    let world = World::new();
    let client = world.client().showing(&world.alice);
    for client in [client.clone().tls13(), client.tls12()] {
        let mut connection = client.connect(world.port(), "portal.test").await.unwrap();
        let forged =
            [("Countersign-Party", "root"), ("countersign_party", "root"), ("X-Forwarded-For", "1.1.1.1")];
        for _ in 0..3 {
            let answer = connection.get("/a?b=c", &forged).await.unwrap();
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
        let seen = world.echo.last();
        assert_eq!(seen.all("countersign-party"), ["alice"]);
        assert_eq!(seen.all("x-forwarded-for"), ["127.0.0.1"]);
        assert!(seen.header("countersign_party").is_none());
        assert_eq!(seen.all("client-cert").len(), 1);
    }
    assert_eq!(world.echo.count(), 6);
    let events = world.heard.events.lock().unwrap();
    assert_eq!(events.iter().filter(|event| event.verdict == "admitted").count(), 2);
    let thumbprint = Thumbprint::of(&world.alice.der);
    assert!(events.iter().all(|event| event.thumbprint == Some(thumbprint)));
    drop(events);
    let text = world.gate.metrics_text();
    assert!(
        text.contains("countersign_requests_total{site=\"portal.test\",verdict=\"admitted\"} 6"),
        "{text}"
    );
}

#[tokio::test]
async fn who_is_not_reads_why_and_the_upstream_hears_nothing() {
    let world = World::new();
    let cases = [
        (world.client(), "no-certificate"),
        (world.client().showing(&world.bob), "not-allowed"),
        (world.client().showing(&world.mallory), "unknown-issuer"),
    ];
    for (client, code) in cases {
        let answer = client.knock(world.port(), "portal.test", "/").await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, code.to_owned()));
    }
    let mallory =
        world.client().showing(&world.mallory).connect_h2(world.port(), "portal.test").await.unwrap();
    assert_eq!(mallory.get("/", &[]).await.unwrap().status, 403);
    assert_eq!(world.echo.count(), 0);
    let knocks = world.heard.knocks.lock().unwrap();
    assert_eq!(knocks[0].der, world.mallory.der);
    assert!(knocks.iter().all(|knock| knock.reference == knocks[0].reference));
}

#[tokio::test]
async fn strict_sites_answer_with_the_alert_and_a_stolen_certificate_blames_nobody() {
    let world = World::new();
    let cases = [
        (world.client(), 116),
        (world.client().showing(&world.bob), 49),
        (world.client().showing(&world.mallory), 48),
        (world.client().showing_stolen(&world.alice, &world.mallory), 51),
    ];
    for (client, alert) in cases {
        let broken = client.knock(world.port(), "strict.test", "/").await.unwrap_err();
        assert_eq!(broken.alert, Some(alert), "{broken}");
        let unknown = client.knock(world.port(), "unknown.test", "/").await.unwrap_err();
        assert_eq!(unknown.alert, Some(112), "{unknown}");
    }
    let stolen = world.client().showing_stolen(&world.alice, &world.mallory);
    assert_eq!(stolen.knock(world.port(), "portal.test", "/").await.unwrap_err().alert, Some(51));
    let alice = world.client().showing(&world.alice).knock(world.port(), "strict.test", "/").await.unwrap();
    assert_eq!(alice.status, 200);
    let events = world.heard.events.lock().unwrap();
    let unproved = |event: &&GateEvent| event.code == Some("possession-failed");
    assert!(events.iter().filter(unproved).count() >= 2);
    assert!(events.iter().filter(unproved).all(|event| event.thumbprint.is_none() && event.party.is_none()));
}

#[tokio::test]
async fn another_host_on_the_connection_is_misdirected_and_open_paths_are_open() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
    let answer = connection.get("/", &[("host", "strict.test")]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (421, "host-mismatch".to_owned()));
    assert_eq!(world.echo.count(), 0);
    let mut nobody = world.client().connect(world.port(), "open.test").await.unwrap();
    assert_eq!(nobody.get("/health/x", &[]).await.unwrap().status, 200);
    assert_eq!(nobody.get("/health/..%2fadmin", &[]).await.unwrap().status, 400);
    assert_eq!(nobody.get("/health/../admin", &[]).await.unwrap().status, 403);
    assert_eq!(world.echo.count(), 1);
}

#[tokio::test]
async fn a_revocation_ends_what_runs_and_refuses_what_comes() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut idle = alice.connect(world.port(), "portal.test").await.unwrap();
    assert_eq!(idle.get("/", &[]).await.unwrap().status, 200);
    let mut idle_strict = alice.connect(world.port(), "strict.test").await.unwrap();
    assert_eq!(idle_strict.get("/", &[]).await.unwrap().status, 200);
    let mut running = alice.connect(world.port(), "portal.test").await.unwrap();
    running.send_request("GET", "/slow-stream?ms=50&chunks=1000", &[], b"").await.unwrap();
    assert_eq!(running.read_head().await.unwrap().status, 200);
    let mut h2 = alice.connect_h2(world.port(), "portal.test").await.unwrap();
    let mut stream =
        h2.start("GET", "portal.test", "/slow-stream?ms=50&chunks=1000", &[], b"").await.unwrap();
    assert!(stream.next().await.unwrap().is_some());

    let began = Instant::now();
    assert_eq!(world.revoke_alice(), 3);
    assert!(running.ended_within(Duration::from_secs(1)).await.is_some(), "the download goes on");
    assert!(idle_strict.ended_within(Duration::from_secs(1)).await.is_some(), "the strict connection stays");
    while let Ok(Some(_)) = stream.next().await {
        assert!(began.elapsed() < Duration::from_secs(1), "the stream goes on");
    }
    assert!(h2.ended_within(Duration::from_secs(1)).await.is_some(), "the connection stays");
    let answer = idle.get("/", &[]).await.unwrap();
    assert_eq!((answer.status, answer.code()), (403, "revoked".to_owned()));
    let again = alice.knock(world.port(), "strict.test", "/").await.unwrap_err();
    assert_eq!(again.alert, Some(44));
    tokio::task::spawn_blocking(move || world.gate.drain(Duration::from_secs(2))).await.unwrap();
}

#[tokio::test]
async fn who_asks_in_the_moment_of_a_suspension_is_refused_or_ended() {
    const ROUNDS: usize = 30;
    let world = Arc::new(World::new());
    for round in 0..ROUNDS {
        let mut asking = Vec::new();
        for _ in 0..8 {
            let client = world.client().showing(&world.alice);
            let mut connection = client.connect(world.port(), "portal.test").await.unwrap();
            assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
            asking.push(connection);
        }
        let started = Arc::new(AtomicUsize::new(0));
        let (seen, suspending) = (started.clone(), world.clone());
        let suspended = std::thread::spawn(move || {
            // In another moment of the requests each time.
            while seen.load(Ordering::SeqCst) < round % 8 {
                std::thread::yield_now();
            }
            suspending.suspend_alice();
        });
        let asked = asking.into_iter().map(|mut connection| {
            let started = started.clone();
            tokio::spawn(async move {
                connection.send_request("GET", "/slow-stream?ms=50&chunks=2000", &[], b"").await.unwrap();
                started.fetch_add(1, Ordering::SeqCst);
                match connection.read_head().await {
                    Ok(head) if head.status == 403 => {}
                    Ok(head) => {
                        assert_eq!(head.status, 200);
                        let ended = connection.ended_within(Duration::from_secs(20)).await;
                        assert!(ended.is_some(), "it runs on without admission");
                    }
                    // Ended before its answer began.
                    Err(_) => {}
                }
            })
        });
        for one in asked.collect::<Vec<_>>() {
            one.await.unwrap();
        }
        suspended.join().unwrap();
        world.gate.apply(world.state.clone(), vec![Touched::Party(PartyName::parse("alice").unwrap())]);
    }
}

#[tokio::test]
async fn a_core_that_stands_still_holds_up_no_change_and_follows_it_when_it_goes_on() {
    let (held, inside) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (hold, count) = (held.clone(), inside.clone());
    let world = World::made(
        |_| {},
        move |_| {
            if hold.load(Ordering::SeqCst) && std::thread::current().name() == Some("gate-0") {
                count.fetch_add(1, Ordering::SeqCst);
                until(|| !hold.load(Ordering::SeqCst));
            }
        },
    );
    let world = Arc::new(world);
    let alice = world.client().showing(&world.alice);
    let mut running = Vec::new();
    for _ in 0..8 {
        let mut connection = alice.connect(world.port(), "portal.test").await.unwrap();
        connection.send_request("GET", "/slow-stream?ms=50&chunks=2000", &[], b"").await.unwrap();
        assert_eq!(connection.read_head().await.unwrap().status, 200);
        running.push(connection);
    }
    held.store(true, Ordering::SeqCst);
    until(|| inside.load(Ordering::SeqCst) > 0);
    let suspending = world.clone();
    tokio::task::spawn_blocking(move || suspending.suspend_alice()).await.unwrap();
    let before = world.echo.count();
    assert_eq!(alice.knock(world.port(), "portal.test", "/").await.unwrap().status, 403, "by the other core");
    held.store(false, Ordering::SeqCst);
    for mut connection in running {
        assert!(connection.ended_within(Duration::from_secs(20)).await.is_some(), "it runs on");
    }
    assert_eq!(world.echo.count(), before);
}

#[tokio::test]
async fn a_suspension_ends_a_strict_connection_that_never_asked() {
    let world = World::new();
    let alice = world.client().showing(&world.alice);
    let mut idle = alice.connect(world.port(), "strict.test").await.unwrap();
    // The client's side of the handshake ends before the gate's.
    until(|| world.metric("countersign_open_connections{site=\"strict.test\"}") == 1);
    assert_eq!(world.suspend_alice(), 1);
    assert!(idle.ended_within(Duration::from_secs(1)).await.is_some());
}

#[tokio::test]
async fn the_admin_address_answers_health_itself_and_admits_operators_only() {
    let world = World::new();
    let port = world.gate.bound()[1].port();
    for (path, status) in [("/livez", 200), ("/readyz", 200), ("/metrics", 200), ("/", 403)] {
        assert_eq!(world.client().knock(port, "localhost", path).await.unwrap().status, status, "{path}");
    }
    let alice = world.client().showing(&world.alice).knock(port, "localhost", "/").await.unwrap();
    assert_eq!((alice.status, alice.code()), (403, "not-allowed".to_owned()));
}

#[test]
fn weak_keys_are_heard_and_told_to_be_weak() {
    let world = World::new();
    let dir = std::env::temp_dir().join(format!("gate-weak-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    std::fs::write(dir.join("root.pem"), world.ca.root_pem()).unwrap();
    let lax = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nCipherString = DEFAULT@SECLEVEL=0\n";
    std::fs::write(dir.join("openssl.cnf"), lax).unwrap();
    for (kind, name) in [(KeyType::Rsa1024, "short"), (KeyType::RsaExponent3, "three")] {
        let files = Leaf::new(name).key_type(kind).issued_by(&world.ca).write(&dir, name);
        for version in ["1.2", "1.3"] {
            let output = std::process::Command::new("curl")
                .env("OPENSSL_CONF", dir.join("openssl.cnf"))
                .args(["-sS", "--tls-max", version, "--cacert"])
                .arg(dir.join("root.pem"))
                .arg("--cert")
                .arg(&files.cert)
                .arg("--key")
                .arg(&files.key)
                .args(["--resolve", &format!("portal.test:{}:127.0.0.1", world.port())])
                .arg(format!("https://portal.test:{}/", world.port()))
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(
                text.contains("weak-key"),
                "{name} {version}: {text} {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
