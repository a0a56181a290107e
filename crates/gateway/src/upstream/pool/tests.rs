//! What is shared, and what never is.

use http_body_util::{BodyExt, Full};
use policy::HostName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::target::Upstream;
use super::*;
use crate::proxy;

async fn numbered(requests: usize, extra: &'static str) -> Backend {
    padded(requests, extra, 1).await
}

/// Answers each request with the number of its connection, padded to `size`; closes a connection after `requests`.
async fn padded(requests: usize, extra: &'static str, size: usize) -> Backend {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::task::spawn_local(async move {
        for number in 1.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::task::spawn_local(async move {
                let mut seen = Vec::new();
                let mut answered = 0;
                while answered < requests {
                    let mut buffer = [0; 1024];
                    let n = stream.read(&mut buffer).await.unwrap();
                    if n == 0 {
                        return;
                    }
                    seen.extend_from_slice(&buffer[..n]);
                    if seen.windows(4).any(|w| w == b"\r\n\r\n") {
                        seen.clear();
                        answered += 1;
                        let body = format!("{number}{}", " ".repeat(size - 1));
                        let length = body.len();
                        let answer =
                            format!("HTTP/1.1 200 OK\r\n{extra}content-length: {length}\r\n\r\n{body}");
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    backend(&address)
}

#[test]
fn the_gates_own_requests_come_from_nobody() {
    run(async {
        for (proxied, first) in [(false, &b"GET / HTTP/1.1\r\n"[..]), (true, &proxy::OWN)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap().to_string();
            let target = format!("http://{address}").parse().unwrap();
            let upstream = Upstream { proxied, ..Upstream::http(address) };
            let backend = Backend::new(&HostName::parse("a.test").unwrap(), &target, &upstream);
            let pool = Pool::new(IDLE);
            let seen = async {
                let mut seen = [0; 16];
                listener.accept().await.unwrap().0.read_exact(&mut seen).await.unwrap();
                seen
            };
            let (seen, _) = tokio::join!(seen, pool.send_alone(&backend, request()));
            assert_eq!(seen, first);
        }
    });
}

fn request() -> Request<AnyBody> {
    Request::get("/").header("host", "a.test").body(AnyBody::none()).unwrap()
}

fn backend(address: &str) -> Backend {
    let target = format!("http://{address}").parse().unwrap();
    Backend::new(&HostName::parse("a.test").unwrap(), &target, &Upstream::http(address))
}

async fn read(response: Response<Lent>) -> Bytes {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    settle().await;
    Bytes::copy_from_slice(body.trim_ascii())
}

async fn settle() {
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn ask(pool: &Pool, upstream: &Backend) -> Bytes {
    read(sent(pool, upstream, request()).await.unwrap()).await
}

async fn sent(pool: &Pool, upstream: &Backend, req: Request<AnyBody>) -> Result<Response<Lent>, PoolError> {
    pool.send(upstream, req, How::Kept).await.map_err(|none| none.error)
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

fn pool() -> Pool {
    Pool::new(Duration::from_secs(5))
}

#[test]
fn a_connection_is_used_again_once_its_answer_was_read() {
    run(async {
        let (pool, upstream) = (pool(), numbered(10, "").await);
        assert_eq!(ask(&pool, &upstream).await, "1");
        assert_eq!(ask(&pool, &upstream).await, "1");
        let body = Full::new(Bytes::from_static(b"x"));
        let other = Request::post("/").header("host", "a.test").body(AnyBody::of(body)).unwrap();
        assert_eq!(read(sent(&pool, &upstream, other).await.unwrap()).await, "1");
    });
}

#[test]
fn a_connection_with_an_unread_answer_is_not_shared() {
    run(async {
        let (pool, upstream) = (pool(), padded(10, "", 8_000_000).await);
        let first = sent(&pool, &upstream, request()).await.unwrap();
        settle().await;
        assert_eq!(ask(&pool, &upstream).await, "2");
        assert_eq!(read(first).await, "1");
    });
}

#[test]
fn a_connection_that_the_upstream_closed_is_replaced() {
    run(async {
        let (pool, upstream) = (pool(), numbered(1, "").await);
        assert_eq!(ask(&pool, &upstream).await, "1");
        assert_eq!(ask(&pool, &upstream).await, "2");
        assert_eq!(read(sent(&pool, &upstream, request()).await.unwrap()).await, "3");
    });
}

#[test]
fn a_connection_that_says_close_or_was_logged_in_is_never_shared() {
    run(async {
        for extra in
            ["connection: close\r\n", "www-authenticate: Negotiate abc\r\n", "www-authenticate: NTLM\r\n"]
        {
            let (pool, upstream) = (pool(), numbered(10, extra).await);
            assert_eq!(ask(&pool, &upstream).await, "1", "{extra}");
            assert_eq!(ask(&pool, &upstream).await, "2", "{extra}");
        }
        let (pool, upstream) = (pool(), numbered(10, "").await);
        let mut tied = request();
        tied.headers_mut().insert("authorization", "NTLM abc".parse().unwrap());
        assert_eq!(read(sent(&pool, &upstream, tied).await.unwrap()).await, "1");
        assert_eq!(ask(&pool, &upstream).await, "2");
    });
}

fn count(pool: &Pool) -> usize {
    pool.idle.waiting.borrow().values().map(Vec::len).sum()
}

#[test]
fn at_most_64_connections_are_kept_idle() {
    run(async {
        let (pool, upstream) = (pool(), Rc::new(numbered(10, "").await));
        let asked: Vec<_> = (0..MOST_IDLE + 3)
            .map(|_| {
                let (pool, upstream) = (pool.clone(), upstream.clone());
                tokio::task::spawn_local(async move { ask(&pool, &upstream).await })
            })
            .collect();
        for one in asked {
            one.await.unwrap();
        }
        assert_eq!(count(&pool), MOST_IDLE);
    });
}

#[test]
fn a_connection_that_idles_too_long_is_dropped() {
    run(async {
        let limit = Duration::from_millis(200);
        let pool = Pool { connect_timeout: IDLE, idle: Rc::new(Idle::new(limit)), preface: Bytes::new() };
        let upstream = numbered(10, "").await;
        assert_eq!(ask(&pool, &upstream).await, "1");
        assert_eq!(count(&pool), 1);
        tokio::time::sleep(limit * 2).await;
        assert_eq!(count(&pool), 0);
        assert_eq!(ask(&pool, &upstream).await, "2");
        assert_eq!(count(&pool), 1);
    });
}

#[test]
fn an_upstream_that_is_not_there_is_unreachable() {
    run(async {
        let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let upstream = backend(&address.to_string());
        let failed = sent(&pool(), &upstream, request()).await;
        assert!(matches!(failed, Err(PoolError::Unreachable(_))));
    });
}

#[test]
fn an_upstream_that_hangs_up_without_an_answer_has_failed() {
    run(async {
        let upstream = numbered(0, "").await;
        assert!(matches!(sent(&pool(), &upstream, request()).await, Err(PoolError::Failed(_))));
    });
}
