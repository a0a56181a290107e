//! What a request and a held connection cost the gate, in counts: allocations, bytes, system calls. Never in time.
//!
//! The gate is a process of its own, so that nothing of its visitor or its upstream is counted: this program again, which
//! says what it has allocated when it is asked on its standard input. `strace` counts what its thread asks of the kernel.

#[allow(dead_code, reason = "other tests use more of it")]
#[path = "../gate/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use gateway::Upstream;
use testkit::{Client, Conn};

#[global_allocator]
static ALLOCATOR: dhat::Alloc = dhat::Alloc;

/// Says that this process is to be the gate: the directory where its certificates go, and its upstream's port.
const ROLE: [&str; 2] = ["COUNTED_GATE_DIRECTORY", "COUNTED_GATE_UPSTREAM"];
/// Where set, the gate writes there which lines of the code its memory is held by.
const PROFILE: &str = "COUNTED_GATE_PROFILE";

/// Allocations for one request of 1 KiB on a connection that stays. Seen: 15 and 16.
const MOST_ALLOCATIONS_H1: u64 = 24;
const MOST_ALLOCATIONS_H2: u64 = 28;
/// System calls for it: wait, read, write, once for the visitor and once for the upstream. Seen: 6.0.
const MOST_CALLS: f64 = 7.0;
/// System calls for a connection with one request that the client ends with close_notify. Seen: 20.4.
const MOST_CALLS_A_CONNECTION: f64 = 24.0;
/// Bytes that an idle connection holds at rest. Seen: 14,000.
const MOST_BYTES_HELD: i64 = 19_000;
/// Bytes that it gives back when it comes to rest: hyper's two buffers.
const LEAST_BYTES_GIVEN_BACK: i64 = 14_000;

const REQUESTS: u64 = 400;
const CONNECTIONS: u64 = 100;

#[test]
fn a_kept_request_takes_a_bounded_number_of_allocations() {
    let (mut gate, runtime) = (CountedGate::start(), runtime());
    let h1 = runtime.block_on(async {
        let mut connection = gate.connect().await;
        ask(&mut connection, 50).await;
        gate.blocks_during(async || ask(&mut connection, REQUESTS).await).await
    });
    println!("HTTP/1.1: {} allocations a request", h1 as f64 / REQUESTS as f64);
    assert!(h1 > 0 && h1 <= MOST_ALLOCATIONS_H1 * REQUESTS, "{h1}");
    let h2 = runtime.block_on(async {
        let connection = gate.client.connect_h2(gate.port, "portal.test").await.unwrap();
        for _ in 0..50 {
            assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
        }
        gate.blocks_during(async || {
            for _ in 0..REQUESTS {
                assert_eq!(connection.get("/", &[]).await.unwrap().status, 200);
            }
        })
        .await
    });
    println!("HTTP/2: {} allocations a request", h2 as f64 / REQUESTS as f64);
    assert!(h2 > 0 && h2 <= MOST_ALLOCATIONS_H2 * REQUESTS, "{h2}");
}

#[test]
fn a_kept_request_takes_a_bounded_number_of_system_calls() {
    let (gate, runtime) = (CountedGate::start(), runtime());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("strace");
    let calls = runtime.block_on(async {
        let mut connection = gate.connect().await;
        ask(&mut connection, 50).await;
        let strace = Strace::attach(gate.serving_thread(), &file);
        ask(&mut connection, REQUESTS).await;
        strace.detach()
    });
    let a_request = calls.all() as f64 / REQUESTS as f64;
    println!("{a_request} system calls a request");
    assert!(a_request >= 4.0, "strace saw too little: {a_request}");
    assert!(a_request <= MOST_CALLS, "{a_request}");
    // Request and answer are one piece each. The last answer may be here before its call is over.
    assert!(calls.of("sendto") >= 2 * REQUESTS - 1, "{calls:?}");
    assert_eq!(calls.of("writev"), 0, "{calls:?}");
}

