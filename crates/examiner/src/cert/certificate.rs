//! The certificate itself: every fact that the decision and the reports need, read once.

use std::net::IpAddr;
use std::sync::Arc;

use x509_parser::extensions::GeneralName as ParsedName;
use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::*;

use super::hash::{KeyPin, Thumbprint};
use super::key::{self, PublicKey};
use super::name::Name;
use super::oid;
use super::time::UnixTime;

/// One X.509 certificate (RFC 5280 section 4.1), parsed from DER and kept with its bytes.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The DER as it came.
    pub der: Arc<[u8]>,
    /// SHA-256 of the DER.
    pub thumbprint: Thumbprint,
    /// SHA-256 of the SubjectPublicKeyInfo.
    pub key_pin: KeyPin,
    /// The SubjectPublicKeyInfo's DER.
    pub spki: Box<[u8]>,
    /// Kind and size of the public key.
    pub public_key: PublicKey,
    /// The serial number's content octets as they stand, big-endian.
    pub serial: Box<[u8]>,
    /// Who it names.
    pub subject: Name,
    /// The subject's DER.
    pub subject_der: Box<[u8]>,
    /// Who says so.
    pub issuer: Name,
    /// The issuer's DER.
    pub issuer_der: Box<[u8]>,
    /// First second of validity, inclusive.
    pub not_before: UnixTime,
    /// Last second of validity, inclusive (RFC 5280 section 4.1.2.5).
    pub not_after: UnixTime,
    /// Subject alternative names in their order.
    pub subject_alt_names: Vec<GeneralName>,
    /// Key usage; `None` where the extension is absent.
    pub key_usage: Option<KeyUsage>,
    /// Key purposes as dotted text; `None` where the extension is absent.
    pub extended_key_usage: Option<Vec<String>>,
    /// Whether basicConstraints says CA.
    pub is_ca: bool,
    /// The path length of basicConstraints: how many CA certificates may follow below it.
    pub path_length: Option<u32>,
    /// Certificate policies as dotted text.
    pub policies: Vec<String>,
    /// subjectKeyIdentifier.
    pub subject_key_id: Option<Box<[u8]>>,
    /// authorityKeyIdentifier's keyIdentifier.
    pub authority_key_id: Option<Box<[u8]>>,
    /// The hash of the issuer's signature.
    pub signature_hash: SignatureHash,
}

/// A subject alternative name by type (RFC 5280 section 4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GeneralName {
    /// dNSName.
    Dns(String),
    /// rfc822Name.
    Email(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress.
    Ip(IpAddr),
    /// Any other type, by its tag and bytes shown in hex.
    Other(String),
}

/// The usages that matter here (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage {
    /// digitalSignature.
    pub digital_signature: bool,
    /// keyCertSign.
    pub key_cert_sign: bool,
}

/// The hash under a certificate's signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureHash {
    /// SHA-256, SHA-384, SHA-512, or a scheme that fixes its own (Ed25519).
    Strong,
    /// SHA-1.
    Sha1,
    /// MD5 or older.
    Md5,
    /// A signature algorithm not known here.
    Unknown,
}

/// Bytes that are no certificate, or one whose fields cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate cannot be read: {0}")]
pub struct Malformed(pub String);

