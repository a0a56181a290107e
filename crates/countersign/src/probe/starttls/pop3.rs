//! POP3 (RFC 2595 section 4).

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

const COMMAND: &str = "STLS";

/// Greeting, CAPA, STLS. A server without CAPA may have STLS all the same: it is asked.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = talk.line().await?;
    if !is_ok(&greeting) {
        return Err(talk.unexpected(&greeting));
    }
    talk.say(b"CAPA\r\n").await?;
    if is_ok(&talk.line().await?) {
        let mut offers = Vec::new();
        loop {
            match talk.line().await? {
                end if end == "." => break,
                line => offers.push(line),
            }
        }
        if !offers.iter().any(|line| line.trim().eq_ignore_ascii_case(COMMAND)) {
            return Err(talk::not_offered(COMMAND, &offers.join(", ")));
        }
    }
    talk.say(b"STLS\r\n").await?;
    let answer = talk.line().await?;
    if is_ok(&answer) { Ok(()) } else { Err(talk::refused(COMMAND, &answer)) }
}

fn is_ok(line: &str) -> bool {
    line == "+OK" || line.starts_with("+OK ")
}
