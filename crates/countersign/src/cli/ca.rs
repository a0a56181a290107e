//! `ca`: trusted issuers, and what the own authority gives out.

use std::path::{Path, PathBuf};

use authority::{Role, files};
use examiner::UnixTime;
use policy::{Admission, OnStale};
use registry::Issuer;
use serde_json::{Value, json};

use super::context::Context;
use super::globals::columns;
use super::upkeep::{self, Ca, Made};
use super::{Exit, Failure, Globals, Outcome, cert};
use crate::config::ca::CaSettings;
use crate::config::crl::CrlSettings;
use crate::config::stored::StoredCa;
use crate::config::{StateDir, Stored};

mod accept;
mod elsewhere;
pub mod fetch;
pub mod init;
pub mod issue;
pub mod rollover;

/// `countersign ca …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Make the own authority where there is none: a root, and a client, a server and an operator CA under it.
    Init(init::Init),
    /// Trust an issuer at the named sites.
    Add(Add),
    /// The trusted issuers.
    List,
    /// One issuer; `own` is the authority's root.
    Show {
        /// Its name.
        name: String,
        /// `pem`: its certificates.
        #[arg(long, value_parser = ["pem"])]
        format: Option<String>,
    },
    /// Fetch the revocation lists that have a URL now.
    Fetch(fetch::Args),
    /// Take an issuer's revocation lists as they are now, although newer ones were in force: it began its numbers anew.
    AcceptCrl {
        /// The CA.
        name: String,
    },
    /// Trust an issuer no longer.
    Remove {
        /// Its name.
        name: String,
    },
    /// A request for the own client CA, to have its certificate signed by an authority elsewhere.
    Csr(elsewhere::Csr),
    /// Take the client CA's certificate that was signed elsewhere, with its issuers.
    Import(elsewhere::Import),
    /// From one generation of a CA to the next.
    #[command(subcommand)]
    Rollover(rollover::Rollover),
    /// Issue a server certificate for a host inside, from the own server CA. For parties: `party add`.
    Issue(issue::Issue),
    /// Make a revocation list of the own authority anew: the client CA's, or with `--issuer operator` the operator
    /// CA's.
    Crl {
        /// Whose list: of the parties' certificates (client) or of the operators' (operator).
        #[arg(long, value_name = "CA", default_value = "client", value_parser = ["client", "operator"])]
        issuer: String,
        /// The list of the old generation, while a rollover is under way.
        #[arg(long)]
        old: bool,
        /// The file to write; standard output where absent.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// The list's form.
        #[arg(long, default_value = "der", value_parser = ["der", "pem"])]
        format: String,
    },
}

/// A new trusted issuer.
#[derive(Debug, clap::Args)]
pub struct Add {
    /// PEM or DER file of its certificates.
    file: PathBuf,
    /// Its name in rules: ca:NAME.
    #[arg(long)]
    name: String,
    /// A site it is attached to; may be repeated.
    #[arg(long = "site", value_name = "HOST", required = true)]
    sites: Vec<String>,
    /// Which of its certificates get in, such as 'san:dns=*.acme.example'; may be repeated.
    #[arg(long = "match", value_name = "CONDITIONS", conflicts_with_all = ["accept_any", "named_only"])]
    matches: Vec<String>,
    /// From which value the party's name is taken, such as san:dns.
    #[arg(long, value_name = "TYPE")]
    name_from: Option<String>,
    /// Everyone with a certificate from it gets in.
    #[arg(long, conflicts_with = "named_only")]
    accept_any: bool,
    /// Only parties with a subject rule on it get in.
    #[arg(long)]
    named_only: bool,
    /// Excuse the missing client usage until this date.
    #[arg(long, value_name = "DATE", value_parser = UnixTime::parse)]
    accept_without_client_usage_until: Option<UnixTime>,
    /// Its revocation list, PEM or DER; relative to the configuration file.
    #[arg(long, value_name = "FILE")]
    crl: Option<PathBuf>,
    /// Where its revocation list is fetched from, http:// or https://.
    #[arg(long, value_name = "URL", conflicts_with = "crl")]
    crl_url: Option<String>,
    /// What becomes of its certificates when the list is too old.
    #[arg(long, value_name = "POLICY", value_parser = ["deny", "allow"])]
    crl_on_stale: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Init(args) => init::run(globals, &args),
        Args::Add(args) => add(globals, &args),
        Args::List => list(globals),
        Args::Show { name, format } => show(globals, &name, format.is_some()),
        Args::Fetch(args) => fetch::run(globals, &args),
        Args::AcceptCrl { name } => accept::run(globals, &name),
        Args::Remove { name } => remove(globals, &name),
        Args::Csr(args) => elsewhere::csr(globals, &args),
        Args::Import(args) => elsewhere::import(globals, &args),
        Args::Rollover(args) => rollover::run(globals, &args),
        Args::Issue(args) => issue::run(globals, &args),
        Args::Crl { issuer, old, out, format } => {
            let issuer = if issuer == "operator" { Issuer::Operator } else { Issuer::Client };
            write_crl(globals, Ca { issuer, old }, out.as_deref(), format == "pem")
        }
    })
}

