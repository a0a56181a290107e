//! A revocation list holds at the moment, and its address gives it where fetching is allowed.

use super::prelude::*;
use super::shared_evidence::lists;
use crate::dates::is_ahead;
use crate::side::Sought;

pub static CHECK: Check = Check {
    id: "crl-unreachable-expired",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 5.1.2.5, section 6.3.3",
    expected: "thisUpdate before now, nextUpdate after",
    remedy: "Fetch the list again; see that what publishes it runs.",
    affected: "whatever obeys the list: an old one shuts everybody out, or lets revoked certificates in",
    in_force: None,
    consequence_of: &["certificate-unreadable", "client-crl-stale-blocks-all"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let over = lists(chain).into_iter().filter_map(|(given, issuer)| {
        let list = &given.list;
        let observed = match list.next_update {
            _ if is_ahead(list.this_update, context.at) => {
                format!("its revocation list holds from {} on", list.this_update)
            }
            Some(next) if next < context.at => format!("its revocation list held until {next}"),
            _ => return None,
        };
        Some(Found::new(issuer, issuer.place(), observed))
    });
    Outcome::all(over.chain(unreachable(chain)))
}

fn unreachable(chain: &Chain) -> impl Iterator<Item = Found> {
    let asked = chain.side.asked.iter().filter(|one| one.sought == Sought::RevocationList);
    asked.filter_map(|one| {
        let why = one.came.as_ref().err()?;
        let certificate = chain.examined().find(|certificate| certificate.thumbprint == one.about)?;
        let place = certificate.extension_place(id::CRL_DISTRIBUTION_POINTS);
        let found = Found::new(certificate, place, format!("{} gave no list: {why}", one.url));
        Some(found.severity(Warning).expected("a revocation list in DER"))
    })
}
