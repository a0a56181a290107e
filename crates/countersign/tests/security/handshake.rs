//! The handshake: odd first bytes, renegotiation, early data.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustls::CertificateCompressionAlgorithm;
use rustls::compress::{CertCompressor, CompressionFailed, CompressionLevel};
use testkit::{Echo, Portal, openssl_s_client, process};

use crate::support::{SITE, ask_with_first_flight, binary, connect, tls_config};

/// The hello's record as several records of at most `size` bytes.
fn in_records(hello: &[u8], size: usize) -> Vec<u8> {
    let mut records = Vec::new();
    for part in hello[5..].chunks(size) {
        records.extend([22, 3, 1]);
        records.extend((part.len() as u16).to_be_bytes());
        records.extend(part);
    }
    records
}

#[test]
fn a_hello_in_pieces_lands_on_the_site_it_names() {
    // Whoever finds no server name in the first piece ends at the default site, which is open.
    let open = Echo::start();
    let default = format!(
        "[site.\"open.test\"]\nupstream = \"{}\"\ndefault = true\n\n\
         [[site.\"open.test\".path]]\nprefix = \"/\"\nclient_auth = \"off\"\n",
        open.url()
    );
    let portal = Portal::build(&binary()).extra_toml(&default).party("alice").start();
    let (nobody, alice) = (Arc::new(tls_config(&portal, None)), Arc::new(tls_config(&portal, Some("alice"))));
    let said = ask_with_first_flight(&portal, nobody.clone(), "open.test", |hello| vec![hello.to_vec()]);
    assert!(said.starts_with("HTTP/1.1 200"), "the open site is open: {said}");

    for size in [1, 4, 40, 200] {
        let said =
            ask_with_first_flight(&portal, nobody.clone(), SITE, |hello| vec![in_records(hello, size)]);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 403"), "records of {size}: {said}");
    }
    let slowly = |hello: &[u8]| hello.chunks(100).map(<[u8]>::to_vec).collect();
    let said = ask_with_first_flight(&portal, nobody, SITE, slowly);
    assert!(said.starts_with("HTTP/1.1 403"), "in writes of 100: {said}");
    assert_eq!((portal.echo.count(), open.count()), (0, 1));

    for size in [40, 200] {
        let said = ask_with_first_flight(&portal, alice.clone(), SITE, |hello| vec![in_records(hello, size)]);
        assert!(said.starts_with("HTTP/1.1 200"), "alice in records of {size}: {said}");
    }
    let said = ask_with_first_flight(&portal, alice, SITE, slowly);
    assert!(said.starts_with("HTTP/1.1 200"), "alice in writes: {said}");
    assert_eq!((portal.echo.count(), open.count()), (3, 1));
}

#[test]
fn bytes_before_the_handshake_are_never_a_request() {
    let portal = Portal::start(&binary());
    let request = format!("GET /early HTTP/1.1\r\nHost: {SITE}\r\n\r\n").into_bytes();
    let mut tcp = connect(portal.port);
    tcp.write_all(&request).unwrap();
    let mut said = Vec::new();
    let _ = tcp.read_to_end(&mut said);
    assert!(!said.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&said));

    let alice = Arc::new(tls_config(&portal, Some("alice")));
    let record = [&[23, 3, 3, 0, request.len() as u8], request.as_slice()].concat();
    for early in [&request, &record] {
        for before in [true, false] {
            let said = ask_with_first_flight(&portal, alice.clone(), SITE, |hello| {
                vec![if before { [early, hello].concat() } else { [hello, early.as_slice()].concat() }]
            });
            assert_eq!(said, "", "before the hello: {before}");
        }
    }
    assert_eq!(portal.echo.count(), 0);
    let said = ask_with_first_flight(&portal, alice, SITE, |hello| vec![hello.to_vec()]);
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(portal.echo.count(), 1);
}

#[test]
fn a_proxy_header_is_taken_from_nobody() {
    let portal = Portal::start(&binary());
    let alice = Arc::new(tls_config(&portal, Some("alice")));
    let version_2 = [
        b"\r\n\r\n\0\r\nQUIT\n".as_slice(),
        &[0x21, 0x11, 0, 12, 6, 6, 6, 6, 127, 0, 0, 1, 0x30, 0x39, 1, 0xbb],
    ]
    .concat();
    for header in [b"PROXY TCP4 6.6.6.6 127.0.0.1 12345 443\r\n".to_vec(), version_2] {
        let said =
            ask_with_first_flight(&portal, alice.clone(), SITE, |hello| vec![[&header, hello].concat()]);
        assert_eq!(said, "");
        let said =
            ask_with_first_flight(&portal, alice.clone(), SITE, |hello| vec![header.clone(), hello.to_vec()]);
        assert_eq!(said, "");
    }
    assert_eq!(portal.echo.count(), 0);
    assert_eq!(portal.curl(Some("alice"), "/", &[]).status, 200);
    assert_eq!(portal.echo.last().all("x-forwarded-for"), ["127.0.0.1"]);
}

