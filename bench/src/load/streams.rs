//! Answers that stay half told, on HTTP/2: the second half comes when the website behind is told to send it.

use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use tokio::task::JoinSet;

use super::{Door, Tls, wire, within};
use crate::failure::{Doing, Failure};
use crate::upstream::HELD;

/// Streams that wait for the rest of their answers.
pub struct Streams {
    /// Their connections, which end with these.
    _senders: Vec<wire::H2Sender>,
    waiting: JoinSet<Ended>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// When its visitor saw it.
    pub at: Instant,
    /// Whether its answer was whole.
    pub is_whole: bool,
}

impl Streams {
    /// Opens `count` of them, so many a connection, and waits until the first half of each is here.
    pub async fn open(door: &Rc<Door>, count: usize, a_connection: usize) -> Result<Self, Failure> {
        let (mut senders, mut waiting) = (Vec::new(), JoinSet::new());
        while waiting.len() < count {
            let sender = wire::h2(door.connect(Tls::H2).await?).await?;
            let mut opening = JoinSet::new();
            for _ in 0..a_connection.min(count - waiting.len()) {
                opening.spawn_local(begin(sender.clone(), door.url("/held")));
            }
            while let Some(begun) = opening.join_next().await {
                waiting.spawn_local(end(begun.doing("a visitor")??));
            }
            senders.push(sender);
        }
        Ok(Self { _senders: senders, waiting })
    }

    /// Whether one of them has ended already.
    pub fn has_lost_one(&mut self) -> bool {
        self.waiting.try_join_next().is_some()
    }

    /// How each of them ended, once all have.
    pub async fn ends(&mut self) -> Result<Vec<Ended>, Failure> {
        let mut all = Vec::with_capacity(self.waiting.len());
        within("the end of all streams", async {
            while let Some(ended) = self.waiting.join_next().await {
                all.push(ended.doing("a visitor")?);
            }
            Ok(())
        })
        .await?;
        Ok(all)
    }
}

/// Asks, and reads the first half.
async fn begin(mut sender: wire::H2Sender, url: String) -> Result<Incoming, Failure> {
    within("half an answer", async {
        sender.ready().await.doing("HTTP/2")?;
        let request = Request::get(url).body(Empty::<Bytes>::new()).doing("request")?;
        let response = sender.send_request(request).await.doing("answer")?;
        if response.status() != StatusCode::OK {
            return Err(Failure::new(format!("expected 200, got {}", response.status())));
        }
        let mut body = response.into_body();
        let first = body.frame().await.ok_or_else(|| Failure::new("no half of an answer"))?.doing("body")?;
        match first.data_ref().map(Bytes::len) {
            Some(length) if length == HELD / 2 => Ok(body),
            other => Err(Failure::new(format!("half an answer has {} bytes, not {other:?}", HELD / 2))),
        }
    })
    .await
}

/// Reads the second half, or the end.
async fn end(mut body: Incoming) -> Ended {
    let mut seen = HELD / 2;
    while let Some(Ok(frame)) = body.frame().await {
        seen += frame.data_ref().map_or(0, Bytes::len);
    }
    Ended { at: Instant::now(), is_whole: seen == HELD }
}
