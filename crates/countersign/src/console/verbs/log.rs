//! The log: what happened, whether the record of it is whole, refusals over time, who entered on a day.

use examiner::UnixTime;
use registry::{AuditFilter, AuditRow, AuditVerdict};
use serde_json::{Value, json};

use super::{Verb, reads};
use crate::cli::log::access::{Access, day};
use crate::cli::{Failure, log};
use crate::config::settings::ADMIN_SITE;
use crate::console::answer::Asked;
use crate::console::given::{Field, Given, Kind, may, must};

/// Entries of a page, where nothing else is asked for, and at most.
pub const LIMIT: (u32, u32) = (50, 500);
/// Hours of refusals that are counted, where nothing else is asked for, and at most.
const HOURS: (u32, u32) = (24, 24 * 31);

/// What entries are looked for by.
pub const FILTER: &[Field] = &[
    may("site", Kind::Text, "of this site"),
    may("party", Kind::Text, "of this party or operator"),
    may("code", Kind::Text, "with this refusal code"),
    may("verdict", Kind::Word(&["admitted", "refused", "observed", "changed"]), "with this verdict"),
    may("reference", Kind::Text, "with this reference"),
    may("since", Kind::Since, "from then on: a date, or a time ago such as 1h"),
    may("until", Kind::Since, "until then"),
    may("admin", Kind::Flag, "also the admissions at the admin address, which are left out otherwise"),
    may("before", Kind::Count, "only entries before this number: where a page ended, the next goes on"),
    may("limit", Kind::Count, "entries of a page, 50 where absent, 500 at most"),
];

const ON: Field = must("on", Kind::Moment, "the day, such as 2027-03-01");

pub const VERBS: &[Verb] = &[
    reads("searchLog", "/log", "entries that fit, newest first", FILTER, search),
    reads("verifyLog", "/log/verify", "whether nothing was altered or taken away", &[], verify),
    reads(
        "countRefusals",
        "/log/refusals",
        "refusals by code and hour",
        &[may("hours", Kind::Count, "of so many hours, 24 where absent, 744 at most")],
        refusals,
    ),
    reads("whoEntered", "/log/entered", "who was admitted on a day (UTC), and where", &[ON], entered),
    reads(
        "whoCouldEnter",
        "/log/access",
        "who could enter on a day (UTC) and who did, by the record and what the log says has changed; `doubts` tells what is \
         on no record",
        &[ON],
        access,
    ),
];

/// A page of entries, newest first, and where the next page begins.
pub struct Found {
    /// The entries.
    pub rows: Vec<AuditRow>,
    /// The number to give as `before`; `None` on the last page.
    pub next: Option<i64>,
}

/// Looks for entries.
pub fn found(asked: &Asked<'_>, given: &Given) -> Result<Found, Failure> {
    let limit = given.count("limit").unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
    let text = |name: &str| given.one(name).map(|text| text.trim().to_owned());
    let when =
        |name: &str| given.one(name).map(log::when).transpose().map_err(|what| Failure::usage(what, ""));
    let left_out = !given.flag("admin") && given.one("site").is_none_or(|site| site.trim() != ADMIN_SITE);
    let filter = AuditFilter {
        site: text("site"),
        party: text("party"),
        code: text("code"),
        verdict: text("verdict"),
        reference: text("reference").map(|one| one.to_ascii_uppercase()),
        since: when("since")?,
        until: when("until")?,
        not_admitted_at: left_out.then(|| ADMIN_SITE.to_owned()),
        limit: Some(limit + 1),
        after_id: None,
        before_id: given.count("before").map(i64::from),
    };
    let mut rows = asked.context.run(asked.context.registry.search_audit(&filter))?;
    rows.reverse();
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().filter(|_| more).map(|row| row.id);
    Ok(Found { rows, next })
}

fn search(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let Found { rows, next } = found(asked, given)?;
    Ok(json!({ "items": rows, "next": next }))
}

fn verify(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(match asked.context.run(asked.context.registry.verify_audit())? {
        AuditVerdict::Whole { entries, heads } => {
            json!({ "whole": true, "entries": entries, "heads": heads })
        }
        AuditVerdict::Broken { writer, id, what } => {
            json!({ "whole": false, "writer": writer, "id": id, "what": what })
        }
    })
}

/// From when on refusals are counted: whole hours, the present one last.
pub fn since(now: UnixTime, hours: u32) -> UnixTime {
    UnixTime(now.seconds() - now.seconds().rem_euclid(3600) - (i64::from(hours) - 1) * 3600)
}

fn refusals(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let hours = given.count("hours").unwrap_or(HOURS.0).clamp(1, HOURS.1);
    let since = since(asked.now(), hours);
    let counts = asked.context.run(asked.context.registry.count_refusals(since, 3600))?;
    Ok(json!({ "since": since, "seconds": 3600, "items": counts }))
}

fn entered(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let (from, until) = day(given.needed("on"))?;
    let all = asked.context.run(asked.context.registry.who_entered(from, until))?;
    let view = |(party, site, count): &(String, String, u64)| json!({ "party": party, "site": site, "count": count });
    Ok(json!({ "from": from, "until": until, "items": all.iter().map(view).collect::<Vec<_>>() }))
}

fn access(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    Ok(Access::on(asked.context, given.needed("on"))?.value())
}
