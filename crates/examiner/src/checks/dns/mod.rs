//! What the DNS says of a host beside its addresses. All of it rests on what was asked; where nobody asked, nothing is
//! said.

mod caa_absent;
mod caa_critical_unknown_or_syntax;
mod caa_forbids_current_issuer;
mod caa_wildcard_parameter_conflict;
mod dnssec_broken;
mod https_record_vs_certificate;
mod shared;
mod tlsa_mismatch;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &caa_absent::CHECK,
    &caa_forbids_current_issuer::CHECK,
    &caa_critical_unknown_or_syntax::CHECK,
    &caa_wildcard_parameter_conflict::CHECK,
    &tlsa_mismatch::CHECK,
    &dnssec_broken::CHECK,
    &https_record_vs_certificate::CHECK,
];
