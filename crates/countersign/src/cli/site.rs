//! `site`: sites in the registry, and what holds for each site. `export` writes one for another server.

use std::path::{Path, PathBuf};

use policy::HostName;
use serde_json::{Value, json};

use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome};
use crate::config::Stored;
use crate::config::stored::StoredSite;

mod export;
pub mod order;
pub mod who;

/// `countersign site …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Add a site to the registry.
    Add(Box<Add>),
    /// The sites.
    List,
    /// What holds for one site.
    Show {
        /// Its host name.
        site: String,
    },
    /// Let somebody enter a site of the registry: a party's name, group:NAME or ca:NAME. For a party alone, `party grant`
    /// does it at any site.
    Allow(who::Args),
    /// Ban somebody from a site of the registry: a party's name, group:NAME or ca:NAME. It beats every grant.
    Deny(who::Args),
    /// Remove a site from the registry.
    Remove {
        /// Its host name.
        site: String,
    },
    /// Write two-way TLS and who may enter for a server you already have, and say what it cannot do.
    Export(export::Export),
    /// Order the certificates that come by ACME and are due now; `run` does so by itself.
    Order(order::Args),
    /// Whether a certificate would be admitted, step by step.
    Test {
        /// The site's host name.
        site: String,
        /// The certificate, then its intermediates; none: as a visitor without one.
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
        /// The path that is asked for.
        #[arg(long, default_value = "/")]
        path: String,
    },
}

/// What a new site is made of.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// Its host name.
    site: String,
    /// Where its requests go: http://, https:// or h2c:// with host and port, or unix:/path. May be repeated.
    #[arg(long, value_name = "URL", required = true)]
    upstream: Vec<String>,
    /// PEM file of the roots that https:// upstreams are verified against; the public roots where absent.
    #[arg(long, value_name = "FILE")]
    upstream_roots: Option<PathBuf>,
    /// Our own certificate for https:// upstreams, then its intermediates.
    #[arg(long, value_name = "FILE", requires = "upstream_key")]
    upstream_cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "upstream_cert")]
    upstream_key: Option<PathBuf>,
    /// The name that the certificates of https:// upstreams must be for; the upstream's host where absent.
    #[arg(long, value_name = "HOST")]
    upstream_servername: Option<String>,
    /// Who may enter: a party's name, group:NAME or ca:NAME.
    #[arg(long, value_name = "WHO")]
    allow: Vec<String>,
    /// Who may not.
    #[arg(long, value_name = "WHO")]
    deny: Vec<String>,
    /// How a refusal is told.
    #[arg(long, value_parser = ["page", "handshake"])]
    on_refuse: Option<String>,
    /// The oldest TLS version.
    #[arg(long, value_parser = ["1.2", "1.3"])]
    tls_min: Option<String>,
    /// The site's certificate, then its intermediates; the own authority's where absent.
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// Also take connections without SNI.
    #[arg(long)]
    default: bool,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Add(add) => self::add(globals, *add),
        Args::List => list(globals),
        Args::Show { site } => show(globals, &site),
        Args::Allow(args) => who::run(globals, &args, who::List::Allow),
        Args::Deny(args) => who::run(globals, &args, who::List::Deny),
        Args::Remove { site } => remove(globals, &site),
        Args::Order(args) => order::run(globals, &args),
        Args::Export(export) => export::command(globals, &export),
        Args::Test { site, cert, path } => super::explain::test(globals, &site, cert.as_deref(), &path, true),
    })
}

fn add(globals: &Globals, args: Add) -> Outcome {
    let context = Context::open(globals)?;
    let name = HostName::parse(&args.site)?;
    if let Some(site) = context.settings.sites.get(&name) {
        return Err(Failure::usage(
            format!("site {name} is there already"),
            format!("it stands in {}", site.origin),
        ));
    }
    let settings = settings_text(&args)?;
    let mut stored = Stored::from(&context.basis);
    stored.sites.push(StoredSite { name: name.to_string(), settings: settings.clone() });
    context.try_settings(&stored)?;
    if globals.dry_run {
        globals
            .print(&json!({ "site": name, "settings": settings }), format!("would add {name}:\n{settings}"));
        return Ok(Exit::Fine);
    }
    if args.cert.is_none() {
        permit(globals, &context, &name)?;
    }
    let site = registry::StoredSite { name: name.clone(), settings: settings.clone() };
    context.run(context.registry.put_site(site, &context.actor, context.now))?;
    globals.print(&json!({ "site": name, "settings": settings }), format!("site {name} is in the registry"));
    globals.say(format!("Next: countersign party add NAME --site {name}"));
    Ok(Exit::Fine)
}

