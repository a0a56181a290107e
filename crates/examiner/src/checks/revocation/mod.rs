//! Revocation, as far as lists and responses beside the chain tell.

mod crl_issuer_no_crlsign;
mod crl_profile;
mod crl_signature_or_issuer_wrong;
mod crl_unreachable_expired;
mod crl_very_large_or_sharded_idp;
mod delegated_responder_ca;
mod intermediate_revoked;
mod must_staple_without_staple;
mod no_revocation_source;
mod ocsp_responder_profile;
mod ocsp_response_stale_or_future;
mod ocsp_sha1_signature;
mod ocsp_signer_not_authorised;
mod ocsp_unreachable_or_slow;
mod ocsp_url_on_ca_that_ended_ocsp;
mod ocsp_wrong_serial_or_issuer_hash;
mod revoked_crl;
mod revoked_ocsp;
mod shared_evidence;

use super::{check::Check, prelude};

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &crl_issuer_no_crlsign::CHECK,
    &crl_profile::CHECK,
    &crl_signature_or_issuer_wrong::CHECK,
    &crl_unreachable_expired::CHECK,
    &crl_very_large_or_sharded_idp::CHECK,
    &delegated_responder_ca::CHECK,
    &intermediate_revoked::CHECK,
    &must_staple_without_staple::CHECK,
    &no_revocation_source::CHECK,
    &ocsp_responder_profile::CHECK,
    &ocsp_response_stale_or_future::CHECK,
    &ocsp_sha1_signature::CHECK,
    &ocsp_signer_not_authorised::CHECK,
    &ocsp_unreachable_or_slow::CHECK,
    &ocsp_wrong_serial_or_issuer_hash::CHECK,
    &revoked_crl::CHECK,
    &revoked_ocsp::CHECK,
    &ocsp_url_on_ca_that_ended_ocsp::CHECK,
];
