//! Fixtures of the checks in `checks/ca`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("bc-missing-on-ca", "issuing", issuing(|_| {})),
        fail("bc-missing-on-ca", "issuing", issuing(|spec| spec.remove("2.5.29.19"))),
        fail("bc-missing-on-ca", "served", chain(|_, issuing, _| issuing.remove("2.5.29.19"))),
    ]
}
