//! `pending`: certificates with a proven key that are admitted nowhere and have knocked.

use examiner::Certificate;
use policy::record::PinExceptions;
use policy::{HostName, PartyName};
use registry::PendingRow;
use serde_json::{Value, json};

use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome, party};

pub mod ignored;

/// `countersign pending …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Who has knocked.
    List,
    /// One of them.
    Show {
        /// Its id.
        id: String,
    },
    /// Pin its certificate or key to a party.
    Approve(Approve),
    /// Dismiss it.
    Reject {
        /// Its id.
        id: String,
    },
    /// Ignore the issuer that it names: what names it is dismissed and does not become pending again. It is refused and logged
    /// as before.
    Ignore {
        /// The id of one that is pending.
        id: String,
    },
    /// The issuers that are ignored.
    Ignored,
    /// Let certificates of an ignored issuer become pending again.
    Heed {
        /// The issuer, as `pending ignored` writes it.
        issuer: String,
    },
}

/// How a pending certificate is let in.
#[derive(Debug, clap::Args)]
pub struct Approve {
    /// Its id.
    pub id: String,
    /// The party it belongs to; made where it is new.
    #[arg(long = "as", value_name = "PARTY")]
    pub party: String,
    /// A site the party may enter; may be repeated.
    #[arg(long = "site", value_name = "HOST")]
    pub sites: Vec<String>,
    /// The reference that the visitor sees, such as 7F3K-22.
    #[arg(long)]
    pub reference: Option<String>,
    /// Pin the very certificate, or its key.
    #[arg(long, default_value = "cert", value_parser = ["cert", "key"])]
    pub pin: String,
    /// What the party calls it.
    #[arg(long)]
    pub label: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::List => list(globals),
        Args::Show { id } => show(globals, &id),
        Args::Approve(args) => approve(globals, &args),
        Args::Reject { id } => reject(globals, &id),
        Args::Ignore { id } => ignored::ignore(globals, &id),
        Args::Ignored => ignored::list(globals),
        Args::Heed { issuer } => ignored::heed(globals, &issuer),
    })
}

/// An entry as JSON.
pub fn view(row: &PendingRow) -> Value {
    json!({
        "id": row.id,
        "subject": row.subject,
        "issuer": row.issuer,
        "thumbprint": row.thumbprint,
        "reason": row.reason,
        "note": row.note,
        "site": row.site,
        "count": row.count,
        "first_seen": row.first_seen,
        "last_seen": row.last_seen,
        "address": row.address,
    })
}

fn list(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    let all = context.run(context.registry.pendings())?;
    let mut rows =
        vec![["ID", "SUBJECT", "ISSUER", "REASON", "COUNT", "LAST SEEN", "NOTE"].map(String::from).to_vec()];
    rows.extend(all.iter().map(|row| {
        let (subject, issuer) = (row.subject.clone(), row.issuer.clone());
        vec![
            row.id.clone(),
            subject,
            issuer,
            row.reason.clone(),
            row.count.to_string(),
            row.last_seen.to_string(),
            row.note.clone(),
        ]
    }));
    globals.print(&all.iter().map(view).collect::<Vec<_>>(), columns(&rows));
    Ok(Exit::Fine)
}

/// The entry of this identifier, or a failure that says so.
pub fn known(context: &Context, id: &str) -> Result<PendingRow, Failure> {
    context.run(context.registry.pending(id))?.ok_or_else(|| {
        Failure::not_found(
            format!("nothing pending has the id `{}`", id.escape_debug()),
            "countersign pending list",
        )
    })
}

fn show(globals: &Globals, id: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, id)?;
    let value = view(&row);
    let lines: Vec<Vec<String>> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            vec![key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)]
        })
        .collect();
    globals.print(&value, columns(&lines));
    Ok(Exit::Fine)
}

