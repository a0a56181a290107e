//! `init`: configuration, registry, authority and the first operator, in one command.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;

use authority::{CreateOptions, Hierarchy, KeyStore, KeyType, Passphrase, files, pkcs12};
use policy::record::OperatorRole;
use policy::{HostName, PartyName};
use serde_json::json;

use super::ca::init::Keys;
use super::context::{self, Context};
use super::{Exit, Failure, Globals, Outcome, issue};
use crate::config::StateDir;

/// The name of the first operator.
const FIRST_OPERATOR: &str = "operator";

/// `countersign init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site's host name.
    #[arg(long, value_name = "HOST")]
    site: Option<String>,
    /// Where its requests go, such as http://127.0.0.1:3000.
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
    /// Addresses to accept on, such as 0.0.0.0:443.
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Vec<SocketAddr>,
    /// The address of console, API, metrics and health.
    #[arg(long, value_name = "ADDRESS:PORT")]
    admin: Option<SocketAddr>,
    #[command(flatten)]
    keys: Keys,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(run(globals, args))
}

fn run(globals: &Globals, args: Args) -> Outcome {
    let config = globals.config_path();
    let base = config.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let state = StateDir::at(globals.state_dir.clone().unwrap_or_else(|| base.join("state")));
    let site = HostName::parse(&asked(globals, args.site.clone(), "Host name of the site", "--site")?)?;
    let upstream = asked(globals, args.upstream.clone(), "Where its requests go (http://…)", "--upstream")?;
    crate::config::upstream::target(&upstream)
        .map_err(|what| Failure::usage(what, "write it like http://127.0.0.1:3000"))?;
    if config.exists() {
        let help = "edit it, or name another with --config; sites are added with `countersign site add`";
        return Err(Failure::no(format!("{} is there already", config.display()), help));
    }
    let text = file_text(&args, globals, &site, &upstream);
    if globals.dry_run {
        globals.print(&json!({ "config": config, "state": state.path(), "text": text }), &text);
        globals.say(format!("would write {} and {}", config.display(), state.path().display()));
        return Ok(Exit::Fine);
    }
    context::check_owner(state.path())?;
    let sites = vec![site.as_str().trim_matches(['[', ']']).to_owned()];
    let passphrase = args.keys.passphrase_file.as_deref();
    let store = args.keys.store()?;
    make_foundation(&state, &Authority { sites, passphrase, key_type: args.keys.key, store: store.clone() })?;
    files::write_new_public(&config, text.as_bytes())?;
    let operator = first_operator(&Context::open(globals)?)?;
    report(globals, &config, &state, &site, &operator, &store);
    Ok(Exit::Fine)
}

fn report(
    globals: &Globals,
    config: &Path,
    state: &StateDir,
    site: &HostName,
    operator: &FirstOperator,
    store: &KeyStore,
) {
    let password = operator.password.expose();
    globals.print(
        &json!({
            "config": config,
            "state": state.path(),
            "site": site,
            "operator": operator.files,
            "password": password,
        }),
        format!(
            "{}  the configuration\n{}  registry, authority and the owner's certificate\npassword of {}: {password}",
            config.display(),
            state.path().display(),
            state.operator("p12").display()
        ),
    );
    let place = state.passphrase();
    let kept = match store {
        KeyStore::Files => {
            let private = if place.file().is_some() { " (0600)" } else { "" };
            format!("encrypted under {place}{private}: whoever reads both can issue certificates")
        }
        KeyStore::Token(token) => format!("in the {token}, whose PIN is {place}"),
    };
    globals.say(format!(
        "The authority's keys are {kept}.\n\
         Next: countersign party add NAME --site {site} --pem --out .\n      countersign run"
    ));
}

fn asked(globals: &Globals, given: Option<String>, question: &str, flag: &str) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let missing =
        || Failure::usage(format!("{flag} is missing"), "countersign init --site HOST --upstream URL");
    if globals.yes || globals.no_input || !std::io::stdin().is_terminal() {
        return Err(missing());
    }
    eprint!("{question}: ");
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let _ = std::io::stdin().read_line(&mut answer);
    let answer = answer.trim();
    if answer.is_empty() { Err(missing()) } else { Ok(answer.to_owned()) }
}

