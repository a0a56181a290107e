//! One knock at a listener, over a real socket, as a stranger's client would.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};
use tokio::net::TcpStream;

/// How long one knock may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A certificate to show, with its key.
pub struct Shown {
    /// End-entity first.
    pub chain: Vec<CertificateDer<'static>>,
    /// Its private key, PKCS#8.
    pub key: PrivateKeyDer<'static>,
}

/// What to knock with.
pub struct Knock<'a> {
    /// Where.
    pub address: SocketAddr,
    /// The name in SNI; `None` sends none.
    pub servername: Option<&'a str>,
    /// The request's host; that of SNI where absent.
    pub host: &'a str,
    /// The path asked for.
    pub path: &'a str,
    /// The certificate shown.
    pub shown: Option<&'a Shown>,
    /// The end-entity certificate that the site is configured to show, as DER.
    pub expected: Option<&'a [u8]>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// An answer with this status and, in a problem document, this code.
    Answer {
        /// HTTP status.
        status: u16,
        /// The refusal's code.
        code: Option<String>,
    },
    /// A TLS alert.
    Alert(String),
    /// No connection, or one that ended without a word.
    Broken(String),
}

impl std::fmt::Display for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Answer { status, code: Some(code) } => write!(f, "{status} {code}"),
            Self::Answer { status, code: None } => write!(f, "{status}"),
            Self::Alert(alert) => write!(f, "TLS alert {alert}"),
            Self::Broken(what) => f.write_str(what),
        }
    }
}

/// Knocks once. Never fails: whatever happens is what was seen.
pub async fn knock(knock: Knock<'_>) -> Seen {
    match tokio::time::timeout(PATIENCE, attempt(knock)).await {
        Ok(Ok(seen)) => seen,
        Ok(Err(error)) => seen_in(error.as_ref()),
        Err(_) => Seen::Broken("no answer within 10 seconds".into()),
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn attempt(knock: Knock<'_>) -> Result<Seen, Failure> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        Arc::new(Configured { provider: provider.clone(), expected: knock.expected.map(<[u8]>::to_vec) });
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match knock.shown {
        Some(shown) => builder.with_client_auth_cert(shown.chain.clone(), shown.key.clone_key())?,
        None => builder.with_no_client_auth(),
    };
    config.enable_sni = knock.servername.is_some();
    config.resumption = rustls::client::Resumption::disabled();
    let name = ServerName::try_from(knock.servername.unwrap_or("localhost").to_owned())?;
    let tcp = TcpStream::connect(knock.address).await?;
    let tls = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(tls)).await?;
    let driver = tokio::spawn(connection);
    let request = http::Request::get(knock.path)
        .header(http::header::HOST, knock.host)
        .header(http::header::ACCEPT, "application/problem+json")
        .body(Empty::<Bytes>::new())?;
    let answer = match sender.send_request(request).await {
        Ok(answer) => answer,
        // Under TLS 1.3 a refusal of the certificate is seen by whoever reads first: here, the driver.
        Err(error) => {
            return match driver.await {
                Ok(Err(driver_error)) => Err(driver_error.into()),
                _ => Err(error.into()),
            };
        }
    };
    let status = answer.status().as_u16();
    let body = Limited::new(answer.into_body(), 64 * 1024).collect().await?.to_bytes();
    let problem: Option<serde_json::Value> = serde_json::from_slice(&body).ok();
    let code = problem.and_then(|problem| problem["code"].as_str().map(str::to_owned));
    Ok(Seen::Answer { status, code })
}

/// The alert behind an error, where there is one.
fn seen_in(error: &(dyn std::error::Error + 'static)) -> Seen {
    let mut next = Some(error);
    while let Some(cause) = next {
        let tls = cause.downcast_ref::<Error>().or_else(|| {
            let io = cause.downcast_ref::<std::io::Error>()?;
            io.get_ref()?.downcast_ref::<Error>()
        });
        match tls {
            Some(Error::AlertReceived(alert)) => {
                return Seen::Alert(format!("{} ({alert:?})", u8::from(*alert)));
            }
            Some(other) => return Seen::Broken(other.to_string()),
            None => next = cause.source(),
        }
    }
    Seen::Broken(error.to_string())
}

/// Trusts exactly the certificate that the site is configured to show.
#[derive(Debug)]
struct Configured {
    provider: Arc<CryptoProvider>,
    expected: Option<Vec<u8>>,
}

impl ServerCertVerifier for Configured {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.expected {
            Some(expected) if expected != end_entity.as_ref() => {
                Err(Error::General("it shows another certificate than the configured one".into()))
            }
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
