//! The side of who asks, supervisor or gate: one request, one answer.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::protocol::{self, ANSWER_MOST, Answer, REQUEST_MOST, Renewal, Request};
use super::socket;
use crate::config::StateDir;
use crate::run::upkeep::Done;

/// The longest that what is due may take: many sites have certificates of their own.
const MOST: Duration = Duration::from_secs(600);
/// The longest that a machine waits for its renewal: others are before it, and so may be what is due.
const RENEWAL: Duration = Duration::from_secs(20);

/// Has what is due signed. `None` where nobody listens.
pub async fn upkeep(state: &StateDir) -> Option<Result<Done, String>> {
    let stream = UnixStream::connect(socket(state)).ok()?;
    let asked = tokio::task::spawn_blocking(move || ask(stream, &Request::Upkeep {})).await;
    Some(match asked {
        Ok(Ok(Answer::Done(done))) => Ok(done),
        Ok(Ok(Answer::Refused { what, .. })) => Err(format!("the authority refused: {what}")),
        Ok(Ok(Answer::Issued { .. } | Answer::Renewed { .. })) => {
            Err("the authority answered what was not asked".into())
        }
        Ok(Err(error)) => Err(format!("the authority did not answer: {error}")),
        Err(error) => Err(error.to_string()),
    })
}

/// Has a certificate renewed, for the gate; where it may block.
pub fn renew(state: &StateDir, renewal: Renewal) -> std::io::Result<Answer> {
    let stream = UnixStream::connect(socket(state))?;
    stream.set_write_timeout(Some(RENEWAL))?;
    ask_within(stream, &Request::Renew(renewal), RENEWAL)
}

fn ask(stream: UnixStream, request: &Request) -> std::io::Result<Answer> {
    ask_within(stream, request, MOST)
}

fn ask_within(mut stream: UnixStream, request: &Request, most: Duration) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(most))?;
    protocol::write(&mut stream, request, REQUEST_MOST)?;
    protocol::read(&mut stream, ANSWER_MOST)
}
