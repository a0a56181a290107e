//! Upgrades under load: the new process takes over, or the old one goes on; no request fails, nothing is forgotten.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use testkit::{Broken, Client, Conn, Gate, Portal, WEBSOCKET};
use tokio::task::{LocalSet, spawn_local};

use crate::support::{SITE, assert_serves, binary, block_on, eventually};

/// A masked text frame of a client; the echo sends its bytes back.
const HELLO: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];
/// A close frame of a server with 1008, policy violation.
const CLOSE_1008: [u8; 4] = [0x88, 2, 0x03, 0xf0];
const LIMITS: &str = "[limits]\nhalf_open_per_address = 1000\nstrangers_per_minute = 100000\n";
/// How long a client thinks between two requests.
const THINKS: Duration = Duration::from_millis(20);

/// What the clients have had answered.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    admitted: AtomicU64,
    refused: AtomicU64,
    echoed: AtomicU64,
}

/// Clients of every kind that ask until they are told to stop.
struct Crowd {
    seen: Arc<Seen>,
    thread: JoinHandle<Vec<String>>,
}

impl Crowd {
    /// Four of each: a connection for each request, one that is kept, HTTP/2, a WebSocket, and nobody.
    fn start(portal: &Portal) -> Self {
        let seen = Arc::new(Seen::default());
        let (alice, nobody, port, all) =
            (portal.client_as("alice"), portal.client(), portal.port, seen.clone());
        let thread = std::thread::spawn(move || {
            block_on(LocalSet::new().run_until(async move {
                let mut asking = Vec::new();
                for _ in 0..4 {
                    asking.push(spawn_local(fresh(alice.clone(), port, all.clone())));
                    asking.push(spawn_local(kept(alice.clone(), port, all.clone())));
                    asking.push(spawn_local(over_http_2(alice.clone(), port, all.clone())));
                    asking.push(spawn_local(over_a_websocket(alice.clone(), port, all.clone())));
                    asking.push(spawn_local(refused(nobody.clone(), port, all.clone())));
                }
                let mut wrong = Vec::new();
                for one in asking {
                    wrong.extend(one.await.unwrap().err());
                }
                wrong
            }))
        });
        Self { seen, thread }
    }

    /// Waits until a few more of each kind were answered.
    fn go_on(&self) {
        let seen = &self.seen;
        let counts = [(&seen.admitted, 100), (&seen.refused, 20), (&seen.echoed, 20)];
        for (count, more) in counts {
            let before = count.load(Ordering::SeqCst);
            eventually("more answers", || {
                assert!(!self.thread.is_finished(), "all clients have stopped");
                (count.load(Ordering::SeqCst) > before + more).then_some(())
            });
        }
    }

    /// What went wrong.
    fn end(self) -> (Vec<String>, Arc<Seen>) {
        self.seen.stop.store(true, Ordering::SeqCst);
        (self.thread.join().unwrap(), self.seen)
    }
}

impl Seen {
    async fn goes_on(&self) -> bool {
        tokio::time::sleep(THINKS).await;
        !self.stop.load(Ordering::SeqCst)
    }

    fn admitted(&self, who: &str, status: u16) -> Result<(), String> {
        self.admitted.fetch_add(1, Ordering::SeqCst);
        if status == 200 { Ok(()) } else { Err(format!("{who}: {status}")) }
    }
}

fn told(who: &'static str) -> impl Fn(Broken) -> String {
    move |wrong| format!("{who}: {wrong}")
}

async fn fresh(client: Client, port: u16, seen: Arc<Seen>) -> Result<(), String> {
    while seen.goes_on().await {
        let answer = client.knock(port, SITE, "/").await.map_err(told("a new connection"))?;
        seen.admitted("a new connection", answer.status)?;
    }
    Ok(())
}

async fn kept(client: Client, port: u16, seen: Arc<Seen>) -> Result<(), String> {
    let told = told("a kept connection");
    let mut conn = client.connect(port, SITE).await.map_err(&told)?;
    while seen.goes_on().await {
        let answer = conn.get("/", &[]).await.map_err(&told)?;
        seen.admitted("a kept connection", answer.status)?;
        if answer.header("connection") == Some("close") {
            conn = client.connect(port, SITE).await.map_err(&told)?;
        }
    }
    Ok(())
}

async fn over_http_2(client: Client, port: u16, seen: Arc<Seen>) -> Result<(), String> {
    let told = told("HTTP/2");
    let mut conn = client.connect_h2(port, SITE).await.map_err(&told)?;
    while seen.goes_on().await {
        match conn.get_if_open("/").await.map_err(&told)? {
            Some(answer) => seen.admitted("HTTP/2", answer.status)?,
            None => conn = client.connect_h2(port, SITE).await.map_err(&told)?,
        }
    }
    Ok(())
}

