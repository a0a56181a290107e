//! `ca issue`: a server certificate for a host inside, such as an upstream that shall speak TLS.

use std::path::PathBuf;

use authority::ledger::LedgerError;
use authority::{IssuedRecord, KeyType, Ledger, Role};
use examiner::UnixTime;
use policy::issuance::{AltName, CheckedPlan, Plan, Profile};
use registry::{Actor, Registry};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::issue::{self, Files};
use crate::cli::{Exit, Failure, Globals, Outcome, cert};

/// `countersign ca issue`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Certificates of parties are issued by `countersign party add`, those of the gate's own sites by \
                  the gate itself.\n\nExample: countersign ca issue --san dns:db.internal --san ip:10.0.0.5 --out inner"
)]
pub struct Issue {
    /// A host it is for: dns:NAME or ip:ADDRESS; may be repeated. The first names the files.
    #[arg(long = "san", value_name = "TYPE:VALUE", required = true, value_parser = alt_name)]
    names: Vec<AltName>,
    /// Issue for the key of this certificate request; nothing else of the request is taken.
    #[arg(long, value_name = "FILE", conflicts_with = "key")]
    csr: Option<PathBuf>,
    /// Its last moment, at most 90 days from now; 90 days where absent.
    #[arg(long, value_name = "DATE", value_parser = UnixTime::parse)]
    not_after: Option<UnixTime>,
    /// The kind of key to make: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519.
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", value_parser = issue::key_type)]
    key: KeyType,
    /// The directory to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// `dns:db.internal` or `ip:10.0.0.5`.
fn alt_name(text: &str) -> Result<AltName, String> {
    match issue::alt_name(text) {
        Ok(name @ (AltName::Dns(_) | AltName::Ip(_))) => Ok(name),
        Err(error) if text.starts_with("ip:") => Err(error),
        _ => Err("write it like dns:db.internal or ip:10.0.0.5".into()),
    }
}

/// The name as it was asked for.
fn shown(name: &AltName) -> String {
    match name {
        AltName::Ip(address) => format!("ip:{address}"),
        other => format!("dns:{other}"),
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: &Issue) -> Outcome {
    let context = Context::open(globals)?;
    let names: Vec<String> = args.names.iter().map(shown).collect();
    let all = names.join(", ");
    // Everything that can be refused is, before the root or the server CA signs anything.
    let (key, spki) = match &args.csr {
        Some(file) => (None, authority::csr::read(&cert::read_bytes(file)?)?.into_spki()),
        None => {
            let key = authority::keys::generate(args.key)?;
            let spki = key.spki()?;
            (Some(key), spki)
        }
    };
    let window = context.hierarchy()?.window(Role::Server);
    plan(args, &spki, window, context.now)?;
    if globals.dry_run {
        globals.say(format!("would issue a server certificate for {all}"));
        return Ok(Exit::Fine);
    }
    let files = Files::at(&args.out, &issue::stem(&args.names[0].to_string()), None)?;
    permit(globals, &context, &args.names)?;
    let signer = context.signer(Role::Server)?;
    let checked = plan(args, &spki, signer.window(), context.now)?;
    let record =
        Record { registry: &context.registry, actor: &context.actor, now: context.now, names: &names };
    let issued = context.run(signer.issue_on_record(&record, &checked))?;
    let mut written = vec![files.write_certificate(&issued)?];
    if let Some(key) = &key {
        written.push(files.write_key(key)?);
    }
    let mut text = format!("{all}: a server certificate until {}\n", issued.not_after);
    for file in &written {
        text += &format!("  {}\n", file.display());
    }
    globals.print(
        &json!({
            "names": names,
            "thumbprint": issued.thumbprint,
            "serial": issued.serial_hex,
            "not_after": issued.not_after,
            "files": written,
        }),
        text,
    );
    Ok(Exit::Fine)
}

/// What will stand in the certificate, checked. A host name too long for a common name stands in the SAN alone.
fn plan(
    args: &Issue,
    spki: &[u8],
    issuer: policy::issuance::Window,
    now: UnixTime,
) -> Result<CheckedPlan, Failure> {
    let first = args.names[0].to_string();
    let mut plan = Plan::new(Profile::Server, &first, "", spki.to_vec(), issuer, now);
    if first.chars().count() > 64 {
        plan.common_name.clear();
    }
    plan.alt_names.clone_from(&args.names);
    if let Some(not_after) = args.not_after {
        plan.not_after = not_after;
    }
    Ok(policy::issuance::check(plan, issuer, now)?)
}

/// Has the root make a new server CA where the present one may not name all these hosts.
pub fn permit(globals: &Globals, context: &Context, names: &[AltName]) -> Result<(), Failure> {
    let mut hierarchy = context.hierarchy()?;
    let outside: Vec<String> =
        names.iter().map(AltName::to_string).filter(|name| !hierarchy.server_ca_permits(name)).collect();
    if outside.is_empty() {
        return Ok(());
    }
    hierarchy.reissue_server_ca(&outside, &context.passphrase()?, context.now)?;
    globals.say(format!("the root signed a new server CA that may also name {}", outside.join(", ")));
    Ok(())
}

/// The registry's audit log as the place where the certificate is written before it leaves.
struct Record<'a> {
    registry: &'a Registry,
    actor: &'a Actor,
    now: UnixTime,
    names: &'a [String],
}

impl Ledger for Record<'_> {
    async fn commit(&self, record: &IssuedRecord) -> Result<(), LedgerError> {
        let done = self.registry.note_server_certificate(self.names, &record.der, self.actor, self.now).await;
        done.map_err(|error| LedgerError(Box::new(error)))
    }
}
