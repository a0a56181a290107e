//! Private keys: made, shown as PEM, encrypted at rest, and used to sign.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
};
use der::asn1::Any;
use der::pem::LineEnding;
use der::{Decode, SecretDocument};
use pkcs8::pkcs5::{pbes2, scrypt};
use pkcs8::{EncryptedPrivateKeyInfoRef, PrivateKeyInfoRef};
use policy::issuance::UnknownWord;
use rustls_pki_types::pem::{self, SectionKind};
use spki::{AlgorithmIdentifierOwned, ObjectIdentifier};
use zeroize::Zeroizing;

use crate::error::AuthorityError;
use crate::passphrase::Passphrase;
use crate::random;

/// Cost of the key derivation: scrypt with N = 2^14, r = 8, p = 5; 16 MB. A larger N is beyond what the `openssl`
/// command opens, and these files must open without this program too.
const SCRYPT: (u8, u32, u32) = (14, 8, 5);

const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const PLAIN: &str = "PRIVATE KEY";

/// The length of the RSA keys that are made and used here, in bytes of the modulus.
const RSA_3072_BYTES: usize = 384;

/// The kinds of key that are made here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyType {
    /// ECDSA on P-256, signing with SHA-256.
    #[default]
    EcdsaP256,
    /// ECDSA on P-384, signing with SHA-384.
    EcdsaP384,
    /// RSA of 3072 bits, signing with PKCS #1 version 1.5 and SHA-256: for software that knows nothing newer.
    Rsa3072,
    /// Ed25519 (RFC 8032); browsers do not take it.
    Ed25519,
}

impl KeyType {
    /// All of them, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::EcdsaP256, Self::EcdsaP384, Self::Rsa3072, Self::Ed25519];

    /// The word for it, as in `--key-type ecdsa-p256`.
    pub fn word(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::Rsa3072 => "rsa-3072",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The algorithm of its signatures (RFC 5758 section 3.2 and RFC 8410 section 3: without parameters; RFC 4055
    /// section 5: with NULL).
    pub(crate) fn algorithm(self) -> AlgorithmIdentifierOwned {
        let (oid, parameters) = match self {
            Self::EcdsaP256 => ("1.2.840.10045.4.3.2", None),
            Self::EcdsaP384 => ("1.2.840.10045.4.3.3", None),
            Self::Rsa3072 => ("1.2.840.113549.1.1.11", Some(Any::null())),
            Self::Ed25519 => ("1.3.101.112", None),
        };
        AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters }
    }
}

impl FromStr for KeyType {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|one| one.word() == text).ok_or_else(|| UnknownWord {
            text: text.escape_debug().to_string(),
            what: "kind of key",
            known: Self::ALL.map(Self::word).join(", "),
        })
    }
}

/// A private key: its PKCS#8 DER, wiped from memory when dropped.
pub struct PrivateKey {
    key_type: KeyType,
    pkcs8: Zeroizing<Vec<u8>>,
    pair: Pair,
}

/// The key as the cryptographic library holds it.
enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Makes a new key, with randomness of the operating system.
pub fn generate(key_type: KeyType) -> Result<PrivateKey, AuthorityError> {
    let (pair, pkcs8) = Pair::generate(key_type).map_err(|_| AuthorityError::NoRandomness)?;
    Ok(PrivateKey { key_type, pkcs8, pair })
}

impl Pair {
    /// A new one with its PKCS#8 DER, version 1: the one that all programs read.
    fn generate(key_type: KeyType) -> Result<(Self, Zeroizing<Vec<u8>>), Unspecified> {
        let kept = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
        Ok(match key_type {
            KeyType::EcdsaP256 | KeyType::EcdsaP384 => {
                let pair = EcdsaKeyPair::generate(curve(key_type))?;
                let document = pair.to_pkcs8v1()?;
                (Self::Ecdsa(pair), kept(document.as_ref()))
            }
            KeyType::Rsa3072 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072)?;
                let document = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)?;
                (Self::Rsa(pair), kept(document.as_ref()))
            }
            KeyType::Ed25519 => {
                let pair = Ed25519KeyPair::generate()?;
                let document = pair.to_pkcs8v1()?;
                (Self::Ed25519(pair), kept(document.as_ref()))
            }
        })
    }

    /// `None` where the DER holds a key of another kind.
    fn read(key_type: KeyType, der: &[u8]) -> Option<Self> {
        match key_type {
            KeyType::EcdsaP256 | KeyType::EcdsaP384 => {
                EcdsaKeyPair::from_pkcs8(curve(key_type), der).ok().map(Self::Ecdsa)
            }
            KeyType::Rsa3072 => RsaKeyPair::from_pkcs8(der)
                .ok()
                .filter(|pair| pair.public_modulus_len() == RSA_3072_BYTES)
                .map(Self::Rsa),
            KeyType::Ed25519 => Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed25519),
        }
    }

    fn public(&self) -> Result<PublicKeyX509Der<'static>, Unspecified> {
        match self {
            Self::Ecdsa(pair) => pair.public_key().as_der(),
            Self::Rsa(pair) => pair.public_key().as_der(),
            Self::Ed25519(pair) => pair.public_key().as_der(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let random = SystemRandom::new();
        Ok(match self {
            Self::Ecdsa(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        })
    }
}

fn curve(key_type: KeyType) -> &'static EcdsaSigningAlgorithm {
    match key_type {
        KeyType::EcdsaP384 => &ECDSA_P384_SHA384_ASN1_SIGNING,
        _ => &ECDSA_P256_SHA256_ASN1_SIGNING,
    }
}

