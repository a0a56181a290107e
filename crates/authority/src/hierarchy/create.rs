//! Making the four CAs, and writing them so that a half-made hierarchy is never left behind.

use std::path::{Path, PathBuf};

use examiner::cert::pem;
use examiner::{Certificate, UnixTime};
use policy::issuance::{BACKDATING_SECONDS, Window};
use x509_cert::name::Name;
use zeroize::Zeroizing;

use super::{CreateOptions, Role, certificate_path, key_path, signer};
use crate::assemble::Draft;
use crate::error::AuthorityError;
use crate::names::{self, Permitted};
use crate::passphrase::Passphrase;
use crate::signer::{Shard, Signer, serial};
use crate::signing_key::SigningKey;
use crate::{extensions, files, random};

const YEAR_SECONDS: i64 = 365 * 86_400;
const ROOT_YEARS: i64 = 10;
const ISSUING_YEARS: i64 = 5;

/// Makes the hierarchy and writes it to `directory`.
pub(super) fn create(
    directory: &Path,
    passphrase: &Passphrase,
    options: &CreateOptions,
) -> Result<(), AuthorityError> {
    let permitted = Permitted::for_sites(&options.sites)?;
    let length = options.organisation.chars().count();
    if !(1..=64).contains(&length) || options.organisation.chars().any(char::is_control) {
        return Err(AuthorityError::BadOrganisation);
    }
    files::private_directory(directory)?;
    let mut pending = Pending::new(directory)?;
    let mark = random::text::<6>()?;
    let subject =
        |kind: &str| names::ca_subject(&format!("Countersign {kind} CA {}", *mark), &options.organisation);

    let generate = |kind: &str| {
        let label = format!("Countersign {kind} CA {}", *mark);
        SigningKey::generate(&options.store, options.key_type, &label, passphrase)
    };
    let key = generate("Root")?;
    let der = root(&key, &subject("Root")?, options.now)?;
    pending.add(Role::Root, &der, &key, passphrase)?;
    let certificate = Certificate::from_der(&der)
        .map_err(|_| AuthorityError::NotAsPlanned("the root cannot be read back"))?;
    let root = signer(Role::Root, key, certificate)?;

    let mut made = Vec::new();
    let mut make = || {
        for (role, kind) in [(Role::Client, "Client"), (Role::Server, "Server"), (Role::Operator, "Operator")]
        {
            let key = generate(kind)?;
            let spki = key.spki()?;
            made.push(key);
            let permitted = (role == Role::Server).then_some(&permitted);
            let der = issuing_ca(&root, role, &subject(kind)?, &spki, permitted, options.now)?;
            if let Some(key) = made.last() {
                pending.add(role, &der, key, passphrase)?;
            }
        }
        pending.write()
    };
    let outcome = make();
    if outcome.is_err() {
        // Nothing refers to them: in a token they would stay for ever.
        made.iter().chain([&root.key]).for_each(SigningKey::forget);
    }
    outcome
}

fn root(key: &SigningKey, subject: &Name, now: UnixTime) -> Result<Vec<u8>, AuthorityError> {
    let spki = key.spki()?;
    let draft = Draft {
        serial: serial(Shard::FIRST)?,
        issuer: subject,
        subject,
        window: Window {
            not_before: now.plus(-BACKDATING_SECONDS),
            not_after: now.plus(ROOT_YEARS * YEAR_SECONDS),
        },
        spki: &spki,
        extensions: extensions::root(subject, &spki)?,
        is_ca: true,
        purposes: &[],
    };
    draft.examine(key)?.sign(key)
}

/// The certificate of an issuing CA, signed by the root; never longer than the root's own.
pub(super) fn issuing_ca(
    root: &Signer,
    role: Role,
    subject: &Name,
    spki: &[u8],
    permitted: Option<&Permitted>,
    now: UnixTime,
) -> Result<Vec<u8>, AuthorityError> {
    let purposes = &[extensions::purpose(role != Role::Server)];
    let window = Window {
        not_before: now.plus(-BACKDATING_SECONDS).max(root.window().not_before),
        not_after: now.plus(ISSUING_YEARS * YEAR_SECONDS).min(root.window().not_after),
    };
    let draft = Draft {
        serial: serial(Shard::FIRST)?,
        issuer: &root.subject,
        subject,
        window,
        spki,
        extensions: extensions::issuing_ca(subject, spki, &root.key_id, purposes, permitted)?,
        is_ca: true,
        purposes,
    };
    draft.examine(&root.key)?.sign(&root.key)
}

/// The files of a new hierarchy, all made before the first is written.
struct Pending<'a> {
    directory: &'a Path,
    keys: Vec<(PathBuf, Zeroizing<String>)>,
    certificates: Vec<(PathBuf, String)>,
}

impl<'a> Pending<'a> {
    fn new(directory: &'a Path) -> Result<Self, AuthorityError> {
        let paths = Role::ALL
            .into_iter()
            .flat_map(|role| [certificate_path(directory, role), key_path(directory, role)]);
        for path in paths {
            if path.symlink_metadata().is_ok() {
                return Err(AuthorityError::AlreadyThere(path));
            }
        }
        Ok(Self { directory, keys: Vec::new(), certificates: Vec::new() })
    }

    fn add(
        &mut self,
        role: Role,
        der: &[u8],
        key: &SigningKey,
        passphrase: &Passphrase,
    ) -> Result<(), AuthorityError> {
        self.keys.push((key_path(self.directory, role), key.to_file(passphrase)?));
        self.certificates.push((certificate_path(self.directory, role), pem::encode("CERTIFICATE", der)));
        Ok(())
    }

    /// Writes all; where one fails, takes back those written before.
    fn write(&self) -> Result<(), AuthorityError> {
        let mut written: Vec<&Path> = Vec::new();
        let mut outcome = Ok(());
        for (path, text) in &self.keys {
            outcome = outcome.and_then(|()| files::write_new_private(path, text.as_bytes()));
            outcome.is_ok().then(|| written.push(path));
        }
        for (path, text) in &self.certificates {
            outcome = outcome.and_then(|()| files::write_new_public(path, text.as_bytes()));
            outcome.is_ok().then(|| written.push(path));
        }
        if outcome.is_err() {
            for path in written {
                let _ = std::fs::remove_file(path);
            }
        }
        outcome
    }
}
