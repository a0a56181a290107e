//! A running page, asked as a browser asks.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use testkit::{Gate, Response, Sandbox};

/// `countersign check serve` on a free port; ended when dropped.
pub struct Page {
    pub gate: Gate,
    pub port: u16,
}

impl Page {
    /// Starts it with further arguments.
    #[track_caller]
    pub fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let all = [&["check", "serve", "--listen", "127.0.0.1:0"], args].concat();
        let gate = Gate::start(sandbox.command(&all));
        let said = gate.stderr();
        let port = said.split("ready: http://127.0.0.1:").nth(1).and_then(|rest| rest.split('/').next());
        let port = port.and_then(|port| port.parse().ok()).unwrap_or_else(|| panic!("no port: {said}"));
        Self { gate, port }
    }

    /// What is at a path.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[])
    }

    /// One request with these fields.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: 127.0.0.1:{}\r\n", self.port);
        }
        for (name, value) in fields {
            head += &format!("{name}: {value}\r\n");
        }
        self.say(format!("{head}\r\n").as_bytes())
    }

    /// These octets, and the answer.
    #[track_caller]
    pub fn say(&self, bytes: &[u8]) -> Response {
        let mut stream = self.connect();
        let _ = stream.write_all(bytes);
        let mut answer = Vec::new();
        // A connection that is reset behind its answer has given it.
        let _ = stream.read_to_end(&mut answer);
        read(&answer)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("the page listens");
        stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
        stream
    }

    /// The document of the end point about a host.
    #[track_caller]
    pub fn report(&self, host: &str) -> Value {
        let answer = self.get(&path("/api/v1/check", host));
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        answer.json()
    }

    /// The page about a host.
    #[track_caller]
    pub fn shown(&self, host: &str) -> String {
        let answer = self.get(&path("/", host));
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
        answer.text()
    }
}

/// The path with this host in its query, every octet of it encoded.
pub fn path(path: &str, host: &str) -> String {
    let encoded: String = host.bytes().map(|octet| format!("%{octet:02X}")).collect();
    format!("{path}?host={encoded}")
}

fn read(answer: &[u8]) -> Response {
    let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Response::default();
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
    let fields = lines.filter_map(|line| line.split_once(':'));
    let headers = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
    Response { status, headers, body: answer[end + 4..].to_vec() }
}
