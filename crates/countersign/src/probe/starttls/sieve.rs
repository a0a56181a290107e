//! ManageSieve (RFC 5804 section 2.2).

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

const COMMAND: &str = "STARTTLS";

/// Capabilities, STARTTLS.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut offers = Vec::new();
    loop {
        let line = line(talk).await?;
        if is(&line, "OK") {
            break;
        }
        if !line.starts_with('"') {
            return Err(talk.unexpected(&line));
        }
        offers.push(line);
    }
    let is_starttls = |line: &String| {
        line.split_ascii_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("\"STARTTLS\""))
    };
    if !offers.iter().any(is_starttls) {
        return Err(talk::not_offered(COMMAND, &offers.join(", ")));
    }
    talk.say(b"STARTTLS\r\n").await?;
    let answer = line(talk).await?;
    if is(&answer, "OK") { Ok(()) } else { Err(talk::refused(COMMAND, &answer)) }
}

/// The next line, with a literal string at its end read too (RFC 5804 section 1.2).
async fn line<S>(talk: &mut Talk<S>) -> Result<String, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut line = talk.line().await?;
    while let Some(length) = literal(&line) {
        let text = talk.octets(length).await?;
        line += &String::from_utf8_lossy(&text);
        line += &talk.line().await?;
    }
    Ok(line)
}

/// The length of the literal that begins at the end of a line: `{12}` or `{12+}`.
fn literal(line: &str) -> Option<usize> {
    let (_, length) = line.strip_suffix('}')?.rsplit_once('{')?;
    length.strip_suffix('+').unwrap_or(length).parse().ok()
}

/// Whether it is this answer.
fn is(line: &str, word: &str) -> bool {
    line.split([' ', '(']).next().is_some_and(|first| first.eq_ignore_ascii_case(word))
}