/// Has the root make a new server CA where the present one may not name this site.
fn permit(globals: &Globals, context: &Context, name: &HostName) -> Result<(), Failure> {
    let mut hierarchy = context.hierarchy()?;
    if hierarchy.server_ca_permits(name.as_str()) {
        return Ok(());
    }
    let passphrase = context.passphrase()?;
    let sites: Vec<String> = context
        .settings
        .sites
        .keys()
        .chain([name])
        .map(|site| site.as_str().trim_matches(['[', ']']).to_owned())
        .collect();
    hierarchy.reissue_server_ca(&sites, &passphrase, context.now)?;
    globals.say(format!("the root signed a new server CA that may name {name}"));
    Ok(())
}

fn settings_text(args: &Add) -> Result<String, Failure> {
    let mut table = toml::Table::new();
    let mut set = |key: &str, value: toml::Value| {
        table.insert(key.to_owned(), value);
    };
    match &*args.upstream {
        [one] => set("upstream", one.clone().into()),
        all => set("upstream", all.to_vec().into()),
    }
    let mut tls = toml::Table::new();
    let files = [("roots", &args.upstream_roots), ("cert", &args.upstream_cert), ("key", &args.upstream_key)];
    for (key, path) in files {
        if let Some(path) = path {
            tls.insert(key.to_owned(), absolute(path)?);
        }
    }
    tls.extend(args.upstream_servername.clone().map(|name| ("servername".to_owned(), name.into())));
    if !tls.is_empty() {
        set("upstream_tls", tls.into());
    }
    for (key, list) in [("allow", &args.allow), ("deny", &args.deny)] {
        if !list.is_empty() {
            set(key, list.clone().into());
        }
    }
    for (key, value) in [("on_refuse", &args.on_refuse), ("tls_min", &args.tls_min)] {
        if let Some(value) = value {
            set(key, value.clone().into());
        }
    }
    if let (Some(cert), Some(key)) = (&args.cert, &args.key) {
        let pair = toml::Table::from_iter([
            ("cert".to_owned(), absolute(cert)?),
            ("key".to_owned(), absolute(key)?),
        ]);
        set("certificate", pair.into());
    }
    if args.default {
        set("default", true.into());
    }
    toml::to_string(&table).map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))
}

fn absolute(path: &Path) -> Result<toml::Value, Failure> {
    let path = std::path::absolute(path).map_err(|error| Failure::file(path, "found", &error))?;
    Ok(toml::Value::String(path.display().to_string()))
}

fn list(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let sites = &context.settings.sites;
    let value: Vec<_> = sites
        .iter()
        .map(|(name, site)| json!({ "name": name, "upstream": site.upstream.view(), "origin": site.origin }))
        .collect();
    let mut rows = vec![vec!["SITE".into(), "UPSTREAM".into(), "FROM".into()]];
    rows.extend(
        sites.iter().map(|(name, site)| vec![name.to_string(), site.upstream.text(), site.origin.clone()]),
    );
    globals.print(&value, columns(&rows));
    Ok(Exit::Fine)
}

/// A site with its grants, as JSON.
pub fn view(context: &Context, name: &HostName) -> Result<Value, Failure> {
    let (parties, cas) = context.run(context.registry.granted_to(name))?;
    let granted: Vec<String> =
        parties.iter().map(ToString::to_string).chain(cas.iter().map(|ca| format!("ca:{ca}"))).collect();
    let mut value = super::config::site_view(&context.settings.sites[name]);
    value["name"] = json!(name);
    value["granted"] = json!(granted);
    Ok(value)
}

fn show(globals: &Globals, site: &str) -> Outcome {
    let context = Context::open(globals)?;
    let value = view(&context, &context.site(site)?)?;
    let text: Vec<Vec<String>> = value
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| {
            vec![key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
        })
        .collect();
    globals.print(&value, columns(&text));
    Ok(Exit::Fine)
}

fn remove(globals: &Globals, site: &str) -> Outcome {
    let context = Context::open(globals)?;
    let name = context.site(site)?;
    let origin = &context.settings.sites[&name].origin;
    if !context.basis.sites.iter().any(|stored| stored.name == name) {
        return Err(Failure::usage(format!("site {name} stands in {origin}"), "remove it there"));
    }
    // What would still name it is said before anything is removed.
    let mut stored = Stored::from(&context.basis);
    stored.sites.retain(|one| one.name != name.as_str());
    context.try_settings(&stored)?;
    if globals.dry_run || !globals.confirm(&format!("Remove site {name}?")) {
        globals.say(format!("site {name} would be removed; --yes does it"));
        return Ok(if globals.dry_run { Exit::Fine } else { Exit::Usage });
    }
    context.run(context.registry.remove_site(&name, &context.actor, context.now))?;
    globals.print(&json!({ "removed": name }), format!("site {name} is removed"));
    Ok(Exit::Fine)
}
