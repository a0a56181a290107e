//! The supervisor's side: one request, one answer.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::protocol::{self, ANSWER_MOST, Answer, REQUEST_MOST, Request};
use super::socket;
use crate::config::StateDir;
use crate::run::upkeep::Done;

/// The longest that what is due may take: many sites have certificates of their own.
const MOST: Duration = Duration::from_secs(600);

/// Has what is due signed. `None` where nobody listens.
pub async fn upkeep(state: &StateDir) -> Option<Result<Done, String>> {
    let stream = UnixStream::connect(socket(state)).ok()?;
    let asked = tokio::task::spawn_blocking(move || ask(stream, &Request::Upkeep {})).await;
    Some(match asked {
        Ok(Ok(Answer::Done(done))) => Ok(done),
        Ok(Ok(Answer::Refused { what, .. })) => Err(format!("the authority refused: {what}")),
        Ok(Ok(Answer::Issued { .. })) => Err("the authority answered what was not asked".into()),
        Ok(Err(error)) => Err(format!("the authority did not answer: {error}")),
        Err(error) => Err(error.to_string()),
    })
}

fn ask(mut stream: UnixStream, request: &Request) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(MOST))?;
    protocol::write(&mut stream, request, REQUEST_MOST)?;
    protocol::read(&mut stream, ANSWER_MOST)
}
