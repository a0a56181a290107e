//! What this program asks of other hosts by HTTP: the one place for it, under rules of bytes, time and addresses.
//!
//! - [`address`]: which addresses are asked only where the configuration lists them.
//! - [`url`]: what can be asked for.
//!
//! A name is resolved once, each of its addresses is judged, and the connection goes to one of these. Nothing on the
//! path of a request or handshake calls this.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use gateway::networks::Networks;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub mod address;
mod url;

pub use url::FetchUrl;

/// Redirects that are followed, on the same host alone.
const MOST_REDIRECTS: usize = 3;
/// Bytes that the head of an answer may have.
const MOST_HEAD: usize = 16 << 10;
/// Addresses of one name that are tried.
const MOST_ADDRESSES: usize = 4;
/// How long one address may take to accept the connection.
const CONNECT: Duration = Duration::from_secs(5);

/// What holds for a fetch.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Bytes that the body may have.
    pub most_bytes: u64,
    /// Time for everything, from the look-up of the name to the last byte.
    pub deadline: Duration,
    /// Addresses that are not public and may be asked.
    pub private: Networks,
    /// Why others that are not public may not, as the end of a sentence.
    pub private_by: &'static str,
    /// Whom the servers' certificates must lead to.
    pub roots: Arc<RootCertStore>,
}

/// Why nothing was fetched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The name has no address.
    #[error("{host} cannot be resolved: {why}")]
    Unresolved {
        /// The name.
        host: String,
        /// What the resolver said.
        why: String,
    },
    /// One of its addresses may not be asked.
    #[error("{host} leads to {address}, which is not a public address and {by}")]
    NotPublic {
        /// The name.
        host: String,
        /// The address.
        address: IpAddr,
        /// Why it may not be asked.
        by: &'static str,
    },
    /// No address accepted the connection.
    #[error("no connection to {address}: {why}")]
    NoConnection {
        /// The address tried last.
        address: SocketAddr,
        /// Why.
        why: String,
    },
    /// The server's certificate was not verified, or the handshake failed.
    #[error("no TLS with {host}: {why}")]
    Tls {
        /// The server.
        host: String,
        /// Why.
        why: String,
    },
    /// The exchange broke.
    #[error("the exchange broke: {0}")]
    Exchange(String),
    /// Another status than 200.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// It sends to where it was not asked to.
    #[error(
        "the server redirects to {0}: only redirects on the same host are followed, {MOST_REDIRECTS} at most"
    )]
    Redirect(String),
    /// The body is larger than it may be.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(u64),
    /// It took too long.
    #[error("nothing whole came within {} seconds", .0.as_secs())]
    TooSlow(Duration),
}

/// The body at this address.
pub async fn get(url: &FetchUrl, rules: &Rules) -> Result<Vec<u8>, FetchError> {
    let whole = tokio::time::timeout(rules.deadline, follow(url, rules, None));
    whole.await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

/// Where a host is asked whose name the caller resolved, and whose addresses it judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its addresses, at least one. The name is not resolved again.
    pub addresses: Vec<IpAddr>,
    /// The port that is asked in the place of 80.
    pub http: u16,
    /// The port that is asked in the place of 443.
    pub https: u16,
}

