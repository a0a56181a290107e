//! What was found out about who knocks: facts, never a verdict.

use std::sync::Arc;

use examiner::{Certificate, Malformed, Thumbprint};
use rustls_pki_types::CertificateDer;

use crate::verify::Vouching;

/// The holder of a private key that was proved in the handshake, and what their certificate says.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The end-entity certificate, or why it cannot be read.
    pub certificate: Result<Arc<Certificate>, Malformed>,
    /// SHA-256 of the end-entity certificate as it was sent.
    pub thumbprint: Thumbprint,
    /// The chain as it was sent, end-entity first.
    pub chain: Arc<[CertificateDer<'static>]>,
    /// Which trust anchors of the site vouch for it.
    pub vouching: Arc<Vouching>,
}

impl Peer {
    /// Reads the presented chain and verifies it against the site's anchors. The caller has seen the key proved.
    ///
    /// `None` for an empty chain.
    pub fn identify(
        chain: Arc<[CertificateDer<'static>]>,
        anchors: &crate::verify::AnchorSet,
        now: examiner::UnixTime,
    ) -> Option<Self> {
        let leaf = chain.first()?;
        let certificate = Certificate::from_der(leaf).map(Arc::new);
        let vouching = match &certificate {
            Ok(certificate) => crate::verify::vouch(certificate, &chain[1..], anchors, now),
            Err(_) => Vouching::none(anchors),
        };
        Some(Self {
            certificate,
            thumbprint: Thumbprint::of(leaf),
            chain: chain.clone(),
            vouching: Arc::new(vouching),
        })
    }

    /// The same peer, verified against other anchors: after a change of policy, or for another site.
    #[must_use]
    pub fn identified_for(&self, anchors: &crate::verify::AnchorSet, now: examiner::UnixTime) -> Self {
        Self::identify(self.chain.clone(), anchors, now).unwrap_or_else(|| self.clone())
    }
}
