//! `check --list` and `check --watch`: many hosts and files in one command, each by itself.

use std::time::Duration;

use serde_json::Value;
use testkit::{Gate, Sandbox, TestCa, eventually, free_port};

use crate::check_hosts::server::{Server, say, socket};
use crate::support::binary;

const HOST: &str = "www.many.example";
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory with `www.pem`, `www.key`, the certificate alone in `leaf.pem`, and `root.pem`.
struct World {
    sandbox: Sandbox,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::new(&binary());
        let root = TestCa::new("Many Root");
        let leaf = root.intermediate("Many CA").issue_server(HOST);
        leaf.write(sandbox.dir(), "www");
        sandbox.write("leaf.pem", &leaf.pem);
        sandbox.write("root.pem", root.pem());
        Self { sandbox }
    }

    fn args<'a>(&self, extra: &[&'a str]) -> Vec<&'a str> {
        let all = ["check", "--private", "--roots", "root.pem", "--servername", HOST];
        [&all[..], extra].concat()
    }
}

#[test]
fn a_list_is_told_in_one_line_for_each_that_is_not_right_the_worst_first() {
    let world = World::new();
    let server = Server::start(world.sandbox.dir(), "www", "www", &[]);
    let closed = free_port();
    world.sandbox.write(
        "hosts.txt",
        format!("# the shop\n127.0.0.1:{0} # right\n\nwww.pem\nleaf.pem\n127.0.0.2:{closed}\n", server.port),
    );
    let told =
        world.sandbox.countersign(&world.args(&["--list", "hosts.txt", "--metrics", "check.prom"])).exited(4);
    let lines: Vec<&str> = told.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{}", told.story());
    let unreachable = format!("not examined  127.0.0.2:{closed}: cannot be reached: ");
    assert!(lines[0].starts_with(&unreachable), "{}", told.story());
    assert!(lines[1].starts_with("errors        leaf.pem: "), "{}", told.story());
    assert_eq!(lines[2], "4 examined: 2 right, 1 errors, 1 not examined.", "{}", told.story());

    let metrics = world.sandbox.read("check.prom");
    for line in [
        format!("countersign_check_examined{{target=\"127.0.0.1:{}\"}} 1", server.port),
        format!("countersign_check_examined{{target=\"127.0.0.2:{closed}\"}} 0"),
        "countersign_check_findings{target=\"www.pem\",severity=\"error\"} 0".to_owned(),
    ] {
        assert!(metrics.lines().any(|one| one == line), "{line}\n{metrics}");
    }
    let checked = std::process::Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(world.sandbox.path("check.prom")).unwrap())
        .output()
        .unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    // The order of the list holds for scripts, and everything is told.
    let told = world.sandbox.countersign(&world.args(&["--list", "hosts.txt", "--json"])).exited(4).json();
    let files: Vec<&str> = told.as_array().unwrap().iter().map(|one| one["file"].as_str().unwrap()).collect();
    let (first, last) = (format!("127.0.0.1:{}", server.port), format!("127.0.0.2:{closed}"));
    assert_eq!(files, [&first, "www.pem", "leaf.pem", &last]);
    assert!(told[3]["error"].as_str().unwrap().contains("cannot be reached"), "{told:#}");
}

#[test]
fn what_is_no_list_is_refused() {
    let world = World::new();
    world.sandbox.write("bad.txt", [0xff, 0xfe, 0]);
    let told = world.sandbox.countersign(&world.args(&["--list", "bad.txt"])).exited(2);
    assert!(told.stderr.contains("bad.txt is no text"), "{}", told.story());
    world.sandbox.countersign(&world.args(&["--list", "missing.txt"])).exited(5);
    for wrong in [
        &["--list", "bad.txt", "--at-once", "0"][..],
        &["--list", "bad.txt", "--at-once", "257"],
        &["www.pem", "--every", "1h"],
        &["www.pem", "--watch", "--every", "0s"],
        &["www.pem", "--watch", "--format", "html"],
        &["www.pem", "--watch", "--rounds", "0"],
    ] {
        world.sandbox.countersign(&world.args(wrong)).exited(2);
    }
}

