//! `upkeep`, hidden: what the authority's process does each time it is asked, as a process of its own. It issues the server certificates that are
//! due, publishes the list of revoked certificates, and lets go of what is old.

use authority::crl::{self, CrlEntry};
use authority::{Role, files};
use examiner::UnixTime;
use registry::Issuer;

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome};
use crate::run::certificates;
use crate::run::upkeep::{Done, Published, former_list, published};

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
    crate::run::take_name();
    let done = work(globals)?;
    globals.print(&done, done.to_string());
    Ok(Exit::Fine)
}

/// Does what is due, and says what that was.
pub fn work(globals: &Globals) -> Result<Done, Failure> {
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
    Ok(done)
}

/// Publishes a list where one is due: its number, or in how many seconds it may be published.
fn publish(context: &Context) -> Result<(Option<u64>, Option<i64>), Failure> {
    let (state, now) = (&context.settings.state, context.now);
    let entries = listed(context, CLIENT)?;
    let mut all = entries.clone();
    // While a rollover is under way there is a list of each generation, and both are made together.
    let former = context.hierarchy().is_ok_and(|own| own.former(Role::Client).is_some());
    let of_former = if former { listed(context, FORMER)? } else { Vec::new() };
    all.extend(of_former.iter().cloned());
    let written: Vec<_> =
        all.iter().map(|one| (hex(&one.serial), one.revoked_at, one.reason.to_string())).collect();
    if let Some(last) = Published::read(state) {
        let age = now.seconds() - last.at.seconds();
        let missing = former && !former_list(state).exists();
        let due = missing || last.entries != written || !(0..CRL_EVERY).contains(&age);
        if !due {
            return Ok((None, None));
        }
        if (0..CRL_PAUSE).contains(&age) {
            return Ok((None, Some(CRL_PAUSE - age)));
        }
    }
    let made = sign(context, CLIENT, entries)?;
    let (list, beside) = published(state);
    files::private_directory(list.parent().unwrap_or(state.path()))?;
    if former {
        let made = sign(context, FORMER, of_former)?;
        files::replace_public(&former_list(state), &made.der)?;
    }
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

/// One CA that has a list.
#[derive(Clone, Copy, Debug)]
pub struct Ca {
    /// Whose certificates it has.
    pub issuer: Issuer,
    /// The old generation, of a rollover that is under way.
    pub old: bool,
}

/// The client CA.
const CLIENT: Ca = Ca { issuer: Issuer::Client, old: false };
/// Its old generation.
const FORMER: Ca = Ca { issuer: Issuer::Client, old: true };

impl Ca {
    fn role(self) -> Role {
        match self.issuer {
            Issuer::Client => Role::Client,
            Issuer::Operator => Role::Operator,
        }
    }
}

/// A fresh list of one CA, whatever is published.
pub fn fresh(context: &Context, ca: Ca) -> Result<Made, Failure> {
    sign(context, ca, listed(context, ca)?)
}

/// What is on the list: of the old generation what names it as its issuer, of the present one all else.
fn listed(context: &Context, ca: Ca) -> Result<Vec<CrlEntry>, Failure> {
    let revoked = context.run(context.registry.revoked_serials(ca.issuer, context.now))?;
    let former = context.hierarchy().ok();
    let former = former.as_ref().and_then(|own| own.former(ca.role())).map(|one| one.subject.to_string());
    let belongs = |one: &registry::RevokedSerial| (former.as_ref() == Some(&one.issuer)) == ca.old;
    let entry = |one: registry::RevokedSerial| CrlEntry {
        serial: one.serial,
        revoked_at: one.at,
        reason: one.reason.parse().unwrap_or_default(),
    };
    Ok(revoked.into_iter().filter(belongs).map(entry).collect())
}

fn sign(context: &Context, ca: Ca, entries: Vec<CrlEntry>) -> Result<Made, Failure> {
    let role = ca.role();
    let signer = if ca.old {
        let former = context.hierarchy()?.unlock_former(role, &context.passphrase()?)?;
        former.ok_or(authority::AuthorityError::NoRolloverUnderWay(role))?
    } else {
        context.signer(role)?
    };
    let number = context.run(context.registry.next_crl_number())?;
    let (count, next_update) = (entries.len(), context.now.plus(crl::LIFE_SECONDS));
    let der = crl::build(&signer, entries, number, context.now, next_update)?;
    Ok(Made { der, number, count, next_update })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
