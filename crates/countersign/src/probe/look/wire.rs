//! Handshake messages out of TLS records in clear (RFC 5246 sections 6.2.1 and 7.4), within a number of octets.

use std::io;

use examiner::report::shown;
use examiner::seen::End;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::secrets::Opener;

/// Octets that a handshake message may have: 256 kB, as all certificates of a host together.
const MOST_MESSAGE: usize = 256 << 10;
/// Octets that a record may have, with what encryption may add (RFC 5246 section 6.2.3).
const MOST_RECORD: usize = (16 << 10) + 2048;
/// Records without content that are passed over.
const MOST_EMPTY: usize = 32;

/// One handshake message.
pub struct Message {
    /// Its type (RFC 5246 section 7.4).
    pub kind: u8,
    /// Its body.
    pub body: Vec<u8>,
}

impl Message {
    /// The whole message with its head.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = vec![self.kind];
        all.extend(&(self.body.len() as u32).to_be_bytes()[1..]);
        all.extend(&self.body);
        all
    }
}

/// The messages of a stream.
pub struct Messages<S> {
    stream: S,
    /// Opens what is encrypted; `None` while all is in clear.
    opener: Option<Opener>,
    /// What came and is not handed out yet.
    waiting: Vec<u8>,
    is_first: bool,
    empty: usize,
}

impl<S: AsyncRead + Unpin> Messages<S> {
    /// The messages that come on this stream.
    pub fn of(stream: S) -> Self {
        Self { stream, opener: None, waiting: Vec::new(), is_first: true, empty: 0 }
    }

    /// From now on records are encrypted (TLS 1.3).
    pub fn open_with(&mut self, opener: Opener) {
        self.opener = Some(opener);
    }

    /// The next message, or how the handshake ended.
    pub async fn next(&mut self) -> Result<Message, End> {
        loop {
            if let Some([kind, a, b, c]) = self.waiting.first_chunk::<4>().copied() {
                let length = u32::from_be_bytes([0, a, b, c]) as usize;
                if length > MOST_MESSAGE {
                    return Err(unreadable(format!(
                        "the server announces a handshake message of {length} bytes; {MOST_MESSAGE} are read"
                    )));
                }
                if self.waiting.len() >= 4 + length {
                    let rest = self.waiting.split_off(4 + length);
                    let body = std::mem::replace(&mut self.waiting, rest).split_off(4);
                    return Ok(Message { kind, body });
                }
            }
            self.record().await?;
        }
    }

    /// Reads one record; warnings are passed over.
    async fn record(&mut self) -> Result<(), End> {
        let mut head = [0; 5];
        self.exactly(&mut head).await?;
        let [kind, major, _, a, b] = head;
        let length = usize::from(u16::from_be_bytes([a, b]));
        if std::mem::take(&mut self.is_first) && (!matches!(kind, 21 | 22) || major != 3) {
            return Err(self.no_tls(head).await);
        }
        if length > MOST_RECORD {
            return Err(unreadable(format!("the server sends a record of {length} bytes")));
        }
        let mut content = vec![0; length];
        self.exactly(&mut content).await?;
        let mut kind = kind;
        if let Some(opener) = self.opener.as_mut().filter(|_| kind == 23) {
            let opened = opener.open(head, content);
            (kind, content) =
                opened.ok_or_else(|| unreadable("a record of the server cannot be opened".into()))?;
        } else if kind == 20 && self.opener.is_some() {
            // A change of the cipher in name alone (RFC 8446 appendix D.4): it counts as an empty record.
            (kind, content) = (22, Vec::new());
        }
        match (kind, content.as_slice()) {
            (22, []) => {
                self.empty += 1;
                if self.empty > MOST_EMPTY {
                    return Err(unreadable("the server sends one empty record after another".into()));
                }
            }
            (22, _) => self.waiting.extend(content),
            (21, [_, 0]) => return Err(End::Closed),
            (21, [1, _]) => {
                self.empty += 1;
                if self.empty > MOST_EMPTY {
                    return Err(unreadable("the server sends one warning after another".into()));
                }
            }
            (21, [_, code]) => return Err(End::Alert { code: *code }),
            _ => {
                return Err(unreadable(format!(
                    "a record of type {kind} comes in the middle of the handshake"
                )));
            }
        }
        Ok(())
    }

