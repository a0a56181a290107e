//! Revocation lists of a test CA.

use examiner::{UnixTime, cert::pem};
use rcgen::{
    CertificateRevocationListParams, KeyIdMethod, RevocationReason, RevokedCertParams, SerialNumber,
};

use super::{TestCa, TestCert, moment};
use crate::times;

/// A revocation list in the making: empty, from an hour ago for a week, number 1.
#[derive(Clone, Debug)]
pub struct Crl {
    revoked: Vec<(Vec<u8>, UnixTime, Option<RevocationReason>)>,
    updates: (UnixTime, UnixTime),
    number: u64,
}

impl Default for Crl {
    fn default() -> Self {
        let now = times::clock();
        Self { revoked: Vec::new(), updates: (now.plus(-3600), now.plus(7 * times::DAY)), number: 1 }
    }
}

impl Crl {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists `cert` as revoked an hour ago, for `reason`.
    pub fn revoke(self, cert: &TestCert, reason: Option<RevocationReason>) -> Self {
        self.revoke_serial(&cert.facts().serial, reason)
    }

    /// Lists a serial number, big-endian.
    pub fn revoke_serial(mut self, serial: &[u8], reason: Option<RevocationReason>) -> Self {
        self.revoked.push((serial.to_vec(), times::clock().plus(-3600), reason));
        self
    }

    /// thisUpdate and nextUpdate in seconds from the machine's clock.
    pub fn updates_from_now(mut self, this: i64, next: i64) -> Self {
        let now = times::clock();
        self.updates = (now.plus(this), now.plus(next));
        self
    }

    /// The CRL number.
    pub fn number(mut self, number: u64) -> Self {
        self.number = number;
        self
    }

    /// Signed by `ca`, DER.
    pub fn der(&self, ca: &TestCa) -> Vec<u8> {
        let entry =
            |(serial, since, reason): &(Vec<u8>, UnixTime, Option<RevocationReason>)| RevokedCertParams {
                serial_number: SerialNumber::from_slice(serial),
                revocation_time: moment(*since),
                reason_code: *reason,
                invalidity_date: None,
            };
        let params = CertificateRevocationListParams {
            this_update: moment(self.updates.0),
            next_update: moment(self.updates.1),
            crl_number: SerialNumber::from(self.number),
            issuing_distribution_point: None,
            revoked_certs: self.revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&ca.issuer()).expect("a revocation list").der().to_vec()
    }

    /// Signed by `ca`, PEM.
    pub fn pem(&self, ca: &TestCa) -> String {
        pem::encode("X509 CRL", &self.der(ca))
    }
}
