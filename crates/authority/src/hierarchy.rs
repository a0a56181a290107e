//! The root and the three issuing CAs, in their directory.
//!
//! `root.pem`, `client.pem`, `server.pem` and `operator.pem` are the certificates; the `.key` beside each is its
//! key, encrypted under the hierarchy's passphrase, mode 0600; or the address of a key in a token, whose PIN the passphrase is. `root.key` may be taken away: only a new server CA
//! needs it back. `client.chain.pem` is there where the client CA's certificate was signed elsewhere: its issuers, up to
//! their root. `client.old.pem` and `client.old.key` are there while the client CA passes from one generation to the next;
//! so are `operator.old.…`.

use std::fmt;
use std::path::{Path, PathBuf};

use der::{Decode, Encode};
use examiner::cert::pem;
use examiner::{Certificate, UnixTime};
use policy::issuance::{Profile, Window};
use x509_cert::ext::pkix::{NameConstraints, SubjectKeyIdentifier};

use crate::error::AuthorityError;
use crate::files;
use crate::keys::KeyType;
use crate::names::Permitted;
use crate::passphrase::Passphrase;
use crate::signer::Signer;
use crate::signing_key::{KeyStore, SigningKey};
use crate::{token, verify};

mod create;
mod elsewhere;
mod rollover;

pub use elsewhere::ImportError;

/// One of the four CAs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The self-signed root; it signs the other three.
    Root,
    /// Issues to persons, devices and services.
    Client,
    /// Issues to the sites, within its name constraints.
    Server,
    /// Issues to operators.
    Operator,
}

impl Role {
    /// All four, root first.
    pub const ALL: [Self; 4] = [Self::Root, Self::Client, Self::Server, Self::Operator];

    /// The CA that issues certificates of this profile.
    pub fn of(profile: Profile) -> Self {
        match profile {
            Profile::Person | Profile::Device | Profile::Service => Self::Client,
            Profile::Operator => Self::Operator,
            Profile::Server => Self::Server,
        }
    }

    /// The first part of its files' names.
    pub fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Client => "client",
            Self::Server => "server",
            Self::Operator => "operator",
        }
    }
}

/// `client CA`.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} CA", self.word())
    }
}

/// What a new hierarchy is made with.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    /// The hosts that the server CA may name, beside localhost and the loopback addresses.
    pub sites: Vec<String>,
    /// The kind of all four keys.
    pub key_type: KeyType,
    /// Where they are made and kept.
    pub store: KeyStore,
    /// The moment of making it.
    pub now: UnixTime,
    /// The organisation in the CAs' names, up to 64 characters.
    pub organisation: String,
}

/// The certificates of the four CAs; the keys stay on disk until unlocked.
#[derive(Clone, Debug)]
pub struct Hierarchy {
    directory: PathBuf,
    root: Certificate,
    client: Certificate,
    server: Certificate,
    operator: Certificate,
    permitted: Permitted,
    /// Issuers of the client CA that are not the own root, its own issuer first, their root last.
    client_issuers: Vec<Certificate>,
    /// The old generations that are still trusted.
    former: Vec<(Role, Certificate)>,
}

impl Hierarchy {
    /// Makes a root for 10 years and under it a client, a server and an operator CA for 5, and writes their eight
    /// files to `directory`, which is made with mode 0700.
    ///
    /// `Err(AlreadyThere)` if any of the files exists; nothing is overwritten.
    pub fn create(
        directory: &Path,
        passphrase: &Passphrase,
        options: &CreateOptions,
    ) -> Result<Self, AuthorityError> {
        create::create(directory, passphrase, options)?;
        Self::open(directory)
    }

    /// Whether the directory holds a hierarchy, whole or in part.
    pub fn is_at(directory: &Path) -> bool {
        Role::ALL.into_iter().any(|role| certificate_path(directory, role).exists())
    }

