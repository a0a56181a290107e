//! Issuers of whose certificates nobody wants to hear: they are refused and logged, and do not become pending.

use registry::{IgnoredIssuer, PendingRow};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// An ignored issuer as JSON.
pub fn view(one: &IgnoredIssuer) -> Value {
    json!({
        "issuer": one.issuer,
        "since": one.at,
        "by": one.by,
        "count": one.count,
        "last_seen": one.last_seen,
    })
}

/// Looks whether the issuer that a pending certificate names may be ignored; nothing is changed.
///
/// # Errors
///
/// A CA of a site, or the own one, has that name: what it signs would be out of sight too.
pub fn check(context: &Context, row: &PendingRow) -> Result<(), Failure> {
    let unread = |what| Failure::new(Exit::Configuration, what, "put the file back from a backup");
    let own = context.settings.own_ca().map_err(unread)?;
    let trusted = context.settings.cas.values().map(|ca| &ca.rules).chain(&own);
    let mut trusted = trusted.flat_map(|ca| ca.anchors.iter().chain(&ca.intermediates));
    if super::vouched(context, row) || trusted.any(|one| one.subject.to_string() == row.issuer) {
        return Err(Failure::no(
            format!("a CA that is trusted here is named `{}`", row.issuer),
            format!("dismiss this one with `countersign pending reject {}`", row.id),
        ));
    }
    Ok(())
}

/// Ignores the issuer from now on.
pub fn ignored(context: &Context, row: &PendingRow) -> Result<Value, Failure> {
    check(context, row)?;
    let dismissed = context.run(context.registry.ignore_issuer(&row.issuer, &context.actor, context.now))?;
    Ok(json!({ "ignored": row.issuer, "dismissed": dismissed }))
}

/// Heeds it again.
pub fn heeded(context: &Context, issuer: &str) -> Result<Value, Failure> {
    context.run(context.registry.heed_issuer(issuer, &context.actor, context.now))?;
    Ok(json!({ "heeded": issuer }))
}

/// `pending ignore`.
pub fn ignore(globals: &Globals, id: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = super::known(&context, id)?;
    if globals.dry_run {
        check(&context, &row)?;
        globals.say(format!("would ignore the issuer {}", row.issuer));
        return Ok(Exit::Fine);
    }
    let value = ignored(&context, &row)?;
    globals.print(
        &value,
        format!("the issuer {} is ignored; {} pending dismissed", row.issuer, value["dismissed"]),
    );
    Ok(Exit::Fine)
}

/// `pending ignored`.
pub fn list(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let all = context.run(context.registry.ignored_issuers())?;
    let mut rows = vec![["ISSUER", "SINCE", "BY", "KNOCKS", "LAST SEEN"].map(String::from).to_vec()];
    rows.extend(all.iter().map(|one| {
        let last = one.last_seen.map(|at| at.to_string()).unwrap_or_default();
        vec![one.issuer.clone(), one.at.to_string(), one.by.clone(), one.count.to_string(), last]
    }));
    globals.print(&all.iter().map(view).collect::<Vec<_>>(), columns(&rows));
    Ok(Exit::Fine)
}

/// `pending heed`.
pub fn heed(globals: &Globals, issuer: &str) -> Outcome {
    let context = Context::open(globals)?;
    if globals.dry_run {
        globals.say(format!("would let certificates of {issuer} become pending again"));
        return Ok(Exit::Fine);
    }
    globals.print(&heeded(&context, issuer)?, format!("certificates of {issuer} become pending again"));
    Ok(Exit::Fine)
}
