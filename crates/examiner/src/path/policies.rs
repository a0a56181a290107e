//! Certificate policies along a path (RFC 5280 section 6.1), for a relying party that takes any policy.
//!
//! For such a one the policy tree is empty exactly where the set of policies valid at the end is, so a set is kept.

use std::collections::BTreeSet;

use crate::chain::Examinee;
use crate::chain::extensions::Policy;

type Refused = (&'static str, usize, String);

/// Whether the path, end entity first and anchor last, keeps a policy where one is asked for.
pub(super) fn hold(path: &[&Examinee]) -> Result<(), Refused> {
    let below_anchor = path.len() - 1;
    let mut valid: BTreeSet<&str> = [Policy::ANY].into();
    // How many certificates may still follow before each rule begins (section 6.1.2).
    let (mut explicit, mut mapping, mut inhibit_any) = (u64::MAX, u64::MAX, u64::MAX);
    for (at, certificate) in path[..below_anchor].iter().enumerate().rev() {
        let known = &certificate.known;
        let self_issued = certificate.is_self_issued();
        valid = match known.policies.read() {
            None => BTreeSet::new(),
            Some(listed) => {
                let listed: BTreeSet<&str> = listed.iter().map(|policy| policy.oid.as_str()).collect();
                let takes_any = inhibit_any > 0 || (at > 0 && self_issued);
                let any_above = valid.contains(Policy::ANY);
                let named = listed.iter().filter(|one| **one != Policy::ANY);
                let mut next: BTreeSet<&str> =
                    named.filter(|one| any_above || valid.contains(*one)).copied().collect();
                if listed.contains(Policy::ANY) && takes_any {
                    next.extend(&valid);
                }
                next
            }
        };
        if at == 0 {
            let asked = known.policy_constraints.read().and_then(|constraints| constraints.require_explicit);
            explicit = if asked == Some(0) { 0 } else { explicit.saturating_sub(1) };
        }
        if explicit == 0 && valid.is_empty() {
            return Err((
                "policy-tree-empty",
                at,
                "no policy holds along the path, and one is asked for".into(),
            ));
        }
        if at == 0 {
            break;
        }
        if let Some(mappings) = known.policy_mappings.read() {
            if mappings.iter().any(|pair| pair.issuer == Policy::ANY || pair.subject == Policy::ANY) {
                return Err(("policy-mapping-bad", at, "it maps anyPolicy".into()));
            }
            let any = valid.contains(Policy::ANY);
            let from: Vec<&str> = mappings.iter().map(|pair| pair.issuer.as_str()).collect();
            let to: Vec<&str> = mappings
                .iter()
                .filter(|pair| any || valid.contains(pair.issuer.as_str()))
                .map(|pair| pair.subject.as_str())
                .collect();
            valid.retain(|one| !from.contains(one));
            if mapping > 0 {
                valid.extend(to);
            }
        }
        if !self_issued {
            explicit = explicit.saturating_sub(1);
            mapping = mapping.saturating_sub(1);
            inhibit_any = inhibit_any.saturating_sub(1);
        }
        if let Some(constraints) = known.policy_constraints.read() {
            explicit = explicit.min(constraints.require_explicit.unwrap_or(u64::MAX));
            mapping = mapping.min(constraints.inhibit_mapping.unwrap_or(u64::MAX));
        }
        inhibit_any = inhibit_any.min(known.inhibit_any_policy.read().copied().unwrap_or(u64::MAX));
    }
    Ok(())
}
