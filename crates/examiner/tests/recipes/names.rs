//! Fixtures of the checks in `checks/names`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("issuer-empty", "leaf", leaf(|_| {})),
        fail("issuer-empty", "leaf", leaf(|spec| spec.issuer = seq(&[]))),
        fail("issuer-empty", "empty-set", leaf(|spec| spec.issuer = seq(&[&set(&[])]))),
    ]
}
