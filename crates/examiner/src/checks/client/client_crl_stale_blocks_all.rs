//! The revocation list of a client CA holds: a server that obeys an old one refuses all its clients.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "client-crl-stale-blocks-all",
    severity: Severities::client(Error),
    clause: "RFC 5280 section 6.3.3",
    expected: "a list whose nextUpdate is ahead",
    remedy: "Fetch the list again, and watch its nextUpdate; say what the server does with an old one.",
    affected: "all clients of this CA, where the server obeys the list",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    Outcome::all(chain.side.crls.iter().filter_map(|given| {
        let next = given.list.next_update.filter(|next| *next < context.at)?;
        let signer = |one: &&Examinee| one.subject_der() == given.list.issuer && given.list.is_signed_by(one);
        let issuer = chain.all().find(signer)?;
        let observed = format!("the revocation list of {} held until {next}", issuer.shown_name());
        Some(Found::new(issuer, issuer.place(), observed))
    }))
}
