//! HTTP/1.1 on one connection, without hyper while nothing is asked: hyper keeps 16 kB of buffers as long as it serves a
//! connection, which is most of what an idle one would hold.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1::{Builder, Connection, Parts};
use hyper::service::HttpService;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

type Served<I, S> = Connection<TokioIo<I>, S>;

/// What a connection that can rest is read from and written to.
pub(crate) trait Wakeful: AsyncRead + AsyncWrite + Unpin {
    /// Gives back what was read too early: it is read again, before all else.
    fn put_back(&mut self, early: Bytes);
    /// Whether nothing that came waits here to be read.
    fn is_drained(&self) -> bool;
    /// Resolves when bytes came, or the end.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()>;
}

/// A connection that can be put to rest between two requests.
pub(crate) struct Http1<I: Wakeful, S: HttpService<Incoming>> {
    builder: Builder,
    state: State<I, S>,
}

enum State<I: Wakeful, S: HttpService<Incoming>> {
    Awake(Box<Served<I, S>>),
    /// Until bytes come.
    Resting(I, S),
    /// It was at rest, and is closed.
    Closing(I),
    /// Between two of them: never left so.
    None,
}

impl<I, S, B> Http1<I, S>
where
    I: Wakeful,
    S: HttpService<Incoming, ResBody = B>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    /// Serves what comes on this line.
    pub(crate) fn new(builder: Builder, line: I, service: S) -> Self {
        let mut http1 = Self { builder, state: State::Resting(line, service) };
        http1.wake();
        http1
    }

    /// Puts it to rest. To be called where no message is under way: what came already of the next one is kept.
    pub(crate) fn rest(&mut self) {
        let was = std::mem::replace(&mut self.state, State::None);
        let State::Awake(served) = was else {
            self.state = was;
            return;
        };
        let parts = served.into_parts();
        let mut line = parts.io.into_inner();
        let is_silent = parts.read_buf.is_empty() && line.is_drained();
        // Even an empty one would keep the whole buffer.
        if !parts.read_buf.is_empty() {
            line.put_back(parts.read_buf);
        }
        self.state = State::Resting(line, parts.service);
        if !is_silent {
            self.wake();
        }
    }

    /// No further requests.
    pub(crate) fn wind_down(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Resting(line, _) => State::Closing(line),
            mut other => {
                if let State::Awake(served) = &mut other {
                    Pin::new(&mut **served).graceful_shutdown();
                }
                other
            }
        };
    }

    /// Takes it apart; `None` where it is at rest.
    pub(crate) fn into_parts(self) -> Option<Parts<TokioIo<I>, S>> {
        match self.state {
            State::Awake(served) => Some(served.into_parts()),
            State::Resting(..) | State::Closing(_) | State::None => None,
        }
    }

    fn wake(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::None) {
            State::Resting(line, service) => {
                State::Awake(Box::new(self.builder.serve_connection(TokioIo::new(line), service)))
            }
            other => other,
        };
    }
}

