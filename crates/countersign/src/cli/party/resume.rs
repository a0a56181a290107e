//! `party resume`: ends a suspension, or the hold of certificates.

use registry::many::Fate;
use serde_json::json;

use super::effect::Effect;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// `countersign party resume`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The party's name.
    #[arg(required_unless_present = "matching")]
    party: Option<String>,
    /// Release this certificate from its hold: its label or thumbprint.
    #[arg(long, value_name = "LABEL-OR-THUMBPRINT")]
    cert: Option<String>,
    /// Release all that the party has on hold: certificates and key pins.
    #[arg(long, conflicts_with = "cert")]
    held: bool,
    /// Instead of one party's: release all certificates on hold that fit, as with `party revoke --match`.
    #[arg(long = "match", id = "matching", value_name = "RULE", conflicts_with_all = ["party", "cert", "held"])]
    matching: Vec<String>,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let Some(party) = &args.party else {
        return super::matching::run(globals, &Context::open(globals)?, &args.matching, Fate::Released);
    };
    if args.cert.is_none() && !args.held {
        return super::suspend(globals, party, false);
    }
    let context = Context::open(globals)?;
    let row = super::known(&context, party)?;
    let all = context.run(context.registry.certificates(&row.name))?;
    let which = args.cert.as_deref().map(|text| super::revoke::which(&context, &all, text)).transpose()?;
    if globals.dry_run {
        let is_held = |revoked: &policy::record::Revoked| revoked.reason == "certificate-hold";
        let meant = all.iter().filter(|one| which.is_none_or(|which| one.thumbprint == which));
        let count = meant.filter(|one| one.revoked.as_ref().is_some_and(is_held)).count();
        globals.say(format!("would release {count} certificate(s) of {} from hold", row.name));
        return Ok(Exit::Fine);
    }
    let before = Effect::before(&context)?;
    let released = context.registry.release(&row.name, which.as_ref(), &context.actor, context.now);
    let (certificates, keys) = context.run(released).map_err(|failure: Failure| Failure {
        help: format!("`countersign party show {}` tells what is", row.name),
        ..failure
    })?;
    let effect = before.wait(&context)?;
    let mut text = format!("{}: {} certificate(s) released from hold\n", row.name, certificates.len());
    for one in &certificates {
        text += &format!("  {}  {}\n", one.label, one.thumbprint);
    }
    for label in &keys {
        text += &format!("  {label}  key pin\n");
    }
    text += &effect.text();
    globals.print(
        &json!({
            "party": row.name,
            "released": certificates
                .iter()
                .map(|one| json!({ "label": one.label, "thumbprint": one.thumbprint }))
                .collect::<Vec<_>>(),
            "keys": keys,
            "applied": effect.applied,
            "late": effect.late,
        }),
        text,
    );
    Ok(effect.end(globals))
}
