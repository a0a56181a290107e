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
use crate::config::StateDir;
use crate::config::ca::CaSettings;
use crate::config::crl::CrlSettings;

mod accept;
pub mod add;
mod elsewhere;
pub mod fetch;
pub mod init;
pub mod issue;
pub mod preview;
pub mod remove;
pub mod rollover;

/// `countersign ca …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Make the own authority where there is none: a root, and a client, a server and an operator CA under it.
    Init(init::Init),
    /// Trust an issuer at the named sites.
    Add(add::Args),
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

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Init(args) => init::run(globals, &args),
        Args::Add(args) => add::run(globals, &args),
        Args::List => list(globals),
        Args::Show { name, format } => show(globals, &name, format.is_some()),
        Args::Fetch(args) => fetch::run(globals, &args),
        Args::AcceptCrl { name } => accept::run(globals, &name),
        Args::Remove { name } => remove::run(globals, &name),
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
