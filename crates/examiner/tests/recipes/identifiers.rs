//! Fixtures of the checks in `checks/identifiers`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("aki-ski-mismatch", "chain", chain(|_, _, _| {})),
        fail(
            "aki-ski-mismatch",
            "leaf",
            chain(|leaf, _, _| leaf.extension("2.5.29.35").value = seq(&[&implicit(0, &[7; 20])])),
        ),
    ]
}
