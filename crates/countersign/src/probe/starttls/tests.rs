//! Against scripted servers: right ones, poor ones and hostile ones.

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

use super::*;

/// What a scripted server does.
#[derive(Clone, Debug)]
enum Step {
    /// It sends this.
    Says(Vec<u8>),
    /// It waits for exactly this.
    Hears(Vec<u8>),
}

use Step::{Hears, Says};

const LONG: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(200);
const HOST: &str = "www.example.com";

fn says(text: &str) -> Step {
    Says(text.as_bytes().to_vec())
}

fn hears(text: &str) -> Step {
    Hears(text.as_bytes().to_vec())
}

/// A MySQL greeting with these capabilities.
fn mysql_greeting(capabilities: u16) -> Vec<u8> {
    let mut greeting = b"\x0a5.5.5-10.11.19-MariaDB\0".to_vec();
    greeting.extend([1, 0, 0, 0]);
    greeting.extend([7; 8]);
    greeting.push(0);
    greeting.extend(capabilities.to_le_bytes());
    greeting.extend([45, 2, 0, 0xff, 0x81, 21]);
    let mut packet = vec![greeting.len() as u8, 0, 0, 0];
    packet.extend(greeting);
    packet
}

fn mysql_request() -> Vec<u8> {
    let mut request = vec![32, 0, 0, 1, 0x00, 0x8a, 0x08, 0, 0, 0, 0, 1, 45];
    request.extend([0; 23]);
    request
}

/// An extended response to message 1 with this code and these words.
fn ldap_response(code: u8, words: &str) -> Vec<u8> {
    let body = [&[0x0a, 1, code, 4, 0, 4, words.len() as u8][..], words.as_bytes()].concat();
    let inner = [&[2, 1, 1, 0x78, body.len() as u8][..], &body].concat();
    [&[0x30, inner.len() as u8][..], &inner].concat()
}

fn ldap_request() -> Step {
    let head = [0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16];
    Hears([&head[..], b"1.3.6.1.4.1.1466.20037"].concat())
}

const STREAM: &str = "<?xml version='1.0'?><stream:stream to='www.example.com' version='1.0' xmlns='jabber:client' \
                      xmlns:stream='http://etherx.jabber.org/streams'>";
const XMPP_TLS: &str = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

fn xmpp(features: &str) -> Step {
    says(&format!(
        "<?xml version='1.0'?><stream:stream xmlns:stream='http://etherx.jabber.org/streams' from='a>b' id=\"1\">{features}"
    ))
}

