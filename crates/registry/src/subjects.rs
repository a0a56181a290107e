//! The end of subject rules.

use examiner::UnixTime;
use policy::record::SubjectRule;
use policy::{PartyName, RecordChange};
use sqlx::Row;

use crate::audit::AuditEvent;
use crate::error::Result;
use crate::feed::Write;
use crate::open::Actor;
use crate::rows::digest;
use crate::said::Said;

impl Write {
    /// Takes all subject rules of a party away: no certificate leads to it by its subject from now on.
    pub(crate) async fn remove_subject_rules(
        &mut self,
        party: &PartyName,
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let rules = sqlx::query("DELETE FROM subjects WHERE party = ?1 RETURNING ca, subject, shown")
            .bind(party.as_str())
            .fetch_all(&mut *self.tx)
            .await?;
        for row in &rules {
            let rule = SubjectRule { ca: row.try_get("ca")?, subject: digest(row, "subject")? };
            let event =
                AuditEvent::changed(actor, now, Said::SubjectRemoved(row.try_get("shown")?, &rule.ca));
            self.feed(&RecordChange::Subject(rule, None)).await?;
            self.audit(event.party(party)).await?;
        }
        Ok(())
    }
}
