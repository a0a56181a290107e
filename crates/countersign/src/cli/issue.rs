//! One certificate from the own authority, on record before anybody sees it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use authority::ledger::LedgerError;
use authority::{Issued, IssuedRecord, KeyType, Ledger, PrivateKey, Role, files, pkcs12};
use examiner::UnixTime;
use policy::issuance::{AltName, Profile, UnknownWord};
use policy::record::{OperatorRole, Origin};
use policy::{Holder, PartyName};
use registry::{Actor, CertificateRow, Issuer, NewCertificate, Registry};

use super::context::Context;
use super::{Failure, cert};
use crate::config::profiles::Choice;

/// What is asked for.
pub struct Order {
    /// Whose it will be.
    pub holder: Holder,
    /// The holder's identifier, a UUID; a party that is not on record yet is put there by it with the certificate.
    pub id: String,
    /// What its holder calls it; a free name where absent.
    pub label: Option<String>,
    /// What it is for.
    pub profile: Choice,
    /// The public key's SubjectPublicKeyInfo, DER.
    pub spki: Vec<u8>,
    /// Further names in it.
    pub alt_names: Vec<AltName>,
    /// Its last second; the profile's own life where absent.
    pub not_after: Option<UnixTime>,
}

impl Order {
    /// An operator's certificate for a key, under a free name, with its profile's own life.
    pub fn of_operator(name: PartyName, role: OperatorRole, spki: Vec<u8>) -> Result<Self, Failure> {
        Ok(Self {
            holder: Holder::Operator { name, role },
            id: new_uuid()?,
            label: None,
            profile: Choice::BuiltIn(Profile::Operator),
            spki,
            alt_names: Vec::new(),
            not_after: None,
        })
    }
}

/// Issues what is ordered, with the state directory's keys.
pub fn issue(context: &Context, order: Order) -> Result<Issued, Failure> {
    let signer = context.signer(Role::of(order.profile.like()))?;
    let ledger =
        Record { registry: &context.registry, actor: &context.actor, now: context.now, order: &order };
    let spki = order.spki.clone();
    let mut plan = order.profile.plan(name(&order.holder), &order.id, spki, signer.window(), context.now);
    if !order.alt_names.is_empty() {
        plan.alt_names.clone_from(&order.alt_names);
    }
    if let Some(not_after) = order.not_after {
        plan.not_after = not_after;
    }
    context.settings.addresses.put_into(&mut plan, &signer).map_err(no_randomness)?;
    let checked = policy::issuance::check(plan, signer.window(), context.now)?;
    context.run(signer.issue_on_record(&ledger, &checked))
}

fn name(holder: &Holder) -> &str {
    match holder {
        Holder::Party(name) | Holder::Operator { name, .. } => name.as_str(),
    }
}

/// The registry as the place where each certificate is written before it leaves.
struct Record<'a> {
    registry: &'a Registry,
    actor: &'a Actor,
    now: UnixTime,
    order: &'a Order,
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        // The record of a holder's certificate says by this who signed it, and so on which list it will stand.
        let expected = match Issuer::of(&self.order.holder) {
            Issuer::Client => Role::Client,
            Issuer::Operator => Role::Operator,
        };
        if record.issuer != expected {
            return Err(LedgerError(format!("the {} does not issue to this holder", record.issuer).into()));
        }
        let new = NewCertificate {
            holder: self.order.holder.clone(),
            label: self.order.label.clone(),
            der: record.der.clone(),
            origin: Origin::Own,
            profile: record.profile_name.clone(),
            exceptions: Default::default(),
        };
        let done = self.registry.add_first_certificate(&self.order.id, new, self.actor, self.now).await;
        done.map(|_| ()).map_err(|error| LedgerError(Box::new(error)))
    }
}

