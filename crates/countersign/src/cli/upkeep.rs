//! `upkeep`, hidden: the short-lived process that may read the CA's key. It issues the server certificates that are
//! due, publishes the list of revoked certificates, has keys named for OCSP answers, and lets go of what is old.

use authority::crl::{self, CrlEntry};
use authority::ocsp::Delegate;
use authority::{Hierarchy, Role, files};
use examiner::UnixTime;
use registry::Issuer;

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome};
use crate::run::upkeep::{Done, Published, published};
use crate::run::{certificates, ocsp};

/// A list is made anew at least so often, in seconds.
const CRL_EVERY: i64 = 86_400;
/// And for revocations no more often than this, in seconds.
const CRL_PAUSE: i64 = 60;

/// `countersign upkeep`.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// Runs it.
pub fn command(globals: &Globals, _: Args) -> Exit {
    globals.end(upkeep(globals))
}

fn upkeep(globals: &Globals) -> Outcome {
    let context = Context::open(globals)?;
    // What is old goes first: it needs no key.
    context.run(context.registry.prune(context.now))?;
    context.run(context.registry.retain(context.now, context.settings.retain_days))?;
    let state = &context.settings.state;
    let names = crate::run::server_names(&context.settings);
    let issued = certificates::issue_due(state, &names, context.now).map_err(|error| {
        Failure::no(error.to_string(), "the server CA's key and its passphrase are needed for this")
    })?;
    // Certificates come first: a list that cannot be made keeps no site from its certificate.
    let mut done = Done { issued, ..Done::default() };
    match publish(&context) {
        Ok((published, publish_in)) => (done.published, done.publish_in) = (published, publish_in),
        Err(failure) => done.not_published = Some(failure.what),
    }
    match delegate(&context) {
        Ok(delegated) => done.delegated = delegated,
        Err(failure) => done.not_delegated = Some(failure.what),
    }
    globals.print(&done, done.to_string());
    Ok(Exit::Fine)
}

/// Has the CAs name a new key for OCSP answers where one is due; which did. Without listeners that answer none is.
fn delegate(context: &Context) -> Result<Vec<String>, Failure> {
    let state = &context.settings.state;
    if context.settings.http.is_empty() || !Hierarchy::is_at(&state.authority()) {
        return Ok(Vec::new());
    }
    let hierarchy = context.hierarchy()?;
    let mut delegated = Vec::new();
    for issuer in Issuer::ALL {
        let role = role(issuer);
        let path = ocsp::delegate(state, issuer);
        let there = std::fs::read_to_string(&path).ok().map(zeroize::Zeroizing::new);
        let there = there.and_then(|text| Delegate::from_pem(&text).ok());
        if there.is_some_and(|one| !one.is_due(hierarchy.certificate(role), context.now)) {
            continue;
        }
        let made = context.signer(role)?.delegate(context.now)?;
        files::private_directory(&state.ocsp())?;
        files::replace_private(&path, made.to_pem()?.as_bytes())?;
        delegated.push(role.to_string());
    }
    Ok(delegated)
}

/// The CA that signs for this issuer's holders.
fn role(issuer: Issuer) -> Role {
    match issuer {
        Issuer::Client => Role::Client,
        Issuer::Operator => Role::Operator,
    }
}

/// Publishes a list where one is due: its number, or in how many seconds it may be published.
fn publish(context: &Context) -> Result<(Option<u64>, Option<i64>), Failure> {
    let (state, now) = (&context.settings.state, context.now);
    let entries = listed(context, Issuer::Client)?;
    let written: Vec<_> =
        entries.iter().map(|one| (hex(&one.serial), one.revoked_at, one.reason.to_string())).collect();
    if let Some(last) = Published::read(state) {
        let age = now.seconds() - last.at.seconds();
        let due = last.entries != written || !(0..CRL_EVERY).contains(&age);
        if !due {
            return Ok((None, None));
        }
        if (0..CRL_PAUSE).contains(&age) {
            return Ok((None, Some(CRL_PAUSE - age)));
        }
    }
    let made = sign(context, Issuer::Client, entries)?;
    let (list, beside) = published(state);
    files::private_directory(list.parent().unwrap_or(state.path()))?;
    // The list first: what it was made of only says that it need not be made again.
    files::replace_public(&list, &made.der)?;
    let published =
        Published { number: made.number, at: now, next_update: made.next_update, entries: written };
    let text = serde_json::to_vec(&published).map_err(|error| Failure::no(error.to_string(), ""))?;
    files::replace_public(&beside, &text)?;
    Ok((Some(made.number), None))
}

/// A signed list.
pub struct Made {
    /// The list.
    pub der: Vec<u8>,
    /// Its number.
    pub number: u64,
    /// How many entries it has.
    pub count: usize,
    /// When the next must be there.
    pub next_update: UnixTime,
}

/// A fresh list of one CA, whatever is published.
pub fn fresh(context: &Context, issuer: Issuer) -> Result<Made, Failure> {
    sign(context, issuer, listed(context, issuer)?)
}

fn listed(context: &Context, issuer: Issuer) -> Result<Vec<CrlEntry>, Failure> {
    let revoked = context.run(context.registry.revoked_serials(issuer, context.now))?;
    let entry = |one: registry::RevokedSerial| CrlEntry {
        serial: one.serial,
        revoked_at: one.at,
        reason: one.reason.parse().unwrap_or_default(),
    };
    Ok(revoked.into_iter().map(entry).collect())
}

fn sign(context: &Context, issuer: Issuer, entries: Vec<CrlEntry>) -> Result<Made, Failure> {
    let signer = context.signer(role(issuer))?;
    let number = context.run(context.registry.next_crl_number())?;
    let (count, next_update) = (entries.len(), context.now.plus(crl::LIFE_SECONDS));
    let der = crl::build(&signer, entries, number, context.now, next_update)?;
    Ok(Made { der, number, count, next_update })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
