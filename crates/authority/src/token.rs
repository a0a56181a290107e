//! Keys that never leave a token: a smart card or hardware module, reached through its vendor's PKCS#11 library.
//!
//! One thread owns the library and its sessions, one session a token: a library is initialised once in a process. What a
//! CA's key file holds is then the key's address, as a PKCS#11 URI (RFC 7512), and the passphrase is the token's PIN.
//!
//! - [`uri`]: that address. `owner`: the thread. `wire`: what tokens give and take, as certificates have it.

use std::fmt;
use std::path::{Path, PathBuf};

use spki::AlgorithmIdentifierOwned;

use crate::error::AuthorityError;
use crate::keys::KeyType;
use crate::passphrase::Passphrase;
use crate::{random, verify};

mod owner;
pub mod uri;
mod wire;

use owner::{Fault, Owner};
use uri::Address;

/// A token, and the library that leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenPlace {
    /// The vendor's library, such as `/usr/lib/softhsm/libsofthsm2.so`.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
}

impl fmt::Display for TokenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "token `{}` of {}", self.token.escape_debug(), self.module.display())
    }
}

/// A key in a token.
pub(crate) struct TokenKey {
    address: Address,
    key_type: KeyType,
    spki: Vec<u8>,
    owner: Owner,
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenKey").field("address", &self.address).finish_non_exhaustive()
    }
}

impl TokenKey {
    /// Makes a key in the token; it cannot be taken out.
    pub(crate) fn generate(
        place: &TokenPlace,
        key_type: KeyType,
        label: &str,
        pin: &Passphrase,
    ) -> Result<Self, AuthorityError> {
        let owner = Owner::of(place)?;
        let told = |fault: Fault| explained(place, None, fault);
        owner.open(place, pin).map_err(told)?;
        let id = random::bytes::<16>()?.to_vec();
        let spki = owner.generate(place, key_type, &id, label).map_err(told)?;
        let key = Self { address: Address { place: place.clone(), id }, key_type, spki, owner };
        if let Err(error) = key.try_out() {
            key.forget();
            return Err(error);
        }
        Ok(key)
    }

    /// The key at this address; `path` is the file that has the address, for the errors.
    pub(crate) fn open(text: &str, pin: &Passphrase, path: &Path) -> Result<Self, AuthorityError> {
        let address = Address::parse(text.trim_end())
            .map_err(|what| AuthorityError::Unreadable { path: path.into(), what })?;
        let owner = Owner::of(&address.place)?;
        let told = |fault: Fault| explained(&address.place, Some(path), fault);
        owner.open(&address.place, pin).map_err(told)?;
        let (key_type, spki) = owner.find(&address.place, &address.id).map_err(told)?;
        Ok(Self { address, key_type, spki, owner })
    }

    /// What a CA's key file holds: where the key is.
    pub(crate) fn to_text(&self) -> String {
        format!("{}\n", self.address)
    }

    pub(crate) fn place(&self) -> &TokenPlace {
        &self.address.place
    }

    pub(crate) fn algorithm(&self) -> AlgorithmIdentifierOwned {
        self.key_type.algorithm()
    }

    pub(crate) fn spki(&self) -> &[u8] {
        &self.spki
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, AuthorityError> {
        let signed = self.owner.sign(&self.address.place, &self.address.id, self.key_type, message);
        signed.map_err(|fault| explained(&self.address.place, None, fault))
    }

    /// Deletes it from its token, as far as that lets itself be asked.
    pub(crate) fn forget(&self) {
        let _ = self.owner.forget(&self.address.place, &self.address.id);
    }

    /// Whether what it signs is verified by the public key that the token names.
    fn try_out(&self) -> Result<(), AuthorityError> {
        const WORDS: &[u8] = b"countersign: whether this key signs";
        let signature = self.sign(WORDS)?;
        verify::verify(&self.spki, self.algorithm().oid, WORDS, &signature).map_err(|_| {
            let what = "what it signs is not verified by the public key that it names".into();
            AuthorityError::Token { place: self.address.place.clone(), what }
        })
    }
}

/// Where the text of a key file says that the key is in a token.
pub(crate) fn is_address(bytes: &[u8]) -> bool {
    bytes.starts_with(uri::SCHEME.as_bytes())
}

fn explained(place: &TokenPlace, path: Option<&Path>, fault: Fault) -> AuthorityError {
    match (fault, path) {
        (Fault::WrongPin, Some(path)) => AuthorityError::WrongPassphrase(path.into()),
        (Fault::WrongPin, None) => {
            AuthorityError::Token { place: place.clone(), what: "the PIN does not open it".into() }
        }
        (Fault::Other(what), _) => AuthorityError::Token { place: place.clone(), what },
    }
}
