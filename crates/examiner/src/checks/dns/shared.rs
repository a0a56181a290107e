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

const DIGICERT: &[&str] =
    &["digicert.com", "digicert.ne.jp", "thawte.com", "geotrust.com", "rapidssl.com", "symantec.com"];
const SECTIGO: &[&str] =
    &["sectigo.com", "comodo.com", "comodoca.com", "usertrust.com", "trust-provider.com"];

/// By which names in CAA records CAs go, by the organisation in their certificates, as their certification practice
/// statements say. It stands for the large ones alone; of others nothing is said. As of 2026-08.
const CAS: &[(&str, &[&str])] = &[
    ("Let's Encrypt", &["letsencrypt.org"]),
    ("Google Trust Services", &["pki.goog", "google.com"]),
    ("Google Trust Services LLC", &["pki.goog", "google.com"]),
    ("DigiCert Inc", DIGICERT),
    ("DigiCert, Inc.", DIGICERT),
    ("Sectigo Limited", SECTIGO),
    ("ZeroSSL", SECTIGO),
    ("GlobalSign nv-sa", &["globalsign.com"]),
    ("Amazon", &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com", "aws.amazon.com"]),
    ("GoDaddy.com, Inc.", &["godaddy.com", "starfieldtech.com"]),
    ("Starfield Technologies, Inc.", &["godaddy.com", "starfieldtech.com"]),
    ("Entrust, Inc.", &["entrust.net", "affirmtrust.com"]),
    ("SSL Corporation", &["ssl.com"]),
    ("SSL Corp", &["ssl.com"]),
    ("Actalis S.p.A.", &["actalis.it"]),
    ("Buypass AS-983163327", &["buypass.com", "buypass.no"]),
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
