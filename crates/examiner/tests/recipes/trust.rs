//! Fixtures of the checks in `checks/trust`.

use super::*;
use crate::support::spec;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("signature-invalid", "whole", chain(|_, _, _| {})),
        fail("signature-invalid", "leaf", chain(|leaf, _, _| leaf.signer = OTHER_KEY)),
        fail("signature-invalid", "intermediate", chain(|_, issuing, _| issuing.signer = OTHER_KEY)),
        pass("untrusted-root", "whole", chain(|_, _, _| {})),
        fail("untrusted-root", "root-served", {
            let (leaf, issuing, root) = (spec::leaf(), spec::issuing(), spec::root());
            let mut other = spec::root();
            other.subject = name(&[("2.5.4.3", utf8("Another Root"))]);
            other.issuer = other.subject.clone();
            other.spki = OTHER_SPKI.to_vec();
            other.signer = OTHER_KEY;
            served(vec![leaf.build(), issuing.build(), root.build()], vec![other.build()])
        }),
    ]
}
