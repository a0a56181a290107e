//! Against the servers that people run: each of Debian's, on a free port, with a certificate of its own.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls_pki_types::ServerName;
use testkit::{Leaf, TestCa};
use tokio::net::TcpStream;

use super::*;

mod servers;

use servers::Peer;

const HOST: &str = "localhost";
const LONG: Duration = Duration::from_secs(30);

/// The thumbprint of the certificate that the server shows once TLS has begun.
fn shown(ca: &TestCa, protocol: Protocol, port: u16) -> Result<String, StartTlsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let started = start(protocol, stream, HOST, LONG).await?;
        assert_eq!(started.early, b"", "{protocol:?}");
        let mut roots = RootCertStore::empty();
        roots.add(ca.der().to_vec().into()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(HOST).unwrap();
        let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, started.stream);
        let tls = tls.await.unwrap_or_else(|error| panic!("{protocol:?}: {error}"));
        let served = tls.get_ref().1.peer_certificates().unwrap();
        Ok(examiner::Thumbprint::of(&served[0]).to_string())
    })
}

/// Each protocol of the server leads to its certificate.
fn leads_to_its_certificate(start: impl Fn(&servers::Files) -> (Peer, Vec<(Protocol, u16)>)) {
    let ca = TestCa::new("Some CA");
    let cert = Leaf::server(HOST).issued_by(&ca);
    let files = servers::Files::new(&cert);
    let (_peer, ports) = start(&files);
    for (protocol, port) in ports {
        assert_eq!(shown(&ca, protocol, port).unwrap(), cert.thumbprint(), "{protocol:?}");
    }
}

/// The server as it says that it has no TLS.
fn says_that_it_has_none(start: impl Fn(&servers::Files) -> (Peer, Vec<(Protocol, u16)>)) -> String {
    let ca = TestCa::new("Some CA");
    let files = servers::Files::new(&Leaf::server(HOST).issued_by(&ca));
    let (_peer, ports) = start(&files);
    let (protocol, port) = ports[0];
    let error = shown(&ca, protocol, port).unwrap_err();
    assert!(matches!(error, StartTlsError::NotOffered { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn postfix_leads_to_its_certificate_and_says_that_it_has_none() {
    leads_to_its_certificate(|files| servers::postfix(files, true));
    let said = says_that_it_has_none(|files| servers::postfix(files, false));
    assert!(said.contains("250 mail.example"), "{said}");
}

#[test]
fn dovecot_leads_to_its_certificate_by_imap_pop3_managesieve_and_lmtp() {
    leads_to_its_certificate(servers::dovecot);
}

#[test]
fn vsftpd_leads_to_its_certificate_and_says_that_it_has_none() {
    leads_to_its_certificate(|files| servers::vsftpd(files, true));
    let said = says_that_it_has_none(|files| servers::vsftpd(files, false));
    assert!(said.contains("530"), "{said}");
}

#[test]
fn openldap_leads_to_its_certificate_and_says_that_it_has_none() {
    leads_to_its_certificate(|files| servers::slapd(files, true));
    let said = says_that_it_has_none(|files| servers::slapd(files, false));
    assert!(said.contains("protocolError"), "{said}");
}

#[test]
fn prosody_leads_to_its_certificate() {
    leads_to_its_certificate(servers::prosody);
}

#[test]
fn postgresql_leads_to_its_certificate_and_says_that_it_has_none() {
    leads_to_its_certificate(|files| servers::postgresql(files, true));
    let said = says_that_it_has_none(|files| servers::postgresql(files, false));
    assert!(said.contains("“N”"), "{said}");
}

#[test]
fn mariadb_leads_to_its_certificate_and_says_that_it_has_none() {
    leads_to_its_certificate(|files| servers::mariadb(files, true));
    let said = says_that_it_has_none(|files| servers::mariadb(files, false));
    assert!(said.contains("MariaDB"), "{said}");
}