/// What a server that offers TLS says and hears; the go-ahead is the last that it says.
fn right(protocol: Protocol) -> Vec<Step> {
    match protocol {
        Protocol::Smtp => vec![
            says("220-mail.example\r\n220 ESMTP\r\n"),
            hears("EHLO countersign.invalid\r\n"),
            says("250-mail.example\r\n250-SIZE 100\r\n250-starttls\r\n250 8BITMIME\r\n"),
            hears("STARTTLS\r\n"),
            says("220 2.0.0 Ready\r\n"),
        ],
        Protocol::Lmtp => vec![
            says("220 mail.example LMTP\r\n"),
            hears("LHLO countersign.invalid\r\n"),
            says("250-mail.example\r\n250 STARTTLS\r\n"),
            hears("STARTTLS\r\n"),
            says("220 Ready\r\n"),
        ],
        Protocol::Pop3 => vec![
            says("+OK ready\r\n"),
            hears("CAPA\r\n"),
            says("+OK\r\nUIDL\r\nSTLS\r\n.\r\n"),
            hears("STLS\r\n"),
            says("+OK begin\r\n"),
        ],
        Protocol::Imap => vec![
            says("* OK [CAPABILITY IMAP4rev1] ready\r\n"),
            hears("a1 CAPABILITY\r\n"),
            says("* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n"),
            hears("a2 STARTTLS\r\n"),
            says("a2 OK begin\r\n"),
        ],
        Protocol::Ftp => {
            vec![says("220-hello\r\n anybody\r\n220 ready\r\n"), hears("AUTH TLS\r\n"), says("234 go\r\n")]
        }
        Protocol::Ldap => vec![ldap_request(), Says(ldap_response(0, ""))],
        Protocol::Xmpp => vec![
            hears(STREAM),
            xmpp(
                "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>\
                 <other/></stream:features>",
            ),
            hears(XMPP_TLS),
            says("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
        ],
        Protocol::Sieve => vec![
            says("\"IMPLEMENTATION\" \"x\"\r\n\"SIEVE\" \"fileinto\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n"),
            hears("STARTTLS\r\n"),
            says("OK \"begin\"\r\n"),
        ],
        Protocol::Postgres => vec![Hears(vec![0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]), says("S")],
        Protocol::Mysql => vec![Says(mysql_greeting(0xffff)), Hears(mysql_request())],
    }
}

async fn serve(mut stream: DuplexStream, script: Vec<Step>) -> DuplexStream {
    for step in script {
        match step {
            Says(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return stream;
                }
            }
            Hears(expected) => {
                let mut heard = vec![0; expected.len()];
                stream.read_exact(&mut heard).await.unwrap();
                assert_eq!(String::from_utf8_lossy(&heard), String::from_utf8_lossy(&expected));
            }
        }
    }
    stream
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

/// What comes of it, and the server's end of the connection, kept open.
async fn run(
    protocol: Protocol,
    script: Vec<Step>,
    at_once: usize,
    within: Duration,
) -> (Result<Started<DuplexStream>, StartTlsError>, tokio::task::JoinHandle<DuplexStream>) {
    let (ours, theirs) = duplex(at_once);
    let server = tokio::spawn(serve(theirs, script));
    (start(protocol, ours, HOST, within).await, server)
}

#[track_caller]
fn fault(protocol: Protocol, script: Vec<Step>) -> StartTlsError {
    block_on(async { run(protocol, script, 1 << 16, LONG).await.0.unwrap_err() })
}

#[test]
fn each_protocol_comes_to_tls_and_not_one_byte_is_lost_in_pieces_or_whole() {
    for (protocol, at_once) in Protocol::ALL.into_iter().flat_map(|one| [(one, 1), (one, 1 << 16)]) {
        block_on(async {
            let (started, server) = run(protocol, right(protocol), at_once, LONG).await;
            let mut started = started.unwrap_or_else(|error| panic!("{protocol:?}: {error}"));
            assert_eq!(started.early, b"", "{protocol:?}");
            let mut theirs = server.await.unwrap();
            let hello = tokio::spawn(async move {
                let mut heard = [0; 3];
                theirs.read_exact(&mut heard).await.unwrap();
                theirs.write_all(&[22, 3, 4]).await.unwrap();
                heard
            });
            started.stream.write_all(&[22, 3, 1]).await.unwrap();
            let mut heard = [0; 3];
            started.stream.read_exact(&mut heard).await.unwrap();
            assert_eq!((hello.await.unwrap(), heard), ([22, 3, 1], [22, 3, 4]), "{protocol:?}");
        });
    }
}

#[test]
fn what_follows_the_go_ahead_in_clear_is_told_and_is_not_taken_for_tls() {
    for protocol in Protocol::ALL {
        let mut script = right(protocol);
        let last = script.iter_mut().rev().find_map(|step| match step {
            Says(bytes) => Some(bytes),
            Hears(_) => None,
        });
        last.unwrap().extend(b"250 INJECTED\r\n");
        block_on(async {
            let (started, server) = run(protocol, script, 1 << 16, LONG).await;
            let mut started = started.unwrap();
            assert_eq!(started.early, b"250 INJECTED\r\n", "{protocol:?}");
            let mut theirs = server.await.unwrap();
            theirs.write_all(b"tls").await.unwrap();
            let mut heard = [0; 3];
            started.stream.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"tls", "{protocol:?}: what comes later is not lost");
        });
    }
}

/// The script of a right server up to its go-ahead, which is replaced by this.
fn ending(protocol: Protocol, answer: Step) -> Vec<Step> {
    let mut script = right(protocol);
    script.pop();
    script.push(answer);
    script
}

#[test]
fn a_server_without_tls_is_told_so_in_its_own_words() {
    let without = |protocol: Protocol, at: usize, answer: Step| {
        let mut script = right(protocol);
        script.truncate(at);
        script.push(answer);
        (protocol, script)
    };
    for ((protocol, script), expected) in [
        (
            without(Protocol::Smtp, 2, says("250-mail.example\r\n250 SIZE 100\r\n")),
            "STARTTLS: it said “250 mail.example, SIZE 100”",
        ),
        (without(Protocol::Smtp, 2, says("250 STARTTLS\r\n")), "STARTTLS: it said “250 STARTTLS”"),
        (without(Protocol::Lmtp, 2, says("250 mail.example\r\n")), "STARTTLS: it said “250 mail.example”"),
        (without(Protocol::Pop3, 2, says("+OK\r\nUIDL\r\n.\r\n")), "STLS: it said “UIDL”"),
        (
            without(Protocol::Imap, 2, says("* CAPABILITY IMAP4rev1\r\na1 OK done\r\n")),
            "STARTTLS: it said “* CAPABILITY IMAP4rev1”",
        ),
        (
            (Protocol::Imap, vec![says("* PREAUTH you are in\r\n")]),
            "STARTTLS: it said “* PREAUTH you are in”",
        ),
        (
            without(Protocol::Ftp, 2, says("502 Command not implemented.\r\n")),
            "AUTH TLS: it said “502 Command not implemented.”",
        ),
        (
            (Protocol::Ldap, vec![ldap_request(), Says(ldap_response(2, "unsupported extended operation"))]),
            "StartTLS: it said “protocolError (2) unsupported extended operation”",
        ),
        (
            without(Protocol::Xmpp, 1, xmpp("<stream:features><other><starttls/></other></stream:features>")),
            "starttls: it said “features other”",
        ),
        (without(Protocol::Xmpp, 1, xmpp("<stream:features/>")), "starttls: it said “features ”"),
        (
            without(Protocol::Sieve, 0, says("\"SIEVE\" \"starttls\"\r\nOK\r\n")),
            "STARTTLS: it said “\"SIEVE\" \"starttls\"”",
        ),
        (without(Protocol::Postgres, 1, says("N")), "TLS (SSLRequest): it said “N”"),
        (
            (Protocol::Mysql, vec![Says(mysql_greeting(0xf7ff))]),
            "TLS (CLIENT_SSL): it said “5.5.5-10.11.19-MariaDB”",
        ),
    ] {
        let said = fault(protocol, script).to_string();
        assert_eq!(said, format!("the server does not offer {expected}"), "{protocol:?}");
    }
}

