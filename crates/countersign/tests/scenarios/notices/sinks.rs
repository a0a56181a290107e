//! A mail server and an HTTP server that keep what they get.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::TestCert;

/// How a mail server treats a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Takes,
    /// Every sender is refused for good.
    Refuses,
    /// It closes the connection when the mail begins.
    HangsUp,
    /// It keeps the mail, and never says so.
    TakesAndSaysNothing,
}

/// A mail that came.
#[derive(Clone, Debug)]
pub struct Message {
    pub to: Vec<String>,
    pub text: String,
}

#[derive(Default)]
struct Kept {
    messages: Vec<Message>,
    logins: Vec<String>,
}

/// A mail server (RFC 5321).
pub struct MailSink {
    port: u16,
    manner: Arc<Mutex<Manner>>,
    kept: Arc<Mutex<Kept>>,
    end: Arc<Mutex<bool>>,
}

impl MailSink {
    pub fn start(manner: Manner) -> Self {
        Self::listen(manner, None, false)
    }

    /// With TLS: at once, or after STARTTLS.
    pub fn with_tls(manner: Manner, server: &TestCert, at_once: bool) -> Self {
        let chain =
            CertificateDer::pem_slice_iter(server.chain_pem.as_bytes()).collect::<Result<_, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_slice(server.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Self::listen(manner, Some(Arc::new(config)), at_once)
    }

    fn listen(manner: Manner, tls: Option<Arc<ServerConfig>>, at_once: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink =
            Self { port, manner: Arc::new(Mutex::new(manner)), kept: Arc::default(), end: Arc::default() };
        let (manner, kept, end) = (sink.manner.clone(), sink.kept.clone(), sink.end.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *end.lock().unwrap() {
                    return;
                }
                let (manner, kept, tls) = (*manner.lock().unwrap(), kept.clone(), tls.clone());
                std::thread::spawn(move || drop(converse(stream.unwrap(), manner, &kept, tls, at_once)));
            }
        });
        sink
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn behave(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    pub fn messages(&self) -> Vec<Message> {
        self.kept.lock().unwrap().messages.clone()
    }

    /// What was said to AUTH PLAIN (RFC 4616).
    pub fn logins(&self) -> Vec<String> {
        self.kept.lock().unwrap().logins.clone()
    }
}

impl Drop for MailSink {
    fn drop(&mut self) {
        *self.end.lock().unwrap() = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

fn converse(
    tcp: TcpStream,
    manner: Manner,
    kept: &Mutex<Kept>,
    tls: Option<Arc<ServerConfig>>,
    at_once: bool,
) -> std::io::Result<()> {
    tcp.set_read_timeout(Some(Duration::from_secs(30)))?;
    let wrap = |tcp: TcpStream| -> std::io::Result<Box<dyn Stream>> {
        let config = tls.clone().expect("TLS was offered");
        let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
        Ok(Box::new(StreamOwned::new(connection, tcp)))
    };
    let again = tcp.try_clone()?;
    let mut is_safe = at_once;
    let mut stream: BufReader<Box<dyn Stream>> =
        BufReader::new(if at_once { wrap(tcp)? } else { Box::new(tcp) });
    say(&mut stream, "220 sink.test ESMTP")?;
    let mut to = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        match line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "EHLO" => {
                let offer = if tls.is_some() && !is_safe { "250-STARTTLS\r\n" } else { "" };
                say(&mut stream, &format!("250-sink.test\r\n{offer}250-8BITMIME\r\n250 AUTH PLAIN"))?;
            }
            "STARTTLS" => {
                say(&mut stream, "220 go ahead")?;
                stream = BufReader::new(wrap(again.try_clone()?)?);
                is_safe = true;
            }
            "AUTH" => {
                let text =
                    BASE64.decode(line.rsplit(' ').next().unwrap_or_default().as_bytes()).unwrap_or_default();
                kept.lock().unwrap().logins.push(String::from_utf8_lossy(&text).into_owned());
                say(&mut stream, "235 welcome")?;
            }
            "MAIL" if manner == Manner::Refuses => say(&mut stream, "550 not from you")?,
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                to.push(address.to_owned());
                say(&mut stream, "250 ok")?;
            }
            "DATA" => {
                if manner == Manner::HangsUp {
                    return Ok(());
                }
                say(&mut stream, "354 go on")?;
                let mut text = String::new();
                while !text.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut text)? == 0 {
                        return Ok(());
                    }
                }
                let text = text.replace("\r\n", "\n");
                kept.lock().unwrap().messages.push(Message { to: std::mem::take(&mut to), text });
                if manner == Manner::TakesAndSaysNothing {
                    // Until the other side is gone.
                    return stream.read_line(&mut String::new()).map(drop);
                }
                say(&mut stream, "250 kept")?;
            }
            "QUIT" => return say(&mut stream, "221 bye"),
            _ => say(&mut stream, "250 ok")?,
        }
    }
}

fn say(stream: &mut BufReader<Box<dyn Stream>>, line: &str) -> std::io::Result<()> {
    let stream = stream.get_mut();
    stream.write_all(format!("{line}\r\n").as_bytes())?;
    stream.flush()
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Posted {
    pub line: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Posted {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// An HTTP server that answers every request with one status.
pub struct WebSink {
    port: u16,
    status: Arc<Mutex<u16>>,
    posted: Arc<Mutex<Vec<Posted>>>,
    end: Arc<Mutex<bool>>,
}

impl WebSink {
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sink =
            Self { port, status: Arc::new(Mutex::new(status)), posted: Arc::default(), end: Arc::default() };
        let (status, posted, end) = (sink.status.clone(), sink.posted.clone(), sink.end.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if *end.lock().unwrap() {
                    return;
                }
                if let Ok(one) = request(stream.unwrap(), *status.lock().unwrap()) {
                    posted.lock().unwrap().push(one);
                }
            }
        });
        sink
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn behave(&self, status: u16) {
        *self.status.lock().unwrap() = status;
    }

    pub fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }
}

impl Drop for WebSink {
    fn drop(&mut self) {
        *self.end.lock().unwrap() = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn request(stream: TcpStream, status: u16) -> std::io::Result<Posted> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream = BufReader::new(stream);
    let mut read = || -> std::io::Result<String> {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    };
    let line = read()?;
    let mut headers = Vec::new();
    loop {
        let field = read()?;
        let Some((name, value)) = field.split_once(": ") else { break };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
    stream.read_exact(&mut body)?;
    // Elsewhere is this server again: who follows is seen.
    let answer = format!(
        "HTTP/1.1 {status} x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
    stream.get_mut().write_all(answer.as_bytes())?;
    Ok(Posted { line, headers, body })
}