fn approve(globals: &Globals, args: &Approve) -> Outcome {
    let context = Context::open(globals)?;
    let approval = Approval::of(&context, args)?;
    let Approval { row, name, .. } = &approval;
    if globals.dry_run {
        globals.say(format!("would pin {} for {name}", row.thumbprint));
        return Ok(Exit::Fine);
    }
    let value = approval.give(&context)?;
    globals.print(&value, format!("{} is {name} from now on; pinned by {}", row.subject, args.pin));
    Ok(Exit::Fine)
}

/// A pending certificate that may be let in.
pub struct Approval {
    row: PendingRow,
    name: PartyName,
    sites: Vec<HostName>,
    certificate: Certificate,
    by_key: bool,
    label: Option<String>,
}

impl Approval {
    /// Looks whether it may be; nothing is changed.
    ///
    /// # Errors
    ///
    /// No such entry, site or party name; a missing or wrong reference; a certificate that could not enter.
    pub fn of(context: &Context, args: &Approve) -> Result<Self, Failure> {
        let row = known(context, &args.id)?;
        let name = PartyName::parse(&args.party)?;
        let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
        let certificate =
            Certificate::from_der(&row.der).map_err(|error| Failure::no(error.to_string(), "reject it"))?;
        check_reference(context, &row, args.reference.as_deref())?;
        party::add::pinnable(&certificate, &PinExceptions::default(), context.now)?;
        Ok(Self { row, name, sites, certificate, by_key: args.pin == "key", label: args.label.clone() })
    }

    /// Pins it, grants the sites, and takes the entry away.
    pub fn give(&self, context: &Context) -> Result<Value, Failure> {
        let Self { row, name, sites, certificate, by_key, label } = self;
        party::add::save_pin(context, name, label.clone(), certificate, *by_key, PinExceptions::default())?;
        party::add::grant(context, name, sites)?;
        context.run(context.registry.remove_pending(&row.id, &context.actor, "approved", context.now))?;
        let pin = if *by_key { "key" } else { "cert" };
        Ok(
            json!({ "approved": row.id, "party": name, "thumbprint": row.thumbprint, "pin": pin, "sites": sites }),
        )
    }
}

/// A certificate that no CA of the site vouches for wants the reference that its visitor sees.
fn check_reference(context: &Context, row: &PendingRow, given: Option<&str>) -> Result<(), Failure> {
    let plain = |text: &str| text.trim().to_ascii_uppercase();
    match given {
        Some(given) if row.references.iter().any(|one| plain(one) == plain(given)) => Ok(()),
        Some(given) => Err(Failure::no(
            format!("`{}` was not shown to this certificate", given.escape_debug()),
            "ask the visitor for the reference on their page; a look-alike may have knocked",
        )),
        None if vouched(context, row) => Ok(()),
        None => Err(Failure::usage(
            "no CA of the site vouches for this certificate, so --reference is needed",
            "ask the visitor for the reference on their page, such as 7F3K-22",
        )),
    }
}

/// Whether a CA of the site vouches for the certificate, taken alone.
pub fn vouched(context: &Context, row: &PendingRow) -> bool {
    let Ok(site) = policy::HostName::parse(&row.site) else { return false };
    let Some(site) = context.settings.policy_site(&site) else { return false };
    let chain: std::sync::Arc<[_]> = vec![rustls_pki_types::CertificateDer::from(row.der.clone())].into();
    policy::Peer::identify(chain, &site.anchors, context.now)
        .is_some_and(|peer| peer.vouching.paths.iter().any(|path| path.admits))
}

fn reject(globals: &Globals, id: &str) -> Outcome {
    let context = Context::open(globals)?;
    let row = known(&context, id)?;
    if globals.dry_run {
        globals.say(format!("would dismiss {}", row.subject));
        return Ok(Exit::Fine);
    }
    globals.print(&rejected(&context, &row)?, format!("{} is pending no longer", row.subject));
    Ok(Exit::Fine)
}

/// Takes the entry away.
pub fn rejected(context: &Context, row: &PendingRow) -> Result<Value, Failure> {
    context.run(context.registry.remove_pending(&row.id, &context.actor, "dismissed", context.now))?;
    Ok(json!({ "rejected": row.id }))
}