    /// Reads the four certificates, and verifies that the root signed them, or for the client CA its issuers elsewhere.
    /// No key is touched.
    pub fn open(directory: &Path) -> Result<Self, AuthorityError> {
        let root = read_certificate(directory, Role::Root)?;
        verify_issued(directory, Role::Root, &root, &root)?;
        let issued = |role| {
            let certificate = read_certificate(directory, role)?;
            verify_issued(directory, role, &certificate, &root)?;
            Ok::<_, AuthorityError>(certificate)
        };
        let server = issued(Role::Server)?;
        let permitted = permitted(&server)?
            .ok_or_else(|| unreadable(directory, Role::Server, "has no name constraints"))?;
        let operator = issued(Role::Operator)?;
        let (client, client_issuers) = read_client(directory, &root)?;
        let present = [(Role::Client, &client), (Role::Operator, &operator)];
        let former = rollover::read_former(directory, &root, present)?;
        let directory = directory.to_owned();
        Ok(Self { directory, root, client, server, operator, permitted, client_issuers, former })
    }

    /// The certificate of one CA.
    pub fn certificate(&self, role: Role) -> &Certificate {
        match role {
            Role::Root => &self.root,
            Role::Client => &self.client,
            Role::Server => &self.server,
            Role::Operator => &self.operator,
        }
    }

    /// The certificate of one CA as PEM.
    pub fn certificate_pem(&self, role: Role) -> String {
        pem::encode("CERTIFICATE", &self.certificate(role).der)
    }

    /// The issuers of the client CA where it was signed elsewhere, its own issuer first, their root last; none where the
    /// own root signed it.
    pub fn client_issuers(&self) -> &[Certificate] {
        &self.client_issuers
    }

    /// When one CA's certificate is valid; what plans for it are made and checked with.
    pub fn window(&self, role: Role) -> Window {
        let certificate = self.certificate(role);
        Window { not_before: certificate.not_before, not_after: certificate.not_after }
    }

    /// Where the files are.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether the key of this CA is in the directory.
    pub fn has_key(&self, role: Role) -> bool {
        key_path(&self.directory, role).exists()
    }

    /// The libraries that lead to the tokens with keys of these CAs; none where all are in files.
    pub fn token_modules(&self) -> Vec<PathBuf> {
        let all = Role::ALL.map(|role| key_path(&self.directory, role));
        let texts = all.iter().filter_map(|path| files::read_private(path).ok());
        let addresses = texts.filter_map(|text| {
            let text = std::str::from_utf8(&text).ok()?;
            token::uri::Address::parse(text.trim_end()).ok()
        });
        addresses.map(|address| address.place.module).collect()
    }

    /// Whether the server CA may name this host or address.
    pub fn server_ca_permits(&self, host: &str) -> bool {
        self.permitted.permits(host)
    }

    /// Decrypts the key of one CA.
    ///
    /// `Err(KeyAway)` where it is not in the directory, `Err(Exposed)` where others can read it,
    /// `Err(WrongPassphrase)`, and `Err(OtherKey)` where it does not belong to the certificate.
    pub fn unlock(&self, role: Role, passphrase: &Passphrase) -> Result<Signer, AuthorityError> {
        let path = self.key_file(role, passphrase)?;
        if !path.exists() {
            return Err(AuthorityError::KeyAway { role, path });
        }
        let key = SigningKey::open(&files::read_private(&path)?, passphrase, &path)?;
        let certificate = self.certificate(role);
        if key.spki()? != *certificate.spki {
            return Err(AuthorityError::OtherKey { role, path });
        }
        let sent = if role == Role::Client { self.client_issuers.as_slice() } else { &[] };
        // Who verifies has the root already.
        let issuers = sent.iter().filter(|one| !one.is_self_issued()).map(|one| one.der.to_vec()).collect();
        Ok(Signer { ca_keys: self.ca_keys(), issuers, ..signer(role, key, certificate.clone())? })
    }

    /// Has the root sign a new certificate for the server CA, with constraints for these sites and all that it may
    /// name already, for 5 years from `now`. What is permitted stays so: hosts that are no site of the gate, such as a
    /// database inside, would otherwise lose their certificates with the next new site.
    ///
    /// Name and key of the server CA stay, so that certificates it issued before hold under the new one.
    /// `Err(KeyAway)` where the root's key is not in the directory.
    pub fn reissue_server_ca(
        &mut self,
        sites: &[String],
        passphrase: &Passphrase,
        now: UnixTime,
    ) -> Result<(), AuthorityError> {
        let mut permitted = self.permitted.clone();
        permitted.add(Permitted::for_sites(sites)?);
        let root = self.unlock(Role::Root, passphrase)?;
        let subject = parse(&self.server)?.tbs_certificate().subject().clone();
        let der =
            create::issuing_ca(&root, Role::Server, &subject, &self.server.spki, Some(&permitted), now)?;
        let text = pem::encode("CERTIFICATE", &der);
        files::replace_public(&certificate_path(&self.directory, Role::Server), text.as_bytes())?;
        *self = Self::open(&self.directory)?;
        Ok(())
    }
}

