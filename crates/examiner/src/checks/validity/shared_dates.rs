//! The two dates of a certificate as they stand.

use super::prelude::*;
use crate::chain::Field;

/// notBefore and notAfter, those of them that are there.
pub(super) fn dates(certificate: &Examinee) -> impl Iterator<Item = Field<'_>> {
    let fields = certificate.fields();
    [fields.not_before, fields.not_after].into_iter().flatten()
}
