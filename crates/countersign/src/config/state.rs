//! The state directory and the names of its files.

use std::path::{Path, PathBuf};

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

    /// The certificate of the own client CA.
    pub fn client_ca(&self) -> PathBuf {
        self.0.join("ca").join("client.pem")
    }

    /// The certificate of the own operator CA.
    pub fn operator_ca(&self) -> PathBuf {
        self.0.join("ca").join("operator.pem")
    }

    /// The directory of the OCSP responder's keys, `client.pem` and `operator.pem`, and of its socket.
    pub fn ocsp(&self) -> PathBuf {
        self.0.join("ocsp")
    }

    /// The file of the passphrase of the authority's keys: the one that `COUNTERSIGN_PASSPHRASE_FILE` names, else the
    /// one that was named when the authority was made, else the one that was made then.
    pub fn passphrase(&self) -> PathBuf {
        if let Some(named) = std::env::var_os("COUNTERSIGN_PASSPHRASE_FILE").filter(|named| !named.is_empty())
        {
            return named.into();
        }
        match std::fs::read_to_string(self.passphrase_place()) {
            Ok(named) => named.trim_end_matches('\n').into(),
            Err(_) => self.0.join("ca.passphrase"),
        }
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