impl Certificate {
    /// Reads one certificate from DER. Trailing bytes, a repeated extension, or an extension that decides something
    /// here and cannot be read are errors.
    pub fn from_der(der: &[u8]) -> Result<Self, Malformed> {
        let wrong = |what: &str| Malformed(what.to_owned());
        let (rest, parsed) = X509Certificate::from_der(der).map_err(|e| Malformed(shown(&e)))?;
        if !rest.is_empty() {
            return Err(wrong("bytes follow its end"));
        }
        let tbs = &parsed.tbs_certificate;
        let extensions = tbs.extensions_map().map_err(|_| wrong("an extension stands twice"))?;
        let mut facts = Extensions::default();
        for extension in extensions.values() {
            facts.take(extension)?;
        }
        Ok(Self {
            der: der.into(),
            thumbprint: Thumbprint::of(der),
            key_pin: key::pin(&tbs.subject_pki),
            spki: tbs.subject_pki.raw.into(),
            public_key: PublicKey::of(&tbs.subject_pki),
            serial: tbs.raw_serial().into(),
            subject: Name::of(&tbs.subject),
            subject_der: tbs.subject.as_raw().into(),
            issuer: Name::of(&tbs.issuer),
            issuer_der: tbs.issuer.as_raw().into(),
            not_before: UnixTime(tbs.validity.not_before.timestamp()),
            not_after: UnixTime(tbs.validity.not_after.timestamp()),
            subject_alt_names: facts.subject_alt_names,
            key_usage: facts.key_usage,
            extended_key_usage: facts.extended_key_usage,
            is_ca: facts.is_ca,
            path_length: facts.path_length,
            policies: facts.policies,
            subject_key_id: facts.subject_key_id,
            authority_key_id: facts.authority_key_id,
            signature_hash: signature_hash(&parsed),
        })
    }

    /// Whether the key purpose TLS Web Client Authentication is listed. Absent or anyExtendedKeyUsage alone: no.
    pub fn has_client_usage(&self) -> bool {
        self.has_purpose(oid::CLIENT_AUTH)
    }

    /// Whether this key purpose (dotted text) is listed by name.
    pub fn has_purpose(&self, purpose: &str) -> bool {
        self.extended_key_usage.as_ref().is_some_and(|all| all.iter().any(|one| one == purpose))
    }

    /// Whether subject and issuer are the same name, byte for byte.
    pub fn is_self_issued(&self) -> bool {
        self.subject_der == self.issuer_der
    }

