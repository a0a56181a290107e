//! What the checks of the DNS have in common.

use super::prelude::*;
use crate::side::{CaaSet, Dns};

/// organizationName (RFC 5280 appendix A.1).
const ORGANIZATION: &str = "2.5.4.10";

/// What the DNS says; `None` where nobody asked.
pub(super) fn dns(chain: &Chain) -> Option<&Dns> {
    chain.side.dns.as_ref()
}

/// The CAA records that count, where there are some.
pub(super) fn caa(chain: &Chain) -> Option<&CaaSet> {
    dns(chain)?.issuers.as_ref().filter(|set| !set.records.is_empty())
}

const DIGICERT: &[&str] = &[
    "digicert.com",
    "www.digicert.com",
    "digicert.ne.jp",
    "cybertrust.ne.jp",
    "thawte.com",
    "geotrust.com",
    "rapidssl.com",
    "symantec.com",
    "quovadisglobal.com",
    "digitalcertvalidation.com",
    "volusion.digitalcertvalidation.com",
    "stratossl.digitalcertvalidation.com",
    "intermediatecertificate.digitalcertvalidation.com",
    "1and1.digitalcertvalidation.com",
    "pkioverheid.nl",
    "amazon.com",
    "amazontrust.com",
    "awstrust.com",
    "amazonaws.com",
];
const SECTIGO: &[&str] = &[
    "sectigo.com",
    "comodo.com",
    "comodoca.com",
    "usertrust.com",
    "trust-provider.com",
    "entrust.net",
    "affirmtrust.com",
];
const AMAZON: &[&str] = &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com", "aws.amazon.com"];
const GOOGLE: &[&str] = &["pki.goog"];
const STARFIELD: &[&str] = &["godaddy.com", "starfieldtech.com", "amazon.com"];
const SSL_COM: &[&str] = &["ssl.com", "entrust.net", "affirmtrust.com"];
const ENTRUST: &[&str] = &["entrust.net", "affirmtrust.com"];

/// By which names in CAA records CAs go, by the organisation in their certificates: what the CAs declare in the CCADB ("All
/// CAA Identifiers") as of 2026-09-22, and DigiCert's practice statement, both as public sources repeat them. Where sources
/// differ, the longer list stands: a finding too few is better than a false one. It has the large CAs alone; of others
/// nothing is said. What rests on it is told as likely.
const CAS: &[(&str, &[&str])] = &[
    ("Let's Encrypt", &["letsencrypt.org"]),
    ("Internet Security Research Group", &["letsencrypt.org"]),
    ("Google Trust Services", GOOGLE),
    ("Google Trust Services LLC", GOOGLE),
    ("DigiCert Inc", DIGICERT),
    ("DigiCert, Inc.", DIGICERT),
    ("Sectigo Limited", SECTIGO),
    ("ZeroSSL", SECTIGO),
    ("GlobalSign nv-sa", &["globalsign.com"]),
    ("Amazon", AMAZON),
    ("Amazon Trust Services", AMAZON),
    ("GoDaddy.com, Inc.", STARFIELD),
    ("Starfield Technologies, Inc.", STARFIELD),
    ("Entrust, Inc.", ENTRUST),
    ("Entrust Limited", ENTRUST),
    ("Entrust Corporation", ENTRUST),
    ("SSL Corporation", SSL_COM),
    ("SSL Corp", SSL_COM),
    ("Actalis S.p.A.", &["actalis.it"]),
    ("Buypass AS-983163327", &["buypass.com", "buypass.no"]),
    ("Asseco Data Systems S.A.", &["certum.pl", "certum.eu"]),
    ("Certainly", &["certainly.com"]),
    ("Hellenic Academic and Research Institutions CA", &["harica.gr"]),
    ("IdenTrust", &["identrust.com"]),
];

/// The names that the certificate's issuer goes by; `None` where that is not known.
pub(super) fn names_of_issuer(certificate: &Examinee) -> Option<(&'static str, &'static [&'static str])> {
    let issuer = certificate.issuer.as_ref()?;
    let organisation = issuer.of_type(ORGANIZATION).find_map(|one| one.text())?;
    CAS.iter().find(|(name, _)| *name == organisation).copied()
}

/// Whether the certificate has a wildcard name.
pub(super) fn has_wildcard(certificate: &Examinee) -> bool {
    let names = certificate.known.subject_alt_name.read();
    names.is_some_and(|all| all.iter().filter_map(|one| one.dns()).any(|name| name.starts_with("*.")))
}