/// At most ten lines, no key at its default.
fn file_text(args: &Args, globals: &Globals, site: &HostName, upstream: &str) -> String {
    let mut server = Vec::new();
    if !args.listen.is_empty() {
        let all: Vec<String> = args.listen.iter().map(|address| format!("\"{address}\"")).collect();
        server.push(format!("listen = [{}]", all.join(", ")));
    }
    if let Some(admin) = args.admin.filter(|admin| *admin != SocketAddr::from(([127, 0, 0, 1], 9443))) {
        server.push(format!("admin = \"{admin}\""));
    }
    if let Some(state) = &globals.state_dir {
        let state = std::path::absolute(state).unwrap_or_else(|_| state.clone());
        server.push(format!("state = {}", toml::Value::String(state.display().to_string())));
    }
    let server =
        if server.is_empty() { String::new() } else { format!("[server]\n{}\n\n", server.join("\n")) };
    format!("{server}[site.\"{site}\"]\nupstream = {}\n", toml::Value::String(upstream.into()))
}

/// How an authority is made.
#[derive(Debug, Default)]
pub struct Authority<'a> {
    /// The hosts that the server CA may name.
    pub sites: Vec<String>,
    /// The kind of its keys.
    pub key_type: KeyType,
    /// The file of the passphrase; one is made in the state directory where absent.
    pub passphrase: Option<&'a Path>,
    /// Where the keys are made and kept.
    pub store: KeyStore,
}

/// Makes what a state directory begins with: passphrase, authority and registry. What is there stays.
pub fn make_foundation(state: &StateDir, authority: &Authority<'_>) -> Result<(), Failure> {
    files::private_directory(state.path())?;
    if !Hierarchy::is_at(&state.authority()) {
        make_authority(state, authority)?;
    }
    if !state.database().exists() {
        let (path, now) = (state.database(), context::now());
        context::runtime()?.block_on(async { registry::Registry::create(&path, now).await.map(|_| ()) })?;
    }
    Ok(())
}

/// Makes the authority: a root, and a client, a server and an operator CA under it.
pub fn make_authority(state: &StateDir, authority: &Authority<'_>) -> Result<(), Failure> {
    if let Some(file) = authority.passphrase {
        let file = std::path::absolute(file).map_err(|error| Failure::file(file, "found", &error))?;
        Passphrase::read(&file)?;
        files::replace_private(&state.passphrase_place(), format!("{}\n", file.display()).as_bytes())?;
    }
    let place = state.passphrase();
    let missing = place.file().filter(|_| !place.exists());
    if let (KeyStore::Token(token), Some(file)) = (&authority.store, missing) {
        // One that is made here would be no PIN of the token's.
        return Err(Failure::usage(
            format!("the PIN of the {token} is not at hand: {} is missing", file.display()),
            "write it to a file of mode 0600 and name that with --passphrase-file, or set COUNTERSIGN_PASSPHRASE_FILE",
        ));
    }
    let passphrase = match missing {
        Some(file) => {
            let passphrase = Passphrase::generate()?;
            passphrase.write_new(file)?;
            passphrase
        }
        None => place.read()?,
    };
    let options = CreateOptions {
        sites: authority.sites.clone(),
        key_type: authority.key_type,
        store: authority.store.clone(),
        now: context::now(),
        organisation: "Countersign".into(),
    };
    Hierarchy::create(&state.authority(), &passphrase, &options).inspect_err(|_| {
        // The next attempt may name another file, or none.
        if authority.passphrase.is_some() {
            let _ = std::fs::remove_file(state.passphrase_place());
        }
    })?;
    Ok(())
}

/// The first operator's files.
pub struct FirstOperator {
    /// Where certificate, key and PKCS#12 file are.
    pub files: Vec<std::path::PathBuf>,
    /// The password of the PKCS#12 file, to be shown once.
    pub password: pkcs12::Password,
}

/// Issues the first operator's certificate, as owner, to `operator.pem`, `.key` and `.p12` in the state directory.
pub fn first_operator(context: &Context) -> Result<FirstOperator, Failure> {
    let files = issue::Files::at(context.settings.state.path(), FIRST_OPERATOR, None)?;
    let key = issue::new_key()?;
    let name = PartyName::parse(FIRST_OPERATOR)?;
    let order = issue::Order::of_operator(name, OperatorRole::Owner, key.spki()?)?;
    let issued = issue::issue(context, order)?;
    let password = pkcs12::generate_password()?;
    let written = vec![
        files.write_certificate(&issued)?,
        files.write_key(&key)?,
        files.write_p12(FIRST_OPERATOR, &key, &issued, pkcs12::Profile::Compatible, &password)?,
    ];
    Ok(FirstOperator { files: written, password })
}