impl<I, S, B> Future for Http1<I, S>
where
    I: Wakeful,
    S: HttpService<Incoming, ResBody = B> + Unpin,
    S::Future: Unpin,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + Unpin + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
    Served<I, S>: Unpin,
{
    type Output = hyper::Result<()>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.state {
                State::Awake(served) => return Pin::new(&mut **served).poll(cx),
                State::Resting(line, _) => {
                    ready!(line.poll_readable(cx));
                    self.wake();
                }
                State::Closing(line) => return Pin::new(line).poll_shutdown(cx).map(|_| Ok(())),
                State::None => return Poll::Ready(Ok(())),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::io;

    use http::{Request, Response};
    use http_body_util::Full;
    use hyper::service::service_fn;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

    use super::*;

    struct Pipe {
        io: DuplexStream,
        early: Vec<u8>,
    }

    impl Wakeful for Pipe {
        fn put_back(&mut self, early: Bytes) {
            self.early = early.to_vec();
        }

        fn is_drained(&self) -> bool {
            self.early.is_empty()
        }

        fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
            let mut byte = [0];
            let mut buffer = ReadBuf::new(&mut byte);
            // Whoever reads next sees an error as well.
            let _ = ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer));
            self.early.extend_from_slice(buffer.filled());
            Poll::Ready(())
        }
    }

    impl AsyncRead for Pipe {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            if self.early.is_empty() {
                return Pin::new(&mut self.io).poll_read(cx, buf);
            }
            buf.put_slice(&std::mem::take(&mut self.early));
            Poll::Ready(Ok(()))
        }
    }

    impl AsyncWrite for Pipe {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.io).poll_write(cx, buf)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.io).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.io).poll_shutdown(cx)
        }
    }

    /// Says which path was asked for.
    async fn path(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        Ok(Response::new(Full::from(request.uri().path().to_owned())))
    }

    type Answer = Pin<Box<dyn Future<Output = Result<Response<Full<Bytes>>, Infallible>>>>;

    /// A client's end, and a connection that answers it.
    fn served() -> (
        DuplexStream,
        Http1<Pipe, impl HttpService<Incoming, ResBody = Full<Bytes>, Future = Answer, Error = Infallible>>,
    ) {
        let (client, io) = duplex(4096);
        let service = service_fn(|request| Box::pin(path(request)) as Answer);
        (client, Http1::new(Builder::new(), Pipe { io, early: Vec::new() }, service))
    }

    /// Lets the connection go as far as it gets; whether it has ended.
    async fn goes_on(connection: &mut (impl Future<Output = hyper::Result<()>> + Unpin)) -> bool {
        std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *connection).poll(cx).is_ready())).await
    }

    async fn heard(client: &mut DuplexStream) -> String {
        let mut bytes = vec![0; 4096];
        let count = client.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    fn is_resting<I: Wakeful, S: HttpService<Incoming>>(connection: &Http1<I, S>) -> bool {
        matches!(connection.state, State::Resting(..))
    }

    fn block_on(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    }

    #[test]
    fn a_connection_at_rest_answers_the_next_request_and_the_one_after_it() {
        block_on(async {
            let (mut client, mut connection) = served();
            for path in ["/one", "/two", "/three"] {
                client.write_all(format!("GET {path} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
                assert!(!goes_on(&mut connection).await);
                let said = heard(&mut client).await;
                assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with(path), "{said}");
                connection.rest();
                assert!(is_resting(&connection));
                assert!(!goes_on(&mut connection).await);
                assert!(is_resting(&connection), "nothing came");
            }
        });
    }

    #[test]
    fn what_came_of_the_next_request_with_the_last_one_is_not_lost() {
        block_on(async {
            let (mut client, mut connection) = served();
            client.write_all(b"GET /one HTTP/1.1\r\n\r\nGET /tw").await.unwrap();
            assert!(!goes_on(&mut connection).await);
            assert!(heard(&mut client).await.ends_with("/one"));
            connection.rest();
            assert!(!is_resting(&connection));
            assert!(!goes_on(&mut connection).await);
            client.write_all(b"o HTTP/1.1\r\n\r\n").await.unwrap();
            assert!(!goes_on(&mut connection).await);
            assert!(heard(&mut client).await.ends_with("/two"));
        });
    }

    #[test]
    fn a_connection_at_rest_is_closed_by_either_side() {
        block_on(async {
            for by_client in [true, false] {
                let (mut client, mut connection) = served();
                client.write_all(b"GET /one HTTP/1.1\r\n\r\n").await.unwrap();
                assert!(!goes_on(&mut connection).await);
                heard(&mut client).await;
                connection.rest();
                if by_client {
                    client.shutdown().await.unwrap();
                } else {
                    connection.wind_down();
                }
                assert!(goes_on(&mut connection).await);
                assert!(connection.into_parts().is_none() || by_client);
                assert_eq!(heard(&mut client).await, "");
            }
        });
    }

    #[test]
    fn a_connection_that_is_wound_down_while_it_is_awake_takes_no_more() {
        block_on(async {
            let (mut client, mut connection) = served();
            client.write_all(b"GET /one HTTP/1.1\r\n\r\n").await.unwrap();
            assert!(!goes_on(&mut connection).await);
            heard(&mut client).await;
            connection.wind_down();
            assert!(goes_on(&mut connection).await);
        });
    }
}
