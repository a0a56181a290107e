//! A client CA whose certificate is signed elsewhere: the request for it, and the chain that comes back.
//!
//! Key and name of the client CA stay, so that certificates it issued before hold under the new one.

use der::Decode;
use der::Encode;
use der::asn1::{Any, BitString, SetOfVec};
use der::oid::AssociatedOid;
use examiner::cert::pem;
use examiner::{Certificate, UnixTime};
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix::{KeyUsage, KeyUsages, NameConstraints, name::GeneralName};
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq, Version};

use super::{Hierarchy, Role, certificate_path, chain_path, is_signed_by, parse};
use crate::error::AuthorityError;
use crate::passphrase::Passphrase;
use crate::{extensions, files};

/// CAs below the root that a chain may have, the client CA among them: no more are looked at by the gate.
const MOST_BELOW_ROOT: usize = 4;

/// Why a certificate that was signed elsewhere is not taken for the client CA.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// None of the certificates has the client CA's key.
    #[error("no certificate in the file is for the key of the client CA")]
    OtherKey,
    /// The issuer wrote another name than the one that was asked for.
    #[error("the certificate's name is `{given}`; the client CA is called `{ours}`")]
    OtherName {
        /// As it stands in the certificate.
        given: String,
        /// As it must.
        ours: String,
    },
    /// It may not do what the client CA does, or not now.
    #[error("`{subject}` {what}")]
    Unfit {
        /// Which certificate.
        subject: String,
        /// What is wrong with it.
        what: String,
    },
    /// A certificate on the way to the root is not in the file.
    #[error("`{subject}` was issued by `{issuer}`, which is not in the file")]
    NoIssuer {
        /// Whose issuer.
        subject: String,
        /// The issuer.
        issuer: String,
    },
    /// More CAs than a gate looks at.
    #[error("there are {0} CAs below the root; at most {MOST_BELOW_ROOT} are looked at")]
    TooLong(usize),
}

impl ImportError {
    /// What to do next; printed after `help:`.
    pub fn remedy(&self) -> String {
        match self {
            Self::OtherKey => "Have the request of `countersign ca csr` signed; its key is the client CA's.".into(),
            Self::OtherName { .. } => {
                "Have the request signed again with its name as it is: certificates issued so far name the client CA so.".into()
            }
            Self::Unfit { .. } => {
                "Have it signed again: a CA with keyCertSign and cRLSign, clientAuth where key purposes are listed at all, \
                 and a path length that leaves room for it."
                    .into()
            }
            Self::NoIssuer { .. } => "Add the issuers' certificates to the file, up to the root.".into(),
            Self::TooLong(_) => "Have it signed by a CA nearer to the root.".into(),
        }
    }
}

impl Hierarchy {
    /// A request for the client CA's key and name, DER (RFC 2986), signed with that key.
    pub fn client_ca_request(&self, passphrase: &Passphrase) -> Result<Vec<u8>, AuthorityError> {
        let signer = self.unlock(Role::Client, passphrase)?;
        let wanted = extensions::requested_ca(&signer.subject, &self.client.spki)?;
        let asked = Attribute {
            oid: ExtensionReq::OID,
            values: SetOfVec::try_from(vec![Any::encode_from(&ExtensionReq(wanted))?])?,
        };
        let info = CertReqInfo {
            version: Version::V1,
            subject: signer.subject.clone(),
            public_key: SubjectPublicKeyInfoOwned::from_der(&self.client.spki)?,
            attributes: SetOfVec::try_from(vec![asked])?,
        };
        let signature = BitString::from_bytes(&signer.key.sign(&info.to_der()?)?)?;
        Ok(CertReq { info, algorithm: signer.key.algorithm(), signature }.to_der()?)
    }

    /// Takes a certificate for the client CA that was signed elsewhere, among `certificates`, with its issuers up to
    /// the root. Returns the chain that is in force then, the client CA first, the root last.
    pub fn import_client_ca(
        &mut self,
        certificates: &[Certificate],
        now: UnixTime,
    ) -> Result<Vec<Certificate>, AuthorityError> {
        let chain = self.examine_client_ca(certificates, now)?;
        let issuers: String = chain[1..].iter().map(|one| pem::encode("CERTIFICATE", &one.der)).collect();
        // The issuers first: without them the certificate would be nobody's.
        files::replace_public(&chain_path(&self.directory, Role::Client), issuers.as_bytes())?;
        let text = pem::encode("CERTIFICATE", &chain[0].der);
        files::replace_public(&certificate_path(&self.directory, Role::Client), text.as_bytes())?;
        *self = Self::open(&self.directory)?;
        Ok(chain)
    }

