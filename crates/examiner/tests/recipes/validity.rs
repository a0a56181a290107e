//! Fixtures of the checks in `checks/validity`.

use super::*;

pub fn all() -> Vec<Recipe> {
    vec![
        pass("not-yet-valid", "first-second", leaf(|_| {}).at("2026-04-01T00:00:00Z")),
        fail("not-yet-valid", "a-second-early", leaf(|_| {}).at("2026-03-31T23:59:59Z")),
        pass("expires-soon-relative", "middle", leaf(|_| {}).at("2026-05-15T00:00:00Z")),
        fail("expires-soon-relative", "a-week-before", leaf(|_| {}).at("2026-06-22T00:00:00Z")),
        pass("chain-expires-before-leaf", "chain", chain(|_, _, _| {})),
        fail(
            "chain-expires-before-leaf",
            "issuing",
            chain(|_, issuing, _| issuing.dates("250301000000Z", "260601235959Z")),
        ),
        pass("validity-not-positive", "leaf", leaf(|_| {})),
        fail(
            "validity-not-positive",
            "turned-round",
            leaf(|spec| spec.dates("260629235959Z", "260401000000Z")),
        ),
        pass(
            "time-form-wrong-for-year",
            "2050",
            root(|spec| spec.not_after = generalized_time("20500101000000Z")),
        ),
        fail(
            "time-form-wrong-for-year",
            "2026",
            leaf(|spec| spec.not_after = generalized_time("20260629235959Z")),
        ),
        pass("time-not-zulu-or-no-seconds", "leaf", leaf(|_| {})),
        fail(
            "time-not-zulu-or-no-seconds",
            "no-seconds",
            leaf(|spec| spec.not_after = utc_time("2606292359Z")),
        ),
        fail(
            "time-not-zulu-or-no-seconds",
            "offset",
            leaf(|spec| spec.not_after = utc_time("260629235959+0100")),
        ),
        fail("time-not-zulu-or-no-seconds", "no-time", leaf(|spec| spec.not_after = utf8("2026-06-29"))),
        pass("backdated-against-sct", "leaf", leaf(|_| {})),
        fail("backdated-against-sct", "three-days", leaf(|spec| spec.not_before = utc_time("260329000000Z"))),
        pass(
            "root-validity-out-of-range",
            "20-years",
            root(|spec| spec.dates("240101000000Z", "431231235959Z")),
        ),
        fail(
            "root-validity-out-of-range",
            "three-years",
            root(|spec| spec.dates("240101000000Z", "261231235959Z")),
        ),
        pass("root-expired-but-anchor", "root", root(|_| {})),
        fail("root-expired-but-anchor", "2040", root(|_| {}).at("2040-01-01T00:00:00Z")),
        pass("issuance-forecast", "leaf", leaf(|_| {})),
        fail(
            "issuance-forecast",
            "into-2027",
            issued("261101000000Z", "270501000000Z").at("2026-12-01T00:00:00Z"),
        ),
        // 199 days from the rule of 200 into that of 100, and 99 days.
        fail(
            "validation-reuse-forecast",
            "into-2027",
            issued("261101000000Z", "270518235959Z").at("2026-12-01T00:00:00Z"),
        ),
        pass(
            "validation-reuse-forecast",
            "100-days",
            issued("270101000000Z", "270410235959Z").at("2027-02-01T00:00:00Z"),
        ),
        fail(
            "validation-reuse-forecast",
            "101-days",
            issued("270101000000Z", "270411235959Z").at("2027-02-01T00:00:00Z"),
        ),
        pass(
            "validation-reuse-forecast",
            "the-day-before",
            issued("260827000000Z", "270314235959Z").at("2026-12-01T00:00:00Z"),
        ),
        fail(
            "validation-reuse-forecast",
            "into-2029",
            issued("290101000000Z", "290331235959Z").at("2029-02-01T00:00:00Z"),
        ),
        pass("lifetime-at-the-limit", "leaf", leaf(|_| {})),
        fail("lifetime-at-the-limit", "200-days", issued("260316000000Z", "261001235959Z")),
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

/// The server certificate with other dates, and timestamps enough for a year.
fn issued(not_before: &str, not_after: &str) -> Case {
    leaf(|spec| {
        spec.dates(not_before, not_after);
        spec.extension("1.3.6.1.4.1.11129.2.4.2").value = timestamps(&[0x11, 0x22, 0x33]);
    })
}
