//! Answers of a three-digit code, in one line or several (RFC 5321 section 4.2.1, RFC 959 section 4.2).

use tokio::io::{AsyncRead, AsyncWrite};

use super::talk::Talk;
use super::{OUR_NAME, StartTlsError, talk};

/// An answer.
pub struct Answer {
    /// Its code.
    pub code: u16,
    /// Its lines, without their codes.
    pub lines: Vec<String>,
}

impl Answer {
    /// Its words in one line.
    pub fn said(&self) -> String {
        format!("{} {}", self.code, self.lines.join(", "))
    }
}

/// The next answer. A line that belongs to none is the end: that is another protocol.
pub async fn answer<S>(talk: &mut Talk<S>) -> Result<Answer, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let first = talk.line().await?;
    let (code, mut goes_on, text) = parts(&first).ok_or_else(|| talk.unexpected(&first))?;
    let mut lines = vec![text.to_owned()];
    while goes_on {
        let line = talk.line().await?;
        match parts(&line) {
            Some((other, more, text)) if other == code => {
                goes_on = more;
                lines.push(text.to_owned());
            }
            // FTP may leave the code out of the lines between.
            _ => lines.push(line.trim().to_owned()),
        }
    }
    Ok(Answer { code, lines })
}

/// Code, whether more lines follow, and text.
fn parts(line: &str) -> Option<(u16, bool, &str)> {
    let code = line.get(..3).filter(|code| code.bytes().all(|octet| octet.is_ascii_digit()))?;
    let text = line.get(4..).unwrap_or_default();
    match line.as_bytes().get(3) {
        None | Some(b' ') => Some((code.parse().ok()?, false, text)),
        Some(b'-') => Some((code.parse().ok()?, true, text)),
        Some(_) => None,
    }
}

/// Greeting, hello, STARTTLS: the same in SMTP and LMTP but for the word of hello (RFC 3207 section 4).
pub async fn mail<S>(talk: &mut Talk<S>, hello: &str) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const COMMAND: &str = "STARTTLS";
    let greeting = answer(talk).await?;
    if greeting.code != 220 {
        return Err(talk.unexpected(&greeting.said()));
    }
    talk.say(format!("{hello} {OUR_NAME}\r\n").as_bytes()).await?;
    let offers = answer(talk).await?;
    if offers.code != 250 {
        return Err(talk.unexpected(&offers.said()));
    }
    // The first line names the server.
    if !offers.lines.iter().skip(1).any(|line| line.trim().eq_ignore_ascii_case(COMMAND)) {
        return Err(talk::not_offered(COMMAND, &offers.said()));
    }
    talk.say(b"STARTTLS\r\n").await?;
    match answer(talk).await? {
        go if go.code == 220 => Ok(()),
        other => Err(talk::refused(COMMAND, &other.said())),
    }
}
