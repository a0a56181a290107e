//! Where a change that takes admission away has taken effect.

use std::time::{Duration, Instant};

use registry::Receipt;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals};

/// How long the gates' receipts are waited for. A gate needs a second at most; its receipt is written to a disk, which
/// may be slow without anything being wrong.
const WAIT: Duration = Duration::from_secs(5);

/// The gates' receipts from before a change.
pub struct Before(Vec<Receipt>);

/// What the running gates have made of a change.
pub struct Effect {
    /// The gates that follow it.
    pub applied: Vec<View>,
    /// Those that have not said so in time.
    pub late: Vec<View>,
}

/// A gate's receipt, as shown.
#[derive(Debug, Serialize)]
pub struct View {
    gate: String,
    /// The feed's number up to which it has come.
    seq: i64,
    /// The connections that this change cut.
    cut: i64,
    /// When it was last heard of.
    at: examiner::UnixTime,
}

impl Effect {
    /// Notes how far the gates have come; to be called before the change.
    ///
    /// # Errors
    ///
    /// The registry cannot be read.
    pub fn before(context: &Context) -> Result<Before, Failure> {
        Ok(Before(context.run(context.registry.receipts())?))
    }

    /// A line for each gate that applied it.
    pub fn text(&self) -> String {
        if self.applied.is_empty() && self.late.is_empty() {
            return "no gate is running; it holds from the next start\n".into();
        }
        let line = |one: &View| format!("applied by {}: {} connection(s) cut\n", one.gate, one.cut);
        self.applied.iter().map(line).collect()
    }

    /// Names the late gates; the command's exit code.
    pub fn end(&self, globals: &Globals) -> Exit {
        for one in &self.late {
            globals.warn(format!("{} has not applied it yet; it was last heard of at {}", one.gate, one.at));
        }
        if self.late.is_empty() { Exit::Fine } else { Exit::No }
    }
}

impl Before {
    /// Waits until every running gate has applied the newest change, but not for long.
    ///
    /// # Errors
    ///
    /// The registry cannot be read.
    pub fn wait(&self, context: &Context) -> Result<Effect, Failure> {
        let seq = context.run(context.registry.last_seq())?;
        let epoch = context.registry.epoch().to_owned();
        let begun = Instant::now();
        loop {
            let mut all =
                crate::run::live(&context.settings.state, context.run(context.registry.receipts())?);
            all.retain(|one| one.epoch == epoch);
            let (applied, late): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.seq >= seq);
            if late.is_empty() || begun.elapsed() >= WAIT {
                let views = |all: Vec<Receipt>| all.into_iter().map(|one| self.view(one)).collect();
                return Ok(Effect { applied: views(applied), late: views(late) });
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// A gate reports all cuts so far; what this change cut is the difference.
    fn view(&self, one: Receipt) -> View {
        let before = self.0.iter().find(|old| old.gate == one.gate).map_or(0, |old| old.cut.min(one.cut));
        View { cut: one.cut - before, gate: one.gate, seq: one.seq, at: one.at }
    }
}
