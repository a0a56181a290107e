//! Key, certificate and chain in one PKCS#12 file (RFC 7292), under a password.

use std::fmt;

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey as P12Key,
    PrivateKeyChain,
};
use secrecy::{ExposeSecret, SecretString};

use crate::error::AuthorityError;
use crate::keys::PrivateKey;
use crate::{extensions, random};

/// Rounds of the derivation of key and MAC from a password.
const ITERATIONS: u32 = 100_000;

/// Which programs can open the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Triple-DES and a SHA-1 MAC: opens on all systems. Only ever under a generated password.
    #[default]
    Compatible,
    /// AES-256 and a SHA-256 MAC.
    Modern,
}

/// The password of a file; never empty, never shown.
#[derive(Clone)]
pub struct Password {
    text: SecretString,
    generated: bool,
}

/// A new password: 20 characters that cannot be taken for one another, 100 random bits.
pub fn generate_password() -> Result<Password, AuthorityError> {
    Ok(Password { text: SecretString::from(random::text::<20>()?.as_str()), generated: true })
}

impl Password {
    /// A password of the user's own, for [`Profile::Modern`]. `Err(EmptyPassphrase)` if it has no character.
    pub fn chosen(text: impl Into<String>) -> Result<Self, AuthorityError> {
        let text = SecretString::from(text.into());
        if text.expose_secret().is_empty() {
            return Err(AuthorityError::EmptyPassphrase);
        }
        Ok(Self { text, generated: false })
    }

    /// The password itself, to be shown once.
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Password").field("generated", &self.generated).finish_non_exhaustive()
    }
}

/// Makes the file: `key` and its certificate under `friendly_name`, then the CAs of `chain`; all DER.
///
/// `Err(PasswordNotGenerated)` for a password of the user's own with the compatible profile, whose encryption is
/// too weak for one.
pub fn export(
    friendly_name: &str,
    key: &PrivateKey,
    cert_der: &[u8],
    chain: &[Vec<u8>],
    password: &Password,
    profile: Profile,
) -> Result<Vec<u8>, AuthorityError> {
    if profile == Profile::Compatible && !password.generated {
        return Err(AuthorityError::PasswordNotGenerated);
    }
    let (encryption, mac) = match profile {
        Profile::Compatible => (EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc, MacAlgorithm::HmacSha1),
        Profile::Modern => (EncryptionAlgorithm::PbeWithHmacSha256AndAes256, MacAlgorithm::HmacSha256),
    };
    let mut certificates = Vec::new();
    for der in std::iter::once(cert_der).chain(chain.iter().map(Vec::as_slice)) {
        certificates.push(Certificate::from_der(der).map_err(failed)?);
    }
    let entry = PrivateKeyChain::new(
        extensions::key_id(&key.spki()?)?.as_bytes(),
        P12Key::from_der(key.pkcs8()).map_err(failed)?,
        certificates,
    );
    let mut store = KeyStore::new();
    store.add_entry(friendly_name, KeyStoreEntry::PrivateKeyChain(entry));
    store
        .writer(password.expose())
        .encryption_algorithm(encryption)
        .encryption_iterations(ITERATIONS)
        .mac_algorithm(mac)
        .mac_iterations(ITERATIONS)
        .write()
        .map_err(failed)
}

fn failed(error: p12_keystore::error::Error) -> AuthorityError {
    AuthorityError::Pkcs12(error.to_string())
}
