//! A list in an extension, and the list of extensions, has an entry.

use super::prelude::*;
use crate::cert::tlv::tag;
use crate::chain::Extension;

pub static CHECK: Check = Check {
    id: "empty-extension-sequence",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.2",
    expected: "at least one entry",
    remedy: "Have the certificate issued again with the entry, or without the extension.",
    affected: "strict clients",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

/// Extensions that are lists of at least one entry; those with a check of their own for that are left to it.
const LISTS: &[(&str, &str)] = &[
    (id::CERTIFICATE_POLICIES, "certificatePolicies"),
    (id::POLICY_MAPPINGS, "policyMappings"),
    (id::AUTHORITY_INFO_ACCESS, "authorityInfoAccess"),
    (id::CRL_DISTRIBUTION_POINTS, "cRLDistributionPoints"),
    (id::TLS_FEATURE, "the TLS feature"),
    ("2.5.29.9", "subjectDirectoryAttributes"),
    ("2.5.29.46", "freshestCRL"),
    ("1.3.6.1.5.5.7.1.11", "subjectInfoAccess"),
];

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let is_empty = |one: &Extension| {
        one.tree
            .as_ref()
            .and_then(|tree| tree.root())
            .is_some_and(|root| root.is(tag::SEQUENCE) && root.content().is_empty())
    };
    let lists = certificate.extensions.iter().filter(|one| is_empty(one)).filter_map(|one| {
        let (_, name) = LISTS.iter().find(|(oid, _)| *oid == one.oid)?;
        Some(Found::new(certificate, one.place.clone(), format!("{name} is a list without an entry")))
    });
    let whole = certificate.fields().extensions.filter(|field| field.element.content().is_empty());
    let whole =
        whole.map(|field| Found::new(certificate, field.place, "the list of extensions has no entry"));
    Outcome::all(lists.chain(whole))
}
