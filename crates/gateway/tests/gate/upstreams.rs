//! Several upstreams of one site: who takes a request, who is left out, what is tried again.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gateway::{Ejection, HealthCheck, Upstream};
use testkit::{Conn, Echo, RawUpstream};

use crate::world::{World, until};

fn several(ports: &[u16]) -> Upstream {
    let targets = ports.iter().map(|port| format!("http://127.0.0.1:{port}").parse().unwrap()).collect();
    Upstream { targets, tls: None, check: None, proxied: false }
}

fn use_upstream(world: &World, upstream: Upstream) {
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = upstream);
}

/// A port that nobody listens on.
fn dead() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn alice(world: &World) -> Conn {
    world.client().showing(&world.alice).connect(world.port(), "portal.test").await.unwrap()
}

fn states(world: &World) -> Vec<(&'static str, u64)> {
    let all = world.gate.upstreams();
    all.iter().filter(|one| one.site.as_str() == "portal.test").map(|one| (one.state, one.failures)).collect()
}

#[tokio::test]
async fn requests_take_turns_and_go_where_the_least_runs() {
    let world = World::new();
    let (one, two) = (Echo::start(), Echo::start());
    use_upstream(&world, several(&[one.port(), two.port()]));
    let mut asking = alice(&world).await;
    for _ in 0..10 {
        assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    }
    assert_eq!((one.count(), two.count()), (5, 5));

    let mut long = alice(&world).await;
    long.send_request("GET", "/slow-stream?ms=50&chunks=1000", &[], b"").await.unwrap();
    assert_eq!(long.read_head().await.unwrap().status, 200);
    let (busy, free) = if one.count() == 6 { (&one, &two) } else { (&two, &one) };
    for _ in 0..6 {
        assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    }
    assert_eq!((busy.count(), free.count()), (6, 11));
    drop(long);
    until(|| busy.open_streams() == 0);
    for _ in 0..6 {
        assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    }
    assert!(busy.count() > 6, "what is over counts no more");
}

#[tokio::test]
async fn a_dead_upstream_costs_no_request_and_is_left_out_and_comes_back() {
    let ejection = Ejection { after: 3, time: Duration::from_millis(300) };
    let world = World::with(|limits| limits.ejection = ejection);
    let (well, gone) = (Echo::start(), dead());
    use_upstream(&world, several(&[gone, well.port()]));
    let mut asking = alice(&world).await;
    let mut sent = 0;
    while states(&world) != [("out", 3), ("up", 0)] {
        // Whatever the method: not a byte of it has gone anywhere.
        let answer = asking.request("POST", "/sink", &[], b"a body").await.unwrap();
        assert_eq!((answer.status, answer.json()["body_len"].as_u64()), (200, Some(6)));
        sent += 1;
        assert!(sent < 20, "{:?}", states(&world));
    }
    assert_eq!(well.count(), sent);
    let metrics = world.gate.metrics_text();
    let line = |name: &str, port: u16| {
        format!("{name}{{site=\"portal.test\",upstream=\"http://127.0.0.1:{port}\"}} ")
    };
    assert!(metrics.contains(&(line("countersign_upstream_up", gone) + "0\n")), "{metrics}");
    assert!(metrics.contains(&(line("countersign_upstream_up", well.port()) + "1\n")), "{metrics}");
    assert!(metrics.contains(&(line("countersign_upstream_failures_total", gone) + "3\n")), "{metrics}");

    let back = Echo::start_on(gone);
    tokio::time::sleep(ejection.time).await;
    for _ in 0..4 {
        assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    }
    assert!(back.count() > 0, "it is tried again");
    assert_eq!(states(&world)[0], ("up", 3));
}

#[tokio::test]
async fn where_none_is_well_all_are_tried_and_the_answer_is_502() {
    let world = World::with(|limits| limits.ejection.time = Duration::from_secs(600));
    let gone = [dead(), dead()];
    use_upstream(&world, several(&gone));
    let mut asking = alice(&world).await;
    for _ in 0..5 {
        let answer = asking.get("/", &[]).await.unwrap();
        assert_eq!((answer.status, answer.code()), (502, "upstream-unreachable".to_owned()));
        assert!(answer.json()["reference"].as_str().is_some_and(|reference| !reference.is_empty()));
    }
    assert!(states(&world).iter().all(|(state, _)| *state == "out"));
    let back = Echo::start_on(gone[1]);
    assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    assert_eq!(back.count(), 1);
}