/// Fifty of each of six kinds that mean harm, all at once, and a good one among them.
#[test]
fn hundreds_of_bad_servers_at_once_hold_up_nobody() {
    let world = World::new();
    let server = Server::start(world.sandbox.dir(), "www", "www", &[]);
    let kinds: [(u16, &[&str]); 6] = [
        (socket(drop), &["closes the connection without a word"]),
        (socket(|stream| say(stream, b"")), &["sends nothing whole in time"]),
        (
            socket(|mut stream| {
                use std::io::Write;
                for byte in [22, 3, 3, 0, 80].into_iter().chain(std::iter::repeat_n(0, 60)) {
                    if stream.write_all(&[byte]).is_err() {
                        return;
                    }
                    std::thread::sleep(Duration::from_secs(1));
                }
            }),
            &["sends nothing whole in time"],
        ),
        (
            socket(|mut stream| {
                use std::io::Write;
                // HelloRequest, which a client may pass over (RFC 5246 section 7.4.1.1).
                let many = [22, 3, 3, 0, 4, 0, 0, 0, 0].repeat(1_000);
                while stream.write_all(&many).is_ok() {}
            }),
            &["sends more than a handshake may have", "unexpected handshake message"],
        ),
        (socket(|stream| say(stream, &[21, 3, 3, 0, 2, 2, 40])), &["handshake_failure (40)"]),
        (socket(|stream| say(stream, b"220 mail.example ESMTP\r\n")), &["220 mail.example ESMTP"]),
    ];
    let mut list = String::new();
    for _ in 0..50 {
        for (port, _) in kinds {
            list += &format!("127.0.0.1:{port}\n");
        }
    }
    list += &format!("127.0.0.1:{}\n", server.port);
    world.sandbox.write("hosts.txt", list);
    let args = world.args(&["--list", "hosts.txt", "--at-once", "256", "--json"]);
    let told = world.sandbox.countersign(&args).exited(4).json();
    let told = told.as_array().unwrap();
    assert_eq!(told.len(), 301);
    for (i, one) in told[..300].iter().enumerate() {
        let said = kinds[i % 6].1;
        let is_said = |error: &str| said.iter().any(|said| error.contains(said));
        assert!(one["error"].as_str().is_some_and(is_said), "{said:?}\n{one:#}");
    }
    assert_eq!(told[300]["verdict"], "right", "{:#}", told[300]);
}

#[test]
fn a_watch_tells_of_changes_alone() {
    let world = World::new();
    world.sandbox.write("www-2.pem", world.sandbox.read("www.pem"));
    let watch = ["www.pem", "www-2.pem", "--watch", "--every", "1s", "--json", "--metrics", "check.prom"];
    let program = Gate::spawn(world.sandbox.command(&world.args(&watch)));
    program.wait_stderr("round 2: 2 examined: 2 right; 0 told", PATIENCE);
    assert_eq!(program.stdout(), "", "nothing has changed");

    let changes = |count: usize| {
        eventually("a change is told", || {
            let said = program.stdout();
            let all: Vec<Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
            (all.len() >= count).then_some(all)
        })
    };
    world.sandbox.write("www-2.pem", world.sandbox.read("leaf.pem"));
    let told = changes(1);
    assert_eq!(
        (&told[0]["file"], &told[0]["was"], &told[0]["is"]),
        (&"www-2.pem".into(), &"right".into(), &"errors".into())
    );
    assert!(told[0]["ids"].as_array().unwrap().contains(&"chain-incomplete".into()), "{told:?}");
    let metrics = world.sandbox.read("check.prom");
    assert!(
        metrics.contains("countersign_check_findings{target=\"www-2.pem\",severity=\"error\"} 1"),
        "{metrics}"
    );

    std::fs::remove_file(world.sandbox.path("www-2.pem")).unwrap();
    let told = changes(2);
    assert_eq!((&told[1]["was"], &told[1]["is"]), (&"errors".into(), &"not-examined".into()), "{told:?}");
    world.sandbox.write("www-2.pem", world.sandbox.read("www.pem"));
    let told = changes(3);
    assert_eq!((&told[2]["was"], &told[2]["is"]), (&"not-examined".into(), &"right".into()), "{told:?}");
    assert!(told.iter().all(|one| one["file"] == "www-2.pem"), "{told:?}");
}

#[test]
fn a_watch_with_a_last_round_ends_with_its_exit_code() {
    let world = World::new();
    let watch = ["--watch", "--every", "1s", "--rounds", "2"];
    let told = world.sandbox.countersign(&world.args(&[&["www.pem"][..], &watch].concat())).exited(0);
    assert_eq!(told.stdout, "", "{}", told.story());
    let told = world.sandbox.countersign(&world.args(&[&["leaf.pem"][..], &watch].concat())).exited(1);
    // The first round tells of what is not right, the second of nothing new.
    assert_eq!(told.stdout.lines().count(), 1, "{}", told.story());
    assert!(told.stdout.contains(" leaf.pem: is errors: "), "{}", told.story());
    let gone = format!("127.0.0.1:{}", free_port());
    world.sandbox.countersign(&world.args(&[&[gone.as_str()][..], &watch].concat())).exited(4);
}
