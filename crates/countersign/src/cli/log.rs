//! `log`: what happened, and whether the record of it is whole.

use std::time::Duration;

use examiner::UnixTime;
use policy::Code;
use registry::{AuditFilter, AuditRow, AuditVerdict};
use serde_json::json;

use super::context::{self, Context};
use super::{Exit, Failure, Globals, Outcome};
use crate::config::keys::Seconds;
use crate::config::settings::ADMIN_SITE;

pub mod access;

/// How often it is looked for an entry that may still come.
const LOOK: Duration = Duration::from_millis(100);
/// An entry can be read within a second; it is looked for so often before there is said to be none.
const LOOKS: u32 = 15;

/// `countersign log …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Entries that fit.
    Search(Search),
    /// Entries as they come.
    Tail(Search),
    /// The entries with a reference.
    Show {
        /// Such as 7F3K-22.
        reference: String,
    },
    /// Who could enter on a day, and who did.
    #[command(after_help = "Example: countersign log access --on 2027-03-01")]
    Access(access::Args),
    /// Whether nothing was altered or taken away.
    Verify,
    /// Entries that fit, one JSON document a line.
    Export(Search),
}

/// Which entries.
#[derive(Debug, Default, clap::Args)]
pub struct Search {
    /// Of this site.
    #[arg(long, value_name = "HOST")]
    site: Option<String>,
    /// Of this party.
    #[arg(long)]
    party: Option<String>,
    /// With this refusal code.
    #[arg(long)]
    code: Option<String>,
    /// With this verdict.
    #[arg(long, value_parser = ["admitted", "refused", "observed", "changed"])]
    verdict: Option<String>,
    /// With this reference.
    #[arg(long)]
    reference: Option<String>,
    /// From then on: a date, or a time ago such as 1h or 7d.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    since: Option<UnixTime>,
    /// Until then.
    #[arg(long, value_name = "WHEN", value_parser = when)]
    until: Option<UnixTime>,
    /// Without the admissions at the admin address, each of which is an operator who looked.
    #[arg(long)]
    without_admin: bool,
    /// At most so many, the newest.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

/// A moment: a date, or a time ago.
pub fn when(text: &str) -> Result<UnixTime, String> {
    if let Some(Seconds(ago)) = Seconds::parse(text) {
        return Ok(context::now().plus(-ago));
    }
    UnixTime::parse(text).map_err(|error| format!("{error}, or as a time ago like 1h"))
}

impl Search {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            site: self.site.clone(),
            party: self.party.clone(),
            code: self.code.clone(),
            verdict: self.verdict.clone(),
            reference: self.reference.as_ref().map(|one| one.trim().to_ascii_uppercase()),
            since: self.since,
            until: self.until,
            not_admitted_at: self.without_admin.then(|| ADMIN_SITE.to_owned()),
            limit: self.limit,
            after_id: None,
            before_id: None,
        }
    }
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Search(search) => self::search(globals, &search),
        Args::Tail(search) => tail(globals, &search),
        Args::Show { reference } => show(globals, reference),
        Args::Access(args) => access::run(globals, &args),
        Args::Verify => verify(globals),
        Args::Export(search) => export(globals, &search),
    })
}

fn line(row: &AuditRow) -> String {
    let event = &row.event;
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
    let mut line = format!(
        "{}  {}  {}  {}  {}  {}",
        event.time,
        event.verdict,
        or(&event.code),
        or(&event.site),
        or(&event.party),
        or(&event.reference)
    );
    if let Some(detail) = &event.detail {
        line += &format!("  {}", detail.escape_debug());
    }
    line
}

fn search(globals: &Globals, search: &Search) -> Outcome {
    let context = Context::open(globals)?;
    let rows = context.run(context.registry.search_audit(&search.filter()))?;
    globals.print(&rows, rows.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Fine)
}

fn export(globals: &Globals, search: &Search) -> Outcome {
    let context = Context::open(globals)?;
    for row in context.run(context.registry.search_audit(&search.filter()))? {
        println!("{}", serde_json::to_string(&row).unwrap_or_default());
    }
    Ok(Exit::Fine)
}

fn show(globals: &Globals, reference: String) -> Outcome {
    let rows = with_reference(globals, reference)?;
    globals.print(&rows, rows.iter().map(line).collect::<Vec<_>>().join("\n"));
    Ok(Exit::Fine)
}

