//! Which certificates of one own CA are in use: what keeps its old generation from being given up.

use examiner::{Thumbprint, UnixTime};
use policy::Holder;
use sqlx::Row;

use crate::certificates::{Issuer, holder};
use crate::error::Result;
use crate::open::Registry;
use crate::rows::{maybe_time, thumbprint, time};

/// A certificate that one of the own CAs issued, with its holder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuedRow {
    /// Whose it is.
    pub holder: Holder,
    /// What its holder calls it.
    pub label: String,
    /// SHA-256 of its DER.
    pub thumbprint: Thumbprint,
    /// Last second of validity, inclusive.
    pub not_after: UnixTime,
    /// Last second at which it is accepted beside its successor.
    pub superseded_after: Option<UnixTime>,
}

impl Registry {
    /// The certificates of one own CA, named as `issuer_name` (RFC 4514), that are admitted at `now`: within their dates,
    /// not revoked, and not superseded beyond their overlap.
    pub async fn in_use_of(
        &self,
        issuer: Issuer,
        issuer_name: &str,
        now: UnixTime,
    ) -> Result<Vec<IssuedRow>> {
        let rows = sqlx::query(
            "SELECT * FROM certificates
             WHERE origin = 'own' AND ifnull(issued_by, ?1) = ?1 AND issuer = ?2 AND revoked_at IS NULL AND not_after >= ?3
                 AND ifnull(superseded_after, ?3) >= ?3
             ORDER BY not_after, number",
        )
        .bind(issuer.word())
        .bind(issuer_name)
        .bind(now.seconds())
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(IssuedRow {
                    holder: holder(row)?,
                    label: row.try_get("label")?,
                    thumbprint: thumbprint(row)?,
                    not_after: time(row, "not_after")?,
                    superseded_after: maybe_time(row, "superseded_after")?,
                })
            })
            .collect()
    }
}
