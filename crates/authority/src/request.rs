//! Certification requests (RFC 2986) for certificates that are bought or issued elsewhere.

use std::str::FromStr;

use der::asn1::{Any, BitString, SetOfVec};
use der::oid::AssociatedOid;
use der::{Decode, Encode};
use policy::issuance::AltName;
use spki::SubjectPublicKeyInfoOwned;
use x509_cert::attr::Attribute;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::request::{CertReq, CertReqInfo, ExtensionReq, Version};

use crate::error::AuthorityError;
use crate::keys::PrivateKey;
use crate::{extensions, names};

/// What the issuer is asked to write into the certificate; it decides itself what of this it takes.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The subject, such as `CN=svc-1,O=Lab` (RFC 4514); may be empty where there are alternative names.
    pub subject: &'a str,
    /// The subject alternative names.
    pub alt_names: &'a [AltName],
    /// Whether the certificate is for a client (clientAuth); otherwise for a server (serverAuth).
    pub is_client: bool,
}

impl Request<'_> {
    /// The request for `key`, DER, signed with it.
    ///
    /// `Err(BadSubject)` where the subject is no distinguished name.
    pub fn sign(&self, key: &PrivateKey) -> Result<Vec<u8>, AuthorityError> {
        let subject = match self.subject {
            "" => Name::default(),
            text => Name::from_str(text).map_err(|_| AuthorityError::BadSubject(text.to_owned()))?,
        };
        let mut wanted =
            vec![extensions::plain(&ExtendedKeyUsage(vec![extensions::purpose(self.is_client)]))?];
        if !self.alt_names.is_empty() {
            let all = self.alt_names.iter().map(names::general).collect::<der::Result<_>>()?;
            let mut names = extensions::plain(&SubjectAltName(all))?;
            // RFC 5280 section 4.2.1.6: where they alone say who it is.
            names.critical = subject.is_empty();
            wanted.push(names);
        }
        let asked = Attribute {
            oid: ExtensionReq::OID,
            values: SetOfVec::try_from(vec![Any::encode_from(&ExtensionReq(wanted))?])?,
        };
        let info = CertReqInfo {
            version: Version::V1,
            subject,
            public_key: SubjectPublicKeyInfoOwned::from_der(&key.spki()?)?,
            attributes: SetOfVec::try_from(vec![asked])?,
        };
        let signature = BitString::from_bytes(&key.sign(&info.to_der()?)?)?;
        Ok(CertReq { info, algorithm: key.algorithm(), signature }.to_der()?)
    }
}
