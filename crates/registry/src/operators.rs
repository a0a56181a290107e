//! Operators: who may enter the admin address. There is always an owner.

use examiner::UnixTime;
use policy::record::OperatorRole;
use policy::{Holder, PartyName};

use crate::certificates::{CertificateRow, certificate_row, record};
use crate::error::{RegistryError, Result};
use crate::open::{Actor, Registry};
use crate::rows::thumbprint;

impl Registry {
    /// All operators' certificates by name, revoked ones included.
    pub async fn operators(&self) -> Result<Vec<(PartyName, OperatorRole, CertificateRow)>> {
        let rows =
            sqlx::query("SELECT * FROM certificates WHERE holder_kind = 'operator' ORDER BY holder, number")
                .fetch_all(&self.readers)
                .await?;
        let mut operators = Vec::with_capacity(rows.len());
        for row in &rows {
            if let Holder::Operator { name, role } = record(row)?.1.holder {
                operators.push((name, role, certificate_row(row)?));
            }
        }
        Ok(operators)
    }

    /// Revokes all certificates of an operator.
    ///
    /// `Err(LastOwner)` if no other owner would hold a certificate that is neither revoked nor past its end.
    pub async fn revoke_operator(&self, name: &PartyName, actor: &Actor, now: UnixTime) -> Result<()> {
        let mut write = self.write(now).await?;
        let held = sqlx::query(
            "SELECT thumbprint, role FROM certificates
             WHERE holder_kind = 'operator' AND holder = ?1 AND revoked_at IS NULL",
        )
        .bind(name.as_str())
        .fetch_all(&mut *write.tx)
        .await?;
        if held.is_empty() {
            return Err(RegistryError::not_found(format!("operator `{name}`")));
        }
        let (own, others): (i64, i64) = sqlx::query_as(
            "SELECT ifnull(sum(holder = ?1), 0), ifnull(sum(holder <> ?1 AND not_after >= ?2
                 AND ifnull(superseded_after, ?2) >= ?2), 0)
             FROM certificates WHERE holder_kind = 'operator' AND role = 'owner' AND revoked_at IS NULL",
        )
        .bind(name.as_str())
        .bind(now.seconds())
        .fetch_one(&mut *write.tx)
        .await?;
        if own > 0 && others == 0 {
            return Err(RegistryError::LastOwner);
        }
        for row in &held {
            write.revoke_certificate(&thumbprint(row)?, "privilege-withdrawn", actor, now).await?;
        }
        write.commit(self).await
    }
}
