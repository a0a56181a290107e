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

    /// The passphrase of the authority's keys, where `init` made one.
    pub fn passphrase(&self) -> PathBuf {
        self.0.join("ca.passphrase")
    }

    /// The first operator's certificate; `.key` and `.p12` stand beside it.
    pub fn operator(&self, extension: &str) -> PathBuf {
        self.0.join("operator").with_extension(extension)
    }

    /// Says, while it exists, that an operator accepts a restored registry as it is.
    pub fn accept_restored(&self) -> PathBuf {
        self.0.join("accept-restored")
    }

    /// The pid of the running gate.
    pub fn lock(&self) -> PathBuf {
        self.0.join("run.lock")
    }
}