/// A CA's settings as JSON.
pub fn view(ca: &CaSettings) -> Value {
    let rules = &ca.rules;
    let matches: Vec<String> = match &rules.admission {
        Admission::Match(entries) => entries.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    json!({
        "name": rules.name,
        "sites": ca.sites,
        "match": matches,
        "accept_any": rules.admission == Admission::Any,
        "named_only": rules.admission == Admission::NamedOnly,
        "name_from": rules.name_from.as_ref().map(ToString::to_string),
        "accept_without_client_usage_until": rules.without_client_usage_until,
        "crl": ca.lists.iter().map(crl_view).collect::<Vec<_>>(),
        "certificates": rules.anchors.iter().chain(&rules.intermediates).map(cert::view).collect::<Vec<_>>(),
        "origin": ca.origin,
    })
}

/// A revocation list as it stands in its file: number, dates, entries, or what is wrong with it.
fn crl_view(one: &CrlSettings) -> Value {
    let on_stale = if one.on_stale == OnStale::Allow { "allow" } else { "deny" };
    let source = if one.url.is_some() { "url" } else { "file" };
    match &one.list {
        Ok(list) => json!({
            (source): one.shown,
            "on_stale": on_stale,
            "issuer": list.issued_by,
            "number": list.number.as_deref().map(crate::config::crl::shown_number),
            "this_update": list.this_update,
            "next_update": list.next_update,
            "entries": list.count(),
        }),
        Err(fault) => json!({ (source): one.shown, "on_stale": on_stale, "fault": fault.what }),
    }
}

fn add(globals: &Globals, args: &Add) -> Outcome {
    let context = Context::open(globals)?;
    if let Some(ca) = context.settings.cas.get(&args.name) {
        return Err(Failure::usage(
            format!("CA {} is there already", args.name),
            format!("it stands in {}", ca.origin),
        ));
    }
    if let Some(fault) = context.settings.broken_cas.get(&args.name) {
        let help = format!("it stands in {}: repair its file", fault.place);
        return Err(Failure::usage(format!("CA {} is there already", args.name), help));
    }
    let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
    let pem: String = cert::read(&args.file)?
        .iter()
        .map(|one| examiner::cert::pem::encode("CERTIFICATE", &one.der))
        .collect();
    if args.matches.is_empty() && !args.accept_any && !args.named_only {
        return Err(Failure::new(
            Exit::Configuration,
            "without --match, everyone with a certificate from this issuer gets in",
            "give one of: --match 'san:dns=*.acme.example' (only these), --named-only (only parties with a subject rule \
             on this CA), --accept-any (really everyone)",
        ));
    }
    let settings = settings_text(args)?;
    let mut stored = Stored::from(&context.basis);
    stored.cas.push(StoredCa {
        name: args.name.clone(),
        pem: pem.clone(),
        sites: sites.iter().map(ToString::to_string).collect(),
        settings: settings.clone(),
    });
    let after = context.try_settings(&stored)?;
    let lists = after.cas.get(&args.name).map_or(&[][..], |ca| &ca.lists);
    let fault = lists.iter().filter(|one| one.url.is_none()).find_map(|one| one.list.as_ref().err());
    if let Some(fault) = fault {
        return Err(crate::config::Problems(vec![fault.clone()]).into());
    }
    for warning in after.warnings.iter().filter(|one| !context.settings.warnings.contains(one)) {
        globals.warn(warning.to_string());
    }
    let shown = args.sites.join(", ");
    if globals.dry_run {
        fetch::would(&context, &after, &args.name)?;
        let fetched = args.crl_url.as_ref().map(|url| format!(", once its list is fetched from {url}"));
        globals.say(format!("would trust {} at {shown}{}", args.name, fetched.unwrap_or_default()));
        return Ok(Exit::Fine);
    }
    fetch::first(&context, &after, &args.name)?;
    let (registry, actor, now) = (&context.registry, &context.actor, context.now);
    let ca = registry::StoredCa { name: args.name.clone(), pem, sites: sites.clone(), settings };
    context.run(registry.put_ca(ca, actor, now))?;
    for site in sites.iter().filter(|_| !args.named_only) {
        context.run(registry.grant_ca(&args.name, site, actor, now))?;
    }
    let after = if args.crl_url.is_some() { context.try_settings(&stored)? } else { after };
    globals.print(&after.cas.get(&args.name).map(view), format!("CA {} is trusted at {shown}", args.name));
    Ok(Exit::Fine)
}

fn settings_text(args: &Add) -> Result<String, Failure> {
    let mut table = toml::Table::new();
    if !args.matches.is_empty() {
        table.insert("match".into(), args.matches.clone().into());
    }
    for (key, set) in [("accept_any", args.accept_any), ("named_only", args.named_only)] {
        if set {
            table.insert(key.into(), true.into());
        }
    }
    if let Some(name_from) = &args.name_from {
        table.insert("name_from".into(), name_from.clone().into());
    }
    if let Some(until) = args.accept_without_client_usage_until {
        let until = toml::Table::from_iter([("until".to_owned(), until.to_string().into())]);
        table.insert("accept_without_client_usage".into(), until.into());
    }
    if args.crl_on_stale.is_some() && args.crl.is_none() && args.crl_url.is_none() {
        return Err(Failure::usage(
            "--crl-on-stale speaks of a list, and none is given",
            "give --crl FILE or --crl-url URL",
        ));
    }
    let source = match (&args.crl, &args.crl_url) {
        (Some(file), _) => {
            let file = file
                .to_str()
                .ok_or_else(|| Failure::usage("the list's path is no UTF-8 text", "give it another name"))?;
            Some(("file", file))
        }
        (None, url) => url.as_deref().map(|url| ("url", url)),
    };
    if let Some((key, value)) = source {
        let mut crl = toml::Table::from_iter([(key.to_owned(), value.into())]);
        if let Some(on_stale) = &args.crl_on_stale {
            crl.insert("on_stale".into(), on_stale.clone().into());
        }
        table.insert("crl".into(), crl.into());
    }
    toml::to_string(&table).map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))
}