impl PrivateKey {
    /// Reads an unencrypted PKCS#8 key (`PRIVATE KEY`) of one of the kinds made here. Other blocks are passed over.
    pub fn from_pem(text: &str) -> Result<Self, AuthorityError> {
        let mut rest = text.as_bytes();
        loop {
            let block = pem::from_buf(&mut rest).map_err(|_| unusable("the PEM text is broken"))?;
            match block {
                Some((SectionKind::PrivateKey, der)) => return Self::from_pkcs8(&Zeroizing::new(der)),
                Some((SectionKind::EcPrivateKey | SectionKind::RsaPrivateKey, der)) => {
                    drop(Zeroizing::new(der));
                    return Err(unusable("it is not in PKCS#8 form"));
                }
                Some(_) => {}
                None => return Err(unusable("there is no PRIVATE KEY block")),
            }
        }
    }

    /// Reads an unencrypted PKCS#8 key, DER (RFC 5958).
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, AuthorityError> {
        for key_type in KeyType::ALL {
            if let Some(pair) = Pair::read(key_type, der) {
                return Ok(Self { key_type, pkcs8: Zeroizing::new(der.to_vec()), pair });
            }
        }
        Err(unusable("it is no ECDSA P-256, ECDSA P-384, RSA 3072 or Ed25519 key in PKCS#8 form"))
    }

    /// Which kind it is.
    pub fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// Its PKCS#8 DER, unencrypted.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// Its PKCS#8 as PEM, unencrypted.
    pub fn to_pem(&self) -> Result<Zeroizing<String>, AuthorityError> {
        Ok(SecretDocument::try_from(self.pkcs8())?.to_pem(PLAIN, LineEnding::LF)?)
    }

    /// The public key's SubjectPublicKeyInfo, DER (RFC 5280 section 4.1.2.7).
    pub fn spki(&self) -> Result<Vec<u8>, AuthorityError> {
        let der = self.pair.public().map_err(|_| unusable("its public key cannot be written"))?;
        Ok(der.as_ref().to_vec())
    }

    /// Its PKCS#8 as PEM, encrypted with AES-256-CBC under a key that scrypt derives (RFC 8018, RFC 7914).
    pub(crate) fn to_encrypted_pem(
        &self,
        passphrase: &Passphrase,
    ) -> Result<Zeroizing<String>, AuthorityError> {
        let (log_n, r, p) = SCRYPT;
        let cost = scrypt::Params::new(log_n, r, p).map_err(|_| AuthorityError::Signing)?;
        let (salt, vector) = (random::bytes::<16>()?, random::bytes::<16>()?);
        let scheme = pbes2::Parameters::generate_scrypt_aes256cbc(cost, &salt, vector)
            .map_err(|_| AuthorityError::Signing)?;
        let document = PrivateKeyInfoRef::from_der(self.pkcs8())?
            .encrypt_with_params(scheme, passphrase.expose())
            .map_err(|_| AuthorityError::Signing)?;
        Ok(document.to_pem(ENCRYPTED, LineEnding::LF)?)
    }

    /// Reads what [`Self::to_encrypted_pem`] wrote; `path` is for the errors alone.
    pub(crate) fn from_encrypted_pem(
        bytes: &[u8],
        passphrase: &Passphrase,
        path: &Path,
    ) -> Result<Self, AuthorityError> {
        let unreadable = |what: &str| AuthorityError::Unreadable { path: path.into(), what: what.into() };
        let text = std::str::from_utf8(bytes).map_err(|_| unreadable("is no PEM text"))?;
        let (label, document) = SecretDocument::from_pem(text).map_err(|_| unreadable("is no PEM text"))?;
        if label != ENCRYPTED {
            return Err(unreadable("holds no encrypted private key"));
        }
        let sealed = EncryptedPrivateKeyInfoRef::from_der(document.as_bytes())
            .map_err(|_| unreadable("holds no encrypted private key"))?;
        let wrong = || AuthorityError::WrongPassphrase(path.into());
        let opened = sealed.decrypt(passphrase.expose()).map_err(|_| wrong())?;
        PrivateKeyInfoRef::from_der(opened.as_bytes()).map_err(|_| wrong())?;
        Self::from_pkcs8(opened.as_bytes())
    }