/// The body at this address of a host that was judged; redirects go to the same addresses.
pub async fn get_from(url: &FetchUrl, judged: &Judged, rules: &Rules) -> Result<Vec<u8>, FetchError> {
    let whole = tokio::time::timeout(rules.deadline, follow(url, rules, Some(judged)));
    whole.await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

/// Whether this address may be asked: its name has addresses, and the rules let each of them be asked. Nobody is
/// connected to.
pub async fn judge(url: &FetchUrl, rules: &Rules) -> Result<(), FetchError> {
    let whole = tokio::time::timeout(rules.deadline, addresses(url, rules));
    whole.await.unwrap_or(Err(FetchError::TooSlow(rules.deadline))).map(drop)
}

/// The body of the answer to this body of that media type. No redirect is followed: it is sent to one place.
pub async fn post(
    url: &FetchUrl,
    rules: &Rules,
    media_type: &'static str,
    sent: Vec<u8>,
) -> Result<Vec<u8>, FetchError> {
    let whole = async {
        let answer = ask(url, rules, Some((media_type, sent)), &[]).await?;
        match answer.status() {
            StatusCode::OK => body(answer, rules.most_bytes).await,
            other => Err(FetchError::Status(other.as_u16())),
        }
    };
    tokio::time::timeout(rules.deadline, whole).await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

/// Posts this body with these headers; any status of success will do, and nothing of the answer's body is kept. No redirect
/// is followed.
pub async fn post_with(
    url: &FetchUrl,
    rules: &Rules,
    media_type: &'static str,
    sent: Vec<u8>,
    headers: Vec<(HeaderName, HeaderValue)>,
) -> Result<(), FetchError> {
    let whole = async {
        let answer = ask(url, rules, Some((media_type, sent)), &headers).await?;
        let status = answer.status();
        if !status.is_success() {
            return Err(FetchError::Status(status.as_u16()));
        }
        body(answer, rules.most_bytes).await.map(drop)
    };
    tokio::time::timeout(rules.deadline, whole).await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

/// The status and body of the answer to this body of that media type, whatever the status, over TLS of the caller's
/// settings; they decide whom the server's certificate must lead to, and what is shown to it. No redirect is followed.
pub async fn exchange_over(
    tls: Arc<rustls::ClientConfig>,
    url: &FetchUrl,
    rules: &Rules,
    media_type: &'static str,
    sent: Vec<u8>,
) -> Result<(StatusCode, Vec<u8>), FetchError> {
    let whole = async {
        let stream = over_tls(tls, connect(url, rules).await?, url).await?;
        let answer = exchange(stream, url, Some((media_type, sent)), &[]).await?;
        let status = answer.status();
        Ok((status, body(answer, rules.most_bytes).await?))
    };
    tokio::time::timeout(rules.deadline, whole).await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

/// An answer whole, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

/// The answer to the POST of these bytes of that media type, or to a GET where there are none. No redirect is followed.
pub async fn answer(url: &FetchUrl, rules: &Rules, sent: Sent) -> Result<Answer, FetchError> {
    let whole = async {
        let answer = ask(url, rules, sent, &[]).await?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        Ok(Answer { status, headers, body: body(answer, rules.most_bytes).await? })
    };
    tokio::time::timeout(rules.deadline, whole).await.unwrap_or(Err(FetchError::TooSlow(rules.deadline)))
}

async fn follow(url: &FetchUrl, rules: &Rules, judged: Option<&Judged>) -> Result<Vec<u8>, FetchError> {
    let mut at = url.clone();
    for _ in 0..=MOST_REDIRECTS {
        let stream = match judged {
            Some(judged) => connect_to(judged.places(&at)).await?,
            None => connect(&at, rules).await?,
        };
        let answer = ask_over(stream, &at, rules, None, &[]).await?;
        let status = answer.status();
        if status == StatusCode::OK {
            return body(answer, rules.most_bytes).await;
        }
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Err(FetchError::Status(status.as_u16()));
        }
        let location = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
        let location = location.unwrap_or("nowhere");
        at = at.redirected(location).ok_or_else(|| {
            FetchError::Redirect(location.chars().take(200).collect::<String>().escape_debug().to_string())
        })?;
    }
    Err(FetchError::Redirect("one place after another".into()))
}

/// What is sent: a media type and its bytes. Without it, the request is a GET.
pub type Sent = Option<(&'static str, Vec<u8>)>;

/// Sends one request and reads the head of its answer.
async fn ask(
    url: &FetchUrl,
    rules: &Rules,
    sent: Sent,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<hyper::Response<Incoming>, FetchError> {
    ask_over(connect(url, rules).await?, url, rules, sent, headers).await
}

async fn ask_over(
    stream: TcpStream,
    url: &FetchUrl,
    rules: &Rules,
    sent: Sent,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<hyper::Response<Incoming>, FetchError> {
    if !url.is_https() {
        return exchange(stream, url, sent, headers).await;
    }
    let tls = tls(rules.roots.clone()).map_err(|why| FetchError::Tls { host: url.host().to_owned(), why })?;
    exchange(over_tls(Arc::new(tls), stream, url).await?, url, sent, headers).await
}

async fn over_tls(
    tls: Arc<rustls::ClientConfig>,
    stream: TcpStream,
    url: &FetchUrl,
) -> Result<TlsStream<TcpStream>, FetchError> {
    let fault = |why: String| FetchError::Tls { host: url.host().to_owned(), why };
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| fault(error.to_string()))?;
    TlsConnector::from(tls).connect(name, stream).await.map_err(|error| fault(error.to_string()))
}

/// The addresses of the name, resolved once and judged, every one of them; at least one.
async fn addresses(url: &FetchUrl, rules: &Rules) -> Result<Vec<SocketAddr>, FetchError> {
    let host = url.host();
    let unresolved = |why: String| FetchError::Unresolved { host: host.to_owned(), why };
    let found = lookup_host((host, url.port())).await.map_err(|error| unresolved(error.to_string()))?;
    let all: Vec<SocketAddr> = found.collect();
    if let Some(one) = all.iter().find(|one| !address::may_be_asked(one.ip(), &rules.private)) {
        let (host, by) = (host.to_owned(), rules.private_by);
        return Err(FetchError::NotPublic { host, address: one.ip(), by });
    }
    if all.is_empty() { Err(unresolved("it has no address".into())) } else { Ok(all) }
}

/// Connects to one of the addresses that may be asked.
async fn connect(url: &FetchUrl, rules: &Rules) -> Result<TcpStream, FetchError> {
    connect_to(addresses(url, rules).await?).await
}

/// Connects to the first that accepts.
pub async fn connect_to(all: Vec<SocketAddr>) -> Result<TcpStream, FetchError> {
    let mut last = FetchError::Exchange("there is no address to connect to".into());
    for address in all.into_iter().take(MOST_ADDRESSES) {
        let why = match tokio::time::timeout(CONNECT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} seconds", CONNECT.as_secs()),
        };
        last = FetchError::NoConnection { address, why };
    }
    Err(last)
}

impl Judged {
    fn places(&self, url: &FetchUrl) -> Vec<SocketAddr> {
        let port = match url.port() {
            80 => self.http,
            443 => self.https,
            other => other,
        };
        self.addresses.iter().map(|address| SocketAddr::new(*address, port)).collect()
    }
}

/// The roots of the public web.
pub fn public_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    Arc::new(roots)
}

/// The roots in this PEM file, or those of the public web where none is named.
pub fn roots(file: Option<&Path>) -> Result<Arc<RootCertStore>, String> {
    let Some(path) = file else { return Ok(public_roots()) };
    let fault = |what: String| format!("{}: {what}", path.display());
    let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
    let all = examiner::cert::pem::certificates(&bytes).map_err(|error| fault(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for one in all {
        roots.add(CertificateDer::from(one.der.to_vec())).map_err(|error| fault(error.to_string()))?;
    }
    Ok(Arc::new(roots))
}

fn tls(roots: Arc<RootCertStore>) -> Result<rustls::ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

async fn exchange<S>(
    stream: S,
    url: &FetchUrl,
    sent: Sent,
    headers: &[(HeaderName, HeaderValue)],
) -> Result<hyper::Response<Incoming>, FetchError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let broken = |error: hyper::Error| FetchError::Exchange(error.to_string());
    let mut client = hyper::client::conn::http1::Builder::new();
    let (mut sender, connection) =
        client.max_buf_size(MOST_HEAD).handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // It ends with its answer, which is dropped at the deadline at the latest.
    tokio::spawn(connection);
    let method = if sent.is_some() { Method::POST } else { Method::GET };
    let (media_type, bytes) = sent.unzip();
    let mut request = Request::builder()
        .method(method)
        .uri(Uri::from(url.path().clone()))
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, concat!("countersign/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close");
    if let Some(media_type) = media_type {
        request = request.header(header::CONTENT_TYPE, media_type);
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request
        .body(Full::new(Bytes::from(bytes.unwrap_or_default())))
        .map_err(|error| FetchError::Exchange(error.to_string()))?;
    sender.send_request(request).await.map_err(broken)
}

async fn body(answer: hyper::Response<Incoming>, most: u64) -> Result<Vec<u8>, FetchError> {
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| FetchError::Exchange(error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        if (bytes.len() + data.len()) as u64 > most {
            return Err(FetchError::TooLarge(most));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
