//! Server-sent events pass one by one: none waits for the next.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;

use testkit::Portal;

use crate::support::{SITE, binary, block_on};

#[test]
fn each_server_sent_event_arrives_before_the_next_is_made() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (next, wanted) = mpsc::channel::<String>();
    let upstream = std::thread::spawn(move || {
        // One answer for each protocol that asks.
        for _ in 0..2 {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = Vec::new();
            let mut block = [0; 4096];
            while !head.ends_with(b"\r\n\r\n") {
                let length = socket.read(&mut block).unwrap();
                head.extend_from_slice(&block[..length]);
            }
            assert!(String::from_utf8_lossy(&head).to_lowercase().contains("last-event-id: 7"));
            let said = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n\
                        Connection: close\r\n\r\n";
            socket.write_all(said.as_bytes()).unwrap();
            while let Ok(event) = wanted.recv() {
                if event.is_empty() {
                    break;
                }
                socket.write_all(event.as_bytes()).unwrap();
            }
        }
    });
    let portal = Portal::build(&binary()).upstream(&url).party("alice").start();
    let asked = [("Accept", "text/event-stream"), ("Last-Event-ID", "7")];
    block_on(async {
        assert_ne!(
            portal.client().knock(portal.port, SITE, "/events").await.map_or(0, |answer| answer.status),
            200
        );
        let alice = portal.client_as("alice");
        let mut conn = alice.connect(portal.port, SITE).await.unwrap();
        conn.send_request("GET", "/events", &asked, b"").await.unwrap();
        let head = conn.read_head().await.unwrap();
        assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
        for n in 0..5 {
            let event = format!("id: {n}\ndata: event {n}\n\n");
            next.send(event.clone()).unwrap();
            let mut got = String::new();
            while !got.contains(&event) {
                got += &String::from_utf8(conn.read_some().await.unwrap()).unwrap();
            }
        }
        next.send(String::new()).unwrap();
        let h2 = alice.connect_h2(portal.port, SITE).await.unwrap();
        let mut stream = h2.start("GET", SITE, "/events", &asked, b"").await.unwrap();
        assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
        for n in 0..5 {
            let event = format!("id: {n}\ndata: event {n}\n\n");
            next.send(event.clone()).unwrap();
            let mut got = String::new();
            while got != event {
                got += std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap();
            }
        }
        next.send(String::new()).unwrap();
        while let Some(rest) = stream.next().await.unwrap() {
            assert!(rest.is_empty(), "the stream ends as the upstream ended it: {rest:?}");
        }
    });
    upstream.join().unwrap();
}
