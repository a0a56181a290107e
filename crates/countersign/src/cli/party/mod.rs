//! `party`: who may enter, and by which certificates.

use clap::Subcommand;
use policy::PartyName;
use serde_json::{Value, json};

use self::effect::Effect;
use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome};

pub mod add;
pub mod effect;
pub mod invite;
pub mod list;
mod matching;
pub mod renew;
pub mod resume;
pub mod revoke;

/// `countersign party …`.
#[derive(Debug, Subcommand)]
pub enum Args {
    /// Add a party, or a certificate, pin or rule to one.
    Add(Box<add::Args>),
    /// The parties.
    List(list::Args),
    /// One party: its grants, certificates, pins and rules.
    Show(Name),
    /// Let a party enter a site.
    Grant(Grant),
    /// Take that back.
    Ungrant(Grant),
    /// Issue a successor; the old certificate holds for the overlap.
    Renew(renew::Args),
    /// Revoke a party: its certificates, key pins and subject rules; or one certificate; or all that fit a rule.
    Revoke(revoke::Args),
    /// Refuse a party until it is resumed.
    Suspend(Name),
    /// End a suspension, or release certificates from a hold.
    Resume(resume::Args),
    /// Remove a party; its own certificates are revoked.
    Remove(Name),
    /// A link with which a person or a machine fetches a certificate, once.
    Invite(invite::Args),
    /// A party's certificates, PEM.
    Export(Name),
}

/// A party by name.
#[derive(Debug, clap::Args)]
pub struct Name {
    /// The party's name.
    party: String,
}

/// A party and sites.
#[derive(Debug, clap::Args)]
pub struct Grant {
    /// The party's name.
    party: String,
    /// The site's host name.
    #[arg(long = "site", value_name = "HOST", required = true)]
    sites: Vec<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Add(args) => add::run(globals, *args),
        Args::List(args) => list::run(globals, &args),
        Args::Show(name) => show(globals, &name.party),
        Args::Grant(args) => grant(globals, &args, true),
        Args::Ungrant(args) => grant(globals, &args, false),
        Args::Renew(args) => renew::run(globals, args),
        Args::Revoke(args) => revoke::run(globals, &args),
        Args::Suspend(name) => suspend(globals, &name.party, true),
        Args::Resume(args) => resume::run(globals, &args),
        Args::Remove(name) => remove(globals, &name.party),
        Args::Invite(args) => invite::run(globals, &args),
        Args::Export(name) => export(globals, &name.party),
    })
}

/// The party of this name, or a failure that says so.
pub fn known(context: &Context, text: &str) -> Result<registry::PartyRow, Failure> {
    let name = PartyName::parse(text)?;
    let found = context.run(context.registry.party(&name))?;
    if let Some(found) = found {
        return Ok(found);
    }
    let near = context.run(context.registry.names_near(&name))?;
    let near = near.iter().map(PartyName::as_str);
    let help = crate::config::problem::did_you_mean(name.as_str(), near).map_or_else(
        || format!("add it with `countersign party add {name}`"),
        |near| format!("did you mean `{near}`?"),
    );
    Err(Failure::not_found(format!("there is no party `{name}`"), help))
}

/// A party as JSON, without its certificates.
pub fn row_view(row: &registry::PartyRow) -> Value {
    json!({
        "party": row.name,
        "id": row.id,
        "created_at": row.created_at,
        "suspended_since": row.suspended_since,
        "sites": row.grants,
    })
}

/// A certificate on record as JSON.
pub fn certificate_view(row: &registry::CertificateRow) -> Value {
    json!({
        "label": row.label,
        "thumbprint": row.thumbprint,
        "serial": row.serial,
        "subject": row.subject,
        "issuer": row.issuer,
        "not_before": row.not_before,
        "not_after": row.not_after,
        "origin": row.origin,
        "profile": row.profile,
        "superseded_after": row.superseded_after,
        "revoked": row.revoked,
    })
}

