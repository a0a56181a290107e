//! The passphrase that the keys of a hierarchy are encrypted under.

use std::path::Path;

use secrecy::{ExposeSecret, SecretString};

use crate::error::AuthorityError;
use crate::{files, random};

/// A passphrase; never empty, never shown, wiped from memory when dropped.
#[derive(Clone, Debug)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// The passphrase `text`. `Err(EmptyPassphrase)` if it has no character.
    pub fn new(text: impl Into<String>) -> Result<Self, AuthorityError> {
        let text = SecretString::from(text.into());
        if text.expose_secret().is_empty() {
            return Err(AuthorityError::EmptyPassphrase);
        }
        Ok(Self(text))
    }

    /// A new one of 32 characters, 160 bits.
    pub fn generate() -> Result<Self, AuthorityError> {
        Self::new(random::text::<32>()?.as_str())
    }

    /// The first line of a file. A file that others can read is refused.
    pub fn read(path: &Path) -> Result<Self, AuthorityError> {
        let bytes = files::read_private(path).map_err(|error| match error {
            AuthorityError::File { path, cause, .. } if cause.kind() == std::io::ErrorKind::NotFound => {
                AuthorityError::NoPassphrase(path)
            }
            other => other,
        })?;
        Self::first_line(&bytes, path)
    }

    /// The first line of a credential that the service manager handed over. It may be readable by its group: an access
    /// list for the service's user alone shows as that.
    pub fn read_credential(path: &Path) -> Result<Self, AuthorityError> {
        Self::first_line(&files::read_credential(path)?, path)
    }

    fn first_line(bytes: &[u8], path: &Path) -> Result<Self, AuthorityError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| AuthorityError::Unreadable { path: path.into(), what: "is no UTF-8 text".into() })?;
        Self::new(text.lines().next().unwrap_or_default())
    }

    /// Writes it to a new file of mode 0600, with a line feed.
    pub fn write_new(&self, path: &Path) -> Result<(), AuthorityError> {
        let line = zeroize::Zeroizing::new(format!("{}\n", self.0.expose_secret()));
        files::write_new_private(path, line.as_bytes())
    }

    pub(crate) fn expose(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_not_empty_and_not_shown() {
        assert!(matches!(Passphrase::new(""), Err(AuthorityError::EmptyPassphrase)));
        let shown = format!("{:?}", Passphrase::new("correct horse").unwrap());
        assert!(!shown.contains("horse"), "{shown}");
    }

    #[test]
    fn a_generated_passphrase_is_read_back_from_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ca.passphrase");
        let made = Passphrase::generate().unwrap();
        made.write_new(&path).unwrap();
        assert_eq!(Passphrase::read(&path).unwrap().expose(), made.expose());
        assert_eq!(made.expose().len(), 32);
    }
}
