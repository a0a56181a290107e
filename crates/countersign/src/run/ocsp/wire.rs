//! How the gate asks: one connection a question, over the socket in the state directory.
//!
//! The question is the request's DER, then the end of the stream. The answer is the moments from when and until when
//! others may keep it, eight octets each, zero where they may not, then the response's DER.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use examiner::UnixTime;
use gateway::{Ocsp, OcspAnswer};

use super::socket;
use crate::config::StateDir;

/// How long the gate waits to write, and to read.
const PATIENCE: Duration = Duration::from_secs(2);
/// The longest question.
pub const MOST_ASKED: u64 = 16 * 1024;
/// The longest answer: a hundred certificates, and two in it.
const MOST_ANSWERED: u64 = 128 * 1024;
/// The two moments before a response.
const HEAD: usize = 16;

/// Asks the process that may answer.
pub fn asking(state: StateDir) -> Ocsp {
    Arc::new(move |request| match ask(&state, request) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::debug!(%error, "the OCSP responder cannot be asked");
            None
        }
    })
}

fn ask(state: &StateDir, request: &[u8]) -> std::io::Result<Option<OcspAnswer>> {
    let mut stream = UnixStream::connect(socket(state))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut said = Vec::new();
    stream.take(MOST_ANSWERED).read_to_end(&mut said)?;
    Ok(read(said))
}

/// An answer as it is sent.
pub fn written(answer: &OcspAnswer) -> Vec<u8> {
    let (from, until) = answer.holds.map_or((0, 0), |(from, until)| (from.seconds(), until.seconds()));
    let mut bytes = Vec::with_capacity(HEAD + answer.der.len());
    bytes.extend(from.to_be_bytes());
    bytes.extend(until.to_be_bytes());
    bytes.extend(&answer.der);
    bytes
}

/// An answer as it was sent; `None` where the responder ended before it had said anything.
fn read(mut said: Vec<u8>) -> Option<OcspAnswer> {
    if said.len() <= HEAD {
        return None;
    }
    let der = said.split_off(HEAD);
    let moment = |bytes: &[u8]| bytes.try_into().map_or(0, i64::from_be_bytes);
    let (from, until) = (moment(&said[..8]), moment(&said[8..]));
    let holds = (until != 0).then_some((UnixTime(from), UnixTime(until)));
    Some(OcspAnswer { der: der.into(), holds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_sent_and_half_of_one_is_none() {
        for holds in [None, Some((UnixTime(1_803_902_400), UnixTime(1_803_906_000)))] {
            let answer = OcspAnswer { der: vec![0x30, 0].into(), holds };
            let sent = written(&answer);
            assert_eq!(read(sent.clone()), Some(answer));
            for length in 0..=HEAD {
                assert_eq!(read(sent[..length].to_vec()), None, "{length}");
            }
        }
    }
}
