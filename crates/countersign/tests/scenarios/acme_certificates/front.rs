//! What stands in front of an ACME server and has faults of its own: it passes everything on, until it is told to answer
//! itself. It also knows RFC 9773, which the server behind it does not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};

use super::pebble::{Pebble, directory};

/// What it does.
#[derive(Clone, Debug, Default)]
pub enum Mood {
    /// Passes on.
    #[default]
    Fine,
    /// Answers new orders with this status, headers and body; passes the rest on.
    OrdersAnswered(u16, String, String),
    /// Answers the request for a certificate with this status and body; passes the rest on.
    FinalizeAnswered(u16, String),
    /// Passes the request for a certificate on, and then tells of every order as this body does.
    OrdersEndAs(String),
    /// Answers everything with this status.
    AllAnswered(u16),
    /// Gives away a certificate for another key: the answer that holds one is this.
    Certificate(String),
}

/// The front.
pub struct Front {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    mood: Mutex<Mood>,
    /// The window of RFC 9773, where it has one.
    window: Mutex<Option<(String, String)>>,
    /// The payloads of new orders.
    orders: Mutex<Vec<Value>>,
    /// The paths of RFC 9773 that were asked for.
    asked: Mutex<Vec<String>>,
    /// Whether a certificate was asked for.
    finalized: AtomicBool,
    over: AtomicBool,
    behind: u16,
    own: u16,
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
}

impl Front {
    pub fn start(pebble: &Pebble) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = pebble.root.issue_server("localhost");
        let chain = CertificateDer::pem_slice_iter(own.chain_pem.as_bytes()).map(Result::unwrap).collect();
        let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let server =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions();
        let server = server.unwrap().with_no_client_auth().with_single_cert(chain, key).unwrap();
        let mut roots = RootCertStore::empty();
        let root = pebble.root.root_pem();
        roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
        let shared = Arc::new(Shared {
            mood: Mutex::default(),
            window: Mutex::default(),
            orders: Mutex::default(),
            asked: Mutex::default(),
            finalized: AtomicBool::new(false),
            over: AtomicBool::new(false),
            behind: pebble.port,
            own: port,
            client: Arc::new(client),
            server: Arc::new(server),
        });
        let taken = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if taken.over.load(Ordering::SeqCst) {
                    return;
                }
                let (shared, stream) = (taken.clone(), stream.unwrap());
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { port, shared }
    }

    pub fn directory(&self) -> String {
        directory(self.port)
    }

    pub fn is(&self, mood: Mood) {
        self.shared.finalized.store(false, Ordering::SeqCst);
        *self.shared.mood.lock().unwrap() = mood;
    }

    /// From here on it suggests this window for every certificate.
    pub fn suggests(&self, start: &str, end: &str) {
        *self.shared.window.lock().unwrap() = Some((start.to_owned(), end.to_owned()));
    }

    pub fn orders(&self) -> Vec<Value> {
        self.shared.orders.lock().unwrap().clone()
    }

    pub fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().unwrap().clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    /// One request, one answer.
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
        let connection = ServerConnection::new(self.server.clone()).unwrap();
        let mut tls = StreamOwned::new(connection, stream);
        let Some(request) = whole(&mut tls) else { return };
        let answer = self.answer(&request);
        let _ = tls.write_all(&answer);
        tls.conn.send_close_notify();
        let _ = tls.flush();
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(request);
        let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
        let mood = self.mood.lock().unwrap().clone();
        if let Mood::AllAnswered(status) = mood {
            return answered(status, "", "{}");
        }
        if let Some(id) = path.strip_prefix("/renewal-info/") {
            self.asked.lock().unwrap().push(id.to_owned());
            let (start, end) = self.window.lock().unwrap().clone().unwrap();
            let body = json!({ "suggestedWindow": { "start": start, "end": end }, "explanationURL": "https://acme.test/why" });
            return answered(200, "retry-after: 21600\r\n", &body.to_string());
        }
        let is_order = path == "/order-plz";
        if is_order {
            let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
            let jws: Value = serde_json::from_str(&body).unwrap();
            let payload = BASE64URL_NOPAD.decode(jws["payload"].as_str().unwrap().as_bytes()).unwrap();
            self.orders.lock().unwrap().push(serde_json::from_slice(&payload).unwrap());
        }
        let passed = self.pass_on(request);
        let is_finalization = path.starts_with("/finalize-order/");
        let was_finalized = self.finalized.fetch_or(is_finalization, Ordering::SeqCst);
        match mood {
            Mood::FinalizeAnswered(status, body) if is_finalization => answered(status, "", &body),
            Mood::OrdersEndAs(body) if was_finalized && path.starts_with("/my-order/") => {
                answered(200, "", &body)
            }
            // What is refused has taken its nonce, as a server's own refusal does.
            Mood::OrdersAnswered(status, headers, body) if is_order => answered(status, &headers, &body),
            Mood::Certificate(pem) if path.starts_with("/certZ/") => answered(200, "", &pem),
            _ if path == "/dir" && self.window.lock().unwrap().is_some() => {
                let text = String::from_utf8(passed).unwrap();
                let (_, body) = text.split_once("\r\n\r\n").unwrap();
                let mut directory: Value = serde_json::from_str(body).unwrap();
                directory["renewalInfo"] = format!("https://localhost:{}/renewal-info", self.own).into();
                answered(200, "", &directory.to_string())
            }
            _ => passed,
        }
    }

    fn pass_on(&self, request: &[u8]) -> Vec<u8> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(self.client.clone(), name).unwrap();
        let Ok(stream) = TcpStream::connect(("127.0.0.1", self.behind)) else {
            return answered(502, "", "{}");
        };
        let mut tls = StreamOwned::new(connection, stream);
        tls.write_all(request).unwrap();
        let mut answer = Vec::new();
        let _ = tls.read_to_end(&mut answer);
        answer
    }
}

/// Head and body of a request, by its length.
fn whole(stream: &mut impl Read) -> Option<Vec<u8>> {
    let mut all = Vec::new();
    let mut part = [0; 4096];
    loop {
        if let Some(end) = all.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&all[..end]).to_ascii_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if all.len() >= end + 4 + length.unwrap_or(0) {
                return Some(all);
            }
        }
        match stream.read(&mut part) {
            Ok(0) | Err(_) => return None,
            Ok(count) => all.extend_from_slice(&part[..count]),
        }
    }
}

fn answered(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Answered\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}
