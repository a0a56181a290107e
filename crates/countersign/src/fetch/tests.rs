//! Against servers on loopback that behave badly.

use std::io::{Read, Write};
use std::net::TcpListener;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::TestCa;
use testkit::ca::{Leaf, TestCert};

use super::*;

/// A server that answers each of `answers` on a connection of its own, and then stays silent if told to.
fn server(answers: Vec<Vec<u8>>, hold: Duration) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&answer);
            std::thread::sleep(hold);
        }
    });
    port
}

fn fetch(port: u16, listed: bool, deadline: Duration) -> Result<Vec<u8>, FetchError> {
    let own = gateway::networks::Network::parse("127.0.0.1").unwrap();
    let private = listed.then_some(own).into_iter().collect();
    let rules = Rules { most_bytes: 1000, deadline, private, private_by: "a test", roots: public_roots() };
    let url = FetchUrl::parse(&format!("http://127.0.0.1:{port}/list")).unwrap();
    run(&url, &rules)
}

/// From the `https` address of a port on loopback, with these roots.
fn fetch_tls(port: u16, roots: Arc<RootCertStore>, deadline: Duration) -> Result<Vec<u8>, FetchError> {
    let private = [gateway::networks::Network::parse("127.0.0.1").unwrap()].into_iter().collect();
    let url = FetchUrl::parse(&format!("https://127.0.0.1:{port}/list")).unwrap();
    run(&url, &Rules { most_bytes: 1000, deadline, private, private_by: "a test", roots })
}

fn run(url: &FetchUrl, rules: &Rules) -> Result<Vec<u8>, FetchError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(get(url, rules))
}

const LONG: Duration = Duration::from_secs(30);

fn ok(body: &[u8]) -> Vec<u8> {
    let mut all = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).into_bytes();
    all.extend_from_slice(body);
    all
}

#[test]
fn a_listed_loopback_address_is_asked_and_an_unlisted_one_is_not_even_connected() {
    assert_eq!(fetch(server(vec![ok(b"list")], Duration::ZERO), true, LONG).unwrap(), b"list");

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let refused = fetch(listener.local_addr().unwrap().port(), false, LONG);
    assert!(matches!(refused, Err(FetchError::NotPublic { .. })), "{refused:?}");
    assert!(listener.accept().is_err(), "nobody connected");
}

#[test]
fn a_body_may_have_its_most_bytes_and_not_one_more_told_or_not() {
    assert_eq!(fetch(server(vec![ok(&[7; 1000])], Duration::ZERO), true, LONG).unwrap().len(), 1000);
    let untold = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![7; 1001]].concat();
    for answer in [ok(&[7; 1001]), untold] {
        assert_eq!(fetch(server(vec![answer], Duration::ZERO), true, LONG), Err(FetchError::TooLarge(1000)));
    }
}

#[test]
fn a_server_that_never_finishes_ends_at_the_deadline() {
    let short = Duration::from_millis(300);
    for begun in
        [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-le", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab"]
    {
        let port = server(vec![begun.to_vec()], LONG);
        assert_eq!(fetch(port, true, short), Err(FetchError::TooSlow(short)));
    }
}

#[test]
fn redirects_on_the_same_host_are_followed_three_times_and_to_others_never() {
    let to = |place: &str| {
        format!("HTTP/1.1 302 Found\r\nlocation: {place}\r\ncontent-length: 0\r\n\r\n").into_bytes()
    };
    let three = vec![to("/a"), to("/b"), to("/c"), ok(b"list")];
    assert_eq!(fetch(server(three, Duration::ZERO), true, LONG).unwrap(), b"list");
    let four = vec![to("/a"), to("/b"), to("/c"), to("/d")];
    assert!(matches!(fetch(server(four, Duration::ZERO), true, LONG), Err(FetchError::Redirect(_))));
    for place in
        ["http://169.254.169.254/latest", "http://127.0.0.2/list", "//other.example/", "https://127.0.0.1/"]
    {
        let answer = fetch(server(vec![to(place)], Duration::ZERO), true, LONG);
        assert_eq!(answer, Err(FetchError::Redirect(place.into())));
    }
}

