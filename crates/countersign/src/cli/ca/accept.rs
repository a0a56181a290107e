//! `ca accept-crl`: an issuer that began the numbers of its revocation lists anew.

use policy::RevocationList;
use serde_json::json;

use super::fetch;
use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::crl::{self, shown_number};

/// Takes the lists of a CA as they are now, although newer ones were in force.
pub fn run(globals: &Globals, name: &str) -> Outcome {
    let context = Context::open(globals)?;
    let Some(ca) = context.settings.cas.get(name) else {
        return Err(Failure::not_found(
            format!("there is no CA `{}`", name.escape_debug()),
            "countersign ca list",
        ));
    };
    let mut found = Vec::new();
    for one in &ca.lists {
        let read = match &one.url {
            Some(url) => fetch::as_it_is(&context, &ca.rules, url),
            None => one.in_file(&ca.rules),
        };
        let (list, bytes) = read.map_err(|why| {
            let help = "only the issuer's whole list, signed by a certificate of this CA, can be accepted";
            Failure::no(format!("revocation list {}: {why}", one.shown), help)
        })?;
        found.push((one, list, bytes));
    }
    if found.is_empty() {
        return Err(Failure::usage(format!("CA {name} has no revocation list"), "give it one: see `crl`"));
    }
    let lines: Vec<String> = found.iter().map(|(one, list, _)| line(name, &one.shown, list)).collect();
    let question = format!(
        "{}\nAccept that, although newer lists were in force? What only they listed enters again.",
        lines.join("\n")
    );
    if globals.dry_run || !globals.confirm(&question) {
        globals.say(format!("{}; --yes accepts it", lines.join("; ")));
        return Ok(if globals.dry_run { Exit::Fine } else { Exit::Usage });
    }
    context.run(context.registry.note_accepted_lists(&lines.join("; "), &context.actor, context.now))?;
    let unwritten = |error: std::io::Error| {
        Failure::no(
            format!("the list cannot be kept: {error}"),
            "see that the state directory can be written",
        )
    };
    for (one, list, bytes) in &found {
        for (path, newer) in crl::kept(&ca.rules, one.kept().folder()) {
            if newer.is_of_same_issuer(list) && list.is_older_than(&newer) {
                std::fs::remove_file(path).map_err(unwritten)?;
            }
        }
        one.kept().keep(bytes).map_err(unwritten)?;
    }
    globals.print(&json!({ "accepted": lines }), lines.join("\n"));
    Ok(Exit::Fine)
}

fn line(ca: &str, shown: &str, list: &RevocationList) -> String {
    let number = list.number.as_deref().map_or("without number".into(), shown_number);
    format!(
        "revocation list of CA {ca} at {shown}: {number}, of {}, {} entries",
        list.this_update,
        list.count()
    )
}
