//! Host names against the constraints of issuers.

use crate::chain::extensions::{NameConstraints, Subtree};
use crate::chain::{Chain, Examinee};

/// All that may stand above a certificate in a path, by their names.
pub(super) fn above<'a>(chain: &'a Chain, certificate: &'a Examinee) -> Vec<&'a Examinee> {
    let mut all: Vec<&Examinee> = Vec::new();
    let mut next = vec![certificate];
    while let Some(one) = next.pop() {
        for issuer in chain.issuers_by_name(one) {
            if issuer.index != certificate.index && !all.iter().any(|other| other.index == issuer.index) {
                all.push(issuer);
                next.push(issuer);
            }
        }
    }
    all
}

/// How the constraints stand against a host name; `None` where they allow it.
pub(super) fn against(constraints: &NameConstraints, host: &str) -> Option<&'static str> {
    let hosts = |list: &Option<Vec<Subtree>>| -> Vec<String> {
        let bases = list.iter().flatten().filter_map(|subtree| subtree.base.dns());
        bases.map(|base| base.trim_start_matches('.').to_ascii_lowercase()).collect()
    };
    let within = |base: &String| {
        base.is_empty()
            || host == base
            || host.strip_suffix(base.as_str()).is_some_and(|rest| rest.ends_with('.'))
    };
    let permitted = hosts(&constraints.permitted);
    if hosts(&constraints.excluded).iter().any(within) {
        Some("excluded")
    } else if !permitted.is_empty() && !permitted.iter().any(within) {
        Some("not permitted")
    } else {
        None
    }
}

/// Whether clients may take the text for a host name.
pub(super) fn looks_like_host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_*".contains(c))
    };
    text.contains('.') && text.split('.').all(label) && text.parse::<std::net::IpAddr>().is_err()
}
