//! `ca init`: the own authority, where there is none yet.

use std::path::PathBuf;

use authority::{Hierarchy, KeyType, Role};
use serde_json::json;

use super::super::context::Context;
use super::super::init::{Authority, make_authority};
use super::super::{Exit, Failure, Globals, Outcome, issue};

/// `countersign ca init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: countersign ca init --key ecdsa-p384 --passphrase-file /run/keys/countersign"
)]
pub struct Init {
    /// The kind of the four keys: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519.
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", value_parser = issue::key_type)]
    key: KeyType,
    /// The file of the passphrase for the keys; without it one is made in the state directory.
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Init) -> Outcome {
    let context = Context::open(globals)?;
    let state = &context.settings.state;
    let place = state.authority();
    if Hierarchy::is_at(&place) {
        let help =
            "`countersign ca show own` shows it; its certificates would be worth nothing under another";
        return Err(Failure::no(format!("{} holds an authority already", place.display()), help));
    }
    if globals.dry_run {
        globals.say(format!("would make an authority in {}", place.display()));
        return Ok(Exit::Fine);
    }
    let sites = context.settings.sites.keys().map(|site| site.as_str().trim_matches(['[', ']']).to_owned());
    let passphrase = args.passphrase_file.as_deref();
    make_authority(state, &Authority { sites: sites.collect(), key_type: args.key, passphrase })?;
    let own = context.hierarchy()?;
    let subjects: Vec<String> =
        Role::ALL.iter().map(|role| own.certificate(*role).subject.to_string()).collect();
    globals.print(
        &json!({ "directory": place, "cas": subjects, "passphrase": state.passphrase() }),
        format!("{}: {}", place.display(), subjects.join("; ")),
    );
    globals.say(format!(
        "The keys are encrypted under {}. A running gate takes the authority in with `countersign reload`.",
        state.passphrase()
    ));
    Ok(Exit::Fine)
}
