//! When a certificate had best be renewed (RFC 9773): the moment that `countersign renew` keeps to, as a window.

use std::fmt;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use examiner::{Certificate, UnixTime};
use registry::{CertificateRow, Issuer};
use serde_json::json;

use super::problem::{Kind, Problem};
use super::{Desk, Done};
use crate::cli::renew::due::due;

/// Octets of a serial number and of a key identifier.
const PART_MOST: usize = 64;
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

    /// The party's certificate of this name, of any generation of the client CA.
    pub(super) async fn find(&self, desk: &Desk<'_>) -> Result<Option<CertificateRow>, Problem> {
        let row = desk.registry.find_serial(Issuer::Client, &self.serial).await.map_err(Problem::internal)?;
        Ok(row.filter(|row| {
            Certificate::from_der(&row.der)
                .is_ok_and(|one| one.authority_key_id.as_deref() == Some(&self.key[..]))
        }))
    }
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
    let row = id.find(desk).await?.ok_or_else(none)?;
    let certificate = Certificate::from_der(&row.der).map_err(Problem::internal)?;
    let (start, end) = window(&certificate, row.revoked.is_some());
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
