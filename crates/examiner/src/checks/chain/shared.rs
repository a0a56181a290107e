//! What the checks of the served chain ask of it.

use super::prelude::*;
use crate::chain::DistinguishedName;
use crate::chain::extensions::AccessDescription;
use crate::checks::client::is_public;
use crate::checks::trust::facts;
use crate::path::clients;
use crate::path::signature::verdict;
use crate::side::RootFact;

/// Whether the certificates are meant as one chain: a host served them, or a file holds one server's certificate among
/// others. A file of CA certificates is none.
pub(super) fn is_chain(chain: &Chain) -> bool {
    let leaves = chain.served.iter().filter(|one| one.role == Role::EndEntity && is_leaf(one)).count();
    chain.served.len() > 1 && (chain.is_peers || leaves == 1)
}

/// Whether a certificate looks like a server's or a client's own: it is no CA and has an alternative name.
pub(super) fn is_leaf(certificate: &Examinee) -> bool {
    !certificate.is_ca() && certificate.known.subject_alt_name.read().is_some_and(|names| !names.is_empty())
}

/// For each certificate at hand but the anchors, whether a way leads to it from the first one, by the names alone.
pub(super) fn reachable(chain: &Chain) -> Vec<bool> {
    let not_anchors = chain.served.len() + chain.beside.len();
    let mut reached = vec![false; not_anchors];
    let mut waiting: Vec<&Examinee> = chain.end_entity().into_iter().collect();
    while let Some(certificate) = waiting.pop() {
        if std::mem::replace(&mut reached[certificate.index], true) {
            continue;
        }
        let issuers = chain.issuers_by_name(certificate);
        waiting.extend(issuers.filter(|issuer| issuer.index < not_anchors && !reached[issuer.index]));
    }
    reached
}

/// The second and later copies, each with the first.
pub(super) fn duplicates(chain: &Chain) -> Vec<(&Examinee, &Examinee)> {
    let earlier = |copy: &Examinee| chain.served[..copy.index].iter().find(|one| one.der() == copy.der());
    chain.served.iter().filter_map(|copy| Some((copy, earlier(copy)?))).collect()
}

/// The certificates that stand before all those that they issued.
pub(super) fn misordered(chain: &Chain) -> Vec<&Examinee> {
    if !is_chain(chain) {
        return Vec::new();
    }
    let reached = reachable(chain);
    let children = |issuer: &Examinee| -> Vec<usize> {
        let related = chain.served.iter().filter(|one| reached[one.index] && one.der() != issuer.der());
        related.filter(|one| one.issuer_der() == issuer.subject_der()).map(|one| one.index).collect()
    };
    let is_copy = |one: &Examinee| chain.served[..one.index].iter().any(|other| other.der() == one.der());
    let candidates = chain.served.iter().skip(1).filter(|one| reached[one.index] && !is_copy(one));
    candidates
        .filter(|one| {
            let children = children(one);
            !children.is_empty() && children.iter().all(|child| *child > one.index)
        })
        .collect()
}

/// The certificates that issued none of those on a way from the first one.
pub(super) fn unrelated(chain: &Chain) -> Vec<&Examinee> {
    if !is_chain(chain) {
        return Vec::new();
    }
    let reached = reachable(chain);
    let is_copy = |one: &Examinee| chain.served[..one.index].iter().any(|other| other.der() == one.der());
    // What cannot be read names nobody; that it cannot be read is a finding of its own.
    let strangers = chain.served.iter().filter(|one| !reached[one.index] && one.is_certificate());
    strangers.filter(|one| !is_copy(one)).collect()
}

/// The expired certificates without which the chain holds.
pub(super) fn expired_extras<'a>(chain: &'a Chain, context: &Context<'_>) -> Vec<&'a Examinee> {
    let ended = |one: &Examinee| one.not_after.is_some_and(|last| last < context.at);
    let leaf_holds = chain
        .end_entity()
        .is_some_and(|first| !ended(first) && first.not_before.is_some_and(|begins| begins <= context.at));
    // Path building takes no expired certificate: where a path holds, every expired one is superfluous.
    if !is_chain(chain) || !leaf_holds || context.paths().valid.is_empty() {
        return Vec::new();
    }
    chain.served.iter().skip(1).filter(|one| ended(one)).collect()
}

/// The first certificate whose issuer is not served, and that issuer's name. `None` where some way leads from the first
/// one to a trust anchor, or to a self-signed certificate, by the names alone: then nothing is missing.
pub(crate) fn first_missing(chain: &Chain) -> Option<(&Examinee, &DistinguishedName)> {
    let mut reached: Vec<&Examinee> = chain.end_entity().into_iter().collect();
    let mut at = 0;
    while at < reached.len() {
        let certificate = reached[at];
        at += 1;
        let mut anchors = chain.anchors.iter().flatten();
        let ends = |anchor: &Examinee| {
            anchor.der() == certificate.der() || anchor.subject_der() == certificate.issuer_der()
        };
        if certificate.is_self_issued() || anchors.any(ends) {
            return None;
        }
        for issuer in chain.issuers_by_name(certificate).filter(|one| one.index < chain.served.len()) {
            if !reached.iter().any(|one| one.index == issuer.index) {
                reached.push(issuer);
            }
        }
    }
    let is_served = |one: &Examinee| chain.issuers_by_name(one).any(|i| i.index < chain.served.len());
    let last = reached.into_iter().find(|one| !is_served(one))?;
    let issuer = last.issuer.as_ref().filter(|issuer| !issuer.is_empty())?;
    Some((last, issuer))
}

