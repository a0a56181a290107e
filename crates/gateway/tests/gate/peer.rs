//! An upstream that speaks what the echo does not: HTTP/2 with and without TLS, Unix sockets, trailers, pauses.

use std::convert::Infallible;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::TestCert;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct Came {
    pub connection: u64,
    pub version: String,
    pub uri: String,
    pub headers: HeaderMap,
    pub body: u64,
    pub trailers: HeaderMap,
    /// Whether a certificate was shown.
    pub shown: bool,
}

impl Came {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// What is spoken.
pub enum Speaks {
    Http1,
    H2c,
    /// The protocols offered; the root of the client certificates that are wanted.
    Tls {
        own: TestCert,
        alpn: Vec<&'static str>,
        wants: Option<String>,
    },
}

pub struct Peer {
    pub port: u16,
    came: Arc<Mutex<Vec<Came>>>,
    connections: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

type Answer = Response<UnsyncBoxBody<Bytes, Infallible>>;

impl Peer {
    pub fn start(speaks: Speaks) -> Self {
        Self::run(speaks, None)
    }

    /// At a Unix socket.
    pub fn at(path: &Path) -> Self {
        Self::run(Speaks::Http1, Some(UnixListenerOf::bind(path)))
    }

    fn run(speaks: Speaks, unix: Option<UnixListenerOf>) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (came, connections) = (Arc::<Mutex<Vec<Came>>>::default(), Arc::<AtomicU64>::default());
        let (stop, stopped) = oneshot::channel();
        let (seen, count) = (came.clone(), connections.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let tls = acceptor(&speaks);
            let accept = async move {
                let unix = unix.map(|unix| UnixListener::from_std(unix.0).unwrap());
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    let number = count.load(Ordering::SeqCst) + 1;
                    let seen = seen.clone();
                    if let Some(unix) = &unix {
                        let (stream, _) = unix.accept().await.unwrap();
                        count.store(number, Ordering::SeqCst);
                        tokio::task::spawn_local(serve(stream, false, number, false, seen));
                        continue;
                    }
                    let (stream, _) = listener.accept().await.unwrap();
                    stream.set_nodelay(true).unwrap();
                    count.store(number, Ordering::SeqCst);
                    match &tls {
                        None => {
                            let h2 = matches!(speaks, Speaks::H2c);
                            tokio::task::spawn_local(serve(stream, h2, number, false, seen));
                        }
                        Some(tls) => {
                            let tls = tls.clone();
                            tokio::task::spawn_local(async move {
                                let Ok(stream) = tls.accept(stream).await else { return };
                                let session = stream.get_ref().1;
                                let h2 = session.alpn_protocol() == Some(b"h2");
                                let shown = session.peer_certificates().is_some();
                                serve(stream, h2, number, shown, seen).await;
                            });
                        }
                    }
                }
            };
            tokio::task::LocalSet::new().block_on(&runtime, async {
                tokio::select! {
                    () = accept => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, came, connections, stop: Some(stop), thread: Some(thread) }
    }

    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    pub fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    #[track_caller]
    pub fn last(&self) -> Came {
        self.came().pop().expect("a request")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().unwrap().join();
    }
}

struct UnixListenerOf(std::os::unix::net::UnixListener);

impl UnixListenerOf {
    fn bind(path: &Path) -> Self {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }
}

fn acceptor(speaks: &Speaks) -> Option<TlsAcceptor> {
    let Speaks::Tls { own, alpn, wants } = speaks else { return None };
    let chain = CertificateDer::pem_slice_iter(own.chain_pem.as_bytes()).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match wants {
        None => builder.with_no_client_auth(),
        Some(root) => {
            let mut roots = rustls::RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(root.as_bytes()).unwrap()).unwrap();
            let verifier =
                rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let mut config = builder.with_single_cert(chain, key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Some(TlsAcceptor::from(Arc::new(config)))
}

async fn serve<T>(stream: T, h2: bool, number: u64, shown: bool, seen: Arc<Mutex<Vec<Came>>>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, number, shown, seen.clone()));
    let io = TokioIo::new(stream);
    if h2 {
        let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await;
    } else {
        let _ = http1::Builder::new().serve_connection(io, service).await;
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: u64,
    shown: bool,
    seen: Arc<Mutex<Vec<Came>>>,
) -> Result<Answer, hyper::Error> {
    let mut came = Came {
        connection,
        version: format!("{:?}", request.version()),
        uri: request.uri().to_string(),
        headers: request.headers().clone(),
        shown,
        ..Came::default()
    };
    let path = request.uri().path().to_owned();
    let refused = path == "/refused";
    let mut body = request.into_body();
    while let Some(frame) = if refused { None } else { body.frame().await } {
        match frame?.into_data() {
            Ok(data) => came.body += data.len() as u64,
            Err(frame) => came.trailers = frame.into_trailers().unwrap_or_default(),
        }
    }
    let text = format!("{} {connection}", came.header("countersign-party").unwrap_or("nobody"));
    seen.lock().unwrap().push(came);
    let mut answer = match path.as_str() {
        "/trailers" => {
            let mut trailers = HeaderMap::new();
            trailers.insert("x-sum", "7".parse().unwrap());
            let frames = [Frame::data(Bytes::from("body")), Frame::trailers(trailers)];
            let mut answer = Response::new(Listed(frames.into()).boxed_unsync());
            answer.headers_mut().insert("trailer", "x-sum".parse().unwrap());
            answer
        }
        "/slow" => {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Response::new(Full::new(Bytes::from(text)).boxed_unsync())
        }
        _ => Response::new(Full::new(Bytes::from(text)).boxed_unsync()),
    };
    if refused {
        *answer.status_mut() = http::StatusCode::PAYLOAD_TOO_LARGE;
    }
    Ok(answer)
}

struct Listed(std::collections::VecDeque<Frame<Bytes>>);

impl hyper::body::Body for Listed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.pop_front().map(Ok))
    }
}