/// A name of `--san`: `dns:db.internal`, `ip:10.0.0.5`, `email:alice@example.com` or `uri:urn:example:1`.
pub fn alt_name(text: &str) -> Result<AltName, String> {
    match text.split_once(':') {
        Some(("dns", name)) if !name.is_empty() => Ok(AltName::Dns(name.to_ascii_lowercase())),
        Some(("ip", address)) => address
            .trim_matches(['[', ']'])
            .parse()
            .map(AltName::Ip)
            .map_err(|_| format!("`{}` is no IP address", address.escape_debug())),
        Some(("email", address)) if !address.is_empty() => Ok(AltName::Email(address.to_owned())),
        Some(("uri", uri)) if !uri.is_empty() => Ok(AltName::Uri(uri.to_owned())),
        _ => {
            Err("write it like dns:db.internal, ip:10.0.0.5, email:alice@example.com or uri:urn:example:1"
                .into())
        }
    }
}

/// The name of files: a host's or another, with what file names had better not hold replaced.
pub fn stem(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') { c } else { '-' };
    let name: String = name.replace("*.", "wildcard.").chars().map(plain).collect();
    name.trim_start_matches(['.', '-']).to_owned()
}

/// What follows the name of a certificate's files.
const EXTENSIONS: [&str; 3] = ["pem", "key", "p12"];
/// Bytes that a certificate's files take at most.
const ROOM: usize = 64 * 1024;

/// Where a certificate and its key are written.
pub struct Files {
    directory: PathBuf,
    stem: String,
}

impl Files {
    /// `NAME.pem`, `NAME.key`, `NAME.p12` in the directory; `NAME-LABEL.…` where those are taken and a label is given.
    pub fn at(directory: &Path, name: &str, label: Option<&str>) -> Result<Self, Failure> {
        Self::room(directory)?;
        let stems = std::iter::once(name.to_owned()).chain(label.map(|label| format!("{name}-{label}")));
        for stem in stems {
            let files = Self { directory: directory.to_owned(), stem };
            if EXTENSIONS.iter().all(|extension| !files.path(extension).exists()) {
                return Ok(files);
            }
        }
        let taken = directory.join(name).with_extension("pem");
        Err(Failure::no(
            format!("files named {} are there already", taken.display()),
            "name another directory with --out",
        ))
    }

    /// Makes the directory where it is absent, and sees that files can be written there: what is issued is on record before
    /// its files are, and of no use without them.
    pub fn room(directory: &Path) -> Result<(), Failure> {
        std::fs::create_dir_all(directory).map_err(|error| Failure::file(directory, "made", &error))?;
        let tried = directory.join(format!(".countersign-{}", std::process::id()));
        let written =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&tried).and_then(|file| {
                let outcome = (&file).write_all(&[0; ROOM]).and_then(|()| file.sync_all());
                std::fs::remove_file(&tried).and(outcome)
            });
        written.map_err(|error| Failure {
            help: "make room there, or name another directory with --out; nothing was issued".into(),
            ..Failure::file(directory, "written to", &error)
        })
    }

    /// Those of the successor of a certificate: in the place of its own, which are `NAME-LABEL.…` where there are any, and
    /// otherwise `NAME.…`, unless that is another certificate.
    pub fn of_successor(directory: &Path, name: &str, old: &CertificateRow) -> Result<Self, Failure> {
        Self::room(directory)?;
        let named = |stem: String| Self { directory: directory.to_owned(), stem };
        let labelled = named(format!("{name}-{}", stem(&old.label)));
        let plain = named(name.to_owned());
        let is_another = std::fs::read(plain.path("pem"))
            .ok()
            .and_then(|bytes| examiner::cert::pem::certificates(&bytes).ok())
            .is_some_and(|all| all.first().is_some_and(|one| one.thumbprint != old.thumbprint));
        let is_labelled = is_another || EXTENSIONS.iter().any(|extension| labelled.path(extension).exists());
        Ok(if is_labelled { labelled } else { plain })
    }

    /// Whether the key stands there, unencrypted.
    pub fn has_key(&self) -> bool {
        self.path("key").exists()
    }

    /// Moves what stands there to `NAME.pem.old` and so on, to make room for a successor; returns where to. Nothing that
    /// was moved before is overwritten.
    pub fn set_aside(&self) -> Result<Vec<PathBuf>, Failure> {
        let mut moved = Vec::new();
        for extension in EXTENSIONS {
            let path = self.path(extension);
            if !path.exists() {
                continue;
            }
            let numbered = (2..).map(|number| self.path(&format!("{extension}.old{number}")));
            let mut places = std::iter::once(self.path(&format!("{extension}.old"))).chain(numbered);
            let Some(aside) = places.find(|place: &PathBuf| !place.exists()) else { continue };
            std::fs::rename(&path, &aside).map_err(|error| Failure::file(&path, "moved", &error))?;
            moved.push(aside);
        }
        Ok(moved)
    }

    /// The file with this extension.
    pub fn path(&self, extension: &str) -> PathBuf {
        self.directory.join(format!("{}.{extension}", self.stem))
    }

    /// Writes the certificate, then the issuing CA.
    pub fn write_certificate(&self, issued: &Issued) -> Result<PathBuf, Failure> {
        let path = self.path("pem");
        files::write_new_public(&path, issued.to_pem().as_bytes())?;
        Ok(path)
    }

    /// Writes the key, unencrypted, mode 0600.
    pub fn write_key(&self, key: &PrivateKey) -> Result<PathBuf, Failure> {
        let path = self.path("key");
        files::write_new_private(&path, key.to_pem()?.as_bytes())?;
        Ok(path)
    }

    /// Writes key and certificate under a password, mode 0600.
    pub fn write_p12(
        &self,
        name: &str,
        key: &PrivateKey,
        issued: &Issued,
        profile: pkcs12::Profile,
        password: &pkcs12::Password,
    ) -> Result<PathBuf, Failure> {
        let path = self.path("p12");
        let bytes = pkcs12::export(name, key, &issued.der, &issued.chain_der, password, profile)?;
        files::write_new_private(&path, &bytes)?;
        Ok(path)
    }
}

