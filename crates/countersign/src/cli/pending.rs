//! `pending`: certificates with a proven key that are admitted nowhere and have knocked.

use policy::PartyName;
use policy::record::PinExceptions;
use registry::PendingRow;
use serde_json::{Value, json};

use super::context::Context;
use super::globals::columns;
use super::{Exit, Failure, Globals, Outcome, party};

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
}

/// How a pending certificate is let in.
#[derive(Debug, clap::Args)]
pub struct Approve {
    /// Its id.
    id: String,
    /// The party it belongs to; made where it is new.
    #[arg(long = "as", value_name = "PARTY")]
    party: String,
    /// A site the party may enter; may be repeated.
    #[arg(long = "site", value_name = "HOST")]
    sites: Vec<String>,
    /// The reference that the visitor sees, such as 7F3K-22.
    #[arg(long)]
    reference: Option<String>,
    /// Pin the very certificate, or its key.
    #[arg(long, default_value = "cert", value_parser = ["cert", "key"])]
    pin: String,
    /// What the party calls it.
    #[arg(long)]
    label: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::List => list(globals),
        Args::Show { id } => show(globals, &id),
        Args::Approve(args) => approve(globals, &args),
        Args::Reject { id } => reject(globals, &id),
    })
}

fn view(row: &PendingRow) -> Value {
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

fn known(context: &Context, id: &str) -> Result<PendingRow, Failure> {
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
    let row = known(&context, &args.id)?;
    let name = PartyName::parse(&args.party)?;
    let sites = args.sites.iter().map(|site| context.site(site)).collect::<Result<Vec<_>, _>>()?;
    let certificate = examiner::Certificate::from_der(&row.der)
        .map_err(|error| Failure::no(error.to_string(), "reject it"))?;
    check_reference(&context, &row, args.reference.as_deref())?;
    party::add::pinnable(&certificate, &PinExceptions::default(), context.now)?;
    if globals.dry_run {
        globals.say(format!("would pin {} for {name}", row.thumbprint));
        return Ok(Exit::Fine);
    }
    let by_key = args.pin == "key";
    party::add::save_pin(
        &context,
        &name,
        args.label.clone(),
        &certificate,
        by_key,
        PinExceptions::default(),
    )?;
    party::add::grant(&context, &name, &sites)?;
    context.run(context.registry.remove_pending(&row.id, &context.actor, "approved", context.now))?;
    let value = json!({ "approved": row.id, "party": name, "thumbprint": row.thumbprint, "pin": args.pin, "sites": sites });
    globals.print(&value, format!("{} is {name} from now on; pinned by {}", row.subject, args.pin));
    Ok(Exit::Fine)
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
fn vouched(context: &Context, row: &PendingRow) -> bool {
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
    context.run(context.registry.remove_pending(&row.id, &context.actor, "dismissed", context.now))?;
    globals.print(&json!({ "rejected": row.id }), format!("{} is pending no longer", row.subject));
    Ok(Exit::Fine)
}
