//! `ca rollover`: from one generation of the client or the operator CA to the next, with both trusted in between.

use authority::{KeyType, Role};
use clap::Subcommand;
use policy::Holder;
use registry::{IssuedRow, Issuer};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome, cert, issue};

/// `countersign ca rollover …`.
#[derive(Debug, Subcommand)]
pub enum Rollover {
    /// Make the next generation: it issues from now on, and the present one is still trusted.
    #[command(
        after_help = "The root signs it, so its key must be here.\n\nExample: countersign ca rollover start --key ecdsa-p384"
    )]
    Start {
        #[command(flatten)]
        which: Which,
        /// The kind of the new key: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519.
        #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", value_parser = issue::key_type)]
        key: KeyType,
    },
    /// Who still has a certificate of the old generation alone; exit 1 as long as somebody has.
    Status,
    /// Trust the old generation no longer, and delete its key.
    Finish {
        #[command(flatten)]
        which: Which,
        /// Also while certificates of the old generation are in use: they are refused from then on.
        #[arg(long)]
        force: bool,
    },
}

/// Which CA.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Whose: of the parties' certificates (client) or of the operators' (operator).
    #[arg(long, value_name = "CA", default_value = "client", value_parser = ["client", "operator"])]
    issuer: String,
}

impl Which {
    fn role(&self) -> Role {
        if self.issuer == "operator" { Role::Operator } else { Role::Client }
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: &Rollover) -> Outcome {
    match args {
        Rollover::Start { which, key } => start(globals, which.role(), *key),
        Rollover::Status => status(globals),
        Rollover::Finish { which, force } => finish(globals, which.role(), *force),
    }
}

fn start(globals: &Globals, role: Role, key: KeyType) -> Outcome {
    let context = Context::open(globals)?;
    let mut hierarchy = context.hierarchy()?;
    if globals.dry_run {
        globals.say(format!("would make the next generation of the {role}"));
        return Ok(Exit::Fine);
    }
    hierarchy.begin_rollover(role, key, &context.passphrase()?, context.now)?;
    let new = hierarchy.certificate(role);
    let noted = format!("{role}: rollover begun, {} issues until {}", new.subject, new.not_after);
    context.run(context.registry.note_authority(&noted, &context.actor, context.now))?;
    let old = hierarchy.former(role);
    globals.print(
        &json!({ "issuer": role.word(), "new": cert::view(new), "old": old.map(cert::view) }),
        format!("{}: issues from now on, until {}", new.subject, new.not_after),
    );
    globals.say(
        "The old generation is still trusted. Renew who has its certificates; `countersign ca rollover status` lists them.",
    );
    Ok(Exit::Fine)
}

/// The certificates of the old generation that are admitted now, newest end last.
pub fn stragglers(context: &Context, role: Role) -> Result<Vec<IssuedRow>, Failure> {
    let hierarchy = context.hierarchy()?;
    let Some(old) = hierarchy.former(role) else { return Ok(Vec::new()) };
    let issuer = if role == Role::Operator { Issuer::Operator } else { Issuer::Client };
    context.run(context.registry.in_use_of(issuer, &old.subject.to_string(), context.now))
}

fn holder(row: &IssuedRow) -> &str {
    match &row.holder {
        Holder::Party(name) | Holder::Operator { name, .. } => name.as_str(),
    }
}

fn view(row: &IssuedRow) -> Value {
    json!({
        "holder": holder(row),
        "label": row.label,
        "thumbprint": row.thumbprint,
        "not_after": row.not_after,
        "superseded_after": row.superseded_after,
    })
}

fn table(rows: &[IssuedRow]) -> String {
    let mut lines = vec![["WHO", "LABEL", "NOT AFTER", "RENEWED, GOOD UNTIL"].map(String::from).to_vec()];
    lines.extend(rows.iter().map(|row| {
        let renewed = row.superseded_after.map_or("not renewed".into(), |until| until.to_string());
        vec![holder(row).to_owned(), row.label.clone(), row.not_after.to_string(), renewed]
    }));
    columns(&lines)
}

fn status(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let hierarchy = context.hierarchy()?;
    let (mut views, mut text, mut waits) = (Vec::new(), String::new(), false);
    for role in [Role::Client, Role::Operator] {
        let Some(old) = hierarchy.former(role) else { continue };
        let new = hierarchy.certificate(role);
        let rows = stragglers(&context, role)?;
        waits |= !rows.is_empty();
        text += &format!("{role}: {} takes over from {}\n", new.subject, old.subject);
        text += &if rows.is_empty() {
            format!(
                "nobody needs the old generation; countersign ca rollover finish --issuer {}\n",
                role.word()
            )
        } else {
            table(&rows)
        };
        let stragglers: Vec<Value> = rows.iter().map(view).collect();
        views.push(json!({
            "issuer": role.word(), "new": cert::view(new), "old": cert::view(old), "stragglers": stragglers,
        }));
    }
    if views.is_empty() {
        text = "no rollover is under way".into();
    }
    globals.print(&views, text);
    Ok(if waits { Exit::No } else { Exit::Fine })
}

fn finish(globals: &Globals, role: Role, force: bool) -> Outcome {
    let context = Context::open(globals)?;
    let mut hierarchy = context.hierarchy()?;
    let old = hierarchy.former(role).cloned().ok_or(authority::AuthorityError::NoRolloverUnderWay(role))?;
    let rows = stragglers(&context, role)?;
    if !rows.is_empty() && !force {
        return Err(Failure::no(
            format!("{} certificate(s) of the old generation are in use:\n{}", rows.len(), table(&rows)),
            "renew them with `countersign party renew` and let the overlap pass, or give --force: they are refused from then on",
        ));
    }
    if globals.dry_run {
        globals.say(format!(
            "would trust {} no longer; {} certificate(s) would be refused",
            old.subject,
            rows.len()
        ));
        return Ok(Exit::Fine);
    }
    // In a token its key has no file that goes with the certificate.
    let former =
        context.passphrase().ok().and_then(|open| hierarchy.unlock_former(role, &open).ok().flatten());
    hierarchy.end_rollover(role)?;
    former.into_iter().for_each(authority::Signer::forget_key);
    crate::run::upkeep::forget_former(&context.settings.state, role);
    let noted =
        format!("{role}: rollover finished, {} is trusted no longer, {} cut off", old.subject, rows.len());
    context.run(context.registry.note_authority(&noted, &context.actor, context.now))?;
    let cut: Vec<Value> = rows.iter().map(view).collect();
    globals.print(
        &json!({ "issuer": role.word(), "removed": cert::view(&old), "refused": cut }),
        format!(
            "{} is trusted no longer, and its key is deleted; {} certificate(s) are refused",
            old.subject,
            rows.len()
        ),
    );
    Ok(Exit::Fine)
}
