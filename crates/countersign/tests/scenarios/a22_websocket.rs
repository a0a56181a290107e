use testkit::{Portal, Response, WEBSOCKET};

use crate::support::binary;

/// A masked text frame "hello" of a client.
const HELLO: [u8; 11] = [0x81, 0x85, 1, 2, 3, 4, b'h' ^ 1, b'e' ^ 2, b'l' ^ 3, b'l' ^ 4, b'o' ^ 1];

#[test]
fn a_websocket_passes_both_ways_with_a_certificate_and_is_403_without() {
    let portal = Portal::build(&binary()).party("alice").start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut nobody = portal.client().connect(portal.port, "portal.test").await.unwrap();
        let answer: Response = nobody.get("/ws", &WEBSOCKET).await.unwrap();
        assert_eq!((answer.status, answer.code()), (403, "no-certificate".to_owned()));
        assert_eq!(portal.echo.count(), 0);

        let mut alice = portal.client_as("alice").connect(portal.port, "portal.test").await.unwrap();
        alice.send_request("GET", "/ws", &WEBSOCKET, b"").await.unwrap();
        let head = alice.read_head().await.unwrap();
        assert_eq!(
            (head.status, head.header("sec-websocket-accept")),
            (101, Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
        );
        assert_eq!(portal.echo.last().all("countersign-party"), ["alice"]);
        for _ in 0..3 {
            alice.send_raw(&HELLO).await.unwrap();
            let mut back = Vec::new();
            while back.len() < HELLO.len() {
                back.extend(alice.read_some().await.unwrap());
            }
            assert_eq!(back, HELLO);
        }
    });
}
