//! An HTTP server on loopback that answers by path and remembers who asked.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub body: Vec<u8>,
}

type Handler = Arc<dyn Fn(&Asked) -> Vec<u8> + Send + Sync>;

/// The server; it ends with the test.
pub struct Http {
    port: u16,
    handlers: Arc<Mutex<HashMap<String, Option<Handler>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    over: Arc<AtomicBool>,
}

/// The answer with this body.
pub fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// The answer with this status and nothing else.
pub fn status(status: u16) -> Vec<u8> {
    format!("HTTP/1.1 {status} Word\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

impl Http {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self {
            port: listener.local_addr().unwrap().port(),
            handlers: Arc::default(),
            asked: Arc::default(),
            over: Arc::default(),
        };
        let (handlers, asked, over) = (server.handlers.clone(), server.asked.clone(), server.over.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (handlers, asked) = (handlers.clone(), asked.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &handlers, &asked));
            }
        });
        server
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// This path gives this whole answer.
    pub fn gives(&self, path: &str, answer: Vec<u8>) {
        self.answers(path, move |_| answer.clone());
    }

    /// What begins with this path is answered so.
    pub fn answers(&self, path: &str, answer: impl Fn(&Asked) -> Vec<u8> + Send + Sync + 'static) {
        self.handlers.lock().unwrap().insert(path.into(), Some(Arc::new(answer)));
    }

    /// This path is never answered.
    pub fn silent(&self, path: &str) {
        self.handlers.lock().unwrap().insert(path.into(), None);
    }

    /// The methods by which what begins with this path was asked for, in order.
    pub fn asked(&self, path: &str) -> Vec<String> {
        let all = self.asked.lock().unwrap();
        all.iter().filter(|one| one.path.starts_with(path)).map(|one| one.method.clone()).collect()
    }

    pub fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

fn serve(mut stream: TcpStream, handlers: &Mutex<HashMap<String, Option<Handler>>>, all: &Mutex<Vec<Asked>>) {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let Some(asked) = request(&mut stream) else { return };
    all.lock().unwrap().push(asked.clone());
    let handler = {
        let handlers = handlers.lock().unwrap();
        let fits = handlers.iter().filter(|(path, _)| asked.path.starts_with(*path));
        fits.max_by_key(|(path, _)| path.len()).map(|(_, handler)| handler.clone())
    };
    match handler {
        None => drop(stream.write_all(&status(404))),
        Some(Some(answer)) => drop(stream.write_all(&answer(&asked))),
        // Until the asker gives up.
        Some(None) => drop(stream.read(&mut [0; 1])),
    }
}

fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let head = loop {
        let mut some = [0; 4096];
        let read = stream.read(&mut some).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&some[..read]);
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break String::from_utf8(bytes.drain(..end + 4).collect()).unwrap();
        }
    };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    let missing = length.saturating_sub(bytes.len());
    let mut rest = vec![0; missing];
    stream.read_exact(&mut rest).ok()?;
    bytes.extend(rest);
    let mut words = head.split(' ');
    Some(Asked { method: words.next()?.into(), path: words.next()?.into(), body: bytes })
}
