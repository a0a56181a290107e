//! Key, certificate and chain in one PKCS#12 file (RFC 7292), under a password.

use std::fmt;

use p12_keystore::{
    Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey as P12Key,
    PrivateKeyChain,
};
use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

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
    let key_id = extensions::key_id(&key.spki()?)?;
    seal(friendly_name, key.pkcs8(), key_id.as_bytes(), cert_der, chain, password, profile)
}

/// The same of any PKCS#8 key, DER; `key_id` joins it to its certificate in the file.
pub fn seal(
    friendly_name: &str,
    pkcs8: &[u8],
    key_id: &[u8],
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
    let entry = PrivateKeyChain::new(key_id, P12Key::from_der(pkcs8).map_err(failed)?, certificates);
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

/// What a PKCS#12 file holds.
pub struct Opened {
    /// The certificates, DER: the one that belongs to the key first, then in the file's order.
    pub certificates: Vec<Vec<u8>>,
    /// The first private key, PKCS#8 DER.
    pub key: Option<Zeroizing<Vec<u8>>>,
    /// What the file calls the key.
    pub name: Option<String>,
}

/// Why a PKCS#12 file was not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another password.
    #[error("the password does not open the PKCS#12 file")]
    WrongPassword,
    /// Sealed in a way that is not opened here.
    #[error("the PKCS#12 file is sealed in a way that is not opened here: {0}")]
    Unsupported(String),
    /// No PKCS#12, or a damaged one.
    #[error("the PKCS#12 file cannot be read: {0}")]
    Broken(String),
}

impl OpenError {
    /// What to do next; printed after `help:`.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::WrongPassword => {
                "give the file's password in the first line of a file: --password-file FILE"
            }
            Self::Unsupported(_) | Self::Broken(_) => {
                "convert it first: openssl pkcs12 -legacy -in FILE -nodes -out all.pem, and examine all.pem"
            }
        }
    }
}

/// Opens a PKCS#12 file. Nothing is verified but its MAC.
pub fn open(der: &[u8], password: &str) -> Result<Opened, OpenError> {
    use p12_keystore::error::Error;
    let archive = p12_keystore::Pkcs12Archive::from_pkcs12(der, password).map_err(|error| match error {
        Error::MacError(_) | Error::UnpadError => OpenError::WrongPassword,
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm | Error::InvalidParameters => {
            OpenError::Unsupported("an algorithm that is too old, or too many rounds".into())
        }
        Error::UnsupportedContentType => {
            OpenError::Unsupported("it is signed, not sealed by a password".into())
        }
        Error::Pkcs5Error(_) => OpenError::WrongPassword,
        other => OpenError::Broken(other.to_string()),
    })?;
    let id = archive.keys.first().and_then(|key| key.local_key_id.as_ref()).map(|id| id.as_ref().to_vec());
    let mut bags: Vec<_> = archive.certs.iter().collect();
    bags.sort_by_key(|bag| id.is_none() || bag.local_key_id != id);
    let first = archive.keys.first();
    Ok(Opened {
        certificates: bags.into_iter().map(|bag| bag.cert.as_der().to_vec()).collect(),
        key: first.map(|bag| Zeroizing::new(bag.key.as_der().to_vec())),
        name: first.and_then(|bag| bag.friendly_name.clone()),
    })
}

fn failed(error: p12_keystore::error::Error) -> AuthorityError {
    AuthorityError::Pkcs12(error.to_string())
}
