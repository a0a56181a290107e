//! What is asked, read without trust: anybody may send it.

use aws_lc_rs::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use der::asn1::{Any, OctetString};
use der::{Decode, Encode, Tag, Tagged};
use examiner::Certificate;
use spki::{ObjectIdentifier, SubjectPublicKeyInfoRef};
use x509_cert::ext::Extensions;

use super::wire;

/// The most certificates that one request may ask for.
pub const MOST_WANTED: usize = 100;
/// The longest nonce, in octets (RFC 9654 section 2.1); the shortest is one.
pub const NONCE_MOST: usize = 128;

const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
/// Extensions that say what kinds of answers are understood; the answers here are of the kind that all understand.
const UNDERSTOOD: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.4"),
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.8"),
];

/// A request (RFC 6960 section 4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked for, at least one and at most [`MOST_WANTED`].
    pub wanted: Vec<Wanted>,
    /// What the answer is to repeat, so that nobody can give an older one; 1 to [`NONCE_MOST`] octets.
    pub nonce: Option<Vec<u8>>,
}

/// One certificate that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub(super) id: Any,
    algorithm: ObjectIdentifier,
    issuer_name: Vec<u8>,
    issuer_key: Vec<u8>,
    serial: Vec<u8>,
}

/// The request cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is malformed")]
pub struct Malformed;

impl From<der::Error> for Malformed {
    fn from(_: der::Error) -> Self {
        Self
    }
}

impl Request {
    /// Reads a request, DER. `Err` too for a nonce of no octets or more than 128, for an unknown critical extension, and
    /// for more certificates than are answered at once.
    pub fn read(der: &[u8]) -> Result<Self, Malformed> {
        let wire::TbsRequest { version, list, extensions, .. } = wire::Request::from_der(der)?.tbs;
        if version != 0 || list.is_empty() || list.len() > MOST_WANTED {
            return Err(Malformed);
        }
        let nonce = nonce(&extensions.unwrap_or_default())?;
        let wanted = list.into_iter().map(Wanted::read).collect::<Result<_, _>>()?;
        Ok(Self { wanted, nonce })
    }
}

impl Wanted {
    fn read(single: wire::Single) -> Result<Self, Malformed> {
        if single.extensions.is_some_and(|all| all.iter().any(|one| one.critical)) {
            return Err(Malformed);
        }
        let id = wire::CertId::from_der(&single.id.to_der()?)?;
        if id.serial.tag() != Tag::Integer || id.serial.value().is_empty() {
            return Err(Malformed);
        }
        Ok(Self {
            id: single.id,
            algorithm: id.algorithm.oid,
            issuer_name: id.issuer_name.into_bytes().into(),
            issuer_key: id.issuer_key.into_bytes().into(),
            serial: id.serial.value().to_vec(),
        })
    }

    /// Whether it is one of this CA's: its name and key hash to what is asked, by SHA-1 or SHA-256.
    pub fn is_of(&self, issuer: &Certificate) -> bool {
        let Some(algorithm) = self.hash() else { return false };
        let Ok(spki) = SubjectPublicKeyInfoRef::from_der(&issuer.spki) else { return false };
        let same = |hash: &[u8], of: &[u8]| digest(algorithm, of).as_ref() == hash;
        same(&self.issuer_name, &issuer.subject_der)
            && same(&self.issuer_key, spki.subject_public_key.raw_bytes())
    }

    /// Its serial number, the integer's content octets.
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    fn hash(&self) -> Option<&'static Algorithm> {
        match self.algorithm {
            SHA_1 => Some(&SHA1_FOR_LEGACY_USE_ONLY),
            SHA_256 => Some(&SHA256),
            _ => None,
        }
    }
}

fn nonce(extensions: &Extensions) -> Result<Option<Vec<u8>>, Malformed> {
    let mut found = None;
    for one in extensions {
        if one.extn_id == wire::NONCE {
            let nonce = OctetString::from_der(one.extn_value.as_bytes())?;
            if !(1..=NONCE_MOST).contains(&nonce.as_bytes().len()) || found.is_some() {
                return Err(Malformed);
            }
            found = Some(nonce.as_bytes().to_vec());
        } else if one.critical && !UNDERSTOOD.contains(&one.extn_id) {
            return Err(Malformed);
        }
    }
    Ok(found)
}
