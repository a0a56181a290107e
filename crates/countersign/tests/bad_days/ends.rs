//! Whatever ends an admission ends what runs under it, on every protocol, and touches nobody else.

use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use testkit::client::H2Stream;
use testkit::{Client, Conn, H2Conn, Leaf, Portal, TestCa, WEBSOCKET, free_port, openssl_s_client};

use crate::support::{Held, SITE, binary, block_on, eventually};

const DOWNLOAD: &str = "/slow-stream?ms=250&chunks=240";
/// A close frame of a server with 1008, policy violation.
const CLOSE_1008: [u8; 4] = [0x88, 2, 0x03, 0xf0];
/// A masked text frame of a client.
const HELLO: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];

/// Everything that one client can have running for a minute.
struct Busy {
    kept: Conn,
    download: Conn,
    upload: Conn,
    socket: Conn,
    h2: H2Conn,
    stream: H2Stream,
}

impl Busy {
    async fn start(client: &Client, port: u16) -> Self {
        let connect = async || client.connect(port, SITE).await.unwrap();
        let mut kept = connect().await;
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
        let mut download = connect().await;
        download.send_request("GET", DOWNLOAD, &[("Accept", "text/event-stream")], b"").await.unwrap();
        assert_eq!(download.read_head().await.unwrap().status, 200);
        let mut upload = connect().await;
        upload.send_request("POST", "/sink", &[("Transfer-Encoding", "chunked")], b"").await.unwrap();
        upload.send_raw(b"5\r\nfirst\r\n").await.unwrap();
        let mut socket = connect().await;
        socket.send_request("GET", "/ws", &WEBSOCKET, b"").await.unwrap();
        assert_eq!(socket.read_head().await.unwrap().status, 101);
        let h2 = client.connect_h2(port, SITE).await.unwrap();
        assert_eq!(h2.get("/", &[]).await.unwrap().status, 200);
        let stream = h2.start("GET", SITE, DOWNLOAD, &[], b"").await.unwrap();
        assert_eq!(stream.head.status, 200);
        Self { kept, download, upload, socket, h2, stream }
    }

    /// All of it ends long before it would by itself; the next requests are refused as `code`.
    async fn assert_ends(mut self, code: &str) {
        let soon = Duration::from_secs(20);
        assert!(self.download.ended_within(soon).await.is_some(), "{code}: the download goes on");
        assert!(self.upload.ended_within(soon).await.is_some(), "{code}: the upload goes on");
        let (last, _) = self.socket.ended_within(soon).await.expect("the WebSocket goes on");
        assert_eq!(last, CLOSE_1008, "{code}");
        let rest = async {
            loop {
                match self.stream.next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(_reset) => break true,
                }
            }
        };
        let reset = tokio::time::timeout(soon, rest).await.expect("the HTTP/2 stream goes on");
        assert!(reset, "{code}: a stream that was cut looks like a whole one");
        if let Ok(answer) = self.kept.get("/", &[]).await {
            assert_eq!(answer.code(), code);
        }
        if let Ok(answer) = self.h2.get("/", &[]).await {
            assert_eq!(answer.code(), code);
        }
    }

    /// All of it still runs.
    async fn assert_goes_on(&mut self) {
        assert!(!self.download.read_some().await.unwrap().is_empty(), "the download ended");
        self.upload.send_raw(b"4\r\nmore\r\n").await.unwrap();
        self.socket.send_raw(&HELLO).await.unwrap();
        assert_eq!(self.socket.read_some().await.unwrap(), HELLO);
        assert!(self.stream.next().await.unwrap().is_some(), "the HTTP/2 stream ended");
        assert_eq!(self.kept.get("/", &[]).await.unwrap().status, 200);
        assert_eq!(self.h2.get("/", &[]).await.unwrap().status, 200);
    }

    /// The upload comes to its end, whole.
    async fn finish_upload(mut self) {
        self.upload.send_raw(b"0\r\n\r\n").await.unwrap();
        assert_eq!(self.upload.read_head().await.unwrap().status, 200);
    }
}

/// `end` takes alice's admission away; bob is untouched.
#[track_caller]
fn ends(portal: &Portal, code: &str, end: impl FnOnce(&Portal)) {
    block_on(async {
        let alice = portal.client_as("alice");
        let mut others = Busy::start(&portal.client_as("bob"), portal.port).await;
        let hers = Busy::start(&alice, portal.port).await;
        let before = portal.echo.count();
        end(portal);
        hers.assert_ends(code).await;
        assert_eq!(alice.knock(portal.port, SITE, "/").await.unwrap().code(), code);
        assert_eq!(portal.echo.count(), before, "the upstream saw no more of alice, and no whole upload");
        others.assert_goes_on().await;
        others.finish_upload().await;
    });
}

