//! A small CA on rcgen.
//!
//! ```
//! use testkit::{Leaf, TestCa};
//!
//! let root = TestCa::new("Acme Root");
//! let issuing = root.intermediate("Acme Issuing");
//! let alice = Leaf::new("alice").email("alice@acme.example").issued_by(&issuing);
//! assert!(alice.facts().has_client_usage());
//! ```

mod access;
mod builder;
mod cert;
mod crl;
mod key;
mod leaf;
mod resign;
mod subject;

use std::path::{Path, PathBuf};

use examiner::{UnixTime, cert::pem};
use rcgen::{CertificateParams, Issuer, SerialNumber};

pub use access::Access;
pub use builder::CaBuilder;
pub use cert::{CertFiles, TestCert};
pub use crl::Crl;
pub use key::{KeyType, TestKey};
pub use leaf::Leaf;
pub use rcgen::{ExtendedKeyUsagePurpose, KeyUsagePurpose, RevocationReason};
pub use subject::Strings;

/// A root or an intermediate CA with its key.
#[derive(Clone)]
pub struct TestCa {
    params: CertificateParams,
    key: TestKey,
    der: Vec<u8>,
    /// This CA and those above it, without the root; empty for a root.
    chain: Vec<Vec<u8>>,
    root: Vec<u8>,
}

impl TestCa {
    /// A self-signed root, CN=`common_name`, P-256, from a day ago for ten years.
    pub fn new(common_name: &str) -> Self {
        Self::build(common_name).root()
    }

    /// A CA with more to say about it.
    pub fn build(common_name: &str) -> CaBuilder {
        CaBuilder::new(common_name)
    }

    /// A CA issued by this one; what it issues carries it along.
    pub fn intermediate(&self, common_name: &str) -> Self {
        Self::build(common_name).under(self)
    }

    /// A good client certificate for CN=`common_name`.
    pub fn issue(&self, common_name: &str) -> TestCert {
        Leaf::new(common_name).issued_by(self)
    }

    /// A good server certificate for the host `name`.
    pub fn issue_server(&self, name: &str) -> TestCert {
        Leaf::server(name).issued_by(self)
    }

    /// The CA certificate.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The CA certificate, PEM.
    pub fn pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.der)
    }

    /// The root it leads to (itself for a root), PEM.
    pub fn root_pem(&self) -> String {
        pem::encode("CERTIFICATE", &self.root)
    }

    /// The CA's key.
    pub fn key(&self) -> &TestKey {
        &self.key
    }

    /// The CA certificate as facts.
    pub fn facts(&self) -> examiner::Certificate {
        examiner::Certificate::from_der(&self.der).expect("a readable certificate")
    }

    /// Writes the CA certificate alone to `dir`/NAME.pem.
    pub fn write(&self, dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(format!("{name}.pem"));
        std::fs::write(&path, self.pem()).expect("the CA file");
        path
    }

    fn issuer(&self) -> Issuer<'_, TestKey> {
        Issuer::from_params(&self.params, self.key.clone())
    }

    fn intermediates(&self) -> &[Vec<u8>] {
        &self.chain
    }
}

fn moment(at: UnixTime) -> time::OffsetDateTime {
    time::OffsetDateTime::from_unix_timestamp(at.0).expect("a moment that can be written")
}

fn random_serial() -> SerialNumber {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
    bytes[0] = bytes[0] & 0x7f | 0x40;
    SerialNumber::from_slice(&bytes)
}
