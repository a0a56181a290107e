//! Lists of known-bad keys.
//!
//! A list is text. Its head says what it is; then one digest stands on each line, in hexadecimal:
//!
//! ```text
//! kind: compromised
//! digest: sha256-spki
//! made: 2026-05-01
//! # Anything after a number sign is a remark.
//! 3b1f…
//! ```
//!
//! `kind` is `debian-weak` or `compromised`. `digest` says of what each line is a digest:
//!
//! - `sha256-spki`: SHA-256 of the subjectPublicKeyInfo's DER, 64 digits; for keys of every kind.
//! - `debian`: the last 20 digits of SHA-1 of `Modulus=`, the RSA modulus in upper-case hexadecimal, and a line feed, as
//!   in the `openssl-blacklist` package of Debian. Its files can be used under such a head.

use std::collections::HashSet;
use std::fmt::Write;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

use crate::cert::UnixTime;
use crate::chain::{Key, KeyParts};

/// After how many days a list is told to be old.
pub const OLD_AFTER_DAYS: i64 = 365;

/// What the keys of a list have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyListKind {
    /// Made by the broken random numbers of Debian's OpenSSL (CVE-2008-0166).
    DebianWeak,
    /// Their private parts are known to others.
    Compromised,
}

/// Known-bad keys, by digests.
#[derive(Clone, Debug)]
pub struct KeyList {
    /// What they have in common.
    pub kind: KeyListKind,
    /// When the list was made.
    pub made: UnixTime,
    form: Form,
    digests: HashSet<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Sha256Spki,
    Debian,
}

/// A text that is no list of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyListError {
    /// A line of the head is missing.
    #[error("the list of keys has no line `{0}:` in its head")]
    Missing(&'static str),
    /// A line cannot be understood.
    #[error("line {line} of the list of keys: expected {expected}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What ought to stand there.
        expected: &'static str,
    },
}

impl KeyList {
    /// Reads a list. A line that is none fails the whole: half a list would pass keys in silence.
    pub fn read(text: &str) -> Result<Self, KeyListError> {
        let (mut kind, mut form, mut made) = (None, None, None);
        let mut digests = HashSet::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let wrong = |expected| KeyListError::Line { line: at + 1, expected };
            if line.is_empty() {
                continue;
            }
            match line.split_once(':').map(|(name, value)| (name.trim(), value.trim())) {
                Some(("kind", "debian-weak")) => kind = Some(KeyListKind::DebianWeak),
                Some(("kind", "compromised")) => kind = Some(KeyListKind::Compromised),
                Some(("kind", _)) => return Err(wrong("`debian-weak` or `compromised`")),
                Some(("digest", "sha256-spki")) => form = Some(Form::Sha256Spki),
                Some(("digest", "debian")) => form = Some(Form::Debian),
                Some(("digest", _)) => return Err(wrong("`sha256-spki` or `debian`")),
                Some(("made", day)) => {
                    made = Some(UnixTime::parse(day).map_err(|_| wrong("a day such as 2026-05-01"))?);
                }
                Some(_) => return Err(wrong("`kind`, `digest`, `made` or a digest")),
                None => {
                    let form = form.ok_or(KeyListError::Missing("digest"))?;
                    let bytes = data_encoding::HEXLOWER_PERMISSIVE.decode(line.as_bytes()).ok();
                    let bytes = bytes.filter(|bytes| bytes.len() == form.octets());
                    digests.insert(bytes.ok_or_else(|| wrong(form.words()))?);
                }
            }
        }
        Ok(Self {
            kind: kind.ok_or(KeyListError::Missing("kind"))?,
            made: made.ok_or(KeyListError::Missing("made"))?,
            form: form.ok_or(KeyListError::Missing("digest"))?,
            digests,
        })
    }

    /// Whether the list names this key; `spki` is its DER.
    pub fn holds(&self, spki: &[u8], key: &Key) -> bool {
        let found = match (self.form, &key.parts) {
            (Form::Sha256Spki, _) => digest(&SHA256, spki).as_ref().to_vec(),
            (Form::Debian, KeyParts::Rsa { modulus, .. }) => {
                let mut text = "Modulus=".to_owned();
                for octet in modulus {
                    // Writing to a String does not fail.
                    let _ = write!(text, "{octet:02X}");
                }
                text.push('\n');
                digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref()[10..].to_vec()
            }
            (Form::Debian, _) => return false,
        };
        self.digests.contains(&found)
    }
}

impl Form {
    fn octets(self) -> usize {
        match self {
            Self::Sha256Spki => 32,
            Self::Debian => 10,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Sha256Spki => "64 hexadecimal digits",
            Self::Debian => "20 hexadecimal digits",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "kind: debian-weak\ndigest: debian\nmade: 2026-05-01\n";

    #[test]
    fn a_list_that_is_not_whole_is_refused() {
        assert!(KeyList::read(&format!("{HEAD}# remark\n0123456789abcdef0123\n")).is_ok());
        let line = |text: &str| match KeyList::read(&format!("{HEAD}{text}\n")) {
            Err(KeyListError::Line { line, .. }) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(line("0123"), 4);
        assert_eq!(line("0123456789abcdef012g"), 4);
        assert_eq!(line("colour: red"), 4);
        assert_eq!(line("made: yesterday"), 4);
        for name in ["kind", "digest", "made"] {
            let without: String =
                HEAD.lines().filter(|l| !l.starts_with(name)).map(|l| format!("{l}\n")).collect();
            assert_eq!(KeyList::read(&without).err(), Some(KeyListError::Missing(name)));
        }
    }
}
