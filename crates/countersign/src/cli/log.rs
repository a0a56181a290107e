//! `log`: what happened, and whether the record of it is whole.

use std::time::Duration;

use examiner::UnixTime;
use policy::Code;
use registry::{AuditFilter, AuditRow, AuditVerdict};
use serde_json::json;

use super::context::{self, Context};
use super::{Exit, Failure, Globals, Outcome};
use crate::config::keys::Seconds;

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
    /// At most so many, the newest.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
}

fn when(text: &str) -> Result<UnixTime, String> {
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
            limit: self.limit,
            after_id: None,
        }
    }
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Search(search) => self::search(globals, &search),
        Args::Tail(search) => tail(globals, &search),
        Args::Show { reference } => show(globals, reference),
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

/// The entries with a reference; not found where there is none.
fn with_reference(globals: &Globals, reference: String) -> Result<Vec<AuditRow>, Failure> {
    let context = Context::open(globals)?;
    let wanted = Search { reference: Some(reference.clone()), ..Search::default() };
    let rows = context.run(context.registry.search_audit(&wanted.filter()))?;
    if rows.is_empty() {
        let what = format!("no entry has the reference `{}`", reference.escape_debug());
        return Err(Failure::not_found(what, "countersign log search --since 1h"));
    }
    Ok(rows)
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
