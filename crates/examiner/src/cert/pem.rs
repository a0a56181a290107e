//! Certificates out of PEM or DER files.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::certificate::{Certificate, Malformed};

/// All certificates of a PEM or DER file, in their order. Never empty on success.
pub fn certificates(bytes: &[u8]) -> Result<Vec<Certificate>, Malformed> {
    if bytes.first() == Some(&0x30) {
        return Ok(vec![Certificate::from_der(bytes)?]);
    }
    let mut all = Vec::new();
    for block in CertificateDer::pem_slice_iter(bytes) {
        let der = block.map_err(|e| Malformed(format!("the PEM text is broken ({e})")))?;
        all.push(Certificate::from_der(&der)?);
    }
    if all.is_empty() {
        return Err(Malformed("the file holds no CERTIFICATE block".into()));
    }
    Ok(all)
}

/// A certificate as PEM, lines of 64 characters, ending in a line feed.
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in body.as_bytes().chunks(64) {
        text.extend(line.iter().map(|b| *b as char));
        text.push('\n');
    }
    text + &format!("-----END {label}-----\n")
}
