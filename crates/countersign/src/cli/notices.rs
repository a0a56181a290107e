//! `notices`, hidden: sends the notices that are due, as `run` starts it. Neither the gate nor a process that signs does.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome};
use crate::notices::journal::Journal;
use crate::notices::{Batch, Notice, due, failing, mail, webhook};

/// `countersign notices`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// What became of one channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// `mail` or `webhook`.
    pub channel: String,
    /// Notices that were sent.
    pub sent: usize,
    /// Why those that are due were not.
    pub fault: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(run(globals))
}

fn run(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let sent = send_all(&context);
    if !matches!(sent, Ok(None)) {
        let fault = |channel: &'static str| match &sent {
            Ok(reports) => reports.iter().flatten().find(|one| one.channel == channel)?.fault.as_deref(),
            Err(failure) => Some(failure.what.as_str()),
        };
        let used = ["mail", "webhook"].into_iter().filter(|name| context.settings.notify.has(name));
        let outcomes: Vec<_> = used.map(|name| (name, fault(name))).collect();
        if let Err(error) = failing::note(&context.settings.state, &outcomes, context.now) {
            globals.warn(format!("how it went is not noted for `countersign status`: {error}"));
        }
    }
    let Some(reports) = sent? else {
        globals.say("another process sends them just now");
        return Ok(Exit::Fine);
    };
    let lines = reports.iter().map(|one| match &one.fault {
        Some(fault) => format!("{}: not sent: {fault}", one.channel),
        None => format!("{}: {} notice(s) sent", one.channel, one.sent),
    });
    globals.print(&reports, lines.collect::<Vec<_>>().join("\n"));
    let failed = reports.iter().any(|one| one.fault.is_some());
    Ok(if failed { Exit::Unreachable } else { Exit::Fine })
}

/// Sends what is due, on each channel. `None` where another process does just now.
fn send_all(context: &Context) -> Result<Option<Vec<Report>>, Failure> {
    let notify = &context.settings.notify;
    let mut reports = Vec::new();
    if notify.mail.is_none() && notify.webhook.is_none() {
        return Ok(Some(reports));
    }
    let unusable = |error: std::io::Error| {
        let what = format!("{}: {error}", context.settings.state.path().join("notices").display());
        Failure::no(
            what,
            "what was told stands there; take it away only where notices may come a second time",
        )
    };
    let Some(mut journal) = Journal::open(&context.settings.state, context.now).map_err(unusable)? else {
        return Ok(None);
    };
    let all = all_due(context)?;
    if let Some(mail) = &notify.mail {
        let send = |batch: &Batch| mail::send(mail, batch, context.now);
        reports.push(channel("mail", &mut journal, &all, send).map_err(unusable)?);
    }
    if let Some(hook) = &notify.webhook {
        let private = &context.settings.fetch_private;
        let send = |batch: &Batch| {
            let sending = async { Ok::<_, Failure>(webhook::send(hook, batch, private).await) };
            context.run(sending).unwrap_or_else(|failure| Err(failure.what))
        };
        reports.push(channel("webhook", &mut journal, &all, send).map_err(unusable)?);
    }
    Ok(Some(reports))
}

/// What is due for parties that are not suspended.
fn all_due(context: &Context) -> Result<Vec<Notice>, Failure> {
    let (from, until) = due::window(context.now);
    let ends = context.run(context.registry.last_ends(from, until))?;
    Ok(due::due(&ends, context.now))
}

/// Sends what is due on one channel: first what was begun and perhaps not sent, then what was not told before.
fn channel(
    name: &str,
    journal: &mut Journal,
    all: &[Notice],
    send: impl Fn(&Batch) -> Result<(), String>,
) -> std::io::Result<Report> {
    let mut batches = Vec::new();
    let mut in_batches = BTreeSet::new();
    for batch in journal.open_batches(name) {
        // One of them is renewed, or nearer its end by now: it is told anew.
        if batch.notices.iter().all(|one| all.contains(one)) {
            in_batches.extend(batch.notices.iter().cloned());
            batches.push(batch);
        } else {
            journal.drop_batch(name, &batch)?;
        }
    }
    let fresh: Vec<Notice> =
        all.iter().filter(|one| !in_batches.contains(*one) && !journal.is_told(name, one)).cloned().collect();
    if !fresh.is_empty() {
        batches.push(Batch::of(name, fresh));
    }
    let mut report = Report { channel: name.to_owned(), sent: 0, fault: None };
    for batch in batches {
        journal.begin(name, &batch)?;
        match send(&batch) {
            Ok(()) => {
                journal.sent(name, &batch)?;
                report.sent += batch.notices.len();
            }
            Err(fault) => {
                report.fault = Some(fault);
                break;
            }
        }
    }
    Ok(report)
}
