//! What was asked of the addresses that certificates name, and what came.

use serde::Serialize;

use crate::cert::Thumbprint;
use crate::chain::Examinee;

/// One question to an address, for a certificate of the chain.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The certificate that names the address.
    pub about: Thumbprint,
    /// What was wanted.
    pub sought: Sought,
    /// How it was asked.
    pub method: Method,
    /// The address.
    pub url: String,
    /// What came, or why nothing did, in words.
    pub came: Result<Came, String>,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sought {
    /// The certificate of the issuer (RFC 5280 section 4.2.2.1).
    Issuer,
    /// The list of revoked certificates (RFC 5280 section 4.2.1.13).
    RevocationList,
    /// An OCSP response (RFC 6960).
    OcspResponse,
    /// Who may issue for the host (RFC 8659).
    CaaRecords,
    /// Which certificates the host pins (RFC 6698).
    TlsaRecords,
    /// Where clients are led to (RFC 9460).
    HttpsRecords,
}

/// How it was asked: the HTTP method, or the DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// A question to a resolver; the address is that of RFC 4501.
    Dns,
}

/// What came.
#[derive(Clone, Debug)]
pub enum Came {
    /// Certificates; never none.
    Certificates {
        /// How they were written.
        form: Form,
        /// The certificates.
        all: Vec<Examinee>,
    },
    /// A revocation list of this many octets; it stands with the others.
    RevocationList(usize),
    /// An OCSP response; it stands with the others.
    OcspResponse,
    /// This many records; they stand with the others.
    Records(usize),
    /// Nothing: it was not asked, for this reason.
    NotAsked(&'static str),
}

/// How certificates were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One in DER.
    Der,
    /// Several in PKCS#7 (a certs-only CMS message).
    Pkcs7,
    /// Text, which the standard does not provide for here.
    Pem,
}

impl Asked {
    /// What came, in words; else why nothing did.
    pub fn words(&self) -> Result<String, &str> {
        Ok(match self.came.as_ref().map_err(String::as_str)? {
            Came::Certificates { form, all } => {
                let names: Vec<String> = all.iter().map(Examinee::shown_name).collect();
                format!("the certificate of {}, as {}", names.join(", of "), form.word())
            }
            Came::RevocationList(size) => format!("a list of {size} octets"),
            Came::OcspResponse => "a response".into(),
            Came::Records(0) => "no record".into(),
            Came::Records(1) => "one record".into(),
            Came::Records(count) => format!("{count} records"),
            Came::NotAsked(why) => format!("not asked: {why}"),
        })
    }

    /// The certificates that came for a certificate's issuer.
    pub fn issuers(&self) -> &[Examinee] {
        match &self.came {
            Ok(Came::Certificates { all, .. }) => all,
            _ => &[],
        }
    }
}

impl Sought {
    /// What was wanted for the certificate with this number.
    pub fn words(self, index: usize) -> String {
        match self {
            Self::Issuer => format!("the issuer of certificate {index}"),
            Self::RevocationList => format!("the revocation list for certificate {index}"),
            Self::OcspResponse => format!("the state of certificate {index} (OCSP)"),
            Self::CaaRecords => "who may issue for the host (CAA)".into(),
            Self::TlsaRecords => "the certificates that the host pins (TLSA)".into(),
            Self::HttpsRecords => "where clients are led to (HTTPS)".into(),
        }
    }
}

impl Method {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Dns => "DNS",
        }
    }
}

impl Form {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Der => "DER",
            Self::Pkcs7 => "PKCS#7",
            Self::Pem => "PEM",
        }
    }
}