/// Answers the first request of each connection; with the second it hangs up without a word.
fn hangs_up() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let noted = seen.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, noted) = (stream.unwrap(), noted.clone());
            std::thread::spawn(move || {
                for turn in 0..2 {
                    let (mut head, mut byte) = (Vec::new(), [0]);
                    while !head.ends_with(b"\r\n\r\n") {
                        if stream.read(&mut byte).unwrap_or(0) == 0 {
                            return;
                        }
                        head.push(byte[0]);
                    }
                    let line = String::from_utf8_lossy(&head).lines().next().unwrap().to_owned();
                    noted.lock().unwrap().push(line);
                    if turn == 0 {
                        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                    }
                }
            });
        }
    });
    (port, seen)
}

#[tokio::test]
async fn a_kept_connection_that_ends_without_an_answer_is_no_failure_for_what_may_be_asked_twice() {
    for (method, body, status, times) in
        [("GET", "", 200, 2), ("DELETE", "", 200, 2), ("POST", "", 502, 1), ("PUT", "x", 502, 1)]
    {
        let world = World::new();
        let (port, seen) = hangs_up();
        use_upstream(&world, several(&[port]));
        let mut asking = alice(&world).await;
        assert_eq!(asking.get("/first", &[]).await.unwrap().status, 200);
        // Long enough for an upstream to have grown tired of the connection.
        tokio::time::sleep(Duration::from_millis(600)).await;
        let answer = asking.request(method, "/second", &[], body.as_bytes()).await.unwrap();
        assert_eq!(answer.status, status, "{method}");
        let seen = seen.lock().unwrap();
        assert_eq!(seen.iter().filter(|line| line.contains("/second")).count(), times, "{method}: {seen:?}");
    }
}

#[tokio::test]
async fn a_first_answer_that_fails_is_never_asked_for_twice() {
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    let other = Echo::start();
    use_upstream(&world, several(&[port, other.port()]));
    let mut asking = alice(&world).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(asking.get("/", &[]).await.unwrap().status);
    }
    let failed = statuses.iter().filter(|status| **status == 502).count();
    assert!(failed > 0, "{statuses:?}");
    assert_eq!((taken.load(Ordering::SeqCst), other.count() as usize), (failed, 4 - failed));
}

#[tokio::test]
async fn a_check_that_fails_takes_an_upstream_out_until_it_succeeds() {
    let world = World::new();
    let (well, ill) = (Echo::start(), RawUpstream::answering("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
    let mut upstream = several(&[well.port(), ill.port()]);
    let check = |status: u16| {
        let status = http::StatusCode::from_u16(status).unwrap();
        Some(HealthCheck { path: "/well?deep".into(), interval: Duration::from_millis(300), status })
    };
    upstream.check = check(200);
    use_upstream(&world, upstream.clone());
    until(|| states(&world) == [("up", 0), ("down", 0)]);
    let text = ill.text();
    assert!(
        text.starts_with("GET /well?deep HTTP/1.1\r\n") && text.contains("host: portal.test\r\n"),
        "{text}"
    );
    assert!(
        text.contains("user-agent: countersign-health-check\r\n") && !text.contains("client-cert"),
        "{text}"
    );
    let mut asking = alice(&world).await;
    for _ in 0..6 {
        assert_eq!(asking.get("/", &[]).await.unwrap().status, 200);
    }
    assert!(!ill.text().contains("GET / "));

    // With the other status wanted it is the other way round.
    upstream.check = check(503);
    use_upstream(&world, upstream);
    until(|| states(&world) == [("down", 0), ("up", 0)]);
    assert_eq!(asking.get("/", &[]).await.unwrap().status, 503);
    assert!(world.gate.metrics_text().contains(&format!("upstream=\"{}\"}} 0", well.url())));
}
