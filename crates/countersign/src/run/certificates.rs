//! The gate's own server certificates: issued by a short-lived process of this binary that may read the CA's key, and
//! read by the gate, which may not.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use authority::{Hierarchy, KeyType, Role, files, keys};
use examiner::{Certificate, UnixTime};
use policy::issuance::{AltName, Plan, Profile, check};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::config::StateDir;

/// The name under which the admin address keeps its certificate.
pub const ADMIN: &str = "admin";

/// Why a server certificate cannot be shown or made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// A file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}", path.display())]
    Content {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The authority refused or failed.
    #[error(transparent)]
    Authority(#[from] authority::AuthorityError),
    /// The plan is against the rules.
    #[error(transparent)]
    Plan(#[from] policy::issuance::IssueError),
}

/// Certificate and key files of a name in the state directory.
pub fn paths(state: &StateDir, name: &str) -> (PathBuf, PathBuf) {
    let folder = state.path().join("server");
    (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")))
}

/// Loads a certificate chain and its key for the TLS stack; a key that does not fit is an error.
pub fn load(cert: &Path, key: &Path) -> Result<Arc<CertifiedKey>, CertificateError> {
    let read = |path: &Path| {
        std::fs::read(path).map_err(|source| CertificateError::Read { path: path.to_owned(), source })
    };
    let wrong = |path: &Path, what: String| CertificateError::Content { path: path.to_owned(), what };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(cert)?)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(cert, "the file holds no CERTIFICATE block".into()));
    }
    let private =
        PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|error| wrong(key, error.to_string()))?;
    let certified = CertifiedKey::from_der(chain, private, &rustls::crypto::aws_lc_rs::default_provider())
        .map_err(|error| wrong(key, format!("it does not fit {}: {error}", cert.display())))?;
    Ok(Arc::new(certified))
}

/// Whether the certificate of `name` is missing, names other hosts, or has used two thirds of its life.
pub fn is_due(state: &StateDir, name: &str, now: UnixTime) -> bool {
    let (cert, key) = paths(state, name);
    let Some(certificate) =
        std::fs::read(cert).ok().and_then(|pem| examiner::cert::pem::certificates(&pem).ok())
    else {
        return true;
    };
    !key.exists() || two_thirds_used(&certificate[0], now)
}

fn two_thirds_used(certificate: &Certificate, now: UnixTime) -> bool {
    let life = certificate.not_after.seconds() - certificate.not_before.seconds();
    now.seconds() >= certificate.not_before.seconds() + life / 3 * 2
}

/// Issues what is due among the names: sites by host name, [`ADMIN`] for the admin address. Returns what was issued.
///
/// A site outside the server CA's name constraints makes the root issue that CA anew for all of `names`.
pub fn issue_due(state: &StateDir, names: &[String], now: UnixTime) -> Result<Vec<String>, CertificateError> {
    let due: Vec<&String> = names.iter().filter(|name| is_due(state, name, now)).collect();
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let passphrase = state.passphrase().read()?;
    let mut hierarchy = Hierarchy::open(&state.authority())?;
    let sites: Vec<String> = names.iter().filter(|name| *name != ADMIN).cloned().collect();
    if sites.iter().any(|site| !hierarchy.server_ca_permits(site)) {
        hierarchy.reissue_server_ca(&sites, &passphrase, now)?;
    }
    let signer = hierarchy.unlock(Role::Server, &passphrase)?;
    files::private_directory(&state.path().join("server"))?;
    let mut issued = Vec::new();
    for name in due {
        let key = keys::generate(KeyType::EcdsaP256)?;
        let mut plan = Plan::new(Profile::Server, name, "", key.spki()?, signer.window(), now);
        plan.common_name = if name == ADMIN { "localhost".into() } else { name.clone() };
        plan.alt_names = alternative_names(name);
        let made = signer.issue(&check(plan, signer.window(), now)?)?;
        let (cert_path, key_path) = paths(state, name);
        // The key first: a certificate without its key would be seen as whole.
        files::replace_private(&key_path, key.to_pem()?.as_bytes())?;
        files::replace_public(&cert_path, made.to_pem().as_bytes())?;
        issued.push(name.clone());
    }
    Ok(issued)
}

fn alternative_names(name: &str) -> Vec<AltName> {
    if name == ADMIN {
        let addresses =
            ["127.0.0.1", "::1"].map(|text| AltName::Ip(text.parse().expect("a constant address")));
        return [AltName::Dns("localhost".into())].into_iter().chain(addresses).collect();
    }
    match name.trim_matches(['[', ']']).parse() {
        Ok(address) => vec![AltName::Ip(address)],
        Err(_) => vec![AltName::Dns(name.to_owned())],
    }
}
