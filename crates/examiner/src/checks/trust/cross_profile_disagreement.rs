//! Whether clients judge a chain differently that holds by the standard.

use super::prelude::*;
use crate::path::clients;

pub static CHECK: Check = Check {
    id: "cross-profile-disagreement",
    severity: Severities::all(Notice),
    clause: "practice (each client's own rules beyond RFC 5280)",
    expected: "the same verdict of every client",
    remedy: "See why the client named refuses; serve a chain that all of them take if its users matter to you.",
    affected: "the clients that are named as refusing",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "path-nonbacktracking-client-fails",
        "root-not-self-signed-anchor",
        "chain-incomplete",
        "chain-too-long",
        "aki-ski-mismatch",
        "chain-leaf-not-first",
    ],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let judged = context.clients();
    let Some(first) = chain.end_entity().filter(|_| clients::full_accepts(judged)) else {
        return Outcome::Pass;
    };
    match clients::refusals(judged) {
        Some(refusals) => Outcome::found(first, first.place(), refusals),
        None => Outcome::Pass,
    }
}
