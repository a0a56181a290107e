//! Fixtures of the checks in `checks/chain`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("chain-incomplete", "whole", chain(|_, _, _| {})),
        fail(
            "chain-incomplete",
            "leaf-alone",
            served(vec![crate::support::spec::leaf().build()], vec![crate::support::spec::root().build()]),
        ),
    ]
}