/// What became of a certificate, in a word or two.
pub fn certificate_state(row: &registry::CertificateRow, now: examiner::UnixTime) -> String {
    match (&row.revoked, row.superseded_after) {
        (Some(revoked), _) => format!("revoked ({})", revoked.reason),
        (None, Some(after)) if after < now => "superseded".into(),
        (None, Some(after)) => format!("superseded from {}", after.date()),
        _ if row.not_after < now => "expired".into(),
        _ => "valid".into(),
    }
}

/// By what a party gets in.
pub struct Ways {
    /// Its certificates on record.
    pub certificates: Vec<registry::CertificateRow>,
    /// Its key pins.
    pub pins: Vec<registry::KeyRow>,
    /// Its subject rules.
    pub subjects: Vec<registry::SubjectRow>,
}

impl Ways {
    /// Those of this party.
    pub fn of(context: &Context, row: &registry::PartyRow) -> Result<Self, Failure> {
        Ok(Self {
            certificates: context.run(context.registry.certificates(&row.name))?,
            pins: context.run(context.registry.key_pins(&row.name))?,
            subjects: context.run(context.registry.subject_rules(&row.name))?,
        })
    }
}

/// A party with all that is on record of it, as JSON.
pub fn whole_view(context: &Context, row: &registry::PartyRow) -> Result<Value, Failure> {
    let Ways { certificates, pins, subjects } = Ways::of(context, row)?;
    let mut value = row_view(row);
    value["certificates"] = certificates.iter().map(certificate_view).collect();
    value["key_pins"] = pins
        .iter()
        .map(|pin| json!({ "label": pin.label, "key_pin": pin.key_pin, "subject": pin.subject, "revoked": pin.revoked }))
        .collect();
    value["subjects"] =
        subjects.iter().map(|rule| json!({ "ca": rule.ca, "subject": rule.subject })).collect();
    Ok(value)
}

fn show(globals: &Globals, party: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, party)?;
    let Ways { certificates, pins, subjects } = Ways::of(&context, &row)?;
    let value = whole_view(&context, &row)?;
    let sites: Vec<&str> = row.grants.iter().map(policy::HostName::as_str).collect();
    let mut text = format!("{}  sites: {}\n", row.name, sites.join(" "));
    if let Some(since) = row.suspended_since {
        text += &format!("suspended since {since}\n");
    }
    let mut rows = vec![vec!["LABEL".into(), "STATE".into(), "NOT AFTER".into(), "THUMBPRINT".into()]];
    for one in &certificates {
        let state = certificate_state(one, context.now);
        rows.push(vec![one.label.clone(), state, one.not_after.date(), one.thumbprint.to_string()]);
    }
    for pin in &pins {
        let state = if pin.revoked.is_some() { "revoked" } else { "key pin" };
        rows.push(vec![pin.label.clone(), state.into(), "-".into(), pin.key_pin.to_string()]);
    }
    for rule in &subjects {
        rows.push(vec!["-".into(), format!("subject of {}", rule.ca), "-".into(), rule.subject.clone()]);
    }
    text += &columns(&rows);
    globals.print(&value, text);
    Ok(Exit::Fine)
}

fn grant(globals: &Globals, args: &Grant, on: bool) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, &args.party)?;
    let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
    let shown = sites.iter().map(policy::HostName::as_str).collect::<Vec<_>>().join(", ");
    if globals.dry_run {
        globals.say(format!(
            "would {} {shown} {} {}",
            if on { "grant" } else { "take" },
            if on { "to" } else { "from" },
            row.name
        ));
        return Ok(Exit::Fine);
    }
    let (value, effect) = granted(&context, &row, &sites, on)?;
    let Some(effect) = effect else {
        globals.print(&value, format!("{} may enter {shown}", row.name));
        return Ok(Exit::Fine);
    };
    globals.print(&value, format!("{} has no grant for {shown}\n{}", row.name, effect.text()));
    Ok(effect.end(globals))
}

