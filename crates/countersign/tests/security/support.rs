//! What the tests share: the binary, a runtime, a handshake whose first bytes can be changed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ClientConnection, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use testkit::{Binary, Portal};

pub use testkit::{SITE, block_on};

/// The binary under test.
pub fn binary() -> Binary {
    Binary::new(env!("CARGO_BIN_EXE_countersign"))
}

/// TLS settings that trust the portal, showing NAME.pem where given.
pub fn tls_config(portal: &Portal, who: Option<&str>) -> ClientConfig {
    let certificates = |pem: &str| -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| one.unwrap()).collect()
    };
    let mut roots = RootCertStore::empty();
    for root in certificates(&portal.ca_pem) {
        roots.add(root).unwrap();
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    match who {
        None => builder.with_no_client_auth(),
        Some(name) => {
            let chain = certificates(&portal.sandbox.read(&format!("{name}.pem")));
            let key = portal.sandbox.read(&format!("{name}.key"));
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
            builder.with_client_auth_cert(chain, key).unwrap()
        }
    }
}

/// Asks for `/` at `host` over a handshake whose first flight goes out as `flights` makes it of the ClientHello's
/// record. Everything the server said inside TLS; empty when the handshake did not succeed.
pub fn ask_with_first_flight(
    portal: &Portal,
    config: Arc<ClientConfig>,
    host: &str,
    flights: impl FnOnce(&[u8]) -> Vec<Vec<u8>>,
) -> String {
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut tls = ClientConnection::new(config, name).unwrap();
    let mut hello = Vec::new();
    tls.write_tls(&mut hello).unwrap();
    let mut tcp = connect(portal.port);
    for flight in flights(&hello) {
        if tcp.write_all(&flight).is_err() {
            return String::new();
        }
    }
    let mut said = Vec::new();
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
    if stream.write_all(request.as_bytes()).is_ok() {
        let _ = stream.read_to_end(&mut said);
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// A TCP connection that gives up after ten seconds.
pub fn connect(port: u16) -> TcpStream {
    let tcp = TcpStream::connect(("127.0.0.1", port)).unwrap();
    tcp.set_nodelay(true).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    tcp
}

/// Fails when the gate has ended or a part of it panicked.
#[track_caller]
pub fn assert_alive(portal: &mut Portal) {
    let gate = portal.gate.as_mut().unwrap();
    assert_eq!(gate.exited(), None, "the gate ended: {}", gate.stderr());
    assert!(!gate.stderr().contains("panicked"), "{}", gate.stderr());
}
