//! When a certificate had best be renewed (RFC 9773): the moment that `countersign renew` keeps to, as a window.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, UnixTime};
use policy::{Holder, PartyName};
use registry::{Issuer, RegistryError};
use serde_json::json;

use super::problem::{Kind, Problem};
use super::{Desk, Done};
use crate::cli::renew::due::due;

/// Octets of a serial number and of a key identifier.
const PART_MOST: usize = 64;
/// Octets of the serial numbers that are given here.
const SERIAL: usize = 16;
/// How long the window is at most, in seconds: a day.
const WINDOW_SECONDS: i64 = 86_400;
/// When it is of use to ask again.
const AGAIN: Duration = Duration::from_secs(6 * 3600);

/// The name of a certificate: its issuer's key identifier and its serial number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct CertificateId {
    key: Vec<u8>,
    serial: Vec<u8>,
}

impl CertificateId {
    /// That of this certificate; none where it does not name its issuer's key.
    pub(super) fn of(certificate: &Certificate) -> Option<Self> {
        let key = certificate.authority_key_id.as_deref()?.to_vec();
        Some(Self { key, serial: certificate.serial.to_vec() })
    }

    /// Two parts in base64url without padding, with a dot between.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (key, serial) = text.split_once('.')?;
        let octets = |part: &str| {
            let octets = BASE64URL_NOPAD.decode(part.as_bytes()).ok()?;
            (1..=PART_MOST).contains(&octets.len()).then_some(octets)
        };
        Some(Self { key: octets(key)?, serial: octets(serial)? })
    }

    /// The certificate of this name: a party's, of any generation of the client CA, or a host's of the server CA.
    pub(super) async fn find(&self, desk: &Desk<'_>) -> Result<Option<Found>, Problem> {
        let (registry, wrong) = (desk.registry, |error: RegistryError| Problem::internal(error));
        let mut found = None;
        if let Some(row) = registry.find_serial(Issuer::Client, &self.serial).await.map_err(wrong)? {
            let holder = registry.find_certificate(&row.thumbprint).await.map_err(wrong)?;
            if let Some((Holder::Party(party), _)) = holder {
                found = Some((row.der, party, row.revoked.is_some(), false));
            }
        } else if self.serial.len() == SERIAL
            && let Some(row) = registry.server_certificate_of_serial(&self.serial).await.map_err(wrong)?
        {
            found = Some((row.der, row.party, row.revoked_at.is_some(), true));
        }
        let Some((der, party, is_revoked, is_of_server)) = found else { return Ok(None) };
        let certificate = Certificate::from_der(&der).map_err(Problem::internal)?;
        let is_it = Self::of(&certificate).as_ref() == Some(self);
        Ok(is_it.then_some(Found { certificate, party, is_revoked, is_of_server }))
    }
}

/// A certificate that was found by its name.
pub(super) struct Found {
    pub(super) certificate: Certificate,
    /// Whose it is, or whose account has it.
    pub(super) party: PartyName,
    is_revoked: bool,
    /// Whether it is a server certificate.
    pub(super) is_of_server: bool,
}

impl fmt::Display for CertificateId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", BASE64URL_NOPAD.encode(&self.key), BASE64URL_NOPAD.encode(&self.serial))
    }
}

/// When the certificate of this name had best be renewed. It is told to everybody: who asks has the certificate.
pub(super) async fn info(desk: &Desk<'_>, name: &str) -> Result<Done, Problem> {
    let id = CertificateId::parse(name).ok_or_else(|| {
        Problem::malformed("this is no certificate's name: key identifier and serial number")
    })?;
    let none = || Problem::new(Kind::NotFound, "there is no such certificate");
    let found = id.find(desk).await?.ok_or_else(none)?;
    let (start, end) = window(&found.certificate, found.is_revoked);
    let body = json!({ "suggestedWindow": { "start": start, "end": end } });
    Ok(Done { retry_after: Some(AGAIN), ..Done::json(200, &body) })
}

/// From when it is due, for a day; over already where it is revoked.
fn window(certificate: &Certificate, is_revoked: bool) -> (UnixTime, UnixTime) {
    if is_revoked {
        return (certificate.not_before, certificate.not_before.plus(1));
    }
    let start = due(certificate);
    let left = certificate.not_after.seconds().saturating_sub(start.seconds());
    (start, start.plus((left / 2).clamp(1, WINDOW_SECONDS)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificates_name_is_two_parts() {
        // RFC 9773 section 4.1.
        let text = "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE";
        let id = CertificateId::parse(text).unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(id.serial, [0, 0x87, 0x65, 0x43, 0x21]);
        assert_eq!((id.key.len(), id.key[0]), (20, 0x69));
        let long = BASE64URL_NOPAD.encode(&[1; PART_MOST + 1]);
        for text in
            ["", ".", "a.", "AAAA", "AAAA.", ".AAAA", "AAAA.AAAA.AAAA", "AAAA.A=", &format!("AAAA.{long}")]
        {
            assert_eq!(CertificateId::parse(text), None, "{text}");
        }
    }
}
