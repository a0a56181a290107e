//! The files of a machine's certificate, and how they are exchanged.
//!
//! The next key is written to `KEY.next` before anybody hears of it, and the next certificate to `CERT.next` before
//! anything is exchanged; then the key takes its place, then the certificate. Whenever that is cut short, the next start
//! finds either a whole pair, or what is left to do.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use authority::{KeyType, PrivateKey, files, keys};
use examiner::Certificate;
use zeroize::Zeroizing;

use crate::cli::{Failure, cert};

/// Where certificate and key are.
pub struct Place {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What is there now.
pub struct Present {
    /// The certificate.
    pub certificate: Certificate,
    /// All of the file's certificates, the machine's first; DER.
    pub chain: Vec<Vec<u8>>,
    pub key: PrivateKey,
}

impl Place {
    /// Reads both. `Err` where they do not belong together.
    pub fn read(&self) -> Result<Present, Failure> {
        let all = cert::read(&self.cert)?;
        let key = read_key(&self.key)?;
        let chain = all.iter().map(|one| one.der.to_vec()).collect();
        let certificate = all.into_iter().next().expect("a file without certificates is refused");
        if key.spki()? != *certificate.spki {
            return Err(Failure::no(
                format!("{} is not the key of {}", self.key.display(), self.cert.display()),
                "name the key that belongs to the certificate",
            ));
        }
        Ok(Present { certificate, chain, key })
    }

    /// Finishes a renewal that was cut short after its certificate had come; whether there was one.
    pub fn take_up(&self) -> Result<bool, Failure> {
        let (next_cert, next_key) = (next(&self.cert), next(&self.key));
        if !next_cert.exists() {
            return Ok(false);
        }
        let fits = |key: &Path, certificate: &Certificate| {
            key.exists()
                && read_key(key).is_ok_and(|key| key.spki().is_ok_and(|spki| spki == *certificate.spki))
        };
        let made = cert::read(&next_cert).ok().and_then(|all| all.into_iter().next());
        match made {
            Some(certificate) if fits(&next_key, &certificate) => rename(&next_key, &self.key)?,
            Some(certificate) if fits(&self.key, &certificate) => {}
            // Of no renewal that could be finished: the present pair is whole.
            _ => {
                remove(&next_cert)?;
                return Ok(false);
            }
        }
        rename(&next_cert, &self.cert)?;
        Ok(true)
    }

    /// The next key: one that an attempt before this has left, or a new one, which is on the disk when this returns.
    pub fn next_key(&self, kind: KeyType) -> Result<PrivateKey, Failure> {
        let path = next(&self.key);
        if path.exists()
            && let Ok(key) = read_key(&path)
            && key.key_type() == kind
        {
            return Ok(key);
        }
        let key = keys::generate(kind)?;
        files::replace_private(&path, key.to_pem()?.as_bytes())?;
        Ok(key)
    }

    /// Puts the new certificate, and the next key where there is one, in the place of the present ones.
    pub fn put(&self, present: &Present, key: Option<&PrivateKey>, chain: &str) -> Result<(), Failure> {
        if self.cert == self.key {
            // One file is exchanged by one step.
            let key = key.unwrap_or(&present.key).to_pem()?;
            let both = Zeroizing::new(format!("{chain}{}", *key));
            files::replace_private(&self.cert, both.as_bytes())?;
            return remove(&next(&self.key));
        }
        let next_cert = next(&self.cert);
        files::replace_public(&next_cert, chain.as_bytes())?;
        if key.is_some() {
            rename(&next(&self.key), &self.key)?;
        }
        rename(&next_cert, &self.cert)
    }
}

fn read_key(path: &Path) -> Result<PrivateKey, Failure> {
    let bytes = files::read_private(path)?;
    Ok(PrivateKey::from_pkcs8(&keys::to_pkcs8(&key_block(&bytes))?)?)
}

/// The first block of a private key; a file may hold its certificates as well.
fn key_block(bytes: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = String::from_utf8_lossy(bytes);
    let begin = text.match_indices("-----BEGIN ").map(|(at, _)| at);
    let is_key =
        |at: &usize| text[*at..].lines().next().is_some_and(|line| line.ends_with("PRIVATE KEY-----"));
    let at = begin.into_iter().find(is_key).unwrap_or(0);
    Zeroizing::new(text[at..].as_bytes().to_vec())
}

/// `FILE.next`.
fn next(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".next");
    name.into()
}

fn rename(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::rename(from, to).map_err(|error| Failure::file(to, "replaced", &error))?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| Failure::file(folder, "written", &error))
}