    pub(crate) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        self.key_type.algorithm()
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        self.pair.sign(message).map_err(|_| AuthorityError::Signing)
    }
}

/// Shows the kind alone.
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("key_type", &self.key_type).finish_non_exhaustive()
    }
}

/// The unencrypted private key of a PEM or DER file (PKCS#8, PKCS#1 or SEC 1) as PKCS#8 DER, of whatever kind and size.
pub fn to_pkcs8(bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, AuthorityError> {
    use rustls_pki_types::PrivateKeyDer;
    use rustls_pki_types::pem::PemObject;
    let key = match bytes.first() {
        Some(0x30) => PrivateKeyDer::try_from(bytes.to_vec()).map_err(unusable)?,
        _ => PrivateKeyDer::from_pem_slice(bytes)
            .map_err(|_| unusable("there is no private key in the file"))?,
    };
    let kept = |bytes: &[u8]| Zeroizing::new(bytes.to_vec());
    match key {
        PrivateKeyDer::Pkcs8(der) => Ok(kept(der.secret_pkcs8_der())),
        PrivateKeyDer::Pkcs1(der) => {
            let pair =
                RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| unusable("it is no RSA key"))?;
            let document =
                AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| unusable("it cannot be written"))?;
            Ok(kept(document.as_ref()))
        }
        PrivateKeyDer::Sec1(der) => {
            for key_type in [KeyType::EcdsaP256, KeyType::EcdsaP384] {
                if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve(key_type), der.secret_sec1_der()) {
                    let document = pair.to_pkcs8v1().map_err(|_| unusable("it cannot be written"))?;
                    return Ok(kept(document.as_ref()));
                }
            }
            Err(unusable("its curve is neither P-256 nor P-384"))
        }
        _ => Err(unusable("it is of an unknown form")),
    }
}

fn unusable(why: &str) -> AuthorityError {
    AuthorityError::UnusableKey(why.into())
}

#[cfg(test)]
mod tests {
    use examiner::PublicKey;

    use super::*;

    #[test]
    fn a_key_survives_pem() {
        for key_type in KeyType::ALL {
            let key = generate(key_type).unwrap();
            let again = PrivateKey::from_pem(&key.to_pem().unwrap()).unwrap();
            assert_eq!(again.spki().unwrap(), key.spki().unwrap());
            assert_eq!(again.key_type(), key_type);
            let public = PublicKey::from_spki(&key.spki().unwrap()).unwrap();
            let fits = match key_type {
                KeyType::EcdsaP256 => public == PublicKey::P256,
                KeyType::EcdsaP384 => public == PublicKey::P384,
                KeyType::Rsa3072 => matches!(public, PublicKey::Rsa { modulus_bits: 3072, .. }),
                KeyType::Ed25519 => public == PublicKey::Ed25519,
            };
            assert!(fits, "{key_type:?} is {public:?}");
            assert_eq!(key_type.word().parse(), Ok(key_type));
        }
    }

    #[test]
    fn what_is_no_usable_key_is_refused() {
        for text in ["", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            assert!(matches!(PrivateKey::from_pem(text), Err(AuthorityError::UnusableKey(_))), "{text}");
        }
    }

    #[test]
    fn an_encrypted_key_opens_with_its_passphrase_alone() {
        let path = Path::new("client.key");
        let key = generate(KeyType::EcdsaP256).unwrap();
        let sealed = key.to_encrypted_pem(&Passphrase::new("right").unwrap()).unwrap();
        let open = |text: &str| {
            PrivateKey::from_encrypted_pem(sealed.as_bytes(), &Passphrase::new(text).unwrap(), path)
        };
        assert_eq!(open("right").unwrap().spki().unwrap(), key.spki().unwrap());
        let refused = open("wrong").unwrap_err();
        assert!(matches!(refused, AuthorityError::WrongPassphrase(_)), "{refused}");
        assert_eq!(refused.to_string(), "the passphrase does not open client.key");
    }

    #[test]
    fn a_key_in_clear_is_not_taken_for_an_encrypted_one() {
        let key = generate(KeyType::EcdsaP256).unwrap();
        let clear = key.to_pem().unwrap();
        let passphrase = Passphrase::new("any").unwrap();
        let refused = PrivateKey::from_encrypted_pem(clear.as_bytes(), &passphrase, Path::new("client.key"));
        assert!(matches!(refused, Err(AuthorityError::Unreadable { .. })));
    }

    #[test]
    fn a_key_is_never_shown() {
        let key = generate(KeyType::EcdsaP256).unwrap();
        assert_eq!(format!("{key:?}"), "PrivateKey { key_type: EcdsaP256, .. }");
    }
}
