//! fifty clients in a loop while the rules change: no request of the others fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use testkit::{Client, Portal};
use tokio::task::LocalSet;

use crate::support::{SITE, binary, block_on, eventually};

/// Clients that ask until they are told to stop.
struct Loop {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    thread: JoinHandle<Vec<String>>,
}

impl Loop {
    /// So many clients: a third keep a connection, a third make one for each request, a third speak HTTP/2.
    fn start(client: &Client, port: u16, many: usize) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (client, ended, count) = (client.clone(), stop.clone(), answered.clone());
        let thread = std::thread::spawn(move || {
            block_on(LocalSet::new().run_until(async move {
                let asking: Vec<_> = (0..many)
                    .map(|n| {
                        let (client, ended, count) = (client.clone(), ended.clone(), count.clone());
                        tokio::task::spawn_local(
                            async move { ask(n, &client, port, &ended, &count).await.err() },
                        )
                    })
                    .collect();
                let mut wrong = Vec::new();
                for one in asking {
                    wrong.extend(one.await.unwrap());
                }
                wrong
            }))
        });
        Self { stop, answered, thread }
    }

    /// Waits until each client was answered a few times more.
    fn go_on(&self) {
        let before = self.answered.load(Ordering::SeqCst);
        eventually("more answers", || (self.answered.load(Ordering::SeqCst) > before + 200).then_some(()));
    }

    /// What went wrong.
    fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

async fn ask(
    n: usize,
    client: &Client,
    port: u16,
    stop: &AtomicBool,
    count: &AtomicU64,
) -> Result<(), String> {
    let told = |wrong: testkit::Broken| format!("client {n}: {wrong:?}");
    let mut kept = client.connect(port, SITE).await.map_err(told)?;
    let h2 = client.connect_h2(port, SITE).await.map_err(told)?;
    while !stop.load(Ordering::SeqCst) {
        let answer = match n % 3 {
            0 => kept.get("/", &[]).await,
            1 => client.knock(port, SITE, "/").await,
            _ => h2.get("/", &[]).await,
        };
        let answer = answer.map_err(told)?;
        if answer.status != 200 {
            return Err(format!("client {n}: {} {}", answer.status, answer.code()));
        }
        count.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Ok(())
}

#[test]
fn a_reload_under_load_fails_no_request_but_that_of_whom_it_removes() {
    let mut portal = Portal::build(&binary())
        .extra_toml("[limits]\nhalf_open_per_address = 1000\n")
        .site_line("allow = [\"alice\", \"bob\"]")
        .prepare();
    for name in ["alice", "bob"] {
        portal.countersign(&["party", "add", name, "--pem", "--out", "."]).ok();
    }
    portal.start_gate();
    block_on(async {
        let bob = portal.client_as("bob");
        let mut kept = bob.connect(portal.port, SITE).await.unwrap();
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
        let all = Loop::start(&portal.client_as("alice"), portal.port, 50);
        all.go_on();

        let good = portal.sandbox.read("countersign.toml");
        let without = good.replace("\"alice\", \"bob\"", "\"alice\"");
        portal.sandbox.write("countersign.toml", &without);
        portal.countersign(&["reload"]).ok();
        match kept.get("/", &[]).await {
            Ok(answer) => assert_eq!(answer.code(), "not-allowed"),
            Err(_ended) => {}
        }
        assert_eq!(bob.knock(portal.port, SITE, "/").await.unwrap().code(), "not-allowed");
        all.go_on();

        portal.sandbox.write("countersign.toml", good.replace("upstream", "upsteam"));
        portal.countersign(&["reload"]).exited(3);
        portal.gate().hang_up();
        portal.gate().wait_stderr("reload failed", std::time::Duration::from_secs(20));
        assert_eq!(
            bob.knock(portal.port, SITE, "/").await.unwrap().code(),
            "not-allowed",
            "the old policy holds"
        );
        all.go_on();

        portal.sandbox.write("countersign.toml", &good);
        portal.countersign(&["reload"]).ok();
        assert_eq!(bob.knock(portal.port, SITE, "/").await.unwrap().status, 200);
        all.go_on();
        assert_eq!(all.end(), Vec::<String>::new());
    });
    assert!(
        portal
            .echo
            .requests()
            .iter()
            .all(|seen| ["alice", "bob"].contains(&seen.header("countersign-party").unwrap()))
    );
}
