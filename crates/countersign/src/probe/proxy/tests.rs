//! Against scripted proxies, and a real one.

use std::io::Write;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use testkit::{eventually, free_port};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::net::TcpStream;

use super::*;

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn plain() -> Proxy {
    Proxy::parse("http://proxy.example:3128").unwrap()
}

/// What comes of this answer, and what the proxy heard. It closes behind it.
fn answered(proxy: &Proxy, host: &str, answer: &[u8]) -> (Result<String, ProxyError>, String) {
    block_on(async {
        let (ours, mut theirs) = duplex(1 << 16);
        theirs.write_all(answer).await.unwrap();
        let spoken = tokio::spawn(async move {
            let mut heard = Vec::new();
            while !heard.ends_with(b"\r\n\r\n") {
                heard.push(theirs.read_u8().await.unwrap());
            }
            String::from_utf8(heard).unwrap()
        });
        let led = proxy.lead(ours, host, 25, LONG).await;
        let heard = spoken.await.unwrap();
        match led {
            Ok(mut stream) => {
                let mut rest = String::new();
                stream.read_to_string(&mut rest).await.unwrap();
                (Ok(rest), heard)
            }
            Err(error) => (Err(error), heard),
        }
    })
}

#[test]
fn it_is_asked_for_the_host_and_what_the_server_says_first_is_not_lost() {
    let answer = b"HTTP/1.0 200 Connection established\r\nVia: x\r\n\r\n220 mail.example\r\n";
    let (rest, heard) = answered(&plain(), "mail.example", answer);
    assert_eq!(rest.unwrap(), "220 mail.example\r\n");
    assert!(heard.starts_with("CONNECT mail.example:25 HTTP/1.1\r\nHost: mail.example:25\r\n"), "{heard}");
    assert!(!heard.contains("Proxy-Authorization"), "{heard}");
    let (_, heard) = answered(&plain(), "2001:db8::1", answer);
    assert!(heard.starts_with("CONNECT [2001:db8::1]:25 HTTP/1.1\r\n"), "{heard}");
}

#[test]
fn name_and_password_are_sent_to_a_proxy_with_a_user_alone() {
    let ok = b"HTTP/1.1 200 OK\r\n\r\n";
    let proxy = Proxy::parse("http://Aladdin@proxy.example:3128").unwrap();
    let proxy = proxy.with_password(Zeroizing::new("open sesame".into()));
    let (_, heard) = answered(&proxy, "mail.example", ok);
    // The example of RFC 7617 section 2.
    assert!(heard.contains("Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"), "{heard}");
}

#[test]
fn each_refusal_has_its_words() {
    let to = || "mail.example:25".to_owned();
    for (answer, expected) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..],
            ProxyError::WantsCredentials("“407 Proxy Authentication Required”".into()),
        ),
        (
            b"HTTP/1.1 403 Access \x1b[2Jviolation\r\n\r\n",
            ProxyError::Refused { to: to(), said: "“403 Access \\u{1b}[2Jviolation”".into() },
        ),
        (b"HTTP/1.1 199 Odd\r\n\r\n", ProxyError::Refused { to: to(), said: "“199 Odd”".into() }),
        (b"HTTP/1.1 300 Odd\r\n\r\n", ProxyError::Refused { to: to(), said: "“300 Odd”".into() }),
        (b"HTTP/1.1 OK\r\n\r\n", ProxyError::NoProxy("“HTTP/1.1 OK”".into())),
        (b"SSH-2.0-Server\r\n\r\n", ProxyError::NoProxy("“S”".into())),
    ] {
        assert_eq!(answered(&plain(), "mail.example", answer).0, Err(expected));
    }
    for status in ["200", "299"] {
        let answer = format!("HTTP/1.1 {status} Fine\r\n\r\n");
        assert!(answered(&plain(), "mail.example", answer.as_bytes()).0.is_ok(), "{status}");
    }
}

#[test]
fn an_answer_has_an_end_a_length_and_a_time() {
    let long = |octets: usize| {
        let head = "HTTP/1.1 200 OK\r\nX: ";
        format!("{head}{}\r\n\r\n", "x".repeat(octets - head.len() - 4))
    };
    assert!(answered(&plain(), "a.example", long(16384).as_bytes()).0.is_ok());
    assert_eq!(answered(&plain(), "a.example", long(16385).as_bytes()).0, Err(ProxyError::TooMuch));
    block_on(async {
        let (ours, theirs) = duplex(1 << 10);
        let slow = plain().lead(ours, "a.example", 25, SHORT).await;
        assert_eq!(slow.unwrap_err(), ProxyError::TooSlow(SHORT));
        drop(theirs);
        let (ours, mut theirs) = duplex(1 << 10);
        theirs.write_all(b"HTTP/1.1 200").await.unwrap();
        tokio::spawn(async move {
            theirs.read_exact(&mut [0; 20]).await.unwrap();
        });
        assert_eq!(plain().lead(ours, "a.example", 25, LONG).await.unwrap_err(), ProxyError::Closed);
    });
}

#[test]
fn an_address_is_a_host_and_a_port_and_never_shows_a_password() {
    for text in ["http://proxy.example:3128", "http://me@proxy.example:3128/", "http://[2001:db8::1]:8080"] {
        assert!(Proxy::parse(text).is_ok(), "{text}");
    }
    for text in [
        "proxy.example:3128",
        "https://proxy.example:3128",
        "socks5://proxy.example:1080",
        "http://proxy.example",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://proxy.example:3128/path",
        "http://proxy.example:3128/?a",
        "http://me:secret@proxy.example:3128",
        "ftp://me:secret@proxy.example:3128",
    ] {
        let said = Proxy::parse(text).unwrap_err().to_string();
        assert!(!said.contains("secret"), "{said}");
    }
}

#[test]
fn tinyproxy_leads_to_a_server_for_those_whom_it_knows() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_port();
    let conf = dir.path().join("tinyproxy.conf");
    let lines = format!("Port {port}\nListen 127.0.0.1\nTimeout 30\nAllow 127.0.0.1\nBasicAuth me word\n");
    std::fs::write(&conf, lines).unwrap();
    let child = Command::new("tinyproxy").args(["-d", "-c"]).arg(&conf).stdout(Stdio::null()).spawn();
    let mut child = child.expect("tinyproxy is installed; see ./check");
    eventually("the proxy listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());

    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let behind = server.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in server.incoming().take(1) {
            stream.unwrap().write_all(b"220 behind it\r\n").unwrap();
        }
    });
    let led = |user: &str, password: &str| {
        block_on(async {
            let proxy = Proxy::parse(&format!("http://{user}127.0.0.1:{port}")).unwrap();
            let proxy = proxy.with_password(Zeroizing::new(password.into()));
            let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let mut stream = proxy.lead(stream, "127.0.0.1", behind, LONG).await?;
            let mut said = String::new();
            stream.read_to_string(&mut said).await.unwrap();
            Ok::<_, ProxyError>(said)
        })
    };
    let results = (led("", ""), led("me@", "wrong"), led("me@", "word"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(matches!(results.0, Err(ProxyError::WantsCredentials(_))), "{results:?}");
    assert!(results.1.is_err(), "{results:?}");
    assert_eq!(results.2.as_deref(), Ok("220 behind it\r\n"), "{results:?}");
}