    /// The chain that [`Self::import_client_ca`] would take; nothing is changed.
    pub fn examine_client_ca(
        &self,
        certificates: &[Certificate],
        now: UnixTime,
    ) -> Result<Vec<Certificate>, AuthorityError> {
        let ours =
            certificates.iter().find(|one| one.spki == self.client.spki).ok_or(ImportError::OtherKey)?;
        if ours.subject_der != self.client.subject_der {
            let (given, ours) = (ours.subject.to_string(), self.client.subject.to_string());
            return Err(ImportError::OtherName { given, ours }.into());
        }
        let chain = to_root(ours, certificates)?;
        for (below, one) in chain.iter().enumerate() {
            fitness(one, below, now)
                .map_err(|what| ImportError::Unfit { subject: one.subject.to_string(), what })?;
        }
        if chain.len() > MOST_BELOW_ROOT + 1 {
            return Err(ImportError::TooLong(chain.len() - 1).into());
        }
        Ok(chain)
    }
}

/// `first` and its issuers among `all`, up to a certificate that signed itself.
fn to_root(first: &Certificate, all: &[Certificate]) -> Result<Vec<Certificate>, AuthorityError> {
    let mut chain = vec![first.clone()];
    while let Some(last) = chain.last() {
        if last.is_self_issued() && is_signed_by(last, last)? {
            break;
        }
        let mut issuer = None;
        for one in all.iter().filter(|one| {
            one.subject_der == last.issuer_der && !chain.iter().any(|had| had.thumbprint == one.thumbprint)
        }) {
            if is_signed_by(last, one)? {
                issuer = Some(one.clone());
                break;
            }
        }
        chain.push(issuer.ok_or_else(|| ImportError::NoIssuer {
            subject: last.subject.to_string(),
            issuer: last.issuer.to_string(),
        })?);
    }
    Ok(chain)
}

/// What keeps a CA certificate from its place in the chain, `below` CAs under it (RFC 5280 sections 4.2.1 and 6.1.4).
fn fitness(one: &Certificate, below: usize, now: UnixTime) -> Result<(), String> {
    if !one.is_ca {
        return Err("is no certificate of a CA".into());
    }
    if one.path_length.is_some_and(|most| (most as usize) < below) {
        return Err(format!("allows too few CAs below it; there would be {below}"));
    }
    if now < one.not_before {
        return Err(format!("is not valid before {}", one.not_before));
    }
    if now > one.not_after {
        return Err(format!("was valid until {}", one.not_after));
    }
    if !one.extended_key_usage.as_ref().is_none_or(|all| all.contains(&extensions::CLIENT_AUTH.to_string())) {
        return Err("lists key purposes, and not clientAuth".into());
    }
    if let Some(what) = one.public_key.weakness() {
        return Err(format!("has a weak key: {what}"));
    }
    let unreadable = |_| "has an extension that cannot be read".to_owned();
    let parsed = parse(one).map_err(|_| "cannot be read".to_owned())?;
    let usage = parsed.tbs_certificate().get_extension::<KeyUsage>().map_err(unreadable)?;
    let usage = usage.map(|(_, usage)| usage.0);
    // Ours must say what its key is for; of those above it only what they say is held against them (RFC 5280 section 6.1.4
    // (n)): roots that `openssl req -x509` makes say nothing.
    let may = |what: KeyUsages| usage.map_or(below > 0, |usage| usage.contains(what));
    if !may(KeyUsages::KeyCertSign) {
        return Err("may not sign certificates (keyCertSign)".into());
    }
    if below == 0 && !may(KeyUsages::CRLSign) {
        return Err("may not sign revocation lists (cRLSign)".into());
    }
    if below == 0 && one.subject_key_id.is_none() {
        return Err("has no subject key identifier".into());
    }
    let constraints = parsed.tbs_certificate().get_extension::<NameConstraints>().map_err(unreadable)?;
    if constraints.is_some_and(|(_, constraints)| shuts_parties_out(&constraints)) {
        return Err(
            "has name constraints that our certificates, with `CN=NAME` and `urn:uuid:…`, do not fit".into(),
        );
    }
    Ok(())
}

/// Whether certificates of parties cannot hold under these: their subject is a common name alone, and they carry a URI
/// without a host.
fn shuts_parties_out(constraints: &NameConstraints) -> bool {
    let permitted = constraints.permitted_subtrees.iter().flatten();
    let excluded = constraints.excluded_subtrees.iter().flatten();
    permitted.map(|subtree| (&subtree.base, true)).chain(excluded.map(|subtree| (&subtree.base, false))).any(
        |(base, is_permitted)| match base {
            GeneralName::UniformResourceIdentifier(_) => true,
            GeneralName::DirectoryName(_) => is_permitted,
            _ => false,
        },
    )
}
