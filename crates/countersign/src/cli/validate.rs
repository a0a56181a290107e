//! `validate`: everything that is wrong with the configuration, in one run.

use serde_json::json;

use super::context;
use super::{Exit, Failure, Globals, Outcome};
use crate::config::{Problem, Settings, StateDir, Stored};

/// `countersign validate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// `warnings`: end with 1 where there are any.
    #[arg(long, value_parser = ["warnings"])]
    deny: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(run(globals, &args))
}

fn run(globals: &Globals, args: &Args) -> Outcome {
    let now = context::now();
    let path = globals.config_path();
    let state = context::state_dir(globals, &path, now)?;
    let stored = stored(&state)?;
    let settings = match Settings::load_strictly(&path, Some(&state), stored.as_ref(), now) {
        Ok(settings) => settings,
        Err(problems) => {
            globals.print(&json!({ "valid": false, "problems": views(&problems.0), "warnings": [] }), "");
            if !globals.json {
                eprintln!("{problems}");
            }
            return Ok(Exit::Configuration);
        }
    };
    for warning in settings.warnings.iter().filter(|_| !globals.json) {
        globals.warn(warning.to_string());
    }
    let (sites, cas) = (settings.sites.len(), settings.cas.len());
    let text = format!(
        "{}: valid: {sites} site(s), {cas} CA(s), {} warning(s)",
        path.display(),
        settings.warnings.len()
    );
    globals.print(&json!({ "valid": true, "problems": [], "warnings": views(&settings.warnings) }), text);
    let denied = args.deny.is_some() && !settings.warnings.is_empty();
    Ok(if denied { Exit::No } else { Exit::Fine })
}

/// What the registry adds, where there is one.
fn stored(state: &StateDir) -> Result<Option<Stored>, Failure> {
    if !state.database().exists() {
        return Ok(None);
    }
    context::check_owner(state.path())?;
    let basis = context::runtime()?.block_on(async { crate::store::open(state).await?.basis().await })?;
    Ok(Some(Stored::from(&basis)))
}

fn views(problems: &[Problem]) -> Vec<serde_json::Value> {
    problems.iter().map(|p| json!({ "place": p.place, "what": p.what, "help": p.help })).collect()
}
