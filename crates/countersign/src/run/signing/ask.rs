//! The side that asks: one request, one answer.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::protocol::{
    self, ANSWER_MOST, Answer, Delegation, Proposal, REQUEST_MOST, Redemption, Reenrolment, Renewal, Request,
    Rollover,
};
use super::{acme, socket};
use crate::config::StateDir;
use crate::run::upkeep::Done;

/// The longest that what is due may take: many sites have certificates of their own.
const MOST: Duration = Duration::from_secs(600);
/// The longest that a machine waits for its renewal: others are before it, and so may be what is due.
const RENEWAL: Duration = Duration::from_secs(20);
/// The longest that is waited for a key to be named: somebody waits for an answer.
const SOON: Duration = Duration::from_secs(5);

/// Has what is due signed. `None` where nobody listens.
pub async fn upkeep(state: &StateDir) -> Option<Result<Done, String>> {
    let stream = UnixStream::connect(socket(state)).ok()?;
    Some(match asked(stream, Request::Upkeep {}, MOST).await {
        Ok(Answer::Done(done)) => Ok(done),
        other => Err(otherwise(other)),
    })
}

/// Has a key named for OCSP answers: its certificate, PEM.
pub async fn delegate(state: &StateDir, wanted: Delegation) -> Result<String, String> {
    let stream = UnixStream::connect(socket(state))
        .map_err(|error| format!("the authority cannot be asked: {error}"))?;
    match asked(stream, Request::Delegate(wanted), SOON).await {
        Ok(Answer::Delegated { pem }) => Ok(pem),
        other => Err(otherwise(other)),
    }
}

async fn asked(stream: UnixStream, request: Request, most: Duration) -> Result<Answer, String> {
    let asked = tokio::task::spawn_blocking(move || ask(stream, &request, most)).await;
    let answer = asked.map_err(|error| error.to_string())?;
    answer.map_err(|error| format!("the authority did not answer: {error}"))
}

/// What is said of an answer that is none to the request.
fn otherwise(answer: Result<Answer, String>) -> String {
    match answer {
        Ok(Answer::Refused { what, .. }) => format!("the authority refused: {what}"),
        Ok(_) => "the authority answered what was not asked".into(),
        Err(what) => what,
    }
}

/// Has a certificate issued to a party on record, for the console; where it may block.
pub fn issue(state: &StateDir, proposal: Proposal) -> std::io::Result<Answer> {
    certificate(state, &Request::Issue(proposal))
}

/// Has a certificate renewed, for the gate; where it may block.
pub fn renew(state: &StateDir, renewal: Renewal) -> std::io::Result<Answer> {
    certificate(state, &Request::Renew(renewal))
}

/// Has an invite redeemed, for the gate; where it may block.
pub fn redeem(state: &StateDir, redemption: Redemption) -> std::io::Result<Answer> {
    certificate(state, &Request::Redeem(redemption))
}

/// Has a certificate renewed for its own key, for the gate; where it may block.
pub fn reenrol(state: &StateDir, reenrolment: Reenrolment) -> std::io::Result<Answer> {
    certificate(state, &Request::Reenrol(reenrolment))
}

/// Has a client of ACME answered, for the gate; where it may block.
pub fn acme(state: &StateDir, asked: acme::Asked) -> std::io::Result<Answer> {
    certificate(state, &Request::Acme(asked))
}

/// Has a rollover begun or finished, for the console; where it may block.
pub fn rollover(state: &StateDir, rollover: Rollover) -> std::io::Result<Answer> {
    certificate(state, &Request::Rollover(rollover))
}

fn certificate(state: &StateDir, request: &Request) -> std::io::Result<Answer> {
    let stream = UnixStream::connect(socket(state))?;
    stream.set_write_timeout(Some(RENEWAL))?;
    ask(stream, request, RENEWAL)
}

fn ask(mut stream: UnixStream, request: &Request, most: Duration) -> std::io::Result<Answer> {
    stream.set_read_timeout(Some(most))?;
    protocol::write(&mut stream, request, REQUEST_MOST)?;
    protocol::read(&mut stream, ANSWER_MOST)
}
