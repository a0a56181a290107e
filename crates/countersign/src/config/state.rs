//! The state directory and the names of its files.

use std::path::{Path, PathBuf};

use super::passphrase::PassphrasePlace;

/// The state directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDir(PathBuf);

impl StateDir {
    /// The directory at this path; whether it exists is another question.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The registry.
    pub fn database(&self) -> PathBuf {
        self.0.join("registry.db")
    }

    /// The directory of the authority's certificates and keys.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca")
    }

    /// The certificates of the own client CA: the present generation, and the old one while a rollover is under way.
    pub fn client_ca(&self) -> [PathBuf; 2] {
        ["client.pem", "client.old.pem"].map(|name| self.0.join("ca").join(name))
    }

    /// The certificates of the own operator CA, as of the client CA.
    pub fn operator_ca(&self) -> [PathBuf; 2] {
        ["operator.pem", "operator.old.pem"].map(|name| self.0.join("ca").join(name))
    }

    /// Where the passphrase of the authority's keys is.
    pub fn passphrase(&self) -> PassphrasePlace {
        PassphrasePlace::of(self)
    }

    /// Says where the passphrase is kept, where that is not here.
    pub fn passphrase_place(&self) -> PathBuf {
        self.0.join("ca.passphrase-file")
    }

    /// The first operator's certificate; `.key` and `.p12` stand beside it.
    pub fn operator(&self, extension: &str) -> PathBuf {
        self.0.join("operator").with_extension(extension)
    }

    /// Says, while it exists, that an operator accepts a restored registry as it is.
    pub fn accept_restored(&self) -> PathBuf {
        self.0.join("accept-restored")
    }

    /// How the upstreams fare, as the running gate sees them.
    pub fn upstreams(&self) -> PathBuf {
        self.0.join("upstreams.json")
    }

    /// One locked file for each gate that serves or drains.
    pub fn gates(&self) -> PathBuf {
        self.0.join("gates")
    }

    /// How the last upgrade ended.
    pub fn upgrade_status(&self) -> PathBuf {
        self.0.join("upgrade.status")
    }

    /// The pid of the running gate.
    pub fn lock(&self) -> PathBuf {
        self.0.join("run.lock")
    }
}
