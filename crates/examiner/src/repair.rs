//! The chain as it ought to be served: what is missing put in, what is too much left out, in order, without the root.

use crate::chain::{Chain, Examinee};
use crate::checks::chain::shared::{first_missing, upwards};
use crate::report::Report;

/// Why no whole chain can be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRepair {
    /// There is nothing to start from.
    #[error("there is no certificate to put a chain together for")]
    NoCertificate,
    /// A certificate that belongs in it is not at hand.
    #[error("the certificate of `{issuer}` is missing, and is not at hand")]
    Missing {
        /// The missing certificate's subject.
        issuer: String,
    },
}

impl NoRepair {
    /// What to do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoCertificate => "give the server's certificate",
            Self::Missing { .. } => {
                "get it from the issuer (its address often stands in the certificate: `countersign cert inspect` shows \
                 it), and give it with --intermediates FILE, or let --fetch ask that address"
            }
        }
    }
}

/// The certificates to be served, the peer's own first; a trust anchor that stands alone is served as it is.
///
/// `report` is what the examination of `chain` said. Where it knows a path to a trust anchor, that path; else each issuer
/// behind the one whose signature it made.
pub fn repair<'a>(chain: &'a Chain, report: &Report) -> Result<Vec<&'a Examinee>, NoRepair> {
    if let Some(indexes) = &report.repaired {
        let named = |index: &usize| chain.all().find(|one| one.index == *index);
        return Ok(indexes.iter().filter_map(named).collect());
    }
    let leaf = chain.leaf_elsewhere().or_else(|| chain.end_entity()).ok_or(NoRepair::NoCertificate)?;
    let at_hand: Vec<&Examinee> = chain.served.iter().chain(&chain.beside).collect();
    let path = upwards(&at_hand, leaf);
    let last = path.last().copied().unwrap_or(leaf);
    let issuer = last.issuer_der();
    // The root that was served with it, or an anchor.
    let is_end = |one: &Examinee| one.is_self_issued() || one.index >= at_hand.len();
    let ends = last.is_self_issued() || chain.all().any(|one| is_end(one) && one.subject_der() == issuer);
    // Where nothing is known of trust anchors, whoever issued a CA certificate may be one.
    if ends || (chain.anchors.is_none() && path.len() > 1) {
        return Ok(path);
    }
    let missing = first_missing(chain).map(|(_, issuer)| issuer.to_string());
    let issuer = missing.or_else(|| last.issuer.as_ref().map(ToString::to_string)).unwrap_or_default();
    Err(NoRepair::Missing { issuer })
}

/// The chain as it would be examined if these were served; with the same trust anchors, nothing beside it.
pub fn as_served(chain: &Chain, certificates: &[&Examinee]) -> Chain {
    let served = certificates.iter().map(|one| Examinee::read(one.der().to_vec())).collect();
    let new = Chain::served(served).with_side_files(chain.side.clone()).with_stores(chain.stores.clone());
    match &chain.anchors {
        Some(anchors) => new.with_anchors(anchors.clone()),
        None => new,
    }
}