fn list(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let mut rows =
        vec![vec!["CA".into(), "SITES".into(), "WHO GETS IN".into(), "NOT AFTER".into(), "FROM".into()]];
    let own = own(&context)?;
    let all: Vec<&CaSettings> = own.iter().chain(context.settings.cas.values()).collect();
    for ca in &all {
        let sites: Vec<&str> = ca.sites.iter().map(policy::HostName::as_str).collect();
        let who = match &ca.rules.admission {
            Admission::Match(entries) => {
                entries.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
            }
            Admission::Any => "everyone".into(),
            Admission::NamedOnly => "parties with a subject rule".into(),
            Admission::OnRecord => "certificates on record".into(),
        };
        let end = ca
            .rules
            .anchors
            .iter()
            .map(|anchor| anchor.not_after)
            .min()
            .map(UnixTime::date)
            .unwrap_or_default();
        rows.push(vec![ca.rules.name.clone(), sites.join(" "), who, end, ca.origin.clone()]);
    }
    globals.print(&all.into_iter().map(view).collect::<Vec<_>>(), columns(&rows));
    Ok(Exit::Fine)
}

/// The own client CA as one issuer among the others: every site trusts it.
fn own(context: &Context) -> Result<Option<CaSettings>, Failure> {
    let unread = |what| Failure::new(Exit::Configuration, what, "put the file back from a backup");
    let rules = context.settings.own_ca().map_err(unread)?;
    Ok(rules.map(|rules| CaSettings {
        rules,
        sites: context.settings.sites.keys().cloned().collect(),
        lists: Vec::new(),
        file: None,
        origin: "the own authority".into(),
    }))
}

