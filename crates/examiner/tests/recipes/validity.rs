//! Fixtures of the checks in `checks/validity`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("expired", "last-second", leaf(|_| {}).at("2026-06-29T23:59:59Z")),
        fail("expired", "leaf", leaf(|_| {}).at("2026-06-30T00:00:00Z")),
        fail(
            "expired",
            "intermediate",
            chain(|_, issuing, _| issuing.dates("240301000000Z", "260430235959Z")),
        ),
        pass("lifetime-too-long", "398-days-before-the-date", issued("260314000000Z", "270415235959Z")),
        pass("lifetime-too-long", "199-days", issued("260316000000Z", "260930235959Z")),
        pass("lifetime-too-long", "200-days", issued("260316000000Z", "261001235959Z")),
        pass(
            "lifetime-too-long",
            "private",
            issued("260316000000Z", "270417235959Z").profile(Profile::PrivateServer),
        ),
        fail("lifetime-too-long", "200-days-and-a-second", issued("260316000000Z", "261002000000Z")),
        fail("lifetime-too-long", "398-days", issued("260316000000Z", "270417235959Z")),
    ]
}

/// The server certificate with other dates.
fn issued(not_before: &str, not_after: &str) -> Case {
    leaf(|spec| spec.dates(not_before, not_after))
}
