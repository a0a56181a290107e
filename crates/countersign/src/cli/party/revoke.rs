//! `party revoke`: takes effect at once; says where it has.

use std::time::Duration;

use examiner::Thumbprint;
use examiner::cert::{ThumbprintText, parse_thumbprint_text};
use policy::issuance::Reason;
use registry::{CertificateRow, Receipt};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// How long the gates' receipts are waited for.
const WAIT: Duration = Duration::from_secs(2);

/// `countersign party revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The party's name.
    party: String,
    /// One certificate: its label or thumbprint; where absent all, with key pins and subject rules.
    #[arg(long, value_name = "LABEL-OR-THUMBPRINT")]
    cert: Option<String>,
    /// Why; `key-compromise` also denies the public key.
    #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = reason)]
    reason: Reason,
}

fn reason(text: &str) -> Result<Reason, policy::issuance::UnknownWord> {
    text.parse()
}

/// The certificate that a label or thumbprint names.
pub fn which(context: &Context, all: &[CertificateRow], text: &str) -> Result<Thumbprint, Failure> {
    if let Some(row) = all.iter().find(|row| row.label == text) {
        return Ok(row.thumbprint);
    }
    let missing = || {
        let labels: Vec<&str> = all.iter().map(|row| row.label.as_str()).collect();
        let help = format!("it has: {}", if labels.is_empty() { "none".into() } else { labels.join(", ") });
        Failure::not_found(format!("the party has no certificate `{}`", text.escape_debug()), help)
    };
    let thumbprint = match parse_thumbprint_text(text) {
        Ok(ThumbprintText::Sha256(thumbprint)) => thumbprint,
        Ok(ThumbprintText::Sha1(sha1)) => {
            context.run(context.registry.find_sha1(sha1.0))?.ok_or_else(missing)?
        }
        Err(_) => return Err(missing()),
    };
    all.iter().any(|row| row.thumbprint == thumbprint).then_some(thumbprint).ok_or_else(missing)
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let row = super::known(&context, &args.party)?;
    let all = context.run(context.registry.certificates(&row.name))?;
    let which = args.cert.as_deref().map(|text| which(&context, &all, text)).transpose()?;
    if globals.dry_run {
        let count = if which.is_some() { 1 } else { all.iter().filter(|one| one.revoked.is_none()).count() };
        globals.say(format!("would revoke {count} certificate(s) of {}", row.name));
        return Ok(Exit::Fine);
    }
    let rules = context.run(context.registry.subject_rules(&row.name))?;
    let before = context.run(context.registry.receipts())?;
    let reason = args.reason.word();
    let revoked = context.run(context.registry.revoke(
        &row.name,
        which.as_ref(),
        reason,
        &context.actor,
        context.now,
    ))?;
    let seq = context.run(context.registry.last_seq())?;
    let (mut applied, late) = wait(&context, seq)?;
    // A gate reports all cuts so far; what this one cut is the difference.
    for one in &mut applied {
        one.cut -= before.iter().find(|old| old.gate == one.gate).map_or(0, |old| old.cut.min(one.cut));
    }
    let mut text = format!("{}: {} certificate(s) revoked ({reason})\n", row.name, revoked.len());
    for one in &revoked {
        text += &format!("  {}  {}\n", one.label, one.thumbprint);
    }
    let removed = if which.is_none() { rules.as_slice() } else { &[] };
    for rule in removed {
        text +=
            &format!("  the subject {} of CA {} leads to {} no longer\n", rule.subject, rule.ca, row.name);
    }
    for one in &applied {
        text += &format!("applied by {}: {} connection(s) cut\n", one.gate, one.cut);
    }
    if applied.is_empty() && late.is_empty() {
        text += "no gate is running; it holds from the next start\n";
    }
    let views = |all: &[Receipt]| -> Vec<_> {
        all.iter()
            .map(|one| json!({ "gate": one.gate, "seq": one.seq, "cut": one.cut, "at": one.at }))
            .collect()
    };
    globals.print(
        &json!({
            "party": row.name,
            "reason": reason,
            "revoked": revoked.iter().map(super::certificate_view).collect::<Vec<_>>(),
            "subjects": removed.iter().map(|rule| json!({ "ca": rule.ca, "subject": rule.subject })).collect::<Vec<_>>(),
            "applied": views(&applied),
            "late": views(&late),
        }),
        text,
    );
    for one in &late {
        globals.warn(format!("{} has not applied it yet; it was last heard of at {}", one.gate, one.at));
    }
    // The certificate named is out; another one with the same subject is a way in that stays.
    if which.is_some() && !rules.is_empty() {
        let name = &row.name;
        globals.warn(format!(
            "another certificate still leads to {name} by its subject; `countersign party revoke {name}` ends that too"
        ));
    }
    Ok(if late.is_empty() { Exit::Fine } else { Exit::No })
}

/// Waits until every running gate has applied change `seq`: who did, and who is late.
fn wait(context: &Context, seq: i64) -> Result<(Vec<Receipt>, Vec<Receipt>), Failure> {
    let epoch = context.registry.epoch().to_owned();
    let begun = std::time::Instant::now();
    loop {
        let mut all = crate::run::live(&context.settings.state, context.run(context.registry.receipts())?);
        all.retain(|one| one.epoch == epoch);
        let (applied, late): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| one.seq >= seq);
        if late.is_empty() || begun.elapsed() >= WAIT {
            return Ok((applied, late));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}
