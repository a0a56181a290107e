//! The revocation lists that everybody may fetch: of each generation of the client and the operator CA, whole, and in parts
//! where certificates name parts.

use std::collections::BTreeSet;

use authority::crl::CrlEntry;
use authority::{Shard, files};
use registry::Issuer;

use super::{Ca, listed, sign};
use crate::cli::Failure;
use crate::cli::context::Context;
use crate::config::addresses;
use crate::run::upkeep::{Entry, OLD, OPERATORS, Published, list, published};

/// A list is made anew at least so often, in seconds.
const CRL_EVERY: i64 = 86_400;
/// And for revocations no more often than this, in seconds.
const CRL_PAUSE: i64 = 60;
/// The client CA's list.
const OWN: &str = "own";

/// One list to be.
struct Wanted {
    ca: Ca,
    /// All of it, or one part.
    part: Option<Shard>,
    /// Its name in certificates.
    name: String,
    /// Another name for it, for people.
    known_as: Option<&'static str>,
}

/// Publishes the lists where one is due: their number, or in how many seconds they may be published.
pub(super) fn publish(context: &Context) -> Result<(Option<u64>, Option<i64>), Failure> {
    let (state, now) = (&context.settings.state, context.now);
    let cas = cas(context)?;
    let all = cas.iter().map(|ca| Ok((*ca, listed(context, *ca)?))).collect::<Result<Vec<_>, Failure>>()?;
    let of = |issuer: Issuer| -> Vec<Entry> {
        let mine = all.iter().filter(|(ca, _)| ca.issuer == issuer).flat_map(|(_, entries)| entries);
        mine.map(|one| (super::hex(&one.serial), one.revoked_at, one.reason.to_string())).collect()
    };
    let last = Published::read(state);
    let mut bases: Vec<String> = context.settings.addresses.base.iter().cloned().collect();
    let before = last.iter().flat_map(|last| &last.bases).filter(|one| !bases.contains(one)).cloned();
    bases.extend(before.collect::<Vec<_>>());
    let wanted = wanted(context, &cas, !bases.is_empty())?;
    let names: Vec<String> = wanted.iter().map(|one| one.name.clone()).collect();
    let (entries, operators) = (of(Issuer::Client), of(Issuer::Operator));
    if let Some(last) = &last {
        let age = now.seconds() - last.at.seconds();
        let stands = wanted.iter().all(|one| {
            one.known_as.into_iter().chain([one.name.as_str()]).all(|name| list(state, name).exists())
        });
        let same = (&last.entries, &last.operators, &last.names, &last.bases)
            == (&entries, &operators, &names, &bases);
        if stands && same && (0..CRL_EVERY).contains(&age) {
            return Ok((None, None));
        }
        if (0..CRL_PAUSE).contains(&age) {
            return Ok((None, Some(CRL_PAUSE - age)));
        }
    }
    let number = context.run(context.registry.next_crl_number())?;
    let (own, beside) = published(state);
    files::private_directory(own.parent().unwrap_or(state.path()))?;
    let mut next_update = now;
    for (ca, entries) in &all {
        let signer = ca.signer(context)?;
        for one in wanted.iter().filter(|one| (one.ca.issuer, one.ca.old) == (ca.issuer, ca.old)) {
            let addresses = match one.part {
                None => Vec::new(),
                Some(_) => bases.iter().map(|base| addresses::address(base, &one.name)).collect(),
            };
            let made = sign(context, &signer, part(entries, one.part), number, &addresses)?;
            for name in one.known_as.into_iter().chain([one.name.as_str()]) {
                files::replace_public(&list(state, name), &made.der)?;
            }
            next_update = made.next_update;
        }
    }
    // The lists first: what they were made of only says that they need not be made again.
    let published = Published { number, at: now, next_update, entries, operators, names, bases };
    let text = serde_json::to_vec(&published).map_err(|error| Failure::no(error.to_string(), ""))?;
    files::replace_public(&beside, &text)?;
    forget_others(context, &wanted);
    Ok((Some(number), None))
}

/// The CAs that have a list. That of the operators is left out where its key is away: the parties' has to be published all
/// the same.
fn cas(context: &Context) -> Result<Vec<Ca>, Failure> {
    let hierarchy = context.hierarchy()?;
    let mut cas = Vec::new();
    for issuer in Issuer::ALL {
        let present = Ca { issuer, old: false };
        if issuer == Issuer::Operator && !hierarchy.has_key(present.role()) {
            continue;
        }
        cas.push(present);
        // While a rollover is under way there is a list of each generation, and both are made together.
        cas.extend(hierarchy.former(present.role()).map(|_| Ca { issuer, old: true }));
    }
    Ok(cas)
}

/// The lists that there are to be: of each CA the whole, and of the client CA the parts that certificates are on.
fn wanted(context: &Context, cas: &[Ca], has_address: bool) -> Result<Vec<Wanted>, Failure> {
    let hierarchy = context.hierarchy()?;
    let last = context.run(context.registry.last_serial(Issuer::Client))?;
    let parts = last.and_then(|serial| Shard::of(&serial)).map_or(1, Shard::number);
    let parts = parts.max(context.settings.addresses.shards);
    let mut wanted = Vec::new();
    for ca in cas {
        let certificate = match ca.old {
            false => Some(hierarchy.certificate(ca.role())),
            true => hierarchy.former(ca.role()),
        };
        let key_id = certificate.and_then(|one| one.subject_key_id.as_deref()).map(super::hex);
        let Some(key_id) = key_id else { continue };
        let known_as = match (ca.issuer, ca.old) {
            (Issuer::Client, false) => Some(OWN),
            (Issuer::Client, true) => Some(OLD),
            (Issuer::Operator, false) => Some(OPERATORS),
            (Issuer::Operator, true) => None,
        };
        wanted.push(Wanted { ca: *ca, part: None, name: addresses::list(&key_id, None), known_as });
        // A list that is not divided has no parts; a part that no address leads to is none.
        if ca.issuer == Issuer::Client && parts > 1 && has_address {
            wanted.extend((1..=parts).filter_map(Shard::new).map(|part| {
                let name = addresses::list(&key_id, Some(part));
                Wanted { ca: *ca, part: Some(part), name, known_as: None }
            }));
        }
    }
    Ok(wanted)
}

fn part(entries: &[CrlEntry], part: Option<Shard>) -> Vec<CrlEntry> {
    let is_on = |entry: &&CrlEntry| part.is_none() || Shard::of(&entry.serial) == part;
    entries.iter().filter(is_on).cloned().collect()
}

/// Takes away what is published no longer: lists of generations that are past.
fn forget_others(context: &Context, wanted: &[Wanted]) {
    let names = wanted.iter().flat_map(|one| one.known_as.into_iter().chain([one.name.as_str()]));
    let state = &context.settings.state;
    let kept: BTreeSet<_> = names.map(|name| list(state, name)).collect();
    let Some(folder) = list(state, OWN).parent().map(ToOwned::to_owned) else { return };
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_list = path.extension().is_some_and(|extension| extension == "crl")
            && entry.file_name().to_string_lossy().starts_with("own-");
        if is_list && !kept.contains(&path) {
            let _ = std::fs::remove_file(path);
        }
    }
}
