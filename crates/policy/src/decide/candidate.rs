//! A way that a certificate leads, and whether dates and usage hold on it.

use examiner::{Certificate, UnixTime};

use super::{Exception, Identity, Way};
use crate::record::PinExceptions;
use crate::refusal::{NotAllowed, Place, Usage, Why};
use crate::site::Site;
use crate::verify::Path;

/// A way that leads somewhere: to a party, or to a reason on that way.
pub(super) struct Candidate<'a> {
    pub(super) way: Way,
    pub(super) identity: Option<Identity>,
    pub(super) shortcoming: Option<NotAllowed>,
    /// The path it rests on, where the way needs one.
    pub(super) path: Option<&'a Path>,
    pub(super) exceptions: PinExceptions,
    pub(super) superseded_after: Option<UnixTime>,
}

impl<'a> Candidate<'a> {
    pub(super) fn short(way: Way, path: Option<&'a Path>, shortcoming: NotAllowed) -> Self {
        Self {
            way,
            identity: None,
            shortcoming: Some(shortcoming),
            path,
            exceptions: PinExceptions::default(),
            superseded_after: None,
        }
    }

    /// Dates of the certificate and, where the way rests on a path, of its issuers; both ends inclusive.
    pub(super) fn dates(&self, certificate: &Certificate, site: &Site, now: UnixTime) -> Result<(), Why> {
        let tolerant = now.plus(site.clock_tolerance);
        if now > certificate.not_after {
            return Err(Why::Expired { not_after: certificate.not_after, place: Place::EndEntity });
        }
        if certificate.not_before > tolerant {
            return Err(Why::NotYetValid { not_before: certificate.not_before, place: Place::EndEntity });
        }
        let Some(path) = self.path else { return Ok(()) };
        if now > path.not_after {
            return Err(Why::Expired { not_after: path.not_after, place: Place::Issuer });
        }
        if path.not_before > tolerant {
            return Err(Why::NotYetValid { not_before: path.not_before, place: Place::Issuer });
        }
        Ok(())
    }

    /// Whether it is meant for logging in; returns the exceptions that were needed.
    pub(super) fn usage(&self, certificate: &Certificate, now: UnixTime) -> Result<Vec<Exception>, Why> {
        let in_force = |until: Option<UnixTime>| until.filter(|until| now <= *until);
        let mut used = Vec::new();
        if certificate.is_ca {
            match in_force(self.exceptions.ca_certificate_until) {
                Some(until) => used.push(Exception::CaCertificate(until)),
                None => return Err(Why::WrongUsage(Usage::CaCertificate)),
            }
        }
        if certificate.key_usage.is_some_and(|usage| !usage.digital_signature) {
            return Err(Why::WrongUsage(Usage::NoDigitalSignature));
        }
        let missing = if !certificate.has_client_usage() {
            Some(match &certificate.extended_key_usage {
                None => Usage::NoKeyPurpose,
                Some(purposes) => Usage::OtherKeyPurposes(purposes.clone()),
            })
        } else if self.path.is_some_and(|path| path.issuer_not_for_clients) {
            Some(Usage::IssuerNotForClients)
        } else {
            None
        };
        if let Some(missing) = missing {
            let by_ca = self.path.and_then(|path| path.ca.without_client_usage_until);
            match in_force(self.exceptions.without_client_usage_until).or(in_force(by_ca)) {
                Some(until) => used.push(Exception::WithoutClientUsage(until)),
                None => return Err(Why::WrongUsage(missing)),
            }
        }
        Ok(used)
    }
}
