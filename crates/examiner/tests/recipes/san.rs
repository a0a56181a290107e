//! Fixtures of the checks in `checks/san`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("hostname-mismatch", "exact", chain(|_, _, _| {})),
        pass(
            "hostname-mismatch",
            "wildcard",
            chain(|leaf, _, _| leaf.extension("2.5.29.17").value = san(&[dns("*.example.com")])),
        ),
        fail("hostname-mismatch", "other-host", chain(|_, _, _| {}).host("mail.example.com")),
        fail("hostname-mismatch", "address", chain(|_, _, _| {}).host("192.0.2.1")),
    ]
}