#[test]
fn a_connection_that_its_client_ends_takes_a_bounded_number_of_system_calls() {
    let (gate, runtime) = (CountedGate::start(), runtime());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("strace");
    let calls = runtime.block_on(async {
        gate.come_and_go(5).await;
        let strace = Strace::attach(gate.serving_thread(), &file);
        gate.come_and_go(CONNECTIONS).await;
        strace.detach()
    });
    let a_connection = calls.all() as f64 / CONNECTIONS as f64;
    println!("{a_connection} system calls a connection");
    assert!(a_connection <= MOST_CALLS_A_CONNECTION, "{calls:?}");
    // Closing says the end. The last one may be here before its call is over.
    assert!(calls.of("close") >= CONNECTIONS - 1, "{calls:?}");
    assert_eq!(calls.of("shutdown"), 0, "{calls:?}");
    // The hello, what ends the handshake, the request, the upstream's answer, close_notify: nothing behind that.
    assert!(calls.of("recvfrom") <= 5 * CONNECTIONS, "{calls:?}");
}

#[test]
fn an_idle_connection_comes_to_hold_a_bounded_number_of_bytes_and_is_served_again() {
    const HELD: i64 = 40;
    const FIRST: i64 = 10;
    let (mut gate, runtime) = (CountedGate::start(), runtime());
    let held = runtime.block_on(async {
        let mut all = Vec::new();
        for _ in 0..FIRST {
            all.push(gate.connect_and_ask().await);
        }
        // What the gate itself holds, with these at rest.
        let awake = gate.counts().1;
        let before = gate.bytes_at_most(awake - FIRST * LEAST_BYTES_GIVEN_BACK).await;
        for _ in 0..HELD {
            all.push(gate.connect_and_ask().await);
        }
        let after = gate.bytes_at_most(before + HELD * MOST_BYTES_HELD).await;
        for connection in &mut all {
            ask(connection, 2).await;
        }
        (after - before) / HELD
    });
    println!("{held} bytes a connection");
    assert!(held > 1_000, "nothing was counted: {held}");
}

