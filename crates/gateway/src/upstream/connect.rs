//! A new connection to an upstream.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::body::AnyBody;
use super::pool::PoolError;
use super::route::Backend;
use super::target::{Address, Scheme};
use super::tls::told;
use crate::serve::Local;
use crate::socket::Socket;

/// Most bytes read from an upstream at once. Measured on bodies of 1 MiB: with half of it they cost 1.6 times as much,
/// with twice as much hardly less.
const READ_AT_ONCE: usize = 128 * 1024;
/// Most requests at once on one HTTP/2 connection.
pub(crate) const STREAMS: usize = 64;
/// Bytes of one answer that HTTP/2 may send ahead of its client.
const STREAM_WINDOW: u32 = 128 * 1024;
/// All of them together fit, so that a slow client never holds up another.
const CONNECTION_WINDOW: u32 = STREAM_WINDOW * STREAMS as u32;
/// An HTTP/2 connection on which nothing comes while requests run is asked so often, and given up so long after.
const ASK: Duration = Duration::from_secs(20);
const ANSWER: Duration = Duration::from_secs(10);

/// A connection that takes requests.
pub(crate) enum Fresh {
    /// One at a time.
    One(http1::SendRequest<AnyBody>),
    /// Many at once: as many as the upstream says.
    Many(http2::SendRequest<AnyBody>, Rc<Cell<usize>>),
}

/// A connection before HTTP.
enum Wire {
    Tcp(Socket),
    Unix(UnixStream),
    Tls(Box<TlsStream<Socket>>),
}

/// Connects to the upstream within `most`, TLS included, and verifies it. `preface` goes before everything. `http1_only`: HTTP/2 is not offered.
pub(crate) async fn connect(
    backend: &Backend,
    http1_only: bool,
    preface: &[u8],
    most: Duration,
) -> Result<Fresh, PoolError> {
    let wire = wire(backend, http1_only, preface, most).await?;
    match (wire, backend.target.scheme) {
        (Wire::Tcp(stream), Scheme::H2c) => many(stream).await,
        (Wire::Tcp(stream), _) => one(stream).await,
        (Wire::Unix(stream), Scheme::H2c) => many(stream).await,
        (Wire::Unix(stream), _) => one(stream).await,
        (Wire::Tls(stream), _) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => many(*stream).await,
        (Wire::Tls(stream), _) => one(*stream).await,
    }
}

async fn wire(
    backend: &Backend,
    http1_only: bool,
    preface: &[u8],
    most: Duration,
) -> Result<Wire, PoolError> {
    let connecting = async {
        let address = match &backend.target.address {
            Address::Unix(path) => {
                let mut stream = UnixStream::connect(path).await.map_err(PoolError::Unreachable)?;
                stream.write_all(preface).await.map_err(PoolError::Unreachable)?;
                return Ok(Wire::Unix(stream));
            }
            Address::Tcp(address) => address,
        };
        let stream = TcpStream::connect(address.as_str()).await.map_err(PoolError::Unreachable)?;
        stream.set_nodelay(true).map_err(PoolError::Unreachable)?;
        let mut stream = Socket::from(stream);
        stream.write_all(preface).await.map_err(PoolError::Unreachable)?;
        if backend.target.scheme != Scheme::Https {
            return Ok(Wire::Tcp(stream));
        }
        let tls = backend
            .tls
            .as_ref()
            .and_then(|tls| Some((tls.config(http1_only), tls.name_for(&backend.target)?)));
        // Never without: settings that name an https:// upstream bring how to verify it.
        let Some((config, name)) = tls else {
            return Err(PoolError::Unverified("there is nothing to verify it by".into()));
        };
        let stream = TlsConnector::from(config).connect(name, stream).await;
        let stream = stream.map_err(|error| PoolError::Unverified(told(&error)))?;
        Ok(Wire::Tls(Box::new(stream)))
    };
    tokio::time::timeout(most, connecting).await.map_err(|_| PoolError::ConnectTimeout)?
}

async fn one<T: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: T) -> Result<Fresh, PoolError> {
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(READ_AT_ONCE)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(PoolError::failed)?;
    tokio::task::spawn_local(async move {
        // Its failure also reaches whoever waits for the answer or reads the body.
        let _ = connection.with_upgrades().await;
    });
    Ok(Fresh::One(sender))
}

async fn many<T: AsyncRead + AsyncWrite + Unpin + 'static>(stream: T) -> Result<Fresh, PoolError> {
    let (sender, connection) = http2::Builder::new(Local)
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(STREAM_WINDOW as usize)
        .max_header_list_size(64 * 1024)
        .keep_alive_interval(ASK)
        .keep_alive_timeout(ANSWER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(PoolError::failed)?;
    let most = Rc::new(Cell::new(STREAMS));
    let told = most.clone();
    tokio::task::spawn_local(async move {
        let mut connection = pin!(connection);
        let _ = poll_fn(|cx| {
            let end = connection.as_mut().poll(cx);
            told.set(connection.current_max_send_streams());
            end
        })
        .await;
    });
    Ok(Fresh::Many(sender, most))
}

/// How long a verified upstream may take to say that it refuses our certificate, which TLS 1.3 says late.
const AFTERTHOUGHT: Duration = Duration::from_millis(300);

/// Connects, verifies and hangs up: what would be spoken, or why not.
pub(crate) async fn reach(backend: &Backend, most: Duration) -> Result<&'static str, String> {
    let mut wire =
        wire(backend, false, backend.own_preface(), most).await.map_err(|error| error.to_string())?;
    let Wire::Tls(stream) = &mut wire else {
        return Ok(if backend.target.scheme == Scheme::H2c { "HTTP/2" } else { "HTTP/1.1" });
    };
    let mut byte = [0];
    match tokio::time::timeout(AFTERTHOUGHT, stream.read(&mut byte)).await {
        Ok(Err(error)) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(told(&error)),
        Ok(Ok(0) | Err(_)) => return Err("it hung up after the handshake".into()),
        _ => {}
    }
    Ok(if stream.get_ref().1.alpn_protocol() == Some(b"h2") { "TLS, HTTP/2" } else { "TLS, HTTP/1.1" })
}