/// One WebSocket for the whole time.
async fn over_a_websocket(client: Client, port: u16, seen: Arc<Seen>) -> Result<(), String> {
    let told = told("a WebSocket");
    let mut conn = websocket(&client, port).await.map_err(&told)?;
    while seen.goes_on().await {
        echo(&mut conn).await.map_err(&told)?;
        seen.echoed.fetch_add(1, Ordering::SeqCst);
    }
    Ok(())
}

async fn refused(client: Client, port: u16, seen: Arc<Seen>) -> Result<(), String> {
    while seen.goes_on().await {
        let answer = client.knock(port, SITE, "/").await.map_err(told("nobody"))?;
        seen.refused.fetch_add(1, Ordering::SeqCst);
        if answer.code() != "no-certificate" {
            return Err(format!("nobody: {} {}", answer.status, answer.code()));
        }
    }
    Ok(())
}

async fn websocket(client: &Client, port: u16) -> Result<Conn, Broken> {
    let mut conn = client.connect(port, SITE).await?;
    conn.send_request("GET", "/ws", &WEBSOCKET, b"").await?;
    assert_eq!(conn.read_head().await?.status, 101);
    Ok(conn)
}

async fn echo(conn: &mut Conn) -> Result<(), Broken> {
    conn.send_raw(&HELLO).await?;
    let mut back = Vec::new();
    while back.len() < HELLO.len() {
        let some = conn.read_some().await?;
        assert!(!some.is_empty(), "the WebSocket has ended after {back:?}");
        back.extend(some);
    }
    assert_eq!(back, HELLO);
    Ok(())
}

/// How often the log has this code; equal refusals are one entry with a count.
fn logged(portal: &Portal, code: &str) -> u64 {
    let all = portal.countersign(&["log", "search", "--since", "1h", "--json"]).ok().json();
    let entries = all.as_array().unwrap().iter().filter(|entry| entry["code"] == code);
    entries.map(|entry| entry["count"].as_u64().unwrap()).sum()
}

