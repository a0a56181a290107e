//! LDAP (RFC 4511 section 4.14).

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

/// LDAPMessage 1: ExtendedRequest with the name 1.3.6.1.4.1.1466.20037.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// ExtendedResponse, `[APPLICATION 24]`.
const RESPONSE: u8 = 0x78;

/// The extended request StartTLS, and its response.
pub async fn speak<S>(talk: &mut Talk<S>) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    const WHAT: &str = "StartTLS";
    talk.say(REQUEST).await?;
    let message = message(talk).await?;
    let Some((number, code, words)) = response(&message) else {
        return Err(talk.unexpected(&String::from_utf8_lossy(&message)));
    };
    match (number, code) {
        (1, 0) => Ok(()),
        // protocolError is what a server says that does not know the request, or has no TLS.
        (1, 2) => Err(talk::not_offered(WHAT, &format!("protocolError (2) {words}"))),
        (1, other) => Err(talk::refused(WHAT, &format!("{} ({other}) {words}", name(other)))),
        // Number 0 is a notice that the server disconnects (section 4.4.1).
        _ => Err(talk.unexpected(&words)),
    }
}

/// The contents of the next LDAPMessage.
async fn message<S>(talk: &mut Talk<S>) -> Result<Vec<u8>, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = talk.octets(2).await?;
    if head[0] != 0x30 {
        return Err(talk.unexpected(&String::from_utf8_lossy(&head)));
    }
    let length = match head[1] {
        short @ ..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let octets = talk.octets(usize::from(long & 0x7f)).await?;
            octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet))
        }
        _ => return Err(talk.unexpected("a message without a length")),
    };
    talk.octets(length).await
}

/// messageID, resultCode and diagnosticMessage of an ExtendedResponse.
fn response(message: &[u8]) -> Option<(u64, u64, String)> {
    let (number, rest) = element(message, 0x02)?;
    let (response, _) = element(rest, RESPONSE)?;
    let (code, rest) = element(response, 0x0a)?;
    let (_matched, rest) = element(rest, 0x04)?;
    let (words, _) = element(rest, 0x04)?;
    Some((integer(number)?, integer(code)?, String::from_utf8_lossy(words).into_owned()))
}

/// The contents of the element with this tag, and what is behind it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let rest = bytes.strip_prefix(&[tag])?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ ..=0x7f => (usize::from(*short), rest),
        long @ 0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
            (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    rest.split_at_checked(length)
}

/// A number of one to four octets that is not negative.
fn integer(bytes: &[u8]) -> Option<u64> {
    let is_plain = (1..=4).contains(&bytes.len()) && bytes[0] < 0x80;
    is_plain.then(|| bytes.iter().fold(0, |number, octet| number << 8 | u64::from(*octet)))
}

/// What people call a resultCode (RFC 4511 appendix A).
fn name(code: u64) -> &'static str {
    match code {
        1 => "operationsError",
        8 => "strongerAuthRequired",
        10 => "referral",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "result",
    }
}
