//! The certificates of a run: one authority, the site's certificate, and the visitors'. All ECDSA P-256.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use data_encoding::BASE64_MIME;
use rustls::client::ResolvesClientCert;
use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use testkit::{Leaf, TestCa, TestCert};

use crate::failure::{Doing, Failure};

/// The host name of the site.
pub const SITE: &str = "bench.test";
/// The domain of the visitors' names.
pub const VISITORS: &str = "visitors.test";
/// Certificates that every server has seen before.
pub const FEW: usize = 16;
/// More than any server remembers: walked in turn, each chain is verified anew.
const MANY: usize = 16_384;

/// Everything that is signed.
pub struct Pki {
    ca: TestCa,
    site: TestCert,
    /// [`FEW`] visitors.
    pub few: Visitors,
    /// Many visitors, where a mode needs them; else empty.
    pub many: Visitors,
}

/// Visitors' certificates with their keys.
pub type Visitors = Arc<[Arc<CertifiedKey>]>;

/// Where the servers find their files.
#[derive(Clone, Debug)]
pub struct Files {
    /// The authority's certificate.
    pub ca: PathBuf,
    /// The site's certificate.
    pub cert: PathBuf,
    /// The site's key.
    pub key: PathBuf,
    /// Certificate and key in one file, as HAProxy wants it.
    pub both: PathBuf,
}

impl Pki {
    /// Signs everything anew.
    pub fn make(with_many: bool) -> Result<Self, Failure> {
        let ca = TestCa::new("Bench CA");
        let site = ca.issue_server(SITE);
        let visitors = |count: usize, first: usize| -> Result<Visitors, Failure> {
            (first..first + count).map(|number| visitor(&ca, number)).collect()
        };
        let few = visitors(FEW, 0)?;
        let many = visitors(if with_many { MANY } else { 0 }, FEW)?;
        Ok(Self { site, few, many, ca })
    }

    /// One of the few visitors alone.
    pub fn only(&self, number: usize) -> Visitors {
        self.few.get(number).cloned().into_iter().collect()
    }

    /// The certificate of one of the few visitors as PEM.
    pub fn certificate_pem(&self, number: usize) -> Result<String, Failure> {
        let visitor = self.few.get(number).and_then(|visitor| visitor.end_entity_cert().ok());
        let visitor = visitor.ok_or_else(|| Failure::new("no visitor"))?;
        let text = BASE64_MIME.encode(visitor).replace('\r', "");
        Ok(format!("-----BEGIN CERTIFICATE-----\n{text}-----END CERTIFICATE-----\n"))
    }

    /// Writes what the servers read.
    pub fn write(&self, dir: &Path) -> Result<Files, Failure> {
        let site = self.site.write(dir, "site");
        let both = dir.join("site-and-key.pem");
        std::fs::write(&both, self.site.chain_pem.clone() + &self.site.key_pem).doing("the site's files")?;
        Ok(Files { ca: self.ca.write(dir, "ca"), cert: site.cert, key: site.key, both })
    }

    /// The authority, as the only trust anchor.
    pub fn roots(&self) -> Result<Arc<RootCertStore>, Failure> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.ca.der().to_vec())).doing("the authority's certificate")?;
        Ok(Arc::new(roots))
    }

    /// The site's certificate with its key.
    pub fn site(&self) -> Result<Arc<CertifiedKey>, Failure> {
        certified(&self.site)
    }

    /// The site's key, unencrypted PKCS#8 in DER.
    pub fn site_key(&self) -> Result<PrivateKeyDer<'static>, Failure> {
        PrivateKeyDer::from_pem_slice(self.site.key_pem.as_bytes()).doing("the site's key")
    }
}

fn visitor(ca: &TestCa, number: usize) -> Result<Arc<CertifiedKey>, Failure> {
    let name = format!("v{number}");
    certified(&Leaf::new(&name).dns(&format!("{name}.{VISITORS}")).issued_by(ca))
}

fn certified(cert: &TestCert) -> Result<Arc<CertifiedKey>, Failure> {
    let key = PrivateKeyDer::from_pem_slice(cert.key_pem.as_bytes()).doing("a new key")?;
    let key = aws_lc_rs::sign::any_ecdsa_type(&key).doing("a new key")?;
    Ok(Arc::new(CertifiedKey::new(vec![CertificateDer::from(cert.der.clone())], key)))
}

/// Shows the certificates of some visitors in turn, one a handshake.
pub struct InTurn {
    visitors: Visitors,
    next: AtomicUsize,
}

impl InTurn {
    /// From the first on.
    pub fn new(visitors: &Visitors) -> Self {
        Self { visitors: visitors.clone(), next: AtomicUsize::new(0) }
    }
}

impl fmt::Debug for InTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTurn").field("visitors", &self.visitors.len()).finish_non_exhaustive()
    }
}

impl ResolvesClientCert for InTurn {
    fn resolve(&self, _issuers: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        self.visitors.get(turn.checked_rem(self.visitors.len())?).cloned()
    }

    fn has_certs(&self) -> bool {
        !self.visitors.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visitors_certificate_is_written_as_pem() {
        let pki = Pki::make(false).expect("certificates");
        let text = pki.certificate_pem(3).expect("PEM");
        let read = CertificateDer::from_pem_slice(text.as_bytes()).expect("a certificate");
        assert_eq!(pki.only(3)[0].cert, [read]);
        assert!(pki.certificate_pem(FEW).is_err());
    }

    #[test]
    fn certificates_are_shown_in_turn() {
        let pki = Pki::make(false).expect("certificates");
        let turns = InTurn::new(&pki.few);
        let shown: Vec<_> = (0..=FEW).filter_map(|_| turns.resolve(&[], &[])).collect();
        assert!(Arc::ptr_eq(&shown[0], &shown[FEW]));
        assert_ne!(shown[0].cert, shown[1].cert);
        assert!(InTurn::new(&pki.many).resolve(&[], &[]).is_none());
    }
}
