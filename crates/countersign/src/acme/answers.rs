//! What the gate shows a CA that asks whether a name leads here: one file a name in `state/acme/answers`, as long as the
//! challenge is open. The process that orders writes it, the gate reads it when it is asked.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use authority::{KeyType, challenge, files, keys};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use examiner::UnixTime;
use gateway::{Challenges, OpenChallenge};
use policy::HostName;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use super::client::AcmeError;
use super::kept;
use crate::config::StateDir;

/// Older ones were left by a process that was killed, and are not shown.
const LIFE: Duration = Duration::from_secs(3600);

/// A file's content.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    /// tls-alpn-01: certificate and PKCS#8 key, DER, base 64.
    Tls {
        /// The certificate.
        certificate: String,
        /// Its key.
        key: String,
    },
    /// http-01.
    Http {
        /// The token.
        token: String,
        /// The key authorization.
        answer: String,
    },
}

/// An answer that the gate gives until this is dropped.
pub struct Answer {
    path: PathBuf,
}

impl Answer {
    /// By tls-alpn-01 (RFC 8737 section 3).
    pub fn by_tls(
        state: &StateDir,
        name: &HostName,
        key_authorization: &str,
        now: UnixTime,
    ) -> Result<Self, AcmeError> {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, key_authorization.as_bytes()).as_ref());
        let key = keys::generate(KeyType::EcdsaP256)?;
        let certificate = challenge::tls_alpn_certificate(&key, name.as_str(), &hash, now)?;
        let (certificate, key) = (BASE64.encode(&certificate), BASE64.encode(key.pkcs8()));
        Self::write(state, name, &Written::Tls { certificate, key })
    }

    /// By http-01 (RFC 8555 section 8.3).
    pub fn by_http(
        state: &StateDir,
        name: &HostName,
        token: &str,
        key_authorization: &str,
    ) -> Result<Self, AcmeError> {
        let (token, answer) = (token.to_owned(), key_authorization.to_owned());
        Self::write(state, name, &Written::Http { token, answer })
    }

    fn write(state: &StateDir, name: &HostName, written: &Written) -> Result<Self, AcmeError> {
        files::private_directory(&folder(state))?;
        let path = path(state, name);
        let text = serde_json::to_vec(written).map_err(|error| AcmeError::Own(error.to_string()))?;
        files::replace_private(&path, &text)?;
        Ok(Self { path })
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Lets go of what a process that was killed has left; only for who holds the lock.
pub fn clear(state: &StateDir) {
    for entry in std::fs::read_dir(folder(state)).into_iter().flatten().flatten() {
        let _ = std::fs::remove_file(entry.path());
    }
}

/// The gate's way to the answers.
pub fn reading(state: StateDir) -> Challenges {
    Arc::new(move |name| read(&state, name))
}

fn read(state: &StateDir, name: &HostName) -> Option<OpenChallenge> {
    let path = path(state, name);
    let age = std::fs::metadata(&path).ok()?.modified().ok()?.elapsed().unwrap_or_default();
    if age > LIFE {
        return None;
    }
    let bytes = files::read_private(&path).ok()?;
    Some(match serde_json::from_slice(&bytes).ok()? {
        Written::Http { token, answer } => OpenChallenge::Http { token, answer },
        Written::Tls { certificate, key } => {
            let certificate = CertificateDer::from(BASE64.decode(certificate.as_bytes()).ok()?);
            let key = PrivatePkcs8KeyDer::from(BASE64.decode(key.as_bytes()).ok()?);
            let key = default_provider().key_provider.load_private_key(PrivateKeyDer::Pkcs8(key)).ok()?;
            // Whether they fit is not asked of the library: it does not read a certificate with this critical extension.
            OpenChallenge::Tls(Arc::new(CertifiedKey::new(vec![certificate], key)))
        }
    })
}

fn folder(state: &StateDir) -> PathBuf {
    kept::folder(state).join("answers")
}

/// A host name has neither a slash nor a dot at its beginning.
fn path(state: &StateDir, name: &HostName) -> PathBuf {
    folder(state).join(format!("{name}.json"))
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn an_answer_is_there_for_its_name_alone_as_long_as_the_challenge_is_open() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let host = |name: &str| HostName::parse(name).unwrap();
        let open = reading(state.clone());
        assert!(open(&host("portal.test")).is_none());
        let tls =
            Answer::by_tls(&state, &host("portal.test"), "token.thumb", UnixTime(1_800_000_000)).unwrap();
        assert!(matches!(open(&host("portal.test")), Some(OpenChallenge::Tls(_))));
        assert!(open(&host("other.test")).is_none());
        drop(tls);
        assert!(open(&host("portal.test")).is_none());

        let http = Answer::by_http(&state, &host("portal.test"), "token", "token.thumb").unwrap();
        match open(&host("portal.test")) {
            Some(OpenChallenge::Http { token, answer }) => {
                assert_eq!((token.as_str(), answer.as_str()), ("token", "token.thumb"));
            }
            other => panic!("{other:?}"),
        }
        let file = std::fs::File::options().write(true).open(&http.path).unwrap();
        file.set_modified(SystemTime::now() - LIFE - Duration::from_secs(60)).unwrap();
        assert!(open(&host("portal.test")).is_none(), "left behind");
        clear(&state);
        assert!(!http.path.exists());
    }
}
