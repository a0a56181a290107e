//! FTP (RFC 4217 section 4).

use tokio::io::{AsyncRead, AsyncWrite};

use super::talk::{self, Talk};
use super::{StartTlsError, lines};

const COMMAND: &str = "AUTH TLS";

/// Greeting, AUTH TLS.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut greeting = lines::answer(talk).await?;
    // "Ready in so many minutes": the greeting itself follows (RFC 959 section 5.4).
    if greeting.code == 120 {
        greeting = lines::answer(talk).await?;
    }
    if greeting.code != 220 {
        return Err(talk.unexpected(&greeting.said()));
    }
    talk.say(b"AUTH TLS\r\n").await?;
    let answer = lines::answer(talk).await?;
    match answer.code {
        234 => Ok(()),
        // It knows the command, and cannot or will not now (RFC 4217 section 4).
        431 | 534 => Err(talk::refused(COMMAND, &answer.said())),
        _ => Err(talk::not_offered(COMMAND, &answer.said())),
    }
}
