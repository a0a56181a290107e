//! `party renew`: a successor, while the old certificate holds for the overlap.

use std::path::PathBuf;

use policy::record::Origin;
use registry::{CertificateRow, PartyRow};

use super::add::{Life, Made, Output, Wanted};
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::keys::Seconds;
use crate::config::profiles::Choice;

/// `countersign party renew`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The party's name.
    party: String,
    /// Which certificate: a label or thumbprint; needed where the party has several.
    #[arg(long, value_name = "LABEL-OR-THUMBPRINT")]
    cert: Option<String>,
    /// How long the old one holds beside the new one, such as 7d or 30s.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = overlap)]
    overlap: Seconds,
    /// Issue for the key of this certificate request.
    #[arg(long, value_name = "FILE")]
    csr: Option<PathBuf>,
    /// What the party calls the new certificate.
    #[arg(long)]
    label: Option<String>,
    #[command(flatten)]
    life: Life,
    #[command(flatten)]
    output: Output,
}

/// The certificate that a renewal is about: the one of this label or thumbprint, or with `None` the only one of the own
/// authority that has no successor.
///
/// # Errors
///
/// There is none, there are several, or the one that is named is not renewed.
pub fn due(context: &Context, row: &PartyRow, which: Option<&str>) -> Result<CertificateRow, Failure> {
    let all = context.run(context.registry.certificates(&row.name))?;
    let which = which.map(|which| super::revoke::which(context, &all, which)).transpose()?;
    let old: Vec<_> = all
        .iter()
        .filter(|one| one.origin == Origin::Own && one.revoked.is_none() && one.superseded_after.is_none())
        .filter(|one| which.is_none_or(|which| one.thumbprint == which))
        .collect();
    match old[..] {
        [one] => return Ok(one.clone()),
        [] => {}
        _ => {
            let labels: Vec<&str> = old.iter().map(|one| one.label.as_str()).collect();
            let help = format!("name one with --cert: {}", labels.join(", "));
            return Err(Failure::usage(
                format!("{} has {} certificates to renew", row.name, old.len()),
                help,
            ));
        }
    }
    if let Some(one) = all.iter().find(|one| Some(one.thumbprint) == which) {
        let why = match (&one.revoked, one.superseded_after) {
            _ if one.origin != Origin::Own => "it was issued elsewhere".to_owned(),
            (Some(revoked), _) => format!("it was revoked at {}", revoked.at),
            (None, Some(until)) => format!("it has a successor already, and holds until {until}"),
            (None, None) => "it is not one that is renewed".to_owned(),
        };
        let help = format!("issue another with `countersign party add {}`", row.name);
        return Err(Failure::no(format!("`{}` of {} is not renewed: {why}", one.label, row.name), help));
    }
    let help = format!("issue one with `countersign party add {}`", row.name);
    Err(Failure::not_found(format!("{} has no certificate of the own authority to renew", row.name), help))
}

/// How long a certificate holds beside its successor.
pub fn overlap(text: &str) -> Result<Seconds, String> {
    Seconds::parse(text).ok_or_else(|| "write it like 7d, 12h, 15m or 30s".into())
}

/// Runs it.
pub fn run(globals: &Globals, args: Args) -> Outcome {
    let context = Context::open(globals)?;
    let row = super::known(&context, &args.party)?;
    let old = due(&context, &row, args.cert.as_deref())?;
    let until = context.now.plus(args.overlap.0);
    if globals.dry_run {
        globals.say(format!("would issue a successor; the old one would hold until {until}"));
        return Ok(Exit::Fine);
    }
    let profile = Choice::named(&old.profile, &context.settings.profiles).ok_or_else(|| {
        let what = format!("profile `{}` is no longer in the configuration", old.profile);
        Failure::no(what, format!("bring [profile.{}] back, or issue another with `party add`", old.profile))
    })?;
    let wanted = Wanted {
        name: &row.name,
        label: args.label.clone(),
        profile,
        not_after: args.life.not_after(context.now),
        csr: args.csr.as_deref(),
        succeeds: Some(&old),
    };
    let made = Made::prepare(&args.output, &wanted)?.issue(&context, &wanted, row.id.clone())?;
    context.run(context.registry.supersede(&[old.thumbprint], until, &context.actor, context.now))?;
    made.report(globals, &context, &row.name, &row.grants);
    globals.say(format!("the old certificate holds until {until}"));
    Ok(Exit::Fine)
}
