//! `doctor`: knocks at the doors from outside, and says which stand open.

use super::context::{self, Context};
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome};
use crate::doctor::{self, Report};

/// `countersign doctor`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign doctor --outside")]
pub struct Args {
    /// Knock over real sockets at the configured listeners (the default, and the only way there is).
    #[arg(long)]
    outside: bool,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    let _ = args.outside;
    globals.end(run(globals))
}

fn run(globals: &Globals) -> Outcome {
    let settings = Context::open(globals)?.settings;
    let report = context::runtime()?
        .block_on(doctor::examine(&settings))
        .map_err(|what| Failure::new(Exit::Bug, what, "please report this"))?;
    globals.print(&report, shown(&report));
    if report.is_fine() { Ok(Exit::Fine) } else { Ok(Exit::No) }
}

/// The report as text.
pub fn shown(report: &Report) -> String {
    let row = |finding: &doctor::Finding| {
        let mark = if finding.fine { "ok" } else { "NOT AS EXPECTED" };
        vec![
            mark.to_owned(),
            finding.tried.clone(),
            format!("expected {}, seen {}", finding.expected, finding.seen),
        ]
    };
    let mut text = columns(&report.knocks.iter().map(row).collect::<Vec<_>>());
    for open in &report.open {
        text += &format!("OPEN  {open}\n");
    }
    for mention in &report.mentions {
        text += &format!("note  {mention}\n");
    }
    let wrong = report.knocks.iter().filter(|finding| !finding.fine).count();
    let verdict = if report.is_fine() {
        format!("The door is shut: {} knocks, each answered as it should be.", report.knocks.len())
    } else {
        format!(
            "{} knocks, {wrong} not as expected; {} open door(s).",
            report.knocks.len(),
            report.open.len()
        )
    };
    text + &verdict
}
