//! What can go wrong, and what to do about it.

use std::path::PathBuf;

/// What the registry's verbs return.
pub type Result<T> = std::result::Result<T, RegistryError>;

/// Why the registry did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// Nothing by that name is on record.
    #[error("{what} is not on record")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// What is on record stands against it.
    #[error("{what}")]
    Conflict {
        /// What stands against what.
        what: String,
    },
    /// The public key has a holder or a past, and must not be certified again.
    #[error("{what}")]
    KeyKnown {
        /// What is known of it.
        what: String,
    },
    /// The invite is not open: it was never made, or is used, ended, withdrawn, or of somebody who is suspended.
    #[error("the invite is not open")]
    InviteNotOpen,
    /// No external account binding that can be used has this identifier.
    #[error("the account binding is not open")]
    BindingNotOpen,
    /// The account, or its party, gets nothing more, or the order was finished or has ended.
    #[error("the order is not open")]
    OrderNotOpen,
    /// What was given cannot be put on record.
    #[error("{what}")]
    Invalid {
        /// What is wrong with it.
        what: String,
    },
    /// The database was restored from a copy, and nobody has said yet that it holds.
    #[error("the registry was restored from a copy, which may lack revocations")]
    NotConfirmed,
    /// The database was written by a newer version.
    #[error("the registry has schema version {found}; this program knows versions up to {known}")]
    Newer {
        /// The version found.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
    /// There is no database.
    #[error("there is no registry at {}", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The key that signs the audit's heads cannot be had.
    #[error("the audit's key {} {what}", path.display())]
    AuditKey {
        /// Where it was looked for.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// Without an owner nobody could manage operators.
    #[error("this is the last owner")]
    LastOwner,
    /// The database holds something it should not.
    #[error("the registry is damaged: {0}")]
    Damaged(String),
    /// SQLite failed.
    #[error("the registry could not be read or written")]
    Storage(#[source] sqlx::Error),
}

impl RegistryError {
    /// What the operator can do next; printed after `help:`.
    pub fn remedy(&self) -> String {
        match self {
            Self::NotFound { .. } => "Look at the list for the names on record.",
            Self::Conflict { .. } => "Choose another name, or remove what is on record first.",
            Self::KeyKnown { .. } => "Make a new key: each party has keys of its own, and a key once lost is never used again.",
            Self::InviteNotOpen => "Make another with `countersign party invite`.",
            Self::BindingNotOpen => "Make another with `countersign party invite --acme`.",
            Self::OrderNotOpen => "Make a new order.",
            Self::Invalid { .. } => "Give a value of the form that is asked for.",
            Self::NotConfirmed => {
                "Revoke again what must stay revoked, then run `countersign reload --accept-restored`."
            }
            Self::Newer { .. } => "Use the program version that wrote it, or a newer one.",
            Self::Missing { .. } => {
                "Run `countersign init`, correct the path of the state directory, or run a `countersign state restore` that \
                 was interrupted again."
            }
            Self::AuditKey { .. } => {
                "Put the key back with mode 0600, or name its file in COUNTERSIGN_AUDIT_KEY_FILE. To begin with a new \
                 one, move `audit-heads` away first."
            }
            Self::LastOwner => "Make another owner first.",
            Self::Damaged(_) => "Stop the program and restore the state from a backup.",
            Self::Storage(_) => "Check the free space, the file's owner and its mode; the log has the cause.",
        }
        .into()
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    pub(crate) fn key_known(what: impl Into<String>) -> Self {
        Self::KeyKnown { what: what.into() }
    }

    pub(crate) fn conflict(what: impl Into<String>) -> Self {
        Self::Conflict { what: what.into() }
    }
}

impl From<sqlx::Error> for RegistryError {
    fn from(error: sqlx::Error) -> Self {
        // SQLITE_CORRUPT and SQLITE_NOTADB, in their primary codes.
        let damaged = match &error {
            sqlx::Error::Database(inner) => {
                let code = inner.code().and_then(|code| code.parse::<i64>().ok());
                matches!(code.map(|code| code & 0xff), Some(11 | 26))
            }
            sqlx::Error::ColumnDecode { .. } => true,
            _ => false,
        };
        if damaged { Self::Damaged(error.to_string()) } else { Self::Storage(error) }
    }
}