/// Grants sites to a party, or takes them back and waits for the effect of that.
pub fn granted(
    context: &Context,
    row: &registry::PartyRow,
    sites: &[policy::HostName],
    on: bool,
) -> Result<(Value, Option<Effect>), Failure> {
    if on {
        add::grant(context, &row.name, sites)?;
        return Ok((json!({ "party": row.name, "sites": sites, "granted": on }), None));
    }
    let before = Effect::before(context)?;
    for site in sites {
        refuse_file_grant(context, &row.name, site)?;
        context.run(context.registry.ungrant(&row.name, site, &context.actor, context.now))?;
    }
    let effect = before.wait(context)?;
    let value = json!({ "party": row.name, "sites": sites, "granted": on, "applied": effect.applied, "late": effect.late });
    Ok((value, Some(effect)))
}

/// What stands in the file is changed only there.
fn refuse_file_grant(context: &Context, party: &PartyName, site: &policy::HostName) -> Result<(), Failure> {
    let settings = &context.settings.sites[site];
    let named = policy::Principal::Party(party.to_string());
    if settings.allow.contains(&named) {
        let what = format!("{party} stands in `allow` of {site}, in {}", settings.origin);
        return Err(Failure::usage(what, "remove it there, then run `countersign reload`"));
    }
    Ok(())
}

fn suspend(globals: &Globals, party: &str, on: bool) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, party)?;
    let word = if on { "suspended" } else { "active again" };
    if globals.dry_run {
        globals.say(format!("{} would be {word}", row.name));
        return Ok(Exit::Fine);
    }
    let (value, effect) = suspended(&context, &row, on)?;
    let Some(effect) = effect else {
        globals.print(&value, format!("{} is {word}", row.name));
        return Ok(Exit::Fine);
    };
    globals.print(&value, format!("{} is {word}\n{}", row.name, effect.text()));
    Ok(effect.end(globals))
}

/// Suspends a party and waits for the effect, or resumes it.
pub fn suspended(
    context: &Context,
    row: &registry::PartyRow,
    on: bool,
) -> Result<(Value, Option<Effect>), Failure> {
    if !on && row.suspended_since.is_none() {
        let help = format!(
            "`countersign party show {}` tells what is; --held releases certificates on hold",
            row.name
        );
        return Err(Failure::no(format!("party `{}` is not suspended", row.name), help));
    }
    if !on {
        context.run(context.registry.resume(&row.name, &context.actor, context.now))?;
        return Ok((json!({ "party": row.name, "suspended": on }), None));
    }
    let before = Effect::before(context)?;
    context.run(context.registry.suspend(&row.name, &context.actor, context.now))?;
    let effect = before.wait(context)?;
    let value = json!({ "party": row.name, "suspended": on, "applied": effect.applied, "late": effect.late });
    Ok((value, Some(effect)))
}

fn remove(globals: &Globals, party: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, party)?;
    let question = format!("Remove {} and revoke its own certificates?", row.name);
    if globals.dry_run || !globals.confirm(&question) {
        globals.say(format!("{} would be removed; --yes does it", row.name));
        return Ok(if globals.dry_run { Exit::Fine } else { Exit::Usage });
    }
    let before = Effect::before(&context)?;
    context.run(context.registry.remove_party(&row.name, &context.actor, context.now))?;
    let effect = before.wait(&context)?;
    globals.print(
        &json!({ "removed": row.name, "applied": effect.applied, "late": effect.late }),
        format!("{} is removed\n{}", row.name, effect.text()),
    );
    Ok(effect.end(globals))
}

fn export(globals: &Globals, party: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, party)?;
    let certificates = context.run(context.registry.certificates(&row.name))?;
    let pem: String =
        certificates.iter().map(|one| examiner::cert::pem::encode("CERTIFICATE", &one.der)).collect();
    globals.print(&json!({ "party": row.name, "pem": pem }), &pem);
    Ok(Exit::Fine)
}