fn show(globals: &Globals, name: &str, pem: bool) -> Outcome {
    if name == policy::ca::OWN_CA {
        return show_own(globals, pem);
    }
    let context = Context::open(globals)?;
    let Some(ca) = context.settings.cas.get(name) else {
        return Err(Failure::not_found(
            format!("there is no CA `{}`", name.escape_debug()),
            "countersign ca list",
        ));
    };
    let text = if pem {
        let all = ca.rules.anchors.iter().chain(&ca.rules.intermediates);
        all.map(|one| examiner::cert::pem::encode("CERTIFICATE", &one.der)).collect()
    } else {
        super::config::as_toml(&view(ca))
    };
    globals.print(&view(ca), text);
    Ok(Exit::Fine)
}

/// The self-signed root alone: trust for the client side.
fn show_own(globals: &Globals, pem: bool) -> Outcome {
    let state: StateDir = super::context::state_dir(globals, &globals.config_path(), super::context::now())?;
    let hierarchy = authority::Hierarchy::open(&state.authority())?;
    let root = hierarchy.certificate(Role::Root);
    let text = if pem {
        hierarchy.certificate_pem(Role::Root)
    } else {
        format!("{}\n  until {}\n  thumbprint {}", root.subject, root.not_after, root.thumbprint)
    };
    let mut value = cert::view(root);
    value["pem"] = json!(hierarchy.certificate_pem(Role::Root));
    globals.print(&value, text);
    Ok(Exit::Fine)
}

fn remove(globals: &Globals, name: &str) -> Outcome {
    let context = Context::open(globals)?;
    let Some(ca) = context.settings.cas.get(name) else {
        return Err(Failure::not_found(
            format!("there is no CA `{}`", name.escape_debug()),
            "countersign ca list",
        ));
    };
    if !context.basis.cas.iter().any(|stored| stored.name == name) {
        return Err(Failure::usage(format!("CA {name} stands in {}", ca.origin), "remove it there"));
    }
    // What would still name it is said before anything is removed.
    let mut stored = Stored::from(&context.basis);
    stored.cas.retain(|one| one.name != name);
    context.try_settings(&stored)?;
    if globals.dry_run
        || !globals.confirm(&format!("Remove CA {name}? Everyone it lets in is refused at once."))
    {
        globals.say(format!("CA {name} would be removed; --yes does it"));
        return Ok(if globals.dry_run { Exit::Fine } else { Exit::Usage });
    }
    context.run(context.registry.remove_ca(name, &context.actor, context.now))?;
    globals.print(&json!({ "removed": name }), format!("CA {name} is removed"));
    Ok(Exit::Fine)
}

fn write_crl(globals: &Globals, ca: Ca, out: Option<&Path>, pem: bool) -> Outcome {
    let context = Context::open(globals)?;
    let Made { der, number, count, next_update } = upkeep::fresh(&context, ca)?;
    let bytes = if pem { examiner::cert::pem::encode("X509 CRL", &der).into_bytes() } else { der };
    match out {
        Some(path) => {
            files::replace_public(path, &bytes)?;
            globals.print(
                &json!({ "file": path, "issuer": ca.issuer.word(), "number": number, "entries": count, "next_update": next_update }),
                format!("{}: list {number}, {count} entries, good until {next_update}", path.display()),
            );
        }
        None => globals.print_bytes(&bytes),
    }
    Ok(Exit::Fine)
}
