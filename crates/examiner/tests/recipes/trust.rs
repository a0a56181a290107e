//! Fixtures of the checks in `checks/trust`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![]
}