/// Not a test of its own: the process that is counted, where it is told to be.
#[test]
fn counted_gate() {
    let [Ok(directory), Ok(upstream)] = ROLE.map(std::env::var) else { return };
    let profile = std::env::var(PROFILE).ok();
    let _profiler = match &profile {
        Some(file) => dhat::Profiler::builder().file_name(file).build(),
        None => dhat::Profiler::builder().testing().build(),
    };
    let world = world::World::set(|settings| settings.workers = 1);
    world.apply_site(
        "portal.test",
        Vec::new(),
        |_| {},
        |site| {
            site.upstream = Upstream::http(format!("127.0.0.1:{upstream}"));
        },
    );
    std::fs::write(Path::new(&directory).join("ca.pem"), world.ca.root_pem()).unwrap();
    world.alice.write(Path::new(&directory), "alice");
    // The harness has said something on this line already.
    println!("\nport {}", world.port());
    for line in std::io::stdin().lines() {
        if line.unwrap() == "end" {
            break;
        }
        // What the log remembers is the test's, not the gate's.
        world.heard.lines.lock().unwrap().clear();
        let stats = dhat::HeapStats::get();
        println!("counts {} {}", stats.total_blocks, stats.curr_bytes);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn ask(connection: &mut Conn, times: u64) {
    for _ in 0..times {
        let response = connection.get("/", &[]).await.unwrap();
        assert_eq!((response.status, response.body.len()), (200, 1024));
    }
}

/// The gate in a process of its own; ended when dropped.
struct CountedGate {
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
    port: u16,
    client: Client,
    _directory: tempfile::TempDir,
}

impl CountedGate {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["counted_gate", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE[0], directory.path())
            .env(ROLE[1], upstream().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take();
        let mut from = BufReader::new(child.stdout.take().unwrap());
        let port = said(&mut from, "port ").parse().unwrap();
        let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).unwrap();
        let client = Client::trusting(&read("ca.pem")).showing_pem(&read("alice.pem"), &read("alice.key"));
        Self { child, to, from, port, client, _directory: directory }
    }

    async fn connect(&self) -> Conn {
        self.client.connect(self.port, "portal.test").await.unwrap()
    }

    async fn connect_and_ask(&self) -> Conn {
        let mut connection = self.connect().await;
        ask(&mut connection, 1).await;
        connection
    }

    /// Connections with one request each, one after the other.
    async fn come_and_go(&self, times: u64) {
        for _ in 0..times {
            let mut connection = self.connect_and_ask().await;
            connection.finish().await.unwrap();
            assert!(connection.read_to_end().await.unwrap().is_empty());
        }
    }

    /// Blocks allocated so far, and bytes held now.
    fn counts(&mut self) -> (u64, i64) {
        writeln!(self.to.as_mut().unwrap(), "?").unwrap();
        let text = said(&mut self.from, "counts ");
        let (blocks, bytes) = text.split_once(' ').unwrap();
        (blocks.parse().unwrap(), bytes.parse().unwrap())
    }

    /// Bytes held, once they are no more than these.
    async fn bytes_at_most(&mut self, most: i64) -> i64 {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let held = self.counts().1;
            if held <= most {
                return held;
            }
            assert!(Instant::now() < end, "{held} bytes and not {most} at the most");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn blocks_during(&mut self, work: impl AsyncFnOnce()) -> u64 {
        let before = self.counts().0;
        work().await;
        self.counts().0 - before
    }

    fn serving_thread(&self) -> u32 {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let mut named = threads.flatten().filter(|thread| {
            std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == "gate-0")
        });
        named.next().unwrap().file_name().to_str().unwrap().parse().unwrap()
    }
}

impl Drop for CountedGate {
    fn drop(&mut self) {
        // At the end of its input it ends by itself.
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

/// What follows `mark` on the next line that begins with it.
fn said(from: &mut BufReader<ChildStdout>, mark: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(from.read_line(&mut line).unwrap(), 0, "the counted gate has ended");
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim().to_owned();
        }
    }
}

/// A website that keeps its connections and has 1 KiB for everybody; its port.
fn upstream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_all(stream));
        }
    });
    port
}

fn answer_all(mut stream: TcpStream) {
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1024\r\n\r\n{}", "x".repeat(1024));
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(count @ 1..) = stream.read(&mut piece) {
        seen.extend_from_slice(&piece[..count]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

/// `strace` on one thread.
struct Strace<'a> {
    child: Child,
    file: &'a Path,
}

impl<'a> Strace<'a> {
    fn attach(thread: u32, file: &'a Path) -> Self {
        let mut command = Command::new("strace");
        command.arg("-c").arg("-o").arg(file).arg("-p").arg(thread.to_string());
        let child = command.stderr(Stdio::null()).spawn().expect("strace, which ./check installs");
        let end = Instant::now() + Duration::from_secs(20);
        let traced = || {
            let status = std::fs::read_to_string(format!("/proc/{thread}/status")).unwrap();
            status.lines().any(|line| line.starts_with("TracerPid:") && !line.ends_with("\t0"))
        };
        while !traced() {
            assert!(Instant::now() < end, "strace may not look at the gate");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, file }
    }

    /// The calls it saw.
    fn detach(mut self) -> Calls {
        let interrupted = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(interrupted.success());
        self.child.wait().unwrap();
        let text = std::fs::read_to_string(self.file).unwrap();
        // The share of the time, seconds, microseconds a call, calls, perhaps errors, and the name.
        let row = |line: &str| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (share, calls, name) = (fields.first()?, fields.get(3)?, fields.last()?);
            let is_row = share.parse::<f64>().is_ok() && *name != "total";
            Some(((*name).to_owned(), calls.parse().ok()?)).filter(|_| is_row)
        };
        Calls(text.lines().filter_map(row).collect())
    }
}

/// How often which system call was made.
#[derive(Debug)]
struct Calls(BTreeMap<String, u64>);

impl Calls {
    fn all(&self) -> u64 {
        self.0.values().sum()
    }

    fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }
}
