//! Client certificates and mutual TLS.

mod client_anchor_is_intermediate;
mod client_anchor_too_broad;
mod client_anchors_same_dn_different_key;
mod client_ca_bit_set;
mod client_crl_stale_blocks_all;
mod client_eku_absent_accepted_by_some;
mod client_eku_any_only;
mod client_eku_lost_in_intermediate;
mod client_eku_missing_client_auth;
mod client_eku_server_only_from_public_ca;
mod client_identity_none_usable;
mod client_identity_only_in_cn;
mod client_ku_no_digital_signature;
mod client_lifetime_long;
mod client_nc_not_applied;
mod client_no_revocation_source;
mod client_public_ca_intermediate_loses_eku;
mod client_renewal_will_drop_client_auth;
mod client_self_signed_pinned;
mod client_spiffe_id_bad;
mod client_subject_collides;
mod client_upn_or_email_bad;
mod client_version_1;
mod dual_use_certificate;
mod shared;

use super::{check::Check, prelude};
pub(super) use shared::is_public;

/// The checks of this area.
pub static ALL: &[&Check] = &[
    &client_anchor_is_intermediate::CHECK,
    &client_anchors_same_dn_different_key::CHECK,
    &client_ca_bit_set::CHECK,
    &client_eku_absent_accepted_by_some::CHECK,
    &client_eku_any_only::CHECK,
    &client_eku_lost_in_intermediate::CHECK,
    &client_eku_missing_client_auth::CHECK,
    &client_eku_server_only_from_public_ca::CHECK,
    &client_identity_none_usable::CHECK,
    &client_identity_only_in_cn::CHECK,
    &client_ku_no_digital_signature::CHECK,
    &client_lifetime_long::CHECK,
    &client_no_revocation_source::CHECK,
    &client_renewal_will_drop_client_auth::CHECK,
    &client_self_signed_pinned::CHECK,
    &client_spiffe_id_bad::CHECK,
    &client_upn_or_email_bad::CHECK,
    &client_version_1::CHECK,
    &dual_use_certificate::CHECK,
    &client_anchor_too_broad::CHECK,
    &client_public_ca_intermediate_loses_eku::CHECK,
    &client_subject_collides::CHECK,
    &client_nc_not_applied::CHECK,
    &client_crl_stale_blocks_all::CHECK,
];
