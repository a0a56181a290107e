//! Servers to look at: `openssl s_server`, and sockets that answer anything.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testkit::Gate;

/// An `openssl s_server` that serves a page of its own until it is dropped.
pub struct Server {
    pub port: u16,
    _program: Gate,
}

impl Server {
    /// Serves the certificates of `CHAIN.pem` as they stand there with `KEY.key`, with further options of `openssl
    /// s_server`.
    #[track_caller]
    pub fn start(dir: &Path, chain: &str, key: &str, extra: &[&str]) -> Self {
        let mut command = Command::new("openssl");
        let (own, key) = (format!("{chain}.pem"), format!("{key}.key"));
        command.current_dir(dir).args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert", &own]);
        command.args(["-key", &key]).args(extra);
        // The first certificate comes from one file, those behind it from another.
        let whole = std::fs::read_to_string(dir.join(&own)).unwrap();
        let end = "-----END CERTIFICATE-----\n";
        let behind = whole.split_once(end).map(|(_, behind)| behind).unwrap_or_default();
        if !behind.is_empty() {
            let file = format!("{chain}.behind");
            std::fs::write(dir.join(&file), behind).unwrap();
            command.args(["-cert_chain", &file]);
        }
        let program = Gate::spawn(command);
        program.wait_stdout("ACCEPT", Duration::from_secs(15));
        let said = program.stdout();
        let port = said.split("ACCEPT 127.0.0.1:").nth(1).and_then(|rest| rest.split_whitespace().next());
        Self { port: port.and_then(|port| port.parse().ok()).expect("a port"), _program: program }
    }
}

/// What `answer` does with each connection, until the test ends. The port.
pub fn socket(answer: impl Fn(TcpStream) + Clone + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = answer.clone();
            std::thread::spawn(move || answer(stream));
        }
    });
    port
}

/// Sends this and then waits for the other side to close.
pub fn say(stream: TcpStream, bytes: &[u8]) {
    let mut stream = stream;
    let _ = stream.write_all(bytes);
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// The server at this port, whose every connection ends behind so many of its records. The port.
pub fn cut(behind: u16, records: usize) -> u16 {
    socket(move |mut client| {
        let Ok(mut server) = TcpStream::connect(("127.0.0.1", behind)) else { return };
        let (Ok(mut from), Ok(mut to)) = (client.try_clone(), server.try_clone()) else { return };
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from, &mut to);
            // The client has gone: the server behind serves one after another, and is to see it.
            let _ = to.shutdown(std::net::Shutdown::Both);
        });
        for _ in 0..records {
            let mut head = [0; 5];
            if server.read_exact(&mut head).is_err() {
                break;
            }
            let mut record = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
            if server.read_exact(&mut record).is_err()
                || client.write_all(&[&head[..], &record].concat()).is_err()
            {
                break;
            }
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = server.shutdown(std::net::Shutdown::Both);
    })
}
