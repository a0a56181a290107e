//! Fixtures of the checks in `checks/usage`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("eku-no-server-auth", "server", leaf(|_| {})),
        fail(
            "eku-no-server-auth",
            "client-only",
            leaf(|spec| spec.extension("2.5.29.37").value = purposes(&["1.3.6.1.5.5.7.3.2"])),
        ),
    ]
}
