//! The keys of external account bindings (RFC 8555 section 7.3.4): each is made of the binding's identifier and a secret of
//! the state directory, so that the database has none of them, and an identifier that is unknown costs what a known one does.

use std::path::PathBuf;

use authority::{AuthorityError, files};
use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::config::StateDir;

/// What the secret is used for.
const CONTEXT: &str = "countersign external account binding, version 1\n";
/// Octets of the secret.
const LENGTH: usize = 32;

/// The secret that keys of bindings are made of.
pub struct Secret(hmac::Key);

impl Secret {
    /// The one of this state directory, made where there is none. `Err(Exposed)` where others than its owner can read it.
    pub fn read_or_make(state: &StateDir) -> Result<Self, AuthorityError> {
        let path = path(state);
        if !path.exists() {
            let mut octets = Zeroizing::new([0; LENGTH]);
            getrandom::fill(octets.as_mut_slice()).map_err(|error| AuthorityError::File {
                path: path.clone(),
                action: "make",
                cause: std::io::Error::other(error.to_string()),
            })?;
            match files::write_new_private(&path, octets.as_slice()) {
                // Of two that make it, one wins.
                Ok(()) | Err(AuthorityError::AlreadyThere(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let octets = files::read_private(&path)?;
        if octets.len() != LENGTH {
            let cause = std::io::Error::new(std::io::ErrorKind::InvalidData, "it does not hold 32 octets");
            return Err(AuthorityError::File { path, action: "read", cause });
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &octets)))
    }

    /// The key of the binding with this identifier.
    pub fn key(&self, id: &str) -> Zeroizing<Vec<u8>> {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(CONTEXT.as_bytes());
        context.update(id.as_bytes());
        Zeroizing::new(context.sign().as_ref().to_vec())
    }
}

/// Where the secret is.
fn path(state: &StateDir) -> PathBuf {
    state.path().join("acme.key")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_binding_has_one_key_that_lasts_and_no_other_has() {
        let here = tempfile::tempdir().unwrap();
        let state = StateDir::at(here.path());
        let first = Secret::read_or_make(&state).unwrap().key("a");
        assert_eq!(first.len(), 32);
        let again = Secret::read_or_make(&state).unwrap();
        assert_eq!(again.key("a"), first);
        assert_ne!(again.key("b"), first);
        assert_eq!(path(&state).metadata().unwrap().permissions().mode() & 0o777, 0o600);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(Secret::read_or_make(&StateDir::at(elsewhere.path())).unwrap().key("a"), first);
        std::fs::set_permissions(path(&state), std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Secret::read_or_make(&state), Err(AuthorityError::Exposed { .. })));
    }
}