/// Where the password of a PKCS#12 file comes from; generated where nothing is named.
#[derive(Debug, Default, clap::Args)]
pub struct PasswordFrom {
    /// The first line of this file is the password of NAME.p12 (`modern` only); otherwise one is generated.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The first line of standard input is the password of NAME.p12 (`modern` only).
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
}

impl PasswordFrom {
    /// Whether somebody chose it, who knows it then.
    pub fn is_chosen(&self) -> bool {
        self.password_file.is_some() || self.password_stdin
    }

    /// The password. `compatible` files only take generated ones: their encryption withstands no guessing.
    pub fn read(&self, p12: pkcs12::Profile) -> Result<pkcs12::Password, Failure> {
        let file = match &self.password_file {
            Some(file) => file.as_path(),
            None if self.password_stdin => Path::new("-"),
            None => return Ok(pkcs12::generate_password()?),
        };
        if p12 == pkcs12::Profile::Compatible {
            return Err(authority::AuthorityError::PasswordNotGenerated.into());
        }
        let bytes = zeroize::Zeroizing::new(cert::read_bytes(file)?);
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| Failure::usage("the password is no UTF-8 text", "give it as one line of text"))?;
        Ok(pkcs12::Password::chosen(text.lines().next().unwrap_or_default())?)
    }
}

/// The profile that `--p12` names.
pub fn p12_profile(word: &str) -> pkcs12::Profile {
    if word == "modern" { pkcs12::Profile::Modern } else { pkcs12::Profile::Compatible }
}

/// A new private key, ECDSA P-256.
pub fn new_key() -> Result<PrivateKey, Failure> {
    Ok(authority::keys::generate(KeyType::default())?)
}

/// The kind of key that `--key-type` names.
pub fn key_type(text: &str) -> Result<KeyType, UnknownWord> {
    text.parse()
}

/// A random UUID (RFC 9562 version 4).
pub fn new_uuid() -> Result<String, Failure> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(no_randomness)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

fn no_randomness(error: getrandom::Error) -> Failure {
    Failure::new(super::Exit::Bug, format!("no randomness: {error}"), "try again")
}