fn remove(path: &Path) -> Result<(), Failure> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(Failure::file(path, "removed", &error)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place with files of these pairs: certificate and key there, and the next ones.
    struct Files {
        folder: tempfile::TempDir,
        place: Place,
    }

    fn pair() -> (String, String) {
        use authority::{CreateOptions, Hierarchy, Passphrase, Role};
        use examiner::UnixTime;
        use policy::issuance::{Plan, Profile, check};
        let folder = tempfile::tempdir().unwrap();
        let passphrase = Passphrase::generate().unwrap();
        let now = UnixTime(1_800_000_000);
        let options = CreateOptions {
            sites: vec![],
            key_type: KeyType::EcdsaP256,
            store: authority::KeyStore::Files,
            now,
            organisation: "Lab".into(),
        };
        let own = Hierarchy::create(&folder.path().join("ca"), &passphrase, &options).unwrap();
        let signer = own.unlock(Role::Client, &passphrase).unwrap();
        let key = keys::generate(KeyType::EcdsaP256).unwrap();
        let id = "0f2ab1c4-6d1e-4c52-9a93-7a40d4c7e0aa";
        let plan = Plan::new(Profile::Device, "svc", id, key.spki().unwrap(), signer.window(), now);
        let issued = signer.issue(&check(plan, signer.window(), now).unwrap()).unwrap();
        (issued.to_pem(), key.to_pem().unwrap().to_string())
    }

    impl Files {
        fn new(all: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in all {
                files::write_new_private(&folder.path().join(name), text.as_bytes()).unwrap();
            }
            let place = Place { cert: folder.path().join("svc.pem"), key: folder.path().join("svc.key") };
            Self { folder, place }
        }

        fn read(&self, name: &str) -> Option<String> {
            std::fs::read_to_string(self.folder.path().join(name)).ok()
        }
    }

    #[test]
    fn a_renewal_that_is_cut_short_anywhere_is_finished_or_leaves_the_present_pair() {
        let ((old, old_key), (new, new_key)) = (pair(), pair());
        let whole = |files: &Files, cert: &str, key: &str| {
            assert_eq!(files.read("svc.pem").as_deref(), Some(cert));
            assert_eq!(files.read("svc.key").as_deref(), Some(key));
            assert_eq!(files.read("svc.pem.next"), None);
            files.place.read().unwrap();
        };
        // After the key, before anything was asked: it is used by the next attempt.
        let files = Files::new(&[("svc.pem", &old), ("svc.key", &old_key), ("svc.key.next", &new_key)]);
        assert!(!files.place.take_up().unwrap());
        whole(&files, &old, &old_key);
        let next = files.place.next_key(KeyType::EcdsaP256).unwrap();
        assert_eq!(*next.to_pem().unwrap(), new_key);
        // After the certificate came; and after the key took its place.
        for all in [
            &[
                ("svc.pem", &*old),
                ("svc.key", &*old_key),
                ("svc.key.next", &*new_key),
                ("svc.pem.next", &*new),
            ][..],
            &[("svc.pem", &*old), ("svc.key", &*new_key), ("svc.pem.next", &*new)],
        ] {
            let files = Files::new(all);
            assert!(files.place.take_up().unwrap());
            whole(&files, &new, &new_key);
            assert!(!files.place.take_up().unwrap());
        }
        // A certificate of a key that is nowhere, and one that is none.
        for stray in [&*new, "-----BEGIN CERTIFICATE-----\nAAAA\n"] {
            let files = Files::new(&[("svc.pem", &old), ("svc.key", &old_key), ("svc.pem.next", stray)]);
            assert!(!files.place.take_up().unwrap());
            whole(&files, &old, &old_key);
        }
    }

    #[test]
    fn a_pair_in_one_file_stays_in_one_file() {
        let ((old, old_key), (new, new_key)) = (pair(), pair());
        let mut files = Files::new(&[("svc.pem", &format!("{old}{old_key}")), ("svc.pem.next", &new_key)]);
        files.place.key = files.place.cert.clone();
        let present = files.place.read().unwrap();
        let key = PrivateKey::from_pem(&new_key).unwrap();
        files.place.put(&present, Some(&key), &new).unwrap();
        assert_eq!(files.read("svc.pem").unwrap(), format!("{new}{new_key}"));
        assert_eq!(files.read("svc.pem.next"), None);
        files.place.read().unwrap();
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let ((old, _), (_, other)) = (pair(), pair());
        let files = Files::new(&[("svc.pem", &old), ("svc.key", &other)]);
        let refused = files.place.read().err().unwrap();
        assert!(refused.what.contains("is not the key of"), "{refused}");
    }
}