/// What [`absent_root`] finds.
pub(crate) struct AbsentRoot<'a> {
    /// The certificate that it issued.
    pub below: &'a Examinee,
    /// Its name.
    pub issuer: &'a DistinguishedName,
    /// How it is known to be a root.
    pub known: RootKnown<'a>,
}

/// How somebody who is not at hand is known to be a root.
pub(crate) enum RootKnown<'a> {
    /// It is one in the root store of this name.
    Elsewhere(&'a str),
    /// The address that the certificate names gave it, and it is self-signed.
    Fetched,
    /// Nothing in the chain is as public CAs make it, and the trust anchors are those of a public store.
    Private,
}

/// Where [`first_missing`] is a root that the trust anchors lack, and no intermediate that ought to be served.
///
/// Public CAs write into their certificates where the issuer's own can be had, a policy of the CA/Browser Forum, or
/// timestamps of logs; where nothing of that is found, the root is most likely that of a private CA.
pub(crate) fn absent_root(chain: &Chain) -> Option<AbsentRoot<'_>> {
    let (below, issuer) = first_missing(chain)?;
    let anchors = chain.anchors.as_ref()?;
    let is_root = |one: &Examinee| one.is_self_issued() && one.subject_der() == below.issuer_der();
    let found = |known| Some(AbsentRoot { below, issuer, known });
    let mut stores = chain.stores.iter().chain(&chain.known);
    if let Some(store) = stores.find(|store| store.anchors.iter().any(is_root)) {
        return found(RootKnown::Elsewhere(&store.name));
    }
    let is_in_a_store = |anchor: &Examinee| facts(chain, anchor).any(|fact| matches!(fact, RootFact::In(_)));
    if !anchors.iter().any(is_in_a_store) {
        return None;
    }
    let asked = chain.side.asked.iter().filter(|asked| asked.about == below.thumbprint);
    if asked.flat_map(|asked| asked.issuers()).any(is_root) {
        return found(RootKnown::Fetched);
    }
    let names_address = |one: &Examinee| {
        let entries = one.known.authority_info_access.read().into_iter().flatten();
        entries.filter(|entry| entry.method == AccessDescription::CA_ISSUERS).count() > 0
    };
    let has_timestamps = |one: &Examinee| one.extension(id::SCT_LIST).is_some();
    let is_of_public_ca =
        names_address(below) || chain.served.iter().any(|one| is_public(one) || has_timestamps(one));
    if is_of_public_ca { None } else { found(RootKnown::Private) }
}

/// The chain that ought to be served instead: the shortest path without its anchor. `None` where what is served will do,
/// or no path holds.
pub(crate) fn suggested<'a>(chain: &Chain, context: &Context<'a>) -> Option<Vec<&'a Examinee>> {
    if let Some(leaf) = context.chain.leaf_elsewhere() {
        let served: Vec<&Examinee> = context.chain.served.iter().collect();
        return Some(upwards(&served, leaf));
    }
    let shortest =
        context.paths().valid.iter().min_by_key(|path| path.len()).filter(|path| path.len() > 1)?;
    let wanted = shortest[..shortest.len() - 1].to_vec();
    let lacks_some = wanted.iter().any(|one| one.index >= chain.served.len());
    let is_amiss = lacks_some
        || !misordered(chain).is_empty()
        || !duplicates(chain).is_empty()
        || !unrelated(chain).is_empty()
        || !expired_extras(chain, context).is_empty()
        || clients::astray(context.clients()).is_some_and(|_| clients::full_accepts(context.clients()));
    is_amiss.then_some(wanted)
}

/// A certificate and its issuers out of these, each behind the one that it issued; self-issued ones are left out. A
/// signature that verifies counts before one that cannot be told, and one that is wrong never does.
pub(crate) fn upwards<'a>(among: &[&'a Examinee], leaf: &'a Examinee) -> Vec<&'a Examinee> {
    let mut path = vec![leaf];
    while let Some(last) = path.last() {
        let named = among.iter().filter(|one| {
            one.issuer_der() != one.subject_der()
                && one.subject_der() == last.issuer_der()
                && path.iter().all(|old| old.der() != one.der())
        });
        let judged = named.map(|one| (verdict(last, one), *one)).filter(|(said, _)| *said != Some(false));
        match judged.min_by_key(|(said, _)| said.is_none()) {
            Some((_, issuer)) => path.push(issuer),
            None => break,
        }
    }
    path
}
