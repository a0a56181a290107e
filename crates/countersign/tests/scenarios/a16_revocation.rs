use std::time::Duration;

use testkit::{Leaf, Portal, WEBSOCKET, openssl};
use tokio::io::AsyncReadExt;

use crate::support::binary;

#[test]
fn a_revoked_laptop_is_out_within_a_second_and_the_phone_stays() {
    let portal = Portal::build(&binary()).prepare();
    let dir = portal.sandbox.dir().to_path_buf();
    for label in ["laptop", "phone"] {
        let args =
            ["party", "add", "alice", "--site", "portal.test", "--label", label, "--pem", "--out", "."];
        portal.countersign(&args).ok();
        for file in ["pem", "key", "p12"] {
            std::fs::rename(dir.join(format!("alice.{file}")), dir.join(format!("{label}.{file}"))).unwrap();
        }
    }
    let mut portal = portal;
    portal.start_gate();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let laptop = portal.client_as("laptop");
        let mut kept = laptop.connect(portal.port, "portal.test").await.unwrap();
        assert_eq!(kept.get("/", &[]).await.unwrap().status, 200);
        let h2 = laptop.connect_h2(portal.port, "portal.test").await.unwrap();
        assert_eq!(h2.get("/", &[]).await.unwrap().status, 200);
        let mut download = laptop.connect(portal.port, "portal.test").await.unwrap();
        download.send_request("GET", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        let head = download.read_head().await.unwrap();
        assert_eq!(head.status, 200);
        let mut socket = laptop.connect(portal.port, "portal.test").await.unwrap();
        socket.send_request("GET", "/ws", &WEBSOCKET, b"").await.unwrap();
        assert_eq!(socket.read_head().await.unwrap().status, 101);
        let (_, socket_h2) = h2.websocket("/ws", &[]).await.unwrap();
        let mut socket_h2 = socket_h2.expect("a WebSocket over HTTP/2");
        let mut stream =
            h2.start("GET", "portal.test", "/slow-stream?ms=500&chunks=120", &[], b"").await.unwrap();
        let mut phone = portal.client_as("phone").connect(portal.port, "portal.test").await.unwrap();
        assert_eq!(phone.get("/", &[]).await.unwrap().status, 200);
        let before = portal.echo.count();

        let sandbox = &portal.sandbox;
        let revoked = sandbox
            .countersign(&["party", "revoke", "alice", "--cert", "laptop", "--reason", "key-compromise"])
            .ok();
        assert!(revoked.both().contains("gate"), "it says where it holds: {}", revoked.story());

        assert!(download.ended_within(Duration::from_millis(1500)).await.is_some(), "the download ends");
        let (last, _) = socket.ended_within(Duration::from_millis(500)).await.expect("the WebSocket ends");
        assert_eq!(last, [0x88, 2, 0x03, 0xf0], "a close frame with 1008");
        let mut last = Vec::new();
        let ended = tokio::time::timeout(Duration::from_millis(500), socket_h2.read_to_end(&mut last)).await;
        assert!(ended.is_ok(), "the WebSocket over HTTP/2 ends");
        assert_eq!(last, [0x88, 2, 0x03, 0xf0], "a close frame with 1008");
        let rest = async { while let Ok(Some(_)) = stream.next().await {} };
        tokio::time::timeout(Duration::from_millis(500), rest).await.expect("the HTTP/2 stream ends");
        match kept.get("/", &[]).await {
            Ok(answer) => assert_eq!(answer.code(), "revoked"),
            Err(_ended) => {}
        }
        if let Ok(answer) = h2.get("/", &[]).await {
            assert_eq!(answer.code(), "revoked");
        }
        assert_eq!(portal.echo.count(), before, "the upstream saw no more of the laptop");
        assert_eq!(portal.curl(Some("laptop"), "/", &[]).json()["code"], "revoked");
        assert_eq!(phone.get("/", &[]).await.unwrap().status, 200, "the phone's connection is untouched");
    });

    let serial = examiner::cert::pem::certificates(portal.sandbox.read("laptop.pem").as_bytes()).unwrap()[0]
        .serial_hex();
    portal.countersign(&["ca", "crl", "--out", "own.crl"]).ok();
    let issuer = examiner::cert::pem::certificates(portal.sandbox.read("laptop.pem").as_bytes()).unwrap();
    portal.sandbox.write("client-ca.pem", examiner::cert::pem::encode("CERTIFICATE", &issuer[1].der));
    let args = ["crl", "-inform", "DER", "-in", "own.crl", "-CAfile", "client-ca.pem", "-noout", "-text"];
    let text = openssl(&dir, &args, b"").ok().both();
    assert!(text.contains("verify OK"), "{text}");
    assert!(text.to_lowercase().contains(&serial) && text.contains("Key Compromise"), "{text}");
}

#[test]
fn a_revoked_party_enters_by_its_subject_no_longer() {
    let acme = testkit::TestCa::new("Acme CA");
    let mut portal = Portal::build(&binary()).file("acme.pem", acme.pem()).party("svc").prepare();
    for (name, common_name) in [("one", "svc"), ("two", "svc"), ("other", "other")] {
        Leaf::new(common_name).issued_by(&acme).write(portal.sandbox.dir(), name);
    }
    let run = |args: &str| portal.countersign(&args.split(' ').collect::<Vec<_>>());
    run("ca add acme.pem --name acme --site portal.test --named-only").ok();
    run("party add svc --subject CN=svc --ca acme --site portal.test").ok();
    run("party add other --subject CN=other --ca acme --site portal.test").ok();
    portal.start_gate();
    let status = |name| portal.curl(Some(name), "/", &[]).status;
    assert_eq!(["svc", "one", "two", "other"].map(status), [200; 4]);

    let run = |args: &str| portal.countersign(&args.split(' ').collect::<Vec<_>>());
    let one = run("party revoke svc --cert cert-1").ok();
    assert!(
        one.stderr.contains("by its subject") && one.stderr.contains("party revoke svc"),
        "{}",
        one.story()
    );
    assert_eq!(["svc", "one", "two", "other"].map(status), [403, 200, 200, 200]);

    let whole = run("party revoke svc").ok();
    assert!(
        whole.stdout.contains("the subject CN=svc of CA acme leads to svc no longer"),
        "{}",
        whole.story()
    );
    assert_eq!(["svc", "one", "two", "other"].map(status), [403, 403, 403, 200]);
    assert_eq!(run("party show svc --json").ok().json()["subjects"], serde_json::json!([]));
    let log = run("log search --party svc --since 1h").ok().stdout;
    assert!(log.contains("subject `CN=svc` of CA `acme` removed; by "), "{log}");
}