#[test]
fn two_upgrades_under_load_fail_no_request_and_a_bad_configuration_between_them_changes_nothing() {
    let mut portal = Portal::build(&binary())
        .extra_toml(LIMITS)
        .extra_toml("[log]\nfile = \"access.log\"\n")
        .party("alice")
        .start();
    let crowd = Crowd::start(&portal);
    crowd.go_on();

    let first = portal.upgrade();
    assert_ne!(first.pid(), portal.gate().pid());
    crowd.go_on();

    let good = portal.sandbox.read("countersign.toml");
    portal.sandbox.write("countersign.toml", good.replace("upstream", "upsteam"));
    let failed = portal.countersign(&["upgrade"]).exited(3);
    assert!(
        failed.stderr.contains("upstream") && failed.stderr.contains("goes on serving"),
        "{}",
        failed.story()
    );
    portal.gate().wait_stderr("the upgrade failed", Duration::from_secs(20));
    crowd.go_on();
    portal.sandbox.write("countersign.toml", &good);

    // Strangers who knock while it happens become pending, whichever process they come to.
    let strangers = testkit::TestCa::new("Strangers");
    let (knocking, stop) = (Arc::new(AtomicBool::new(true)), AtomicU64::new(0));
    let (second, known) = std::thread::scope(|scope| {
        let knocker = scope.spawn(|| {
            while knocking.load(Ordering::SeqCst) {
                let number = stop.fetch_add(1, Ordering::SeqCst);
                let cert = testkit::Leaf::new(&format!("stranger-{number}")).issued_by(&strangers);
                let knocks = portal.client().showing(&cert);
                let answer = block_on(knocks.knock(portal.port, SITE, "/")).unwrap();
                assert_eq!(answer.status, 403, "{}", answer.code());
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let second = portal.upgrade();
        crowd.go_on();
        knocking.store(false, Ordering::SeqCst);
        knocker.join().unwrap();
        (second, stop.load(Ordering::SeqCst))
    });
    assert!(first.runs(), "the first heir still has WebSockets");

    let (wrong, seen) = crowd.end();
    assert_eq!(wrong, Vec::<String>::new());
    // Whoever has no connection any more ends by itself.
    eventually("the end of the first process", || portal.gate.as_mut().unwrap().exited());
    assert_eq!(portal.gate.as_mut().unwrap().exited(), Some(0));
    eventually("the end of the first heir", || (!first.runs()).then_some(()));
    assert_serves(&portal, "two upgrades");

    let admitted = seen.admitted.load(Ordering::SeqCst) + 1;
    let (sockets, nobody) = (4, seen.refused.load(Ordering::SeqCst) + 1);
    assert_eq!(portal.echo.count(), admitted + sockets, "what the website saw");
    assert!(second.terminate(Duration::from_secs(30)), "the second heir drains");
    assert_eq!(logged(&portal, "no-certificate"), nobody, "each refusal is in the log once");
    let pending = portal.countersign(&["pending", "list", "--json"]).ok().json();
    assert_eq!(pending.as_array().unwrap().len() as u64, known.min(20), "those who knocked");
    portal.countersign(&["log", "verify"]).ok();
    let lines = portal.sandbox.read("access.log");
    let with = |status: &str| lines.lines().filter(|line| line.contains(status)).count() as u64;
    assert_eq!(with("\"status\":200"), admitted, "each request is in the access log once");
    assert_eq!(with("\"status\":101"), sockets);
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "whole lines");
}

#[test]
fn a_program_that_does_not_serve_is_told_and_the_old_one_goes_on() {
    let mut portal = Portal::build(&binary()).extra_toml(LIMITS).party("alice").prepare();
    let program = portal.sandbox.path("program");
    let points_to = |target: &str| {
        let _ = std::fs::remove_file(&program);
        symlink(target, &program).unwrap();
    };
    points_to(env!("CARGO_BIN_EXE_countersign"));
    let mut command = Command::new(&program);
    command.arg("run").current_dir(portal.sandbox.dir());
    portal.gate = Some(Gate::start(command));
    let crowd = Crowd::start(&portal);

    for (target, said) in [("/bin/false", "ended before it served"), ("/nonexistent", "cannot be started")] {
        points_to(target);
        let failed = portal.countersign(&["upgrade"]).refused();
        assert!(failed.stderr.contains(said), "{target}: {}", failed.story());
        crowd.go_on();
    }
    assert_eq!(portal.gate.as_mut().unwrap().exited(), None);
    points_to(env!("CARGO_BIN_EXE_countersign"));
    let heir = portal.upgrade();
    crowd.go_on();
    let (wrong, _) = crowd.end();
    assert_eq!(wrong, Vec::<String>::new());
    assert!(heir.runs());
    assert_serves(&portal, "an upgrade");
}

#[test]
fn what_is_open_in_the_old_process_ends_with_its_admission() {
    let mut portal = Portal::build(&binary()).extra_toml(LIMITS).site_line("allow = [\"bob\"]").prepare();
    portal.countersign(&["party", "add", "bob", "--pem", "--out", "."]).ok();
    for name in ["alice", "carol"] {
        portal.add_party(name);
    }
    portal.start_gate();
    block_on(async {
        let (alice, bob, carol) =
            (portal.client_as("alice"), portal.client_as("bob"), portal.client_as("carol"));
        let mut sockets = Vec::new();
        for client in [&alice, &bob, &carol] {
            sockets.push(websocket(client, portal.port).await.unwrap());
        }
        let [alice, bob, carol] = &mut sockets[..] else { panic!("three") };
        let heir = portal.upgrade();

        let told = portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise"]).ok();
        assert!(told.both().contains("1 connection"), "the old gate is waited for: {}", told.story());
        assert_ends(alice).await;
        echo(bob).await.unwrap();

        // Removed from the configuration, which the new process alone is told to read.
        let file = portal.sandbox.read("countersign.toml");
        portal.sandbox.write("countersign.toml", file.replace("allow = [\"bob\"]", ""));
        portal.countersign(&["reload"]).ok();
        assert_ends(bob).await;
        echo(carol).await.unwrap();

        // A file that cannot be read leaves the old rules in force, in both.
        portal.sandbox.write("countersign.toml", "upsteam");
        heir.hang_up();
        portal.gate().wait_stderr("reload failed", Duration::from_secs(20));
        echo(carol).await.unwrap();
        portal.sandbox.write("countersign.toml", &file);

        // With the service its old processes end.
        assert!(heir.terminate(Duration::from_secs(30)));
        assert!(
            carol.ended_within(Duration::from_secs(20)).await.is_some(),
            "the WebSocket outlives the service"
        );
        assert_eq!(portal.gate.as_mut().unwrap().wait_exit(Duration::from_secs(30)), Some(0));
    });
}

#[test]
fn rules_that_the_new_process_begins_with_hold_in_the_old_one_too() {
    let mut portal = Portal::build(&binary()).site_line("allow = [\"bob\"]").party("alice").prepare();
    portal.countersign(&["party", "add", "bob", "--pem", "--out", "."]).ok();
    portal.start_gate();
    block_on(async {
        let mut alice = websocket(&portal.client_as("alice"), portal.port).await.unwrap();
        let mut bob = websocket(&portal.client_as("bob"), portal.port).await.unwrap();
        let file = portal.sandbox.read("countersign.toml");
        portal.sandbox.write("countersign.toml", file.replace("allow = [\"bob\"]", ""));
        let _heir = portal.upgrade();
        assert_ends(&mut bob).await;
        echo(&mut alice).await.unwrap();
    });
}

async fn assert_ends(socket: &mut Conn) {
    let (last, _) = socket.ended_within(Duration::from_secs(20)).await.expect("the WebSocket goes on");
    assert_eq!(last, CLOSE_1008);
}