    /// The serial number in lower-case hex, two digits an octet, without a leading zero octet.
    pub fn serial_hex(&self) -> String {
        let skip = usize::from(self.serial.len() > 1 && self.serial[0] == 0);
        self.serial[skip..].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether `now` lies within the dates; both ends inclusive, `tolerance` seconds before notBefore.
    pub fn is_valid_at(&self, now: UnixTime, tolerance: i64) -> bool {
        self.not_before <= now.plus(tolerance) && now <= self.not_after
    }
}

#[derive(Default)]
struct Extensions {
    subject_alt_names: Vec<GeneralName>,
    key_usage: Option<KeyUsage>,
    extended_key_usage: Option<Vec<String>>,
    is_ca: bool,
    path_length: Option<u32>,
    policies: Vec<String>,
    subject_key_id: Option<Box<[u8]>>,
    authority_key_id: Option<Box<[u8]>>,
}

impl Extensions {
    fn take(&mut self, extension: &X509Extension<'_>) -> Result<(), Malformed> {
        match extension.parsed_extension() {
            ParsedExtension::SubjectAlternativeName(names) => {
                self.subject_alt_names = names.general_names.iter().map(general_name).collect();
            }
            ParsedExtension::KeyUsage(usage) => {
                self.key_usage = Some(KeyUsage {
                    digital_signature: usage.digital_signature(),
                    key_cert_sign: usage.key_cert_sign(),
                });
            }
            ParsedExtension::ExtendedKeyUsage(usage) => self.extended_key_usage = Some(purposes(usage)),
            ParsedExtension::BasicConstraints(constraints) => {
                self.is_ca = constraints.ca;
                self.path_length = constraints.path_len_constraint;
            }
            ParsedExtension::CertificatePolicies(policies) => {
                self.policies = policies.iter().map(|p| p.policy_id.to_id_string()).collect();
            }
            ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = Some(id.0.into()),
            ParsedExtension::AuthorityKeyIdentifier(id) => {
                self.authority_key_id = id.key_identifier.as_ref().map(|id| id.0.into());
            }
            ParsedExtension::ParseError { .. } if decides(extension) => {
                return Err(Malformed(format!("its extension {} cannot be read", extension.oid)));
            }
            _ => {}
        }
        Ok(())
    }
}

/// Whether the extension is one that the facts above are read from.
fn decides(extension: &X509Extension<'_>) -> bool {
    let id = extension.oid.to_id_string();
    matches!(id.as_str(), "2.5.29.17" | "2.5.29.15" | "2.5.29.37" | "2.5.29.19" | "2.5.29.32" | "2.5.29.30")
}

fn purposes(usage: &ExtendedKeyUsage<'_>) -> Vec<String> {
    let named = [
        (usage.any, oid::ANY_EXTENDED_KEY_USAGE),
        (usage.server_auth, oid::SERVER_AUTH),
        (usage.client_auth, oid::CLIENT_AUTH),
        (usage.code_signing, "1.3.6.1.5.5.7.3.3"),
        (usage.email_protection, "1.3.6.1.5.5.7.3.4"),
        (usage.time_stamping, "1.3.6.1.5.5.7.3.8"),
        (usage.ocsp_signing, "1.3.6.1.5.5.7.3.9"),
    ];
    let mut all: Vec<String> = named.iter().filter(|(set, _)| *set).map(|(_, id)| (*id).to_owned()).collect();
    all.extend(usage.other.iter().map(|id| id.to_id_string()));
    all
}

fn general_name(name: &ParsedName<'_>) -> GeneralName {
    match name {
        ParsedName::DNSName(text) => GeneralName::Dns((*text).to_owned()),
        ParsedName::RFC822Name(text) => GeneralName::Email((*text).to_owned()),
        ParsedName::URI(text) => GeneralName::Uri((*text).to_owned()),
        ParsedName::IPAddress(bytes) => match (<[u8; 4]>::try_from(*bytes), <[u8; 16]>::try_from(*bytes)) {
            (Ok(v4), _) => GeneralName::Ip(v4.into()),
            (_, Ok(v6)) => GeneralName::Ip(v6.into()),
            _ => GeneralName::Other("iPAddress of a wrong length".into()),
        },
        other => GeneralName::Other(format!("{other}")),
    }
}

fn signature_hash(certificate: &X509Certificate<'_>) -> SignatureHash {
    let algorithm = &certificate.signature_algorithm;
    let id = algorithm.algorithm.to_id_string();
    match id.as_str() {
        "1.2.840.113549.1.1.11"
        | "1.2.840.113549.1.1.12"
        | "1.2.840.113549.1.1.13"
        | "1.2.840.10045.4.3.2"
        | "1.2.840.10045.4.3.3"
        | "1.2.840.10045.4.3.4"
        | "1.3.101.112"
        | "1.3.101.113" => SignatureHash::Strong,
        "1.2.840.113549.1.1.10" => pss_hash(algorithm),
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => SignatureHash::Sha1,
        "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.2" => SignatureHash::Md5,
        _ => SignatureHash::Unknown,
    }
}

fn pss_hash(algorithm: &AlgorithmIdentifier<'_>) -> SignatureHash {
    use x509_parser::signature_algorithm::SignatureAlgorithm;
    match SignatureAlgorithm::try_from(algorithm) {
        Ok(SignatureAlgorithm::RSASSA_PSS(parameters)) => {
            match parameters.hash_algorithm_oid().to_id_string().as_str() {
                "1.3.14.3.2.26" => SignatureHash::Sha1,
                "2.16.840.1.101.3.4.2.1" | "2.16.840.1.101.3.4.2.2" | "2.16.840.1.101.3.4.2.3" => {
                    SignatureHash::Strong
                }
                _ => SignatureHash::Unknown,
            }
        }
        _ => SignatureHash::Unknown,
    }
}

fn shown(error: &x509_parser::nom::Err<X509Error>) -> String {
    match error {
        x509_parser::nom::Err::Error(e) | x509_parser::nom::Err::Failure(e) => e.to_string(),
        x509_parser::nom::Err::Incomplete(_) => "it ends too early".into(),
    }
}
