//! Plans become certificates and lists; the only sight of the private keys.
//!
//! No clock, no runtime, no database: every moment comes in as a value. In reading order:
//!
//! - [`hierarchy`]: the root and the three issuing CAs in their directory; opened, unlocked, renewed.
//! - [`signer`]: an unlocked CA; makes certificates from checked plans, and puts them on record.
//! - [`ledger`]: where each certificate is written before it leaves.
//! - [`csr`]: the public key of a request, once its owner has shown to hold it.
//! - [`request`]: a request of our own, for another issuer. [`renewal`]: who asks for the next certificate has the present
//!   one's key. [`challenge`]: what another issuer is shown before it issues.
//! - [`crl`]: revocation lists; [`ocsp`]: answers about single certificates, and who may sign them.
//! - [`pkcs12`]: key and certificate in one file, under a password.
//! - [`keys`], [`passphrase`], [`files`]: private keys, at rest and in memory. [`token`]: keys that never leave a token.
//!
//! What is signed is put together in `assemble`, from the extensions in `extensions` and the names in `names`.

#![forbid(unsafe_code)]

pub mod challenge;
pub mod crl;
pub mod csr;
pub mod files;
pub mod hierarchy;
pub mod keys;
pub mod ledger;
pub mod ocsp;
pub mod passphrase;
pub mod pkcs12;
pub mod renewal;
pub mod request;
pub mod signer;

mod assemble;
mod error;
mod extensions;
mod names;
mod random;
mod signing_key;
pub mod token;
mod verify;

pub use error::AuthorityError;
pub use hierarchy::{CreateOptions, Hierarchy, ImportError, Role};
pub use keys::{KeyType, PrivateKey};
pub use ledger::{IssuedRecord, Ledger, LedgerError};
pub use passphrase::Passphrase;
pub use signer::{Issued, Shard, Signer};
pub use signing_key::KeyStore;
pub use token::TokenPlace;
