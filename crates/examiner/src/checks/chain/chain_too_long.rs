//! The chain is no longer than clients go along.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "chain-too-long",
    severity: Severities::all(Warning),
    clause: "practice (the limits of the clients)",
    expected: "a chain that clients go along to its end",
    remedy: "Have the certificate issued by a CA nearer to the root.",
    affected: "clients with a limit on the length of a chain, rustls first",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

/// How many intermediates rustls takes.
const MOST: usize = 6;
/// How many Countersign's gate takes of a client.
const MOST_OF_A_CLIENT: usize = 4;

fn run(_: &Chain, context: &Context<'_>) -> Outcome {
    let (most, who) = match context.profile {
        Profile::MtlsClient => (MOST_OF_A_CLIENT, "Countersign's gate"),
        _ => (MOST, "rustls and what is built with it: curl with rustls, many apps and API clients"),
    };
    let shortest = context.paths().valid.iter().min_by_key(|path| path.len());
    let Some(path) = shortest.filter(|path| path.len() > most + 2) else { return Outcome::Pass };
    let beyond = path[most + 1];
    let observed = format!("{} intermediates stand between it and the trust anchor", path.len() - 2);
    Found::new(path[0], path[0].place(), observed)
        .expected(format!("at most {most} intermediates; {} is one too many", beyond.shown_name()))
        .affected(who)
        .into()
}