/// The CA that `certificate` and `key` make together.
fn signer(role: Role, key: SigningKey, certificate: Certificate) -> Result<Signer, AuthorityError> {
    let parsed = parse(&certificate)?;
    let tbs = parsed.tbs_certificate();
    let (_, key_id) = tbs
        .get_extension::<SubjectKeyIdentifier>()?
        .ok_or(AuthorityError::NotAsPlanned("the CA has no key identifier"))?;
    Ok(Signer {
        role,
        key,
        subject: tbs.subject().clone(),
        key_id: key_id.0.as_bytes().to_vec(),
        permitted: permitted(&certificate)?,
        ca_keys: Vec::new(),
        issuers: Vec::new(),
        certificate,
    })
}

fn permitted(certificate: &Certificate) -> Result<Option<Permitted>, AuthorityError> {
    let parsed = parse(certificate)?;
    let constraints = parsed.tbs_certificate().get_extension::<NameConstraints>()?;
    Ok(constraints.map(|(_, constraints)| Permitted::from_extension(&constraints)).transpose()?)
}

fn parse(certificate: &Certificate) -> der::Result<x509_cert::Certificate> {
    x509_cert::Certificate::from_der(&certificate.der)
}

fn read_certificate(directory: &Path, role: Role) -> Result<Certificate, AuthorityError> {
    let path = certificate_path(directory, role);
    let mut all = read_certificates(&path)?;
    match (all.pop(), all.is_empty()) {
        (Some(certificate), true) if certificate.is_ca => Ok(certificate),
        (Some(_), true) => Err(unreadable(directory, role, "is no certificate of a CA")),
        _ => Err(unreadable(directory, role, "holds more than one certificate")),
    }
}

fn read_certificates(path: &Path) -> Result<Vec<Certificate>, AuthorityError> {
    pem::certificates(&files::read_public(path)?)
        .map_err(|e| AuthorityError::Unreadable { path: path.to_owned(), what: e.to_string() })
}

/// The client CA, and the issuers above it where another root than the own one signed it.
fn read_client(
    directory: &Path,
    root: &Certificate,
) -> Result<(Certificate, Vec<Certificate>), AuthorityError> {
    let client = read_certificate(directory, Role::Client)?;
    let path = chain_path(directory, Role::Client);
    if client.issuer_der == root.subject_der || !path.exists() {
        verify_issued(directory, Role::Client, &client, root)?;
        return Ok((client, Vec::new()));
    }
    let issuers = read_certificates(&path)?;
    let mut last = &client;
    for issuer in &issuers {
        if !is_signed_by(last, issuer)? {
            let what = format!("`{}` is not signed by the next in {}", last.subject, path.display());
            return Err(unreadable(directory, Role::Client, &what));
        }
        last = issuer;
    }
    Ok((client, issuers))
}

fn verify_issued(
    directory: &Path,
    role: Role,
    certificate: &Certificate,
    root: &Certificate,
) -> Result<(), AuthorityError> {
    if !is_signed_by(certificate, root)? {
        return Err(unreadable(directory, role, "is not signed by the root in root.pem"));
    }
    Ok(())
}

/// Whether `issuer` is named as the issuer of `certificate`, and its key signed it.
fn is_signed_by(certificate: &Certificate, issuer: &Certificate) -> Result<bool, AuthorityError> {
    let parsed = parse(certificate)?;
    let content = parsed.tbs_certificate().to_der()?;
    let (algorithm, signature) = (parsed.signature_algorithm().oid, parsed.signature().raw_bytes());
    let is_signed = verify::verify(&issuer.spki, algorithm, &content, signature).is_ok();
    Ok(certificate.issuer_der == issuer.subject_der && is_signed)
}

fn unreadable(directory: &Path, role: Role, what: &str) -> AuthorityError {
    AuthorityError::Unreadable { path: certificate_path(directory, role), what: what.to_owned() }
}

fn certificate_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("pem")
}

fn chain_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("chain.pem")
}

fn key_path(directory: &Path, role: Role) -> PathBuf {
    directory.join(role.word()).with_extension("key")
}
