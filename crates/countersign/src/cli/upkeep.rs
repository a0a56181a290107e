//! `upkeep`, hidden: what the authority's process does each time it is asked, as a process of its own. It issues the server certificates that are
//! due, publishes the list of revoked certificates, and lets go of what is old.

use authority::crl::{self, About, CrlEntry};
use authority::{Role, Signer};
use examiner::UnixTime;
use registry::Issuer;

use super::context::Context;
use super::{Exit, Failure, Globals, Outcome};
use crate::run::certificates;
use crate::run::upkeep::Done;

mod publish;

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
    match publish::publish(&context) {
        Ok((published, publish_in)) => (done.published, done.publish_in) = (published, publish_in),
        Err(failure) => done.not_published = Some(failure.what),
    }
    Ok(done)
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

impl Ca {
    fn role(self) -> Role {
        match self.issuer {
            Issuer::Client => Role::Client,
            Issuer::Operator => Role::Operator,
        }
    }

    /// The CA with its key.
    fn signer(self, context: &Context) -> Result<Signer, Failure> {
        let role = self.role();
        if !self.old {
            return context.signer(role);
        }
        let former = context.hierarchy()?.unlock_former(role, &context.passphrase()?)?;
        Ok(former.ok_or(authority::AuthorityError::NoRolloverUnderWay(role))?)
    }
}

/// A fresh list of one CA, whatever is published.
pub fn fresh(context: &Context, ca: Ca) -> Result<Made, Failure> {
    let (entries, signer) = (listed(context, ca)?, ca.signer(context)?);
    let number = context.run(context.registry.next_crl_number())?;
    sign(context, &signer, entries, number, &[])
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

/// Signs a list of these entries; with addresses, one that is for the certificates alone that name one of them.
fn sign(
    context: &Context,
    signer: &Signer,
    entries: Vec<CrlEntry>,
    number: u64,
    addresses: &[String],
) -> Result<Made, Failure> {
    let (count, next_update) = (entries.len(), context.now.plus(crl::LIFE_SECONDS));
    let about = About { number, this_update: context.now, next_update, addresses };
    Ok(Made { der: crl::build(signer, entries, about)?, number, count, next_update })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