    async fn exactly(&mut self, into: &mut [u8]) -> Result<(), End> {
        self.stream.read_exact(into).await.map(drop).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => unreadable(error.to_string()),
            _ => End::Closed,
        })
    }

    /// What speaks here instead of TLS, by its first words.
    async fn no_tls(&mut self, head: [u8; 5]) -> End {
        let mut words = head.to_vec();
        let mut more = [0; 59];
        // Whatever comes of it: the first words are enough.
        if let Ok(read) = self.stream.read(&mut more).await {
            words.extend(&more[..read]);
        }
        let line: Vec<u8> = words.into_iter().take_while(|b| !matches!(b, b'\r' | b'\n')).collect();
        match std::str::from_utf8(&line) {
            Ok(line) if line.chars().all(|c| !c.is_control()) && !line.is_empty() => {
                unreadable(format!("this is not TLS: the server answers \u{201c}{}\u{201d}", shown(line)))
            }
            _ => unreadable("this is not TLS: the server answers with other bytes".into()),
        }
    }
}

/// What cannot be read.
pub fn unreadable(why: String) -> End {
    End::Unreadable { why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<(u8, Vec<u8>)>, End) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut messages = Messages::of(bytes);
            let mut seen = Vec::new();
            loop {
                match messages.next().await {
                    Ok(message) => seen.push((message.kind, message.body)),
                    Err(end) => return (seen, end),
                }
            }
        })
    }

    fn why(bytes: &[u8]) -> String {
        all(bytes).1.to_string()
    }

    #[test]
    fn messages_are_put_together_across_records_and_taken_apart_within_one() {
        let bytes = [22, 3, 3, 0, 5, 2, 0, 0, 2, 7, 22, 3, 3, 0, 5, 8, 14, 0, 0, 0];
        assert_eq!(all(&bytes), (vec![(2, vec![7, 8]), (14, vec![])], End::Closed));
    }

    #[test]
    fn a_fatal_alert_ends_it_and_a_warning_does_not() {
        assert_eq!(all(&[21, 3, 1, 0, 2, 2, 40]), (vec![], End::Alert { code: 40 }));
        let warned = [21, 3, 1, 0, 2, 1, 112, 22, 3, 3, 0, 4, 14, 0, 0, 0];
        assert_eq!(all(&warned), (vec![(14, vec![])], End::Closed));
        assert_eq!(all(&[21, 3, 1, 0, 2, 1, 0]), (vec![], End::Closed));
    }

    #[test]
    fn what_is_not_tls_is_told_by_its_first_words() {
        let said = "this is not TLS: the server answers \u{201c}HTTP/1.1 400 Bad Request\u{201d}";
        assert_eq!(why(b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n"), said);
        assert_eq!(why(&[0; 8]), "this is not TLS: the server answers with other bytes");
        assert_eq!(why(b"HT"), End::Closed.to_string());
    }

    #[test]
    fn neither_messages_nor_records_nor_silence_grow_without_end() {
        assert_eq!(
            why(&[22, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff]),
            "the server announces a handshake message of 16777215 bytes; 262144 are read"
        );
        // As large as may be: it is waited for.
        assert_eq!(why(&[22, 3, 3, 0, 4, 2, 4, 0, 0]), End::Closed.to_string());
        assert_eq!(why(&[22, 3, 3, 0xff, 0xff]), "the server sends a record of 65535 bytes");
        assert_eq!(why(&[22, 3, 3, 0, 0].repeat(33)), "the server sends one empty record after another");
        assert_eq!(why(&[22, 3, 3, 0, 0].repeat(32)), End::Closed.to_string());
        assert_eq!(why(&[21, 3, 3, 0, 2, 1, 112].repeat(33)), "the server sends one warning after another");
    }
}
