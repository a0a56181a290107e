//! `party list`: everybody, or those whose last certificate ends soon.

use std::collections::BTreeMap;

use examiner::UnixTime;
use policy::PartyName;
use registry::PartyRow;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Globals, Outcome};
use crate::config::keys::Seconds;

/// `countersign party list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only parties whose last certificate is valid now and ends within this time, such as 30d or 12h; the
    /// earliest end first.
    #[arg(long, value_name = "TIME", value_parser = time)]
    expires_within: Option<i64>,
}

fn time(text: &str) -> Result<i64, String> {
    Seconds::parse(text)
        .map(|Seconds(length)| length)
        .ok_or_else(|| "give a length of time, such as 30d".into())
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let mut all = context.run(context.registry.parties())?;
    let ends = context.run(context.registry.last_ends())?;
    if let Some(length) = args.expires_within {
        // Who is let in by a key or a subject alone has no end of its own here.
        let soon = context.now..=context.now.plus(length);
        all.retain(|row| ends.get(&row.name).is_some_and(|end| soon.contains(end)));
        all.sort_by_key(|row| ends.get(&row.name).copied());
    }
    let view = |row: &PartyRow| {
        let mut value = super::row_view(row);
        value["certificates_until"] = json!(ends.get(&row.name));
        value
    };
    let text = match args.expires_within {
        Some(_) if all.is_empty() => "no party's last certificate ends within this time\n".into(),
        _ => table(&context, &all, &ends),
    };
    globals.print(&all.iter().map(view).collect::<Vec<_>>(), text);
    Ok(Exit::Fine)
}

fn table(context: &Context, all: &[PartyRow], ends: &BTreeMap<PartyName, UnixTime>) -> String {
    let records = &context.state.records;
    let by_key = |name: &PartyName| {
        records.keys.iter().any(|(_, all)| all.iter().any(|key| key.party == *name && key.revoked.is_none()))
            || records.subjects.iter().any(|(_, party)| party == name)
    };
    let mut rows = vec![vec!["PARTY".into(), "SITES".into(), "CERTIFICATES UNTIL".into(), "STATE".into()]];
    for row in all {
        let sites: Vec<&str> = row.grants.iter().map(policy::HostName::as_str).collect();
        let until = ends.get(&row.name);
        let state = match row.suspended_since {
            Some(since) => format!("suspended since {}", since.date()),
            None if until.is_some_and(|until| *until >= context.now) || by_key(&row.name) => "active".into(),
            None => "no valid certificate".into(),
        };
        let until = until.map_or("-".into(), |until| until.date());
        let sites = if sites.is_empty() { "-".into() } else { sites.join(" ") };
        rows.push(vec![row.name.to_string(), sites, until, state]);
    }
    columns(&rows)
}