fn alice_and_bob() -> Portal {
    Portal::build(&binary()).party("alice").party("bob").start()
}

#[test]
fn a_suspension_ends_everything_of_one_party_and_nothing_of_another() {
    ends(&alice_and_bob(), "suspended", |portal| {
        drop(portal.countersign(&["party", "suspend", "alice"]).ok())
    });
}

#[test]
fn a_grant_taken_back_ends_everything_of_one_party_and_nothing_of_another() {
    let take =
        |portal: &Portal| drop(portal.countersign(&["party", "ungrant", "alice", "--site", SITE]).ok());
    ends(&alice_and_bob(), "not-allowed", take);
}

#[test]
fn a_rule_of_the_file_ends_everything_of_one_party_and_nothing_of_another() {
    ends(&alice_and_bob(), "not-allowed", |portal| {
        let text = portal.sandbox.read("countersign.toml");
        let line = format!("[site.\"{SITE}\"]");
        portal.sandbox.write("countersign.toml", text.replace(&line, &format!("{line}\ndeny = [\"alice\"]")));
        portal.countersign(&["reload"]).ok();
    });
}

#[test]
fn an_issuer_taken_back_ends_everything_of_its_certificates_and_nothing_of_others() {
    let acme = TestCa::new("Acme CA");
    let mut portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("bob").prepare();
    portal.countersign(&["ca", "add", "acme.pem", "--name", "acme", "--site", SITE, "--accept-any"]).ok();
    Leaf::new("alice").issued_by(&acme).write(portal.sandbox.dir(), "alice");
    portal.start_gate();
    ends(&portal, "unknown-issuer", |portal| {
        drop(portal.countersign(&["ca", "remove", "acme", "--yes"]).ok())
    });
}

#[test]
fn an_expiry_ends_everything_of_one_certificate_and_nothing_of_another() {
    let acme = TestCa::new("Acme CA");
    let mut portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("bob").prepare();
    portal.countersign(&["ca", "add", "acme.pem", "--name", "acme", "--site", SITE, "--accept-any"]).ok();
    portal.start_gate();
    block_on(async {
        let mut others = Busy::start(&portal.client_as("bob"), portal.port).await;
        let short = Leaf::new("short").valid_from_now(-3600, 10).issued_by(&acme);
        let client = portal.client().showing(&short);
        let running = Busy::start(&client, portal.port).await;
        let before = portal.echo.count();
        running.assert_ends("expired").await;
        assert!(testkit::times::clock() >= short.facts().not_after, "it ended before its time");
        assert_eq!(client.knock(portal.port, SITE, "/").await.unwrap().code(), "expired");
        assert_eq!(portal.echo.count(), before);
        others.assert_goes_on().await;
        others.finish_upload().await;
    });
}

#[test]
fn a_handshake_that_offers_an_old_session_is_judged_like_any_other() {
    let portal = Portal::start(&binary());
    let dir = portal.sandbox.dir();
    let shown = ["-cert", "alice.pem", "-key", "alice.key", "-CAfile", "ca.pem"];
    let ask = |more: &[&str]| openssl_s_client(dir, portal.port, Some(SITE), &[&shown, more].concat());
    for version in ["-tls1_2", "-tls1_3"] {
        let first = ask(&[version, "-sess_out", "own.session"]);
        assert!(first.output.contains("200 OK"), "{first:?}");
        assert!(!portal.sandbox.path("own.session").exists(), "the gate gives no session to come back with");
    }
    // One of another server, with a ticket, made with the same certificate.
    let other = free_port();
    let mut server = Command::new("openssl");
    server.current_dir(dir).args(["s_server", "-www", "-accept", &format!("127.0.0.1:{other}")]);
    server.args(["-cert", "alice.pem", "-key", "alice.key"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let server = Held(server.stderr(Stdio::null()).spawn().expect("openssl"));
    eventually("the other server", || TcpStream::connect(("127.0.0.1", other)).ok());
    let made = [&shown[..], &["-tls1_2", "-sess_out", "old.session"]].concat();
    openssl_s_client(dir, other, Some(SITE), &made);
    drop(server);
    assert!(portal.sandbox.read("old.session").contains("SESSION"), "there is a session to offer");

    let before = ask(&["-tls1_2", "-sess_in", "old.session"]);
    assert!(before.output.contains("200 OK") && !before.output.contains("Reused, "), "{before:?}");
    portal.countersign(&["party", "revoke", "alice", "--reason", "key-compromise"]).ok();
    let seen = portal.echo.count();
    let after = ask(&["-tls1_2", "-sess_in", "old.session"]);
    assert!(after.output.contains(" 403 ") && after.output.contains("revoked"), "{after:?}");
    assert!(!after.output.contains("Reused, "), "{after:?}");
    assert_eq!(portal.echo.count(), seen);
}
