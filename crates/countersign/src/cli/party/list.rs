//! `party list`: everybody, or those whose last certificate ends soon.

use policy::PartyName;
use registry::{Page, PartyEntry};
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
    /// At most so many, the first by name.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Only parties whose names come after this one: where a list with --limit ended, the next goes on.
    #[arg(long, value_name = "NAME", value_parser = name)]
    after: Option<PartyName>,
}

fn name(text: &str) -> Result<PartyName, String> {
    PartyName::parse(text).map_err(|error| error.to_string())
}

fn time(text: &str) -> Result<i64, String> {
    Seconds::parse(text)
        .map(|Seconds(length)| length)
        .ok_or_else(|| "give a length of time, such as 30d".into())
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    // Who is let in by a key or a subject alone has no end of its own here.
    let ends_within = args.expires_within.map(|length| (context.now, context.now.plus(length)));
    // One more than asked for tells whether there are more.
    let page = Page {
        after: args.after.clone(),
        limit: args.limit.map(|limit| limit.saturating_add(1)),
        ends_within,
        ..Page::default()
    };
    let mut all = context.run(context.registry.party_page(&page))?;
    let is_cut = args.limit.is_some_and(|limit| all.len() > limit as usize);
    if let (true, Some(limit)) = (is_cut, args.limit) {
        all.truncate(limit as usize);
        if let Some(last) = all.last() {
            globals.say(format!("there are more: go on with --after {}", last.party.name));
        }
    }
    if args.expires_within.is_some() {
        all.sort_by_key(|one| one.last_end);
    }
    let view = |one: &PartyEntry| {
        let mut value = super::row_view(&one.party);
        value["certificates_until"] = json!(one.last_end);
        value
    };
    let text = match args.expires_within {
        Some(_) if all.is_empty() => "no party's last certificate ends within this time\n".into(),
        _ => table(&context, &all),
    };
    globals.print(&all.iter().map(view).collect::<Vec<_>>(), text);
    Ok(Exit::Fine)
}

fn table(context: &Context, all: &[PartyEntry]) -> String {
    let mut rows = vec![vec!["PARTY".into(), "SITES".into(), "CERTIFICATES UNTIL".into(), "STATE".into()]];
    for PartyEntry { party, last_end, has_other_way } in all {
        let sites: Vec<&str> = party.grants.iter().map(policy::HostName::as_str).collect();
        let state = match party.suspended_since {
            Some(since) => format!("suspended since {}", since.date()),
            None if *has_other_way || last_end.is_some_and(|end| end >= context.now) => "active".into(),
            None => "no valid certificate".into(),
        };
        let until = last_end.map_or("-".into(), |end| end.date());
        let sites = if sites.is_empty() { "-".into() } else { sites.join(" ") };
        rows.push(vec![party.name.to_string(), sites, until, state]);
    }
    columns(&rows)
}