#[test]
fn a_server_that_offers_tls_and_then_refuses_it_is_told_so() {
    for (protocol, answer, expected) in [
        (Protocol::Smtp, says("454 4.7.0 not now\r\n"), "STARTTLS: it said “454 4.7.0 not now”"),
        (Protocol::Lmtp, says("454 not now\r\n"), "STARTTLS: it said “454 not now”"),
        (Protocol::Pop3, says("-ERR not now\r\n"), "STLS: it said “-ERR not now”"),
        (Protocol::Imap, says("a2 BAD not now\r\n"), "STARTTLS: it said “a2 BAD not now”"),
        (Protocol::Ftp, says("431 no certificate\r\n"), "AUTH TLS: it said “431 no certificate”"),
        (
            Protocol::Ldap,
            Says(ldap_response(52, "no certificate")),
            "StartTLS: it said “unavailable (52) no certificate”",
        ),
        (
            Protocol::Xmpp,
            says("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"),
            "starttls: it said “failure”",
        ),
        (Protocol::Sieve, says("NO \"not now\"\r\n"), "STARTTLS: it said “NO \"not now\"”"),
        (Protocol::Postgres, says("Eerror"), "TLS (SSLRequest): it said “E, an error”"),
    ] {
        let said = fault(protocol, ending(protocol, answer)).to_string();
        assert_eq!(said, format!("the server refuses {expected}"), "{protocol:?}");
    }
}

#[test]
fn another_protocol_is_told_so_and_cannot_act_on_a_terminal() {
    for protocol in Protocol::ALL {
        // Who speaks first hears nothing of us before its banner.
        let said = fault(protocol, vec![says("HTTP/1.1 400 \x1b[2JBad\r\n<a b>\r\n\r\n\r\n")]);
        assert!(matches!(said, StartTlsError::Unexpected { .. }), "{protocol:?}: {said:?}");
        assert!(!said.to_string().contains('\x1b'), "{protocol:?}: {said}");
        assert!(said.to_string().contains(protocol.name()), "{protocol:?}: {said}");
    }
    let refused = fault(Protocol::Smtp, vec![says("554 go away\r\n")]).to_string();
    assert!(refused.contains("it said “554 go away”"), "{refused}");
    let error = b"\x13\0\0\0\xff\x6a\x04Host not allowed".to_vec();
    let said = fault(Protocol::Mysql, vec![Says(error)]).to_string();
    assert!(said.contains("it said “Host not allowed”"), "{said}");
}

#[test]
fn a_server_that_closes_at_any_message_ends_it() {
    for protocol in Protocol::ALL {
        let script = right(protocol);
        let messages = script.iter().filter(|step| matches!(step, Says(_))).count();
        for keep in 0..messages {
            let said = script.iter().enumerate().filter(|(_, step)| matches!(step, Says(_)));
            let (end, _) = said.clone().nth(keep).unwrap();
            let cut = script[..end].to_vec();
            let closed = block_on(async {
                let (ours, theirs) = duplex(1 << 16);
                tokio::spawn(async move { drop(serve(theirs, cut).await) });
                start(protocol, ours, HOST, LONG).await.unwrap_err()
            });
            assert!(
                matches!(closed, StartTlsError::Closed | StartTlsError::Broken(_)),
                "{protocol:?} after {keep}: {closed:?}"
            );
        }
    }
}

#[test]
fn a_server_that_falls_silent_ends_at_the_deadline() {
    for protocol in Protocol::ALL {
        let mut script = right(protocol);
        let last = script.iter().rposition(|step| matches!(step, Says(_))).unwrap();
        script.truncate(last);
        block_on(async {
            let (started, _server) = run(protocol, script, 1 << 16, SHORT).await;
            assert_eq!(started.unwrap_err(), StartTlsError::TooSlow(SHORT), "{protocol:?}");
        });
    }
}

