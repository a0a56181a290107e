//! A client that takes the first issuer that fits comes to a trust anchor, too.

use super::prelude::*;
use crate::path::clients;

pub static CHECK: Check = Check {
    id: "path-nonbacktracking-client-fails",
    severity: Severities::all(Warning),
    clause: "practice (OpenSSL builds one path and does not turn back)",
    expected: "a chain that holds for a client that tries one path",
    remedy: "Serve only the certificates of the path that holds, in order.",
    affected: "OpenSSL and what is built on it: curl, nginx and HAProxy towards upstreams, Python, PHP, Ruby",
    in_force: None,
    consequence_of: &[
        "certificate-unreadable",
        "root-not-self-signed-anchor",
        "chain-incomplete",
        "aki-ski-mismatch",
        "chain-leaf-not-first",
    ],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(first) = chain.end_entity().filter(|_| clients::full_accepts(context.clients())) else {
        return Outcome::Pass;
    };
    match clients::astray(context.clients()) {
        Some((why, path)) => {
            let names: Vec<String> =
                path.iter().skip(1).filter_map(|i| chain.all().nth(*i)).map(Examinee::shown_name).collect();
            let way = if names.is_empty() { "nowhere".into() } else { names.join(", then ") };
            Outcome::found(first, first.place(), format!("OpenSSL goes to {way}, and stops: {why}"))
        }
        None => Outcome::Pass,
    }
}
