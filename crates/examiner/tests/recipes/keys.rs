//! Fixtures of the checks in `checks/keys`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("rsa-under-2048", "rsa-2048", leaf(|spec| spec.spki = LEAF_RSA_2048.to_vec())),
        fail("rsa-under-2048", "rsa-1024", leaf(|spec| spec.spki = LEAF_RSA_1024.to_vec())),
    ]
}
