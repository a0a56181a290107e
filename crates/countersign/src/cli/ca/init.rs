//! `ca init`: the own authority, where there is none yet.

use std::path::PathBuf;

use authority::{Hierarchy, KeyStore, KeyType, Role, TokenPlace};
use serde_json::json;

use super::super::context::Context;
use super::super::init::{Authority, make_authority};
use super::super::{Exit, Failure, Globals, Outcome, issue};

/// `countersign ca init`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign ca init --key ecdsa-p384 --passphrase-file /run/keys/countersign
  countersign ca init --pkcs11 /usr/lib/softhsm/libsofthsm2.so --token countersign --passphrase-file /run/keys/pin")]
pub struct Init {
    #[command(flatten)]
    keys: Keys,
}

/// What an authority's keys are, and where.
#[derive(Debug, clap::Args)]
pub struct Keys {
    /// The kind of the four keys: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519.
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", value_parser = issue::key_type)]
    pub key: KeyType,
    /// The file of the passphrase for the keys; without it one is made in the state directory.
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Make the keys in a token, through its vendor's PKCS#11 library; the passphrase is then the token's PIN.
    #[arg(long, value_name = "LIBRARY", requires = "token")]
    pkcs11: Option<PathBuf>,
    /// The label of the token.
    #[arg(long, value_name = "LABEL", requires = "pkcs11")]
    token: Option<String>,
}

impl Keys {
    /// Where they are to be.
    pub fn store(&self) -> Result<KeyStore, Failure> {
        let (Some(module), Some(token)) = (&self.pkcs11, &self.token) else { return Ok(KeyStore::Files) };
        // As it is named: a link stays one, since what it leads to may be another after an upgrade.
        let found = module.metadata().and_then(|_| std::path::absolute(module));
        let module = found.map_err(|error| Failure::file(module, "found", &error))?;
        Ok(KeyStore::Token(TokenPlace { module, token: token.clone() }))
    }
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
    let passphrase = args.keys.passphrase_file.as_deref();
    let store = args.keys.store()?;
    make_authority(
        state,
        &Authority { sites: sites.collect(), key_type: args.keys.key, passphrase, store: store.clone() },
    )?;
    let own = context.hierarchy()?;
    let subjects: Vec<String> =
        Role::ALL.iter().map(|role| own.certificate(*role).subject.to_string()).collect();
    globals.print(
        &json!({ "directory": place, "cas": subjects, "passphrase": state.passphrase() }),
        format!("{}: {}", place.display(), subjects.join("; ")),
    );
    let kept = match &store {
        KeyStore::Files => format!("encrypted under {}", state.passphrase()),
        KeyStore::Token(place) => format!("in the {place}, whose PIN is {}", state.passphrase()),
    };
    globals.say(format!(
        "The keys are {kept}. A running gate takes the authority in with `countersign reload`."
    ));
    Ok(Exit::Fine)
}
