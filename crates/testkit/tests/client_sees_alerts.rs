//! The client against a small rustls server that asks for certificates.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::RootCertStore;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::{Client, Leaf, TestCa};
use tokio_rustls::TlsAcceptor;

/// A server for `portal.test` that wants a certificate of `clients` and answers `hello`; its port.
async fn serve(ca: &TestCa, clients: &TestCa) -> u16 {
    let own = ca.issue_server("portal.test");
    let chain = CertificateDer::pem_slice_iter(own.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(clients.der().to_vec().into()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone()).build().unwrap();
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(socket).await else { return };
                let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                let hello = service_fn(|_| async {
                    Ok::<_, std::convert::Infallible>(http::Response::new(Full::new(Bytes::from("hello"))))
                });
                let io = TokioIo::new(stream);
                if h2 {
                    let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(io, hello).await;
                } else {
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(io, hello).await;
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn a_good_certificate_enters_over_both_protocols() {
    let (ca, clients) = (TestCa::new("Server Root"), TestCa::new("Client Root"));
    let port = serve(&ca.intermediate("Server Issuing"), &clients).await;
    let alice = Client::trusting(&ca.pem()).showing(&clients.issue("alice"));

    let mut conn = alice.clone().tls12().connect(port, "portal.test").await.unwrap();
    assert_eq!(conn.get("/", &[]).await.unwrap().text(), "hello");
    assert_eq!(conn.get("/", &[]).await.unwrap().text(), "hello");
    assert_eq!((conn.version(), conn.server_chain().len()), (Some(0x0303), 2));
    assert_eq!(alice.knock(port, "portal.test", "/").await.unwrap().text(), "hello");

    let h2 = alice.connect_h2(port, "portal.test").await.unwrap();
    let (one, two) = tokio::join!(h2.get("/1", &[]), h2.get("/2", &[]));
    assert_eq!((one.unwrap().text(), two.unwrap().text()), ("hello".into(), "hello".into()));
}

#[tokio::test]
async fn alerts_arrive_as_numbers_in_both_versions() {
    let (ca, clients) = (TestCa::new("Server Root"), TestCa::new("Client Root"));
    let port = serve(&ca, &clients).await;
    let nobody = Client::trusting(&ca.pem());
    let alice = clients.issue("alice");
    let stolen = nobody.clone().showing_stolen(&alice, &clients.issue("mallory"));
    let stranger = nobody.clone().showing(&TestCa::new("Other Root").issue("alice"));
    let late = nobody.clone().showing(&Leaf::new("alice").ended_yesterday().issued_by(&clients));
    let alert = async |client: Client| client.knock(port, "portal.test", "/").await.unwrap_err().alert;

    assert_eq!(alert(nobody.clone().tls13()).await, Some(116));
    assert_eq!(alert(stolen.clone().tls13()).await, Some(51));
    assert_eq!(alert(stolen.tls12()).await, Some(51));
    assert_eq!(alert(stranger.clone().tls13()).await, Some(48));
    assert_eq!(alert(stranger.tls12()).await, Some(48));
    assert_eq!(alert(late).await, Some(45));
}

#[tokio::test]
async fn a_server_that_the_ca_does_not_vouch_for_is_refused() {
    let ca = TestCa::new("Server Root");
    let port = serve(&ca, &ca).await;

    let other = Client::trusting(&TestCa::new("Other Root").pem());
    assert!(other.connect(port, "portal.test").await.is_err());
    let right = Client::trusting(&ca.pem());
    assert!(right.connect(port, "other.test").await.is_err());
    assert!(right.without_sni().tls13().connect(port, "portal.test").await.is_ok());
}

#[tokio::test]
async fn openssl_reports_the_same_alert() {
    let ca = TestCa::new("Server Root");
    let port = serve(&ca, &ca).await;
    let dir = tempfile::tempdir().unwrap();
    ca.write(dir.path(), "ca");
    ca.issue("alice").write(dir.path(), "alice");
    let at = dir.path().to_owned();
    let ask = async |extra: &'static [&'static str]| {
        let at = at.clone();
        let name = Some("portal.test");
        tokio::task::spawn_blocking(move || testkit::openssl_s_client(&at, port, name, extra)).await.unwrap()
    };

    let refused = ask(&["-tls1_3", "-CAfile", "ca.pem"]).await;
    assert_eq!(refused.alert, Some(116), "{}", refused.output);
    let admitted = ask(&["-CAfile", "ca.pem", "-cert", "alice.pem", "-key", "alice.key"]).await;
    assert_eq!(admitted.alert, None, "{}", admitted.output);
    assert!(admitted.output.contains("hello"), "{}", admitted.output);

    let curl = |cert: Option<&'static str>| {
        let at = at.clone();
        let ask = move || testkit::tools::curl_at(&at, "portal.test", port, cert, "/", &["--http1.1"]);
        tokio::task::spawn_blocking(ask)
    };
    let admitted = curl(Some("alice")).await.unwrap();
    assert_eq!((admitted.exit, admitted.status, admitted.text().as_str()), (0, 200, "hello"));
    let refused = curl(None).await.unwrap();
    assert_eq!((refused.status, refused.alert()), (0, Some(116)), "{}", refused.stderr);
}
