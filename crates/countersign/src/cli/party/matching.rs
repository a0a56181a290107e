//! `party revoke --match` and `party resume --match`: many certificates by one change.

use std::collections::BTreeSet;

use policy::{PartyName, Selection};
use registry::Selected;
use registry::many::Fate;
use serde_json::{Value, json};

use super::effect::Effect;
use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome};

/// How many certificates are shown; `--json` has them all.
const SHOWN: usize = 20;

/// Shows what is meant, asks, and does it.
pub fn run(globals: &Globals, context: &Context, rules: &[String], fate: Fate<'_>) -> Outcome {
    let selection = Selection::parse(rules).map_err(|error| {
        Failure::usage(error.to_string(), "such as --match 'profile=device and party=kiosk-*'")
    })?;
    let meant = context.run(context.registry.select(&selection, fate))?;
    if meant.is_empty() {
        let what = match fate {
            Fate::Revoked(_) => "no certificate that is not revoked fits",
            Fate::Released => "no certificate that is on hold fits",
        };
        return Err(Failure::not_found(format!("{what} {selection}"), "nothing was changed"));
    }
    let (count, parties) = (meant.len(), parties(&meant));
    let verb = match fate {
        Fate::Revoked(_) => "revoke",
        Fate::Released => "release",
    };
    if globals.dry_run {
        let text =
            format!("would {verb} {count} certificate(s) of {} parties\n{}", parties.len(), table(&meant));
        globals.print(&view(&selection, fate, &meant), text);
        return Ok(Exit::Fine);
    }
    if !globals.confirm(&format!("{verb} {count} certificate(s) of {} parties?", parties.len())) {
        globals.say(format!(
            "{count} certificate(s) of {} parties fit; --dry-run shows them, --yes does it",
            parties.len()
        ));
        return Ok(Exit::Usage);
    }
    let before = Effect::before(context)?;
    let done =
        context.run(context.registry.change_selected(&selection, fate, &context.actor, context.now))?;
    let effect = before.wait(context)?;
    let done_to = match fate {
        Fate::Revoked(reason) => format!("revoked ({reason})"),
        Fate::Released => "released from hold".into(),
    };
    let mut value = view(&selection, fate, &done);
    (value["applied"], value["late"]) = (json!(effect.applied), json!(effect.late));
    let text = format!("{} certificate(s) {done_to}\n{}{}", done.len(), table(&done), effect.text());
    globals.print(&value, text);
    if matches!(fate, Fate::Revoked(_)) {
        warn_of_other_ways(globals, context, &self::parties(&done))?;
    }
    Ok(effect.end(globals))
}

fn parties(all: &[Selected]) -> BTreeSet<&PartyName> {
    all.iter().map(|one| &one.party).collect()
}

fn view(selection: &Selection, fate: Fate<'_>, all: &[Selected]) -> Value {
    let one = |one: &Selected| json!({ "party": one.party, "label": one.label, "thumbprint": one.thumbprint, "not_after": one.not_after });
    json!({
        "match": selection.to_string(),
        "reason": match fate {
            Fate::Revoked(reason) => Some(reason),
            Fate::Released => None,
        },
        "count": all.len(),
        "certificates": all.iter().map(one).collect::<Vec<_>>(),
    })
}

fn table(all: &[Selected]) -> String {
    let mut rows = vec![vec!["PARTY".into(), "LABEL".into(), "NOT AFTER".into(), "THUMBPRINT".into()]];
    for one in all.iter().take(SHOWN) {
        let Selected { party, label, not_after, thumbprint, .. } = one;
        rows.push(vec![party.to_string(), label.clone(), not_after.date(), thumbprint.to_string()]);
    }
    let more = all.len().saturating_sub(SHOWN);
    let rest = if more == 0 { String::new() } else { format!("and {more} more\n") };
    columns(&rows) + &rest
}

/// A revoked certificate's party may have another way in, which a rule for certificates does not see.
fn warn_of_other_ways(
    globals: &Globals,
    context: &Context,
    revoked: &BTreeSet<&PartyName>,
) -> Result<(), Failure> {
    let others = context.run(context.registry.with_other_ways(revoked))?;
    if let Some(first) = others.first() {
        globals.warn(format!(
            "{} of these parties still enter by a key pin or a subject, such as {first}; `countersign party revoke {first}` ends that too",
            others.len()
        ));
    }
    Ok(())
}
