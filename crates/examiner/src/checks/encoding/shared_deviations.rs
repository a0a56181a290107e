//! The departures from DER of a certificate, its extensions included.

use super::prelude::*;
use crate::cert::tlv::{DeviationKind, Tree};
use crate::chain::Extension;

/// Extensions whose contents are of the forms that the standards give; others may hold anything.
pub(super) const STANDARD: &[&str] = &[
    id::SUBJECT_KEY_ID,
    id::KEY_USAGE,
    id::PRIVATE_KEY_USAGE_PERIOD,
    id::SUBJECT_ALT_NAME,
    id::ISSUER_ALT_NAME,
    id::BASIC_CONSTRAINTS,
    id::NAME_CONSTRAINTS,
    id::CRL_DISTRIBUTION_POINTS,
    id::CERTIFICATE_POLICIES,
    id::POLICY_MAPPINGS,
    id::AUTHORITY_KEY_ID,
    id::POLICY_CONSTRAINTS,
    id::EXTENDED_KEY_USAGE,
    id::INHIBIT_ANY_POLICY,
    id::AUTHORITY_INFO_ACCESS,
    id::SCT_LIST,
    id::PRECERT_POISON,
    id::TLS_FEATURE,
    id::QC_STATEMENTS,
    id::OCSP_NO_CHECK,
    // subjectDirectoryAttributes, freshestCRL, subjectInfoAccess (RFC 5280 sections 4.2.1.8, 4.2.1.15, 4.2.2.2).
    "2.5.29.9",
    "2.5.29.46",
    "1.3.6.1.5.5.7.1.11",
];

/// Departures of these kinds, in the certificate itself and in the extensions whose form is known.
///
/// Those that end the reading of an extension are left to the check that says it cannot be decoded.
pub(super) fn of_kinds(certificate: &Examinee, wanted: impl Fn(DeviationKind) -> bool) -> Vec<Found> {
    let known = |one: &&Extension| STANDARD.contains(&one.oid.as_str());
    let wrong: Vec<&str> = certificate.known.undecodable().iter().map(|one| &*one.place.path).collect();
    let inner = certificate.extensions.iter().filter(known).filter(|one| !wrong.contains(&&*one.place.path));
    let outer = (Place::new("", 0..0), &certificate.tree);
    let trees = inner.filter_map(|one| Some((one.value.clone()?, one.tree.as_ref()?)));
    let each = |(place, tree): (Place, &Tree)| {
        let all = tree.deviations.iter().filter(|one| wanted(one.kind));
        all.map(|one| {
            Found::new(certificate, Place::new(place.path.clone(), one.range.clone()), one.kind.words())
        })
        .collect::<Vec<_>>()
    };
    std::iter::once(outer).chain(trees).flat_map(each).collect()
}