#[test]
fn lines_and_their_number_and_length_have_an_end() {
    let hello = |lines: String| {
        let mut script = right(Protocol::Smtp);
        script[2] = says(&lines);
        block_on(async { run(Protocol::Smtp, script, 1 << 16, LONG).await.0.map(|_| ()) })
    };
    // One piece of two hundred is the go-ahead, two are the greeting.
    let many = |count: usize| format!("{}250 STARTTLS\r\n", "250-X\r\n".repeat(count - 1));
    assert_eq!(hello(many(197)), Ok(()));
    assert_eq!(hello(many(198)), Err(StartTlsError::TooMuch("200 lines")));

    let long = |octets: usize| format!("250-{}\r\n250 STARTTLS\r\n", "x".repeat(octets - 6));
    assert_eq!(hello(long(8192)), Ok(()));
    assert_eq!(hello(long(8193)), Err(StartTlsError::TooMuch("8192 octets in one line")));
    assert_eq!(hello("x".repeat(60_000)), Err(StartTlsError::TooMuch("8192 octets in one line")));
    let large =
        |count: usize| format!("{}250 STARTTLS\r\n", format!("250-{}\r\n", "x".repeat(994)).repeat(count));
    assert_eq!(hello(large(65)), Ok(()));
    assert_eq!(hello(large(66)), Err(StartTlsError::TooMuch("65536 octets")));
}

#[test]
fn lengths_that_a_server_only_claims_are_not_waited_for() {
    for (protocol, script) in [
        (Protocol::Ldap, vec![ldap_request(), Says(vec![0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])]),
        (Protocol::Ldap, vec![ldap_request(), Says(vec![0x30, 0x80])]),
        (Protocol::Mysql, vec![Says(vec![0xff, 0xff, 0xff, 0])]),
        (Protocol::Mysql, vec![Says(vec![0xff, 0xff, 0, 0])]),
        (Protocol::Sieve, vec![says("\"IMPLEMENTATION\" {99999999}\r\n")]),
    ] {
        let said = fault(protocol, script);
        let is_bounded = matches!(said, StartTlsError::TooMuch(_) | StartTlsError::Unexpected { .. });
        assert!(is_bounded, "{protocol:?}: {said:?}");
    }
}

#[test]
fn what_the_standards_leave_open_is_taken() {
    let comes = |protocol: Protocol, script: Vec<Step>| {
        let started = block_on(async { run(protocol, script, 1 << 16, LONG).await.0 });
        assert_eq!(started.unwrap_or_else(|error| panic!("{protocol:?}: {error}")).early, b"");
    };
    let replaced = |protocol: Protocol, at: usize, step: Step| {
        let mut script = right(protocol);
        script[at] = step;
        (protocol, script)
    };
    let long_form = |bytes: Vec<u8>| [&[0x30, 0x84, 0, 0, 0], &bytes[1..]].concat();
    for (protocol, script) in [
        replaced(Protocol::Ftp, 0, says("120 soon\r\n220 ready\r\n")),
        replaced(Protocol::Pop3, 2, says("-ERR unknown command\r\n")),
        replaced(Protocol::Imap, 4, says("* no soon over\r\na2 ok\r\n")),
        replaced(Protocol::Ldap, 1, Says(long_form(ldap_response(0, "fine")))),
        replaced(Protocol::Sieve, 2, says("OK {5}\r\nbegin\r\n")),
        replaced(Protocol::Xmpp, 3, says("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>")),
        replaced(
            Protocol::Xmpp,
            1,
            xmpp("\n <s:features xmlns:s=\"x>y\"> <t:starttls xmlns:t='z'/> </s:features>"),
        ),
    ] {
        comes(protocol, script);
    }
}

#[test]
fn an_xmpp_server_that_does_not_know_the_host_says_why_and_a_dtd_is_refused() {
    let with = |features: &str| fault(Protocol::Xmpp, vec![hears(STREAM), xmpp(features)]).to_string();
    let unknown =
        with("<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>");
    assert!(unknown.contains("“host-unknown”"), "{unknown}");
    assert!(with("<!DOCTYPE x>").contains("no XMPP server"));
}

#[test]
fn the_words_of_starttls_are_the_protocols() {
    let words: Vec<&str> = Protocol::ALL.map(Protocol::word).into();
    assert_eq!(words.join(" "), "smtp lmtp pop3 imap ftp ldap xmpp sieve postgres mysql");
    for protocol in Protocol::ALL {
        assert_eq!(Protocol::named(protocol.word()), Some(protocol));
    }
    assert_eq!(Protocol::named("SMTP"), None);
    assert_eq!(Protocol::named("https"), None);
}
