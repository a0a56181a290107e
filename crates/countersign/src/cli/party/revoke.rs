//! `party revoke`: takes effect at once; says where it has.

use examiner::Thumbprint;
use examiner::cert::{ThumbprintText, parse_thumbprint_text};
use policy::issuance::Reason;
use registry::many::Fate;
use registry::{CertificateRow, PartyRow, SubjectRow};
use serde_json::{Value, json};

use super::effect::Effect;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// `countersign party revoke`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The party's name.
    #[arg(required_unless_present = "matching")]
    party: Option<String>,
    /// One certificate: its label or thumbprint; where absent all, with key pins and subject rules.
    #[arg(long, value_name = "LABEL-OR-THUMBPRINT")]
    cert: Option<String>,
    /// Instead of one party's: all certificates on record that fit, such as `profile=device and party=kiosk-*`; may be
    /// repeated for alternatives.
    #[arg(long = "match", id = "matching", value_name = "RULE", conflicts_with_all = ["party", "cert"])]
    matching: Vec<String>,
    /// Why; `key-compromise` also denies the public key, `certificate-hold` alone can be taken back (`party resume`).
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

/// What is to be revoked of a party.
pub struct Wanted {
    which: Option<Thumbprint>,
    reason: Reason,
    rules: Vec<SubjectRow>,
    /// How many certificates.
    pub count: usize,
}

/// What was revoked, and where that has taken effect.
pub struct Done {
    /// The certificates.
    pub revoked: Vec<CertificateRow>,
    /// The subject rules that went with the party.
    pub removed: Vec<SubjectRow>,
    /// All of it as JSON.
    pub value: Value,
    /// Where it has taken effect.
    pub effect: Effect,
}

impl Wanted {
    /// One certificate by label or thumbprint, or with `None` everything; nothing is changed.
    ///
    /// # Errors
    ///
    /// The party has no such certificate, or has a subject rule, which cannot be held.
    pub fn of(
        context: &Context,
        row: &PartyRow,
        certificate: Option<&str>,
        reason: Reason,
    ) -> Result<Self, Failure> {
        let all = context.run(context.registry.certificates(&row.name))?;
        let which = certificate.map(|text| which(context, &all, text)).transpose()?;
        let rules = context.run(context.registry.subject_rules(&row.name))?;
        if reason == Reason::CertificateHold && which.is_none() && !rules.is_empty() {
            return Err(Failure::usage(
                format!("{} has a subject rule, which cannot be held", row.name),
                format!("refuse the whole party for now with `countersign party suspend {}`", row.name),
            ));
        }
        let count = if which.is_some() { 1 } else { all.iter().filter(|one| one.revoked.is_none()).count() };
        Ok(Self { which, reason, rules, count })
    }

    /// Whether another certificate still leads to the party afterwards, by its subject.
    pub fn leaves_subjects(&self) -> bool {
        self.which.is_some() && !self.rules.is_empty()
    }

    /// Revokes it, and waits for the effect.
    pub fn revoke(&self, context: &Context, row: &PartyRow) -> Result<Done, Failure> {
        let (before, reason) = (Effect::before(context)?, self.reason.word());
        let (actor, now) = (&context.actor, context.now);
        let revoked =
            context.run(context.registry.revoke(&row.name, self.which.as_ref(), reason, actor, now))?;
        let effect = before.wait(context)?;
        let removed = if self.which.is_none() { self.rules.clone() } else { Vec::new() };
        let value = json!({
            "party": row.name,
            "reason": reason,
            "revoked": revoked.iter().map(super::certificate_view).collect::<Vec<_>>(),
            "subjects": removed.iter().map(|rule| json!({ "ca": rule.ca, "subject": rule.subject })).collect::<Vec<_>>(),
            "applied": effect.applied,
            "late": effect.late,
        });
        Ok(Done { revoked, removed, value, effect })
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let Some(party) = &args.party else {
        return super::matching::run(globals, &context, &args.matching, Fate::Revoked(args.reason.word()));
    };
    let row = super::known(&context, party)?;
    let wanted = Wanted::of(&context, &row, args.cert.as_deref(), args.reason)?;
    if globals.dry_run {
        globals.say(format!("would revoke {} certificate(s) of {}", wanted.count, row.name));
        return Ok(Exit::Fine);
    }
    let Done { revoked, removed, value, effect } = wanted.revoke(&context, &row)?;
    let reason = args.reason.word();
    let mut text = format!("{}: {} certificate(s) revoked ({reason})\n", row.name, revoked.len());
    for one in &revoked {
        text += &format!("  {}  {}\n", one.label, one.thumbprint);
    }
    for rule in &removed {
        text +=
            &format!("  the subject {} of CA {} leads to {} no longer\n", rule.subject, rule.ca, row.name);
    }
    text += &effect.text();
    globals.print(&value, text);
    // The certificate named is out; another one with the same subject is a way in that stays.
    if wanted.leaves_subjects() {
        let name = &row.name;
        globals.warn(format!(
            "another certificate still leads to {name} by its subject; `countersign party revoke {name}` ends that too"
        ));
    }
    Ok(effect.end(globals))
}