/// The entries with a reference, which the gate may just be storing; not found where none has come in time.
fn with_reference(globals: &Globals, reference: String) -> Result<Vec<AuditRow>, Failure> {
    let context = Context::open(globals)?;
    let wanted = Search { reference: Some(reference.clone()), ..Search::default() };
    let filter = wanted.filter();
    let look = || context.run(context.registry.search_audit(&filter));
    let rows = awaited(look, || std::thread::sleep(LOOK))?;
    if rows.is_empty() {
        let what = format!("no entry has the reference `{}`", reference.escape_debug());
        return Err(Failure::not_found(what, "countersign log search --since 1h"));
    }
    Ok(rows)
}

/// What `look` finds, asked again after each `pause` as long as it is nothing, [`LOOKS`] times at most.
fn awaited<T, E>(mut look: impl FnMut() -> Result<Vec<T>, E>, mut pause: impl FnMut()) -> Result<Vec<T>, E> {
    for _ in 1..LOOKS {
        let found = look()?;
        if !found.is_empty() {
            return Ok(found);
        }
        pause();
    }
    look()
}

/// The entries with a reference, and what the visitor can do about the code they have.
pub fn explain(globals: &Globals, reference: String) -> Outcome {
    let rows = with_reference(globals, reference)?;
    let code = rows.iter().find_map(|row| Code::parse(row.event.code.as_deref()?));
    let mut text: Vec<_> = rows.iter().map(line).collect();
    if let Some(code) = code {
        let words = gateway::pages::code_text(globals.lang(), code);
        text.push(format!("  {}\n  {}\n  {}", words.title, words.detail, words.next));
    }
    globals.print(&rows, text.join("\n"));
    Ok(Exit::Fine)
}

fn tail(globals: &Globals, search: &Search) -> Outcome {
    use std::io::Write;
    let context = Context::open(globals)?;
    let mut filter = AuditFilter { limit: Some(search.limit.unwrap_or(10)), ..search.filter() };
    let mut last = 0;
    loop {
        let rows = context.run(context.registry.search_audit(&filter))?;
        for row in &rows {
            let text = if globals.json { serde_json::to_string(row).unwrap_or_default() } else { line(row) };
            if writeln!(std::io::stdout(), "{text}").is_err() {
                return Ok(Exit::Fine);
            }
            last = last.max(row.id);
        }
        filter.after_id = Some(last);
        filter.limit = None;
        std::thread::sleep(Duration::from_millis(250));
    }
}

fn verify(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    match context.run(context.registry.verify_audit())? {
        AuditVerdict::Whole { entries, heads } => {
            let value = json!({ "whole": true, "entries": entries, "heads": heads });
            globals.print(&value, format!("the log is whole: {entries} entries"));
            Ok(Exit::Fine)
        }
        AuditVerdict::Broken { writer, id, what } => {
            let value = json!({ "whole": false, "writer": writer, "id": id, "what": what });
            let place = if writer.is_empty() { String::new() } else { format!("entry {id} of {writer}: ") };
            globals.print(&value, format!("the log is not whole: {place}{what}"));
            Ok(Exit::No)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of waiting for an entry that is there from the look of this number on, and the pauses.
    fn waited_for(there_at: u32) -> (usize, u32) {
        let (mut looks, mut pauses) = (0, 0);
        let look = || {
            looks += 1;
            Ok::<_, ()>(if looks >= there_at { vec!["entry"] } else { Vec::new() })
        };
        let found = awaited(look, || pauses += 1).unwrap();
        (found.len(), pauses)
    }

    #[test]
    fn an_entry_is_waited_for_beyond_the_second_within_which_it_comes_and_no_longer_than_needed() {
        assert_eq!(waited_for(1), (1, 0));
        assert_eq!(waited_for(4), (1, 3));
        assert_eq!(waited_for(LOOKS), (1, LOOKS - 1));
        assert_eq!(waited_for(LOOKS + 1), (0, LOOKS - 1));
        assert!(LOOK * (LOOKS - 1) > Duration::from_secs(1));
    }

    #[test]
    fn a_registry_that_cannot_be_read_is_not_waited_for() {
        let mut pauses = 0;
        let failed = awaited(|| Err::<Vec<()>, _>("away"), || pauses += 1);
        assert_eq!((failed, pauses), (Err("away"), 0));
    }
}
