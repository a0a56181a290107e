//! Why the authority did not do what it was asked.

use std::io;
use std::path::PathBuf;

use policy::issuance::Profile;

use crate::hierarchy::{ImportError, Role};
use crate::ledger::LedgerError;
use crate::token::TokenPlace;

/// Why the authority did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// A file or directory could not be read or written.
    #[error("{}: cannot {action}: {cause}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What was tried, such as "read".
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// A file that must not be overwritten is there already.
    #[error("{} is there already", .0.display())]
    AlreadyThere(PathBuf),
    /// Others than the owner can reach a private file.
    #[error("{} can be read or written by others (mode {mode:04o})", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file's content is not what it must be.
    #[error("{}: {what}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The passphrase's file is not there.
    #[error("there is no passphrase for the keys at {}", .0.display())]
    NoPassphrase(PathBuf),
    /// The passphrase does not open the key.
    #[error("the passphrase does not open {}", .0.display())]
    WrongPassphrase(PathBuf),
    /// A passphrase or password without a single character.
    #[error("the password is empty")]
    EmptyPassphrase,
    /// The CA's key is not in the directory.
    #[error("the key of the {role} is not here: {} is missing", path.display())]
    KeyAway {
        /// Whose key.
        role: Role,
        /// Where it is looked for.
        path: PathBuf,
    },
    /// Key and certificate do not belong together.
    #[error("{} is not the key of the {role}", path.display())]
    OtherKey {
        /// Whose key it should be.
        role: Role,
        /// The key's file.
        path: PathBuf,
    },
    /// A private key of a kind that is not used here.
    #[error("the private key cannot be used: {0}")]
    UnusableKey(String),
    /// A token, or the library that leads to it, did not do what it was asked.
    #[error("the {place}: {what}")]
    Token {
        /// Which one.
        place: TokenPlace,
        /// What it said.
        what: String,
    },
    /// The plan is for another CA.
    #[error("the {role} does not issue `{profile}` certificates")]
    WrongIssuer {
        /// Who was asked.
        role: Role,
        /// For what.
        profile: Profile,
    },
    /// The public key is a CA's own.
    #[error("the key is that of the {0}, which is certified for nobody else")]
    KeyOfCa(Role),
    /// The plan ends after the CA does.
    #[error("the certificate would outlive the {0}")]
    OutlivesIssuer(Role),
    /// A host that the server CA may not name.
    #[error("the server CA is not allowed to name `{0}`")]
    NotPermitted(String),
    /// A site that is no host name or IP address.
    #[error("`{0}` is no host name or IP address")]
    BadSite(String),
    /// A subject that is no distinguished name (RFC 4514).
    #[error("`{0}` is no distinguished name")]
    BadSubject(String),
    /// An organisation name that cannot stand in a certificate.
    #[error("the organisation name must have 1 to 64 characters, and no control characters")]
    BadOrganisation,
    /// The certificate was put together wrongly and therefore not signed.
    #[error("the certificate is not as planned, and was not signed: {0}")]
    NotAsPlanned(&'static str),
    /// The examiner found a fault in it, and it was not signed.
    #[error("the certificate would be faulty, and was not signed: {what} ({id})")]
    Faulty {
        /// The check that found it.
        id: &'static str,
        /// What it found.
        what: String,
    },
    /// A key that a CA does not name for its OCSP answers, or did not.
    #[error("it is no key that this CA names for its OCSP answers")]
    NotDelegated,
    /// A password of the user's own for the compatible PKCS#12 profile.
    #[error("the compatible PKCS#12 profile takes a generated password only")]
    PasswordNotGenerated,
    /// The PKCS#12 file could not be made.
    #[error("the PKCS#12 file cannot be made: {0}")]
    Pkcs12(String),
    /// The record was refused, so the certificate was not given out.
    #[error("the certificate was not put on record, and is not given out")]
    NotOnRecord(#[source] LedgerError),
    /// A rollover of this CA is not finished.
    #[error("a rollover of the {0} is under way")]
    RolloverUnderWay(Role),
    /// There is no rollover to finish.
    #[error("no rollover of the {0} is under way")]
    NoRolloverUnderWay(Role),
    /// A CA that has no generations.
    #[error("the {0} has no rollover")]
    NoRollover(Role),
    /// A certificate that was signed elsewhere is not taken.
    #[error(transparent)]
    NotImported(#[from] ImportError),
    /// The operating system gave no random bytes.
    #[error("the operating system gives no randomness")]
    NoRandomness,
    /// The signature could not be made.
    #[error("the signature could not be made")]
    Signing,
    /// DER could not be written.
    #[error("the certificate cannot be encoded: {0}")]
    Encoding(#[from] der::Error),
}

impl AuthorityError {
    /// What to do next; printed after `help:`.
    pub fn remedy(&self) -> String {
        match self {
            Self::File { path, .. } => format!("Check that {} is there and yours.", path.display()),
            Self::AlreadyThere(path) => {
                format!("Use what is there, another directory, or move {} away first.", path.display())
            }
            Self::Exposed { path, .. } => {
                format!("If nobody has copied it: chmod go-rwx {}. Otherwise replace the key.", path.display())
            }
            Self::Unreadable { path, .. } => format!("Bring {} back from a backup.", path.display()),
            Self::NoPassphrase(path) => format!(
                "Put {} back, or name where the passphrase is: COUNTERSIGN_PASSPHRASE_FILE has a file's path, \
                 COUNTERSIGN_PASSPHRASE itself.",
                path.display()
            ),
            Self::WrongPassphrase(_) => "Give the passphrase this CA was made with.".into(),
            Self::EmptyPassphrase => "Give a password or passphrase, or let one be generated.".into(),
            Self::KeyAway { path, .. } => {
                format!("Bring the key back to {} for this step; it can be taken away afterwards.", path.display())
            }
            Self::OtherKey { .. } => "Bring back certificate and key of the same backup.".into(),
            Self::UnusableKey(_) => {
                "Give an unencrypted PKCS#8 key, ECDSA P-256 or P-384, RSA 3072 or Ed25519; `openssl pkcs8 -topk8 -nocrypt` converts."
                    .into()
            }
            Self::Token { .. } => {
                "See that the token is there, that its library can be loaded, and that the PIN is right; its vendor's tool, or `pkcs11-tool --module … --list-token-slots`, shows it."
                    .into()
            }
            Self::WrongIssuer { profile, .. } => format!("Use the {}.", Role::of(*profile)),
            Self::KeyOfCa(_) => "Make a new key; and find out who else has the CA's, if the request is not yours.".into(),
            Self::OutlivesIssuer(_) => "Choose an earlier end, or renew the issuing CA first.".into(),
            Self::NotPermitted(host) => format!("Have the root make a new server CA that may name {host}."),
            Self::BadSite(_) => "Give a name like portal.example.com, in its ASCII form, or an address.".into(),
            Self::BadSubject(_) => "Write it like `CN=svc-1,O=Lab,C=NL` (RFC 4514), the most particular part first.".into(),
            Self::BadOrganisation => "Choose another organisation name.".into(),
            Self::NotDelegated => "Nothing need be done: `run` has another key named.".into(),
            Self::PasswordNotGenerated => "Use the modern profile, or let the password be generated.".into(),
            Self::Pkcs12(_) => "Use a name of ordinary characters, or take the key and certificate as PEM.".into(),
            Self::NotImported(why) => why.remedy(),
            Self::RolloverUnderWay(_) => {
                "Finish it first: `countersign ca rollover status` says who still needs the old generation.".into()
            }
            Self::NoRolloverUnderWay(_) => "Begin one with `countersign ca rollover start`.".into(),
            Self::NoRollover(_) => "Give the client CA or the operator CA.".into(),
            Self::NotOnRecord(_) => "Check the database and its disk, then ask again.".into(),
            Self::Faulty { id, .. } => {
                format!("Nothing was issued. `countersign explain {id}` says what is wrong; ask for another name or key.")
            }
            Self::NotAsPlanned(_) | Self::NoRandomness | Self::Signing | Self::Encoding(_) => {
                "Nothing was issued. Please report this.".into()
            }
        }
    }
}
