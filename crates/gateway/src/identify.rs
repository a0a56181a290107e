//! Who knocks: the presented chain, read and verified against a site's trust anchors, once per connection.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use examiner::UnixTime;
use policy::Peer;
use policy::verify::AnchorSet;
use rustls_pki_types::CertificateDer;

/// How long a verified chain is remembered.
const LIFE: Duration = Duration::from_secs(60);
/// Chains remembered per core.
const CHAINS: usize = 4_096;

/// Hash of the presented chain, and the anchors' id.
type Key = ([u8; 32], [u8; 32]);

struct Verified {
    peer: Arc<Peer>,
    since: Instant,
    until: UnixTime,
}

thread_local! {
    /// Chains that verified. Failures are never kept; revocation is looked up with each decision.
    static VERIFIED: RefCell<HashMap<Key, Verified>> = RefCell::default();
}

/// Reads and verifies a chain whose key was proved. `None` for an empty chain.
pub(crate) fn identify(
    chain: &Arc<[CertificateDer<'static>]>,
    anchors: &AnchorSet,
    now: UnixTime,
) -> Option<Arc<Peer>> {
    let key = (digest(chain), anchors.id());
    let known = VERIFIED.with_borrow(|all| {
        let fresh = |one: &&Verified| one.since.elapsed() < LIFE && now <= one.until;
        all.get(&key).filter(fresh).map(|one| one.peer.clone())
    });
    if known.is_some() {
        return known;
    }
    let peer = Arc::new(Peer::identify(chain.clone(), anchors, now)?);
    if let Some(until) = peer.vouching.paths.iter().map(|path| path.not_after).min() {
        let verified = Verified { peer: peer.clone(), since: Instant::now(), until };
        VERIFIED.with_borrow_mut(|all| {
            if all.len() >= CHAINS {
                all.retain(|_, one| one.since.elapsed() < LIFE);
            }
            if all.len() >= CHAINS {
                all.clear();
            }
            all.insert(key, verified);
        });
    }
    Some(peer)
}

/// The same peer for these anchors; verified again where they are others.
pub(crate) fn identified_for(peer: &Arc<Peer>, anchors: &AnchorSet, now: UnixTime) -> Arc<Peer> {
    if peer.vouching.anchors_id == anchors.id() {
        return peer.clone();
    }
    identify(&peer.chain, anchors, now).unwrap_or_else(|| peer.clone())
}

fn digest(chain: &[CertificateDer<'_>]) -> [u8; 32] {
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for certificate in chain {
        hash.update(&(certificate.len() as u64).to_be_bytes());
        hash.update(certificate);
    }
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}
