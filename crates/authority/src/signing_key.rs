//! A CA's key, wherever it is: in memory, out of its encrypted file, or in a token.

use std::path::Path;

use spki::AlgorithmIdentifierOwned;
use zeroize::Zeroizing;

use crate::error::AuthorityError;
use crate::keys::{self, KeyType, PrivateKey};
use crate::passphrase::Passphrase;
use crate::token::{self, TokenKey, TokenPlace};

/// Where the keys of CAs are made and kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum KeyStore {
    /// In files of the hierarchy, encrypted under its passphrase.
    #[default]
    Files,
    /// In a token; the passphrase is its PIN.
    Token(TokenPlace),
}

/// A CA's key.
#[derive(Debug)]
pub(crate) enum SigningKey {
    InMemory(PrivateKey),
    InToken(TokenKey),
}

impl SigningKey {
    /// A new one; `label` is what people see in a token.
    pub(crate) fn generate(
        store: &KeyStore,
        key_type: KeyType,
        label: &str,
        passphrase: &Passphrase,
    ) -> Result<Self, AuthorityError> {
        match store {
            KeyStore::Files => keys::generate(key_type).map(Self::InMemory),
            KeyStore::Token(place) => {
                TokenKey::generate(place, key_type, label, passphrase).map(Self::InToken)
            }
        }
    }

    /// What a key file holds: an encrypted key, or the address of one in a token. `path` is for the errors alone.
    pub(crate) fn open(bytes: &[u8], passphrase: &Passphrase, path: &Path) -> Result<Self, AuthorityError> {
        if !token::is_address(bytes) {
            return PrivateKey::from_encrypted_pem(bytes, passphrase, path).map(Self::InMemory);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| AuthorityError::Unreadable {
            path: path.into(),
            what: "holds no `pkcs11:` address".into(),
        })?;
        TokenKey::open(text, passphrase, path).map(Self::InToken)
    }

    /// What its key file is to hold.
    pub(crate) fn to_file(&self, passphrase: &Passphrase) -> Result<Zeroizing<String>, AuthorityError> {
        match self {
            Self::InMemory(key) => key.to_encrypted_pem(passphrase),
            Self::InToken(key) => Ok(Zeroizing::new(key.to_text())),
        }
    }

    /// Where its successor is made.
    pub(crate) fn store(&self) -> KeyStore {
        match self {
            Self::InMemory(_) => KeyStore::Files,
            Self::InToken(key) => KeyStore::Token(key.place().clone()),
        }
    }

    pub(crate) fn spki(&self) -> Result<Vec<u8>, AuthorityError> {
        match self {
            Self::InMemory(key) => key.spki(),
            Self::InToken(key) => Ok(key.spki().to_vec()),
        }
    }

    pub(crate) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        match self {
            Self::InMemory(key) => key.algorithm(),
            Self::InToken(key) => key.algorithm(),
        }
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        match self {
            Self::InMemory(key) => key.sign(message),
            Self::InToken(key) => key.sign(message),
        }
    }

    /// Takes it out of its token, where it is in one: nothing refers to it any more.
    pub(crate) fn forget(&self) {
        if let Self::InToken(key) = self {
            key.forget();
        }
    }
}
