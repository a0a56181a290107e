//! XMPP between client and server (RFC 6120 section 5.4).

use tokio::io::{AsyncRead, AsyncWrite};

use super::StartTlsError;
use super::talk::{self, Talk};

const COMMAND: &str = "starttls";
const REQUEST: &[u8] = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>";

/// A tag of XML, as far as it matters here.
struct Tag {
    /// Its name without a prefix.
    name: String,
    /// Whether it ends an element that an earlier tag began.
    is_end: bool,
    /// Whether it is an element by itself.
    is_empty: bool,
}

/// The stream's head, its features, starttls, proceed.
pub async fn speak<S>(talk: &mut Talk<S>, host: &str) -> Result<(), StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let head = format!(
        "<?xml version='1.0'?><stream:stream to='{}' version='1.0' xmlns='jabber:client' \
         xmlns:stream='http://etherx.jabber.org/streams'>",
        escaped(host)
    );
    talk.say(head.as_bytes()).await?;
    let offers = features(talk).await?;
    if !offers.iter().any(|name| name == COMMAND) {
        return Err(talk::not_offered(COMMAND, &format!("features {}", offers.join(", "))));
    }
    talk.say(REQUEST).await?;
    let answer = tag(talk).await?;
    if answer.name != "proceed" || answer.is_end {
        return Err(talk::refused(COMMAND, &answer.name));
    }
    if !answer.is_empty {
        let end = tag(talk).await?;
        if end.name != "proceed" || !end.is_end {
            return Err(talk.unexpected(&end.name));
        }
    }
    Ok(())
}

/// The names of the elements in the stream's features.
async fn features<S>(talk: &mut Talk<S>) -> Result<Vec<String>, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let begin = tag(talk).await?;
    if begin.name != "stream" || begin.is_end {
        return Err(talk.unexpected(&begin.name));
    }
    let first = tag(talk).await?;
    if first.name == "error" {
        // What is wrong, such as host-unknown, is the name of the element inside.
        let why = tag(talk).await?;
        return Err(talk.unexpected(&why.name));
    }
    if first.name != "features" || first.is_end {
        return Err(talk.unexpected(&first.name));
    }
    let mut offers = Vec::new();
    let mut depth = usize::from(!first.is_empty);
    while depth > 0 {
        let one = tag(talk).await?;
        if one.is_end {
            depth -= 1;
            continue;
        }
        if depth == 1 {
            offers.push(one.name);
        }
        depth += usize::from(!one.is_empty);
    }
    Ok(offers)
}

/// The next tag; text before it and declarations are passed over.
async fn tag<S>(talk: &mut Talk<S>) -> Result<Tag, StartTlsError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    loop {
        let mut text = Vec::new();
        // A `>` between quotation marks is no end.
        loop {
            text.extend(talk.until(b'>').await?);
            if !is_quoted(&text) {
                break;
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let Some((_, inner)) = text.split_once('<') else { return Err(talk.unexpected(&text)) };
        if inner.starts_with('?') {
            continue;
        }
        // What XMPP has no use for (RFC 6120 section 11.1).
        if inner.starts_with('!') {
            return Err(talk.unexpected(&text));
        }
        let inner = inner.trim_end_matches('>');
        let is_end = inner.starts_with('/');
        let is_empty = inner.ends_with('/') && !is_end;
        let name =
            inner.trim_start_matches('/').split([' ', '\t', '\r', '\n', '/']).next().unwrap_or_default();
        let name = name.rsplit(':').next().unwrap_or_default().to_owned();
        return Ok(Tag { name, is_end, is_empty });
    }
}

/// Whether a tag that begins in this text is inside of an attribute's value at its end.
fn is_quoted(text: &[u8]) -> bool {
    let Some(begin) = text.iter().position(|octet| *octet == b'<') else { return false };
    let mut open = None;
    for octet in &text[begin..] {
        match open {
            None if matches!(octet, b'"' | b'\'') => open = Some(*octet),
            Some(mark) if mark == *octet => open = None,
            _ => {}
        }
    }
    open.is_some()
}

/// Text between single quotation marks.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_host_cannot_end_its_attribute() {
        assert_eq!(super::escaped("a'b<c&d"), "a&apos;b&lt;c&amp;d");
    }
}
