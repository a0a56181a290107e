//! IMAP (RFC 9051 section 6.2.1).

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

const COMMAND: &str = "STARTTLS";

/// Greeting, CAPABILITY, STARTTLS.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let greeting = talk.line().await?;
    // Who is logged in already may not change to TLS any more (RFC 9051 section 7.1.4).
    if begins(&greeting, "* PREAUTH") {
        return Err(talk::not_offered(COMMAND, &greeting));
    }
    if !begins(&greeting, "* OK") {
        return Err(talk.unexpected(&greeting));
    }
    talk.say(b"a1 CAPABILITY\r\n").await?;
    let (untagged, answer) = answer(talk, "a1").await?;
    if !begins(&answer, "a1 OK") {
        return Err(talk.unexpected(&answer));
    }
    let offers: Vec<&String> = untagged.iter().filter(|line| begins(line, "* CAPABILITY")).collect();
    let has = |line: &&&String| line.split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(COMMAND));
    if offers.iter().find(has).is_none() {
        let said = offers.first().copied().unwrap_or(&answer);
        return Err(talk::not_offered(COMMAND, said));
    }
    talk.say(b"a2 STARTTLS\r\n").await?;
    let (_, answer) = self::answer(talk, "a2").await?;
    if begins(&answer, "a2 OK") { Ok(()) } else { Err(talk::refused(COMMAND, &answer)) }
}

/// The untagged lines, and the one with our tag.
async fn answer<S>(talk: &mut Talk<S>, tag: &str) -> Result<(Vec<String>, String), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut untagged = Vec::new();
    loop {
        let line = talk.line().await?;
        if line.split(' ').next() == Some(tag) {
            return Ok((untagged, line));
        }
        if !line.starts_with("* ") {
            return Err(talk.unexpected(&line));
        }
        untagged.push(line);
    }
}

/// Whether the line begins with these words, in any case.
fn begins(line: &str, words: &str) -> bool {
    let head = line.get(..words.len()).is_some_and(|head| head.eq_ignore_ascii_case(words));
    head && matches!(line.as_bytes().get(words.len()), None | Some(b' '))
}
