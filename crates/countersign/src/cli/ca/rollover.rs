//! `ca rollover`: from one generation of the client or the operator CA to the next, with both trusted in between.

use authority::{Hierarchy, KeyType, Role};
use clap::Subcommand;
use examiner::Certificate;
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
    if globals.dry_run {
        context.hierarchy()?;
        globals.say(format!("would make the next generation of the {role}"));
        return Ok(Exit::Fine);
    }
    let (value, text) = begin(&context, role, key)?;
    globals.print(&value, text);
    globals.say(
        "The old generation is still trusted. Renew who has its certificates; `countersign ca rollover status` lists them.",
    );
    Ok(Exit::Fine)
}

/// Makes the next generation: what there is now, as JSON and in words.
///
/// # Errors
///
/// There is no authority here, its root's key is away, or a rollover is under way.
pub fn begin(context: &Context, role: Role, key: KeyType) -> Result<(Value, String), Failure> {
    let mut hierarchy = context.hierarchy()?;
    hierarchy.begin_rollover(role, key, &context.passphrase()?, context.now)?;
    let new = hierarchy.certificate(role);
    let noted = format!("{role}: rollover begun, {} issues until {}", new.subject, new.not_after);
    context.run(context.registry.note_authority(&noted, &context.actor, context.now))?;
    let old = hierarchy.former(role);
    Ok((
        json!({ "issuer": role.word(), "new": cert::view(new), "old": old.map(cert::view) }),
        format!("{}: issues from now on, until {}", new.subject, new.not_after),
    ))
}

/// The certificates of the old generation that are admitted now, newest end last.
pub fn stragglers(context: &Context, role: Role) -> Result<Vec<IssuedRow>, Failure> {
    let hierarchy = context.hierarchy()?;
    let Some(old) = hierarchy.former(role) else { return Ok(Vec::new()) };
    let issuer = if role == Role::Operator { Issuer::Operator } else { Issuer::Client };
    context.run(context.registry.in_use_of(issuer, &old.subject.to_string(), context.now))
}

/// Whose it is.
pub fn holder(row: &IssuedRow) -> &str {
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

/// A rollover that is under way.
pub struct UnderWay {
    /// Of which CA.
    pub role: Role,
    /// Its certificate that issues now.
    pub new: Certificate,
    /// The one before.
    pub old: Certificate,
    /// The certificates of the old generation that are admitted now.
    pub stragglers: Vec<IssuedRow>,
}

impl UnderWay {
    /// All that are.
    ///
    /// # Errors
    ///
    /// There is no authority here, or the registry cannot be read.
    pub fn all(context: &Context) -> Result<Vec<Self>, Failure> {
        let hierarchy = context.hierarchy()?;
        let mut all = Vec::new();
        for role in [Role::Client, Role::Operator] {
            let Some(old) = hierarchy.former(role).cloned() else { continue };
            let new = hierarchy.certificate(role).clone();
            all.push(Self { role, new, old, stragglers: stragglers(context, role)? });
        }
        Ok(all)
    }

    /// As JSON.
    pub fn value(&self) -> Value {
        let stragglers: Vec<Value> = self.stragglers.iter().map(view).collect();
        json!({
            "issuer": self.role.word(), "new": cert::view(&self.new), "old": cert::view(&self.old),
            "stragglers": stragglers,
        })
    }

    fn text(&self) -> String {
        let Self { role, new, old, stragglers } = self;
        let rest = if stragglers.is_empty() {
            format!(
                "nobody needs the old generation; countersign ca rollover finish --issuer {}\n",
                role.word()
            )
        } else {
            table(stragglers)
        };
        format!("{role}: {} takes over from {}\n{rest}", new.subject, old.subject)
    }
}

fn status(globals: &Globals) -> Outcome {
    let all = UnderWay::all(&Context::open(globals)?)?;
    let text = match all.is_empty() {
        true => "no rollover is under way".into(),
        false => all.iter().map(UnderWay::text).collect::<String>(),
    };
    globals.print(&all.iter().map(UnderWay::value).collect::<Vec<_>>(), text);
    Ok(if all.iter().all(|one| one.stragglers.is_empty()) { Exit::Fine } else { Exit::No })
}

fn finish(globals: &Globals, role: Role, force: bool) -> Outcome {
    let context = Context::open(globals)?;
    let finish = Finish::of(&context, role, force)?;
    if globals.dry_run {
        globals.say(format!(
            "would trust {} no longer; {} certificate(s) would be refused",
            finish.old.subject,
            finish.cut_off.len()
        ));
        return Ok(Exit::Fine);
    }
    let (value, text) = finish.end(&context)?;
    globals.print(&value, text);
    Ok(Exit::Fine)
}

/// A rollover that may be finished.
pub struct Finish {
    role: Role,
    hierarchy: Hierarchy,
    old: Certificate,
    cut_off: Vec<IssuedRow>,
}

impl Finish {
    /// Looks whether it may be; nothing is changed.
    ///
    /// # Errors
    ///
    /// None is under way, or without `force` certificates of the old generation are in use.
    pub fn of(context: &Context, role: Role, force: bool) -> Result<Self, Failure> {
        let hierarchy = context.hierarchy()?;
        let old =
            hierarchy.former(role).cloned().ok_or(authority::AuthorityError::NoRolloverUnderWay(role))?;
        let cut_off = stragglers(context, role)?;
        if !cut_off.is_empty() && !force {
            return Err(Failure::no(
                format!(
                    "{} certificate(s) of the old generation are in use:\n{}",
                    cut_off.len(),
                    table(&cut_off)
                ),
                "renew them with `countersign party renew` and let the overlap pass, or give --force: they are refused from then on",
            ));
        }
        Ok(Self { role, hierarchy, old, cut_off })
    }

    /// Trusts the old generation no longer, and deletes its key.
    pub fn end(self, context: &Context) -> Result<(Value, String), Failure> {
        let Self { role, mut hierarchy, old, cut_off } = self;
        // In a token its key has no file that goes with the certificate.
        let former =
            context.passphrase().ok().and_then(|open| hierarchy.unlock_former(role, &open).ok().flatten());
        hierarchy.end_rollover(role)?;
        former.into_iter().for_each(authority::Signer::forget_key);
        crate::run::upkeep::forget_former(&context.settings.state, role);
        let noted = format!(
            "{role}: rollover finished, {} is trusted no longer, {} cut off",
            old.subject,
            cut_off.len()
        );
        context.run(context.registry.note_authority(&noted, &context.actor, context.now))?;
        let refused: Vec<Value> = cut_off.iter().map(view).collect();
        Ok((
            json!({ "issuer": role.word(), "removed": cert::view(&old), "refused": refused }),
            format!(
                "{} is trusted no longer, and its key is deleted; {} certificate(s) are refused",
                old.subject,
                cut_off.len()
            ),
        ))
    }
}
