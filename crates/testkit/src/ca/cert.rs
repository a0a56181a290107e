//! An issued certificate with its key, as files or text.

use std::path::{Path, PathBuf};

use examiner::{Certificate, cert::pem};

use super::TestKey;

/// A certificate, its key, and the intermediates that lead to its root.
#[derive(Clone)]
pub struct TestCert {
    /// The certificate alone.
    pub der: Vec<u8>,
    /// The certificate alone, PEM.
    pub pem: String,
    /// The private key, unencrypted PKCS#8 PEM.
    pub key_pem: String,
    /// The certificate and its intermediates, end-entity first, without the root; PEM.
    pub chain_pem: String,
    /// The key itself, for a renewal that keeps it.
    pub key: TestKey,
}

/// Where [`TestCert::write`] put it.
#[derive(Clone, Debug)]
pub struct CertFiles {
    /// NAME.pem: the certificate and its intermediates.
    pub cert: PathBuf,
    /// NAME.key: the private key, mode 0600.
    pub key: PathBuf,
}

impl TestCert {
    pub(super) fn new(der: Vec<u8>, intermediates: &[Vec<u8>], key: TestKey) -> Self {
        let leaf = pem::encode("CERTIFICATE", &der);
        let above: String = intermediates.iter().map(|der| pem::encode("CERTIFICATE", der)).collect();
        Self { pem: leaf.clone(), key_pem: key.pem(), chain_pem: leaf + &above, der, key }
    }

    /// Writes NAME.pem (the chain) and NAME.key into `dir`.
    pub fn write(&self, dir: &Path, name: &str) -> CertFiles {
        let files = CertFiles { cert: dir.join(format!("{name}.pem")), key: dir.join(format!("{name}.key")) };
        std::fs::write(&files.cert, &self.chain_pem).expect("the certificate file");
        write_secret(&files.key, &self.key_pem);
        files
    }

    /// The certificate as facts; panics if the examiner cannot read it.
    pub fn facts(&self) -> Certificate {
        Certificate::from_der(&self.der).expect("a readable certificate")
    }

    /// SHA-256 of the DER, 64 lower-case hex digits.
    pub fn thumbprint(&self) -> String {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &self.der);
        data_encoding::HEXLOWER.encode(digest.as_ref())
    }
}

fn write_secret(path: &Path, text: &str) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create(true).truncate(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).expect("the key file");
}