#[test]
fn renegotiation_is_refused() {
    let portal = Portal::start(&binary());
    let mut command = Command::new("openssl");
    let address = format!("127.0.0.1:{}", portal.port);
    command.current_dir(portal.sandbox.dir()).args(["s_client", "-tls1_2", "-connect", &address]);
    command.args(["-servername", SITE, "-cert", "alice.pem", "-key", "alice.key"]);
    let (output, _) = process::run_until(&mut command, b"R\n", Duration::from_secs(5), true);
    let said = output.both();
    assert!(said.contains("BEGIN CERTIFICATE"), "it was connected: {said}");
    assert!(said.contains("RENEGOTIATING"), "{said}");
    assert!(output.stderr.contains("no renegotiation"), "{said}");
    assert_eq!(portal.echo.count(), 0);
}

#[test]
fn nothing_is_resumed_and_no_early_data_is_taken() {
    let portal = Portal::start(&binary());
    let mut config = tls_config(&portal, Some("alice"));
    config.enable_early_data = true;
    let config = Arc::new(config);
    for round in 0..3 {
        let name = rustls_pki_types::ServerName::try_from(SITE).unwrap();
        let mut tls = rustls::ClientConnection::new(config.clone(), name).unwrap();
        assert!(tls.early_data().is_none(), "round {round}: a ticket allowed early data");
        let mut tcp = connect(portal.port);
        let mut stream = rustls::Stream::new(&mut tls, &mut tcp);
        stream
            .write_all(format!("GET / HTTP/1.1\r\nHost: {SITE}\r\nConnection: close\r\n\r\n").as_bytes())
            .unwrap();
        let mut said = Vec::new();
        let _ = stream.read_to_end(&mut said);
        assert!(said.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&said));
        assert_eq!(tls.tls13_tickets_received(), 0);
        assert_eq!(tls.handshake_kind(), Some(rustls::HandshakeKind::Full));
    }
    assert_eq!(portal.echo.count(), 3);
}

#[test]
fn the_gate_keeps_nothing_of_a_session_and_speaks_only_what_is_strong() {
    let portal = Portal::start(&binary());
    let dir = portal.sandbox.dir();
    let ask = |args: &[&str]| {
        let shown = ["-cert", "alice.pem", "-key", "alice.key"];
        openssl_s_client(dir, portal.port, Some(SITE), &[&shown[..], args].concat())
    };
    for version in ["-tls1_2", "-tls1_3"] {
        let seen = ask(&[version]).output;
        assert!(seen.contains("HTTP/1.1 200"), "{seen}");
        // A session's id or ticket is what a server gives out for state that it keeps.
        let ids = seen.lines().filter_map(|line| line.trim().strip_prefix("Session-ID:"));
        assert!(ids.clone().all(|id| id.trim().is_empty()), "{version}: {:?}", ids.collect::<Vec<_>>());
        assert!(!seen.contains("TLS session ticket:"), "{seen}");
        assert!(seen.contains("Compression: NONE"), "{seen}");
    }
    let before = portal.echo.count();
    for weak in
        ["AES128-GCM-SHA256", "AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "NULL"]
    {
        let seen = ask(&["-tls1_2", "-cipher", &format!("{weak}:@SECLEVEL=0")]);
        assert_eq!(seen.alert, Some(40), "{weak}: {}", seen.output);
    }
    assert_eq!(portal.echo.count(), before);
}

/// Compresses nothing, and counts how often it is asked to.
#[derive(Debug)]
struct Compressor(CertificateCompressionAlgorithm);

static COMPRESSED: AtomicUsize = AtomicUsize::new(0);
static COMPRESSORS: [Compressor; 3] = [
    Compressor(CertificateCompressionAlgorithm::Zlib),
    Compressor(CertificateCompressionAlgorithm::Brotli),
    Compressor(CertificateCompressionAlgorithm::Zstd),
];

impl CertCompressor for Compressor {
    fn compress(&self, input: Vec<u8>, _: CompressionLevel) -> Result<Vec<u8>, CompressionFailed> {
        COMPRESSED.fetch_add(1, Ordering::SeqCst);
        Ok(input)
    }

    fn algorithm(&self) -> CertificateCompressionAlgorithm {
        self.0
    }
}

#[test]
fn a_client_that_could_compress_its_certificate_is_not_asked_to() {
    let portal = Portal::start(&binary());
    let mut config = tls_config(&portal, Some("alice"));
    config.cert_compressors = COMPRESSORS.iter().map(|one| one as &dyn CertCompressor).collect();
    let said = ask_with_first_flight(&portal, Arc::new(config), SITE, |hello| vec![hello.to_vec()]);
    assert!(said.starts_with("HTTP/1.1 200"), "{said}");
    assert_eq!(COMPRESSED.load(Ordering::SeqCst), 0);
}
