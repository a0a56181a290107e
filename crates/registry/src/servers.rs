//! Server certificates for hosts that are no site: nobody enters with one, so that only the audit log has them.

use examiner::{Certificate, UnixTime};

use crate::audit::AuditEvent;
use crate::error::{RegistryError, Result};
use crate::open::{Actor, Registry};

impl Registry {
    /// Writes down that the own authority issued this server certificate, DER, for `names`. The caller gives it out
    /// after that. `Err(KeyKnown)` for a key that was compromised.
    pub async fn note_server_certificate(
        &self,
        names: &[String],
        der: &[u8],
        actor: &Actor,
        now: UnixTime,
    ) -> Result<()> {
        let certificate =
            Certificate::from_der(der).map_err(|error| RegistryError::Invalid { what: error.to_string() })?;
        let what = format!(
            "server certificate for {} issued, serial {}, until {}",
            names.join(", "),
            certificate.serial_hex(),
            certificate.not_after
        );
        let event = AuditEvent::changed(actor, now, &what).thumbprint(&certificate.thumbprint);
        let mut write = self.write(now).await?;
        write.refuse_compromised(&certificate.key_pin).await?;
        write.audit(event).await?;
        write.commit(self).await
    }
}
