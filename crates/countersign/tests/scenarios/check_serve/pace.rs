//! How much the page does: looks a minute, looks at once, and looks that are told again.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use testkit::eventually;

use super::page::path;
use super::*;
use crate::check_hosts::server::socket;

/// A server that says nothing and counts who comes.
fn silent() -> (u16, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let port = socket(move |mut stream| {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    (port, count)
}

/// Ports on which nobody listens, which a look is told at once: no two of them alike, since a look is told again.
fn closed<const PORTS: usize>() -> [u16; PORTS] {
    let listeners: Vec<_> = (0..PORTS).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    std::array::from_fn(|port| listeners[port].local_addr().unwrap().port())
}

fn asked(page: &Page, port: u16, from: &str) -> testkit::Response {
    page.ask("GET", &path("/api/v1/check", &format!("127.0.0.1:{port}")), &[("X-Forwarded-For", from)])
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again_and_others_are_not_held_up() {
    let bench = Bench::new();
    let args = ["--allow-private", "--ports", "any", "--rate", "2", "--behind", "127.0.0.1"];
    let page = Page::start(&bench.sandbox, &args);
    let from = "203.0.113.7";
    let [first, second, third, fourth, fifth] = closed();
    assert_eq!(asked(&page, first, from).status, 200);
    assert_eq!(asked(&page, second, from).status, 200);
    let refused = asked(&page, third, from);
    assert_eq!((refused.status, &*refused.code()), (429, "too-often"), "{}", refused.text());
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=30).contains(&wait), "{wait}");
    let fields = [("X-Forwarded-For", from)];
    let shown = page.ask("GET", &path("/", &format!("127.0.0.1:{fourth}")), &fields);
    assert_eq!(shown.status, 429);
    assert!(
        shown.header("retry-after").is_some() && shown.text().contains("Try again in"),
        "{}",
        shown.text()
    );
    // What was just looked at is told again, and other addresses have looks of their own.
    assert_eq!(asked(&page, first, from).status, 200);
    assert_eq!(asked(&page, fifth, "203.0.113.8").status, 200);
}

#[test]
fn an_ipv6_prefix_is_one_visitor() {
    let bench = Bench::new();
    let args = ["--allow-private", "--ports", "any", "--rate", "1", "--behind", "127.0.0.1"];
    let page = Page::start(&bench.sandbox, &args);
    let [one, another, third] = closed();
    assert_eq!(asked(&page, one, "2001:db8::1").status, 200);
    assert_eq!(asked(&page, another, "2001:db8::ffff:2").status, 429);
    assert_eq!(asked(&page, third, "2001:db8:0:1::1").status, 200);
}

#[test]
fn what_a_visitor_says_of_its_address_counts_for_nothing_without_a_listed_proxy() {
    let bench = Bench::new();
    for behind in [&[][..], &["--behind", "192.0.2.1"]] {
        let args = ["--allow-private", "--ports", "any", "--rate", "1"];
        let page = Page::start(&bench.sandbox, &[&args[..], behind].concat());
        let [one, another] = closed();
        assert_eq!(asked(&page, one, "203.0.113.1").status, 200);
        assert_eq!(asked(&page, another, "203.0.113.2").status, 429, "{behind:?}");
    }
}

#[test]
fn a_look_is_told_again_while_it_is_kept_and_says_from_when_it_is() {
    let bench = Bench::new();
    let server = bench.serve("www", "www", &[]);
    let host = format!("127.0.0.1:{}", server.port);
    let page = bench.page(&["--cache", "3600"]);
    let first = page.report(&host);
    drop(server);
    let answer = page.get(&path("/api/v1/check", &host));
    assert_eq!(answer.json(), first, "the server is gone, and the look is told again");
    assert!(answer.header("age").unwrap().parse::<u64>().is_ok());
    let shown = page.shown(&host);
    let at = first["examined_at"].as_str().unwrap();
    assert!(shown.contains("Looked at <time datetime=\"") && shown.contains(at), "{at}: {shown}");
    let page = bench.page(&["--cache", "0"]);
    assert!(page.report(&host)["error"].is_string(), "nothing is kept");
}

#[test]
fn who_asks_for_what_is_being_looked_at_gets_the_same_look() {
    let bench = Bench::new();
    let page = bench.page(&["--cache", "0"]);
    let (port, count) = silent();
    let path = path("/api/v1/check", &format!("127.0.0.1:{port}"));
    let one = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| page.get(&path))).collect();
        let answers: Vec<_> = all.into_iter().map(|one| one.join().unwrap()).collect();
        for answer in &answers {
            assert_eq!((answer.status, answer.json()), (200, answers[0].json()));
        }
        count.load(Ordering::SeqCst)
    });
    // So many connections has one look; eight looks would have had eight times as many.
    page.get(&path);
    assert_eq!(count.load(Ordering::SeqCst), 2 * one, "one look of {one} connections, and another");
}

/// A request about this port whose answer is not waited for.
fn sent(page: &Page, port: u16) -> TcpStream {
    let mut stream = page.connect();
    let path = path("/api/v1/check", &format!("127.0.0.1:{port}"));
    let head = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

#[test]
fn beyond_the_queue_it_is_busy_and_serves_everything_else() {
    let bench = Bench::new();
    let page = bench.page(&["--at-once", "1"]);
    let (port, count) = silent();
    let mut first = sent(&page, port);
    eventually("the first look", || (count.load(Ordering::SeqCst) > 0).then_some(()));
    // One runs. Those that are not answered at once wait; the first of those that are is told to come later.
    let (other, others) = silent();
    let mut waiting = Vec::new();
    let ports: [u16; 5] = closed();
    let busy = loop {
        let mut stream = sent(&page, if waiting.is_empty() { other } else { ports[waiting.len()] });
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut answer = [0; 4096];
        match stream.read(&mut answer) {
            Ok(count) => break String::from_utf8_lossy(&answer[..count]).into_owned(),
            Err(_) => waiting.push(stream),
        }
        assert!(waiting.len() <= 4, "the queue has an end");
    };
    assert!(busy.starts_with("HTTP/1.1 503") && busy.contains("\"busy\""), "{busy}");
    assert!(busy.to_lowercase().contains("retry-after:"), "{busy}");
    assert_eq!(waiting.len(), 4);
    assert_eq!(page.get("/").status, 200);
    assert_eq!(others.load(Ordering::SeqCst), 0, "no more run than may");
    let mut answer = String::new();
    let _ = first.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}
