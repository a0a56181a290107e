//! A real gRPC service with streaming behind the gate, and a real gRPC client with a certificate before it.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut};
use gateway::Upstream;
use http::uri::PathAndQuery;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::Client;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::Service;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::world::World;

/// Messages are texts as they are.
#[derive(Clone, Default)]
struct Text;

impl Codec for Text {
    type Encode = String;
    type Decode = String;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Text {
    type Item = String;
    type Error = Status;

    fn encode(&mut self, item: String, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item.as_bytes());
        Ok(())
    }
}

impl Decoder for Text {
    type Item = String;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<String>, Status> {
        let bytes = from.copy_to_bytes(from.remaining());
        String::from_utf8(bytes.to_vec()).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers each message as it comes with who sent it; refuses the message `no`.
struct Echoing;

impl Service<Request<Streaming<String>>> for Echoing {
    type Response = Response<Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>>>;
    type Error = Status;
    type Future = Later<Result<Self::Response, Status>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Streaming<String>>) -> Self::Future {
        Box::pin(async move {
            let who = request.metadata().get("countersign-party").and_then(|who| who.to_str().ok());
            let who = who.unwrap_or("nobody").to_owned();
            let answers = request.into_inner().map(move |message| match message?.as_str() {
                "no" => Err(Status::failed_precondition("not this one")),
                text => Ok(format!("{who}: {text}")),
            });
            Ok(Response::new(Box::pin(answers) as _))
        })
    }
}

/// The service at a free port, without TLS.
async fn serve() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request| async {
                Ok::<_, Infallible>(tonic::server::Grpc::new(Text).streaming(Echoing, request).await)
            });
            let http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
        }
    });
    port
}

/// A connection as tonic wants it.
#[derive(Clone)]
struct Channel(hyper::client::conn::http2::SendRequest<Body>);

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Later<Result<Self::Response, hyper::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), hyper::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

async fn connect(client: &Client, port: u16) -> tonic::client::Grpc<Channel> {
    let stream = client.connect_stream(port, "portal.test", &["h2"]).await.unwrap();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let origin = format!("https://portal.test:{port}").parse().unwrap();
    tonic::client::Grpc::with_origin(Channel(sender), origin)
}

async fn open(
    grpc: &mut tonic::client::Grpc<Channel>,
) -> Result<(mpsc::Sender<String>, Streaming<String>), Status> {
    let (sender, messages) = mpsc::channel(4);
    grpc.ready().await.unwrap();
    let path = PathAndQuery::from_static("/echo.Echo/Both");
    let answers = grpc.streaming(Request::new(ReceiverStream::new(messages)), path, Text).await?;
    Ok((sender, answers.into_inner()))
}

async fn behind() -> World {
    let world = World::new();
    let target = format!("h2c://127.0.0.1:{}", serve().await).parse().unwrap();
    let upstream = Upstream { targets: vec![target], tls: None, check: None, proxied: false };
    world.apply_site("portal.test", vec![], |_| {}, |site| site.upstream = upstream);
    world
}

#[tokio::test]
async fn a_grpc_service_streams_both_ways_through_the_gate() {
    let world = behind().await;
    let mut grpc = connect(&world.client().showing(&world.alice), world.port()).await;
    let (sender, mut answers) = open(&mut grpc).await.unwrap();
    for number in 0..20 {
        sender.send(format!("message {number}")).await.unwrap();
        let answer = answers.message().await.unwrap();
        assert_eq!(answer, Some(format!("alice: message {number}")), "it comes before the next is sent");
    }
    // The request's end is told alone; the answer's end brings the status in trailers.
    drop(sender);
    assert_eq!(answers.message().await.unwrap(), None);
    assert!(answers.trailers().await.unwrap().is_some());

    let (sender, mut answers) = open(&mut grpc).await.unwrap();
    sender.send("no".into()).await.unwrap();
    let status = answers.message().await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::FailedPrecondition, "not this one"));
}

#[tokio::test]
async fn who_is_not_admitted_reaches_no_grpc_service_and_a_revocation_ends_its_streams() {
    let world = behind().await;
    let mut bob = connect(&world.client().showing(&world.bob), world.port()).await;
    let refused = match open(&mut bob).await {
        Ok((_sender, mut answers)) => answers.message().await.map(drop),
        Err(status) => Err(status),
    };
    assert!(refused.is_err());

    let mut alice = connect(&world.client().showing(&world.alice), world.port()).await;
    let (sender, mut answers) = open(&mut alice).await.unwrap();
    sender.send("one".into()).await.unwrap();
    assert_eq!(answers.message().await.unwrap().as_deref(), Some("alice: one"));
    let since = Instant::now();
    assert_eq!(world.revoke_alice(), 1);
    assert!(answers.message().await.is_err());
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}
