//! From one generation of the client or the operator CA to the next.
//!
//! While both hold, `client.pem` and `client.key` are the new generation, which issues; `client.old.pem` and
//! `client.old.key` the old one, which only signs the revocation list of what it issued. A file is in place before
//! another needs it, so that a start that was cut short leaves the old generation issuing.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use examiner::cert::pem;
use examiner::{Certificate, KeyPin, UnixTime};

use super::{
    Hierarchy, Role, certificate_path, chain_path, create, is_signed_by, key_path, parse, read_certificates,
    signer,
};
use crate::error::AuthorityError;
use crate::keys::KeyType;
use crate::passphrase::Passphrase;
use crate::signer::Signer;
use crate::signing_key::SigningKey;
use crate::{files, names, random};

/// organizationName (RFC 4519 section 2.19).
const ORGANISATION: &str = "2.5.4.10";

impl Hierarchy {
    /// The CA of the old generation, while a rollover of this CA is under way.
    pub fn former(&self, role: Role) -> Option<&Certificate> {
        self.former.iter().find(|(one, _)| *one == role).map(|(_, certificate)| certificate)
    }

    /// The CA of the old generation with its key, while a rollover of this CA is under way; for its revocation list.
    pub fn unlock_former(
        &self,
        role: Role,
        passphrase: &Passphrase,
    ) -> Result<Option<Signer>, AuthorityError> {
        let Some(certificate) = self.former(role) else { return Ok(None) };
        let path = former_key_path(&self.directory, role);
        if !path.exists() {
            return Err(AuthorityError::KeyAway { role, path });
        }
        let key = SigningKey::open(&files::read_private(&path)?, passphrase, &path)?;
        if key.spki()? != *certificate.spki {
            return Err(AuthorityError::OtherKey { role, path });
        }
        Ok(Some(Signer { ca_keys: self.ca_keys(), ..signer(role, key, certificate.clone())? }))
    }

    /// Makes the next generation of the client or the operator CA: a new key and a new name, signed by the root for 5
    /// years from `now`. It issues from here on, and the old one is still trusted.
    ///
    /// `Err(RolloverUnderWay)` where the last one is not finished, `Err(NoRollover)` for the other CAs, `Err(KeyAway)`
    /// without the root's key.
    pub fn begin_rollover(
        &mut self,
        role: Role,
        key_type: KeyType,
        passphrase: &Passphrase,
        now: UnixTime,
    ) -> Result<(), AuthorityError> {
        let kind = match role {
            Role::Client => "Client",
            Role::Operator => "Operator",
            Role::Root | Role::Server => return Err(AuthorityError::NoRollover(role)),
        };
        if self.former(role).is_some() {
            return Err(AuthorityError::RolloverUnderWay(role));
        }
        let root = self.unlock(Role::Root, passphrase)?;
        // The present key is needed for the lists of what it signed; better to miss it now than then.
        let store = self.unlock(role, passphrase)?.key.store();
        let organisation =
            self.certificate(role).subject.values(ORGANISATION).next().unwrap_or("Countersign").to_owned();
        let name = format!("Countersign {kind} CA {}", *random::text::<6>()?);
        let subject = names::ca_subject(&name, &organisation)?;
        let key = SigningKey::generate(&store, key_type, &name, passphrase)?;
        let der = create::issuing_ca(&root, role, &subject, &key.spki()?, None, now)?;

        let directory = self.directory.clone();
        let (certificate, private) = (certificate_path(&directory, role), key_path(&directory, role));
        let present = self.key_file(role, passphrase)?;
        copy(&present, &former_key_path(&directory, role), files::replace_private)?;
        let chain = chain_path(&directory, role);
        if chain.exists() {
            copy(&chain, &former_chain_path(&directory, role), files::replace_public)?;
        }
        copy(&certificate, &former_path(&directory, role), files::replace_public)?;
        files::replace_private(&private, key.to_file(passphrase)?.as_bytes())?;
        files::replace_public(&certificate, pem::encode("CERTIFICATE", &der).as_bytes())?;
        remove(&chain)?;
        *self = Self::open(&directory)?;
        Ok(())
    }

    /// Ends a rollover: the old generation is trusted no longer, and its key is deleted. `Err(NoRolloverUnderWay)`.
    pub fn end_rollover(&mut self, role: Role) -> Result<(), AuthorityError> {
        if self.former(role).is_none() {
            return Err(AuthorityError::NoRolloverUnderWay(role));
        }
        // The certificate first: without it nobody trusts the rest.
        for path in [former_path, former_key_path, former_chain_path] {
            remove(&path(&self.directory, role))?;
        }
        *self = Self::open(&self.directory)?;
        Ok(())
    }

    /// The file that has the key of this CA. After a start that was cut short it stands as the old generation's.
    pub(super) fn key_file(&self, role: Role, passphrase: &Passphrase) -> Result<PathBuf, AuthorityError> {
        let path = key_path(&self.directory, role);
        let cut_short = former_key_path(&self.directory, role);
        if self.former(role).is_some() || !cut_short.exists() {
            return Ok(path);
        }
        let bytes = files::read_private(&cut_short)?;
        let key = SigningKey::open(&bytes, passphrase, &cut_short)?;
        Ok(if key.spki()? == *self.certificate(role).spki { cut_short } else { path })
    }

    /// The pins of all keys of the own CAs, of both generations.
    pub(super) fn ca_keys(&self) -> Vec<(Role, KeyPin)> {
        let present = Role::ALL.map(|role| (role, KeyPin::of(&self.certificate(role).spki)));
        let former = self.former.iter().map(|(role, certificate)| (*role, KeyPin::of(&certificate.spki)));
        present.into_iter().chain(former).collect()
    }
}

/// The old generations that are there: the root signed them, or the issuers that stand beside them.
///
/// One that is the present one too belongs to a start that was cut short, and is none.
pub(super) fn read_former(
    directory: &Path,
    root: &Certificate,
    present: [(Role, &Certificate); 2],
) -> Result<Vec<(Role, Certificate)>, AuthorityError> {
    let mut all = Vec::new();
    for (role, present) in present {
        let path = former_path(directory, role);
        if !path.exists() {
            continue;
        }
        let bad = |what: &str| AuthorityError::Unreadable { path: path.clone(), what: what.into() };
        let [certificate] = <[_; 1]>::try_from(read_certificates(&path)?)
            .map_err(|_| bad("holds more than one certificate"))?;
        if certificate.thumbprint == present.thumbprint {
            continue;
        }
        let chain = former_chain_path(directory, role);
        let issuer = if chain.exists() { read_certificates(&chain)?.into_iter().next() } else { None };
        if !certificate.is_ca || !is_signed_by(&certificate, issuer.as_ref().unwrap_or(root))? {
            return Err(bad("is not signed by the root in root.pem"));
        }
        parse(&certificate)?;
        all.push((role, certificate));
    }
    Ok(all)
}

fn copy(
    from: &Path,
    to: &Path,
    write: fn(&Path, &[u8]) -> Result<(), AuthorityError>,
) -> Result<(), AuthorityError> {
    if from == to {
        return Ok(());
    }
    let failed = |cause| AuthorityError::File { path: from.into(), action: "read", cause };
    write(to, &zeroize::Zeroizing::new(fs::read(from).map_err(failed)?))
}

fn remove(path: &Path) -> Result<(), AuthorityError> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != ErrorKind::NotFound => {
            Err(AuthorityError::File { path: path.into(), action: "remove", cause })
        }
        _ => Ok(()),
    }
}

fn former_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("old.pem")
}

fn former_key_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("old.key")
}

fn former_chain_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("old.chain.pem")
}