#[test]
fn what_is_posted_goes_to_one_place_and_no_redirect_takes_it_elsewhere() {
    let posted = |answer: Vec<u8>| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            while !heard.ends_with(b"question") {
                let mut some = [0; 4096];
                let read = stream.read(&mut some).unwrap();
                assert!(read > 0, "the whole request comes");
                heard.extend_from_slice(&some[..read]);
            }
            stream.write_all(&answer).unwrap();
            String::from_utf8(heard).unwrap()
        });
        let private = [gateway::networks::Network::parse("127.0.0.1").unwrap()].into_iter().collect();
        let rules =
            Rules { most_bytes: 6, deadline: LONG, private, private_by: "a test", roots: public_roots() };
        let url = FetchUrl::parse(&format!("http://127.0.0.1:{port}/ocsp")).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let answer = runtime.block_on(post(&url, &rules, "application/test", b"question".to_vec()));
        (answer, heard.join().unwrap())
    };
    let (answer, heard) = posted(ok(b"answer"));
    assert_eq!(answer.unwrap(), b"answer");
    assert!(heard.starts_with("POST /ocsp HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("content-type: application/test\r\n"), "{heard}");
    assert!(heard.contains("content-length: 8\r\n"), "{heard}");
    assert_eq!(posted(ok(b"answers")).0, Err(FetchError::TooLarge(6)));
    let moved = b"HTTP/1.1 307 Moved\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n".to_vec();
    assert_eq!(posted(moved).0, Err(FetchError::Status(307)));
}

#[test]
fn another_status_or_a_cut_body_is_no_list() {
    let gone = b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\ngone".to_vec();
    assert_eq!(fetch(server(vec![gone], Duration::ZERO), true, LONG), Err(FetchError::Status(404)));
    let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab".to_vec();
    assert!(matches!(fetch(server(vec![cut], Duration::ZERO), true, LONG), Err(FetchError::Exchange(_))));
}

fn roots(ca: &TestCa) -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add(ca.der().to_vec().into()).unwrap();
    Arc::new(roots)
}

/// A TLS server with this certificate that answers once.
fn tls_server(cert: &TestCert, answer: Vec<u8>) -> u16 {
    let chain = CertificateDer::pem_slice_iter(cert.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(cert.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut tcp, _) = listener.accept().unwrap();
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        if stream.read(&mut [0; 4096]).is_ok() {
            let _ = stream.write_all(&answer);
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    port
}

#[test]
fn a_server_of_https_must_lead_to_a_root_and_bear_the_name_that_is_asked() {
    let (web, other) = (TestCa::new("Web CA"), TestCa::new("Other CA"));
    let leaf = || Leaf::server("127.0.0.1").ip([127, 0, 0, 1].into());
    let right = leaf().issued_by(&web);
    assert_eq!(fetch_tls(tls_server(&right, ok(b"list")), roots(&web), LONG).unwrap(), b"list");

    let another_name = Leaf::server("crl.acme.example").issued_by(&web);
    let ended = leaf().ended_yesterday().issued_by(&web);
    for (what, cert, roots) in [
        ("another root", &right, roots(&other)),
        ("the public roots", &right, public_roots()),
        ("another name", &another_name, roots(&web)),
        ("it ended yesterday", &ended, roots(&web)),
    ] {
        let refused = fetch_tls(tls_server(cert, ok(b"list")), roots, LONG);
        assert!(matches!(refused, Err(FetchError::Tls { .. })), "{what}: {refused:?}");
    }
}

#[test]
fn a_server_that_is_silent_in_the_handshake_ends_at_the_deadline() {
    let short = Duration::from_millis(300);
    for begun in [&b""[..], &[22, 3, 3, 0, 100, 2, 0], &[22, 3, 3]] {
        let port = server(vec![begun.to_vec()], LONG);
        assert_eq!(fetch_tls(port, public_roots(), short), Err(FetchError::TooSlow(short)));
    }
}

/// The numbers of the extensions in a ClientHello's record (RFC 8446 section 4.1.2).
fn extensions(record: &[u8]) -> Vec<u16> {
    let two = |at: usize| u16::from_be_bytes([record[at], record[at + 1]]);
    // Record, handshake header, version, random; then session id, suites and compression, each with its length.
    let mut at = 5 + 4 + 2 + 32;
    at += 1 + usize::from(record[at]);
    at += 2 + usize::from(two(at));
    at += 1 + usize::from(record[at]);
    let end = at + 2 + usize::from(two(at));
    at += 2;
    let mut all = Vec::new();
    while at < end {
        all.push(two(at));
        at += 4 + usize::from(two(at + 2));
    }
    all
}

#[test]
fn no_compressed_certificate_is_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let hello = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut record = vec![0; 5];
        stream.read_exact(&mut record).unwrap();
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + length, 0);
        stream.read_exact(&mut record[5..]).unwrap();
        record
    });
    assert!(fetch_tls(port, public_roots(), LONG).is_err());
    let found = extensions(&hello.join().unwrap());
    assert!(found.contains(&43), "supported_versions is there: {found:?}");
    assert!(!found.contains(&27), "compress_certificate (RFC 8879): {found:?}");
}
