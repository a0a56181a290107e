//! Where the passphrase of the authority's keys is.
//!
//! The places are looked at in this order, and the first that is named counts, whether it can be read or not:
//!
//! 1. the file that `COUNTERSIGN_PASSPHRASE_FILE` names;
//! 2. the variable `COUNTERSIGN_PASSPHRASE`;
//! 3. the credential `countersign.passphrase` of the service manager, where there is one;
//! 4. the file that was named when the authority was made;
//! 5. `ca.passphrase` in the state directory.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use authority::{AuthorityError, Passphrase};
use serde::{Serialize, Serializer};

use super::StateDir;

/// The variable that holds the passphrase itself.
pub const VARIABLE: &str = "COUNTERSIGN_PASSPHRASE";
/// The variable that names its file.
const FILE_VARIABLE: &str = "COUNTERSIGN_PASSPHRASE_FILE";
/// Where the service manager puts a service's credentials.
pub const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
/// The credential's name.
const CREDENTIAL: &str = "countersign.passphrase";

/// Where the passphrase is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassphrasePlace {
    /// In a file of mode 0600.
    File(PathBuf),
    /// In a credential of the service manager.
    Credential(PathBuf),
    /// In the variable `COUNTERSIGN_PASSPHRASE`.
    Variable,
}

impl PassphrasePlace {
    /// Where it is now.
    pub fn of(state: &StateDir) -> Self {
        Self::find(state, |name| std::env::var_os(name))
    }

    fn find(state: &StateDir, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        if let Some(named) = set(FILE_VARIABLE) {
            return Self::File(named.into());
        }
        if set(VARIABLE).is_some() {
            return Self::Variable;
        }
        let credential = set(CREDENTIALS).map(|folder| Path::new(&folder).join(CREDENTIAL));
        if let Some(credential) = credential.filter(|path| path.exists()) {
            return Self::Credential(credential);
        }
        match std::fs::read_to_string(state.passphrase_place()) {
            Ok(named) => Self::File(named.trim_end_matches('\n').into()),
            Err(_) => Self::File(state.path().join("ca.passphrase")),
        }
    }

    /// The passphrase.
    pub fn read(&self) -> Result<Passphrase, AuthorityError> {
        match self {
            Self::File(path) => Passphrase::read(path),
            Self::Credential(path) => Passphrase::read_credential(path),
            Self::Variable => Passphrase::new(std::env::var(VARIABLE).unwrap_or_default()),
        }
    }

    /// The file that it is in; none where it is in a variable.
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(path) | Self::Credential(path) => Some(path),
            Self::Variable => None,
        }
    }

    /// Whether there is one.
    pub fn exists(&self) -> bool {
        self.file().is_none_or(Path::exists)
    }
}

/// `state/ca.passphrase`, or `the variable COUNTERSIGN_PASSPHRASE`.
impl fmt::Display for PassphrasePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Credential(path) => write!(f, "the credential {}", path.display()),
            Self::Variable => write!(f, "the variable {VARIABLE}"),
        }
    }
}

impl Serialize for PassphrasePlace {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_place_that_is_named_counts() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path());
        let credential = dir.path().join(CREDENTIAL);
        let mut set: Vec<(&str, OsString)> = Vec::new();
        let found = |set: &[(&str, OsString)]| {
            PassphrasePlace::find(&state, |name| {
                set.iter().find(|(one, _)| *one == name).map(|(_, value)| value.clone())
            })
        };
        assert_eq!(found(&set), PassphrasePlace::File(dir.path().join("ca.passphrase")));
        std::fs::write(state.passphrase_place(), "/run/keys/countersign\n").unwrap();
        assert_eq!(found(&set), PassphrasePlace::File("/run/keys/countersign".into()));
        set.push((CREDENTIALS, dir.path().into()));
        assert_eq!(
            found(&set),
            PassphrasePlace::File("/run/keys/countersign".into()),
            "no credential is there"
        );
        std::fs::write(&credential, "secret\n").unwrap();
        assert_eq!(found(&set), PassphrasePlace::Credential(credential));
        set.push((VARIABLE, "".into()));
        assert!(matches!(found(&set), PassphrasePlace::Credential(_)), "an empty variable is none");
        set[1].1 = "secret".into();
        assert_eq!(found(&set), PassphrasePlace::Variable);
        set.push((FILE_VARIABLE, "/nowhere".into()));
        assert_eq!(found(&set), PassphrasePlace::File("/nowhere".into()), "also where it is not there");
    }
}
