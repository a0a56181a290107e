//! Certificates out of a file's bytes, malformed ones included.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Bytes in which no certificate can be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnreadableInput {
    /// The PEM text is broken.
    #[error("the PEM text is broken ({0})")]
    BrokenPem(String),
    /// Neither DER nor a CERTIFICATE block.
    #[error("the file holds no CERTIFICATE block and is no DER")]
    NoCertificate,
}

/// The DER of every certificate of a PEM or DER file, in their order; whether each is well-formed is not looked at.
pub fn ders(bytes: &[u8]) -> Result<Vec<Vec<u8>>, UnreadableInput> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![bytes.to_vec()]);
    }
    let mut all = Vec::new();
    for block in CertificateDer::pem_slice_iter(bytes) {
        all.push(block.map_err(|e| UnreadableInput::BrokenPem(e.to_string()))?.to_vec());
    }
    if all.is_empty() { Err(UnreadableInput::NoCertificate) } else { Ok(all) }
}
