//! What ought to be served is the shortest chain that holds; the report has it as the repaired chain.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-suggested-minimal",
    severity: Severities::all(Notice),
    clause: "RFC 8446 section 4.4.2",
    expected: "the shortest chain that holds",
    remedy: "Serve these certificates in this order, and no other.",
    affected: "those whom the findings about the served certificates name",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-leaf-not-first"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let (Some(first), Some(path)) = (chain.end_entity(), shared::suggested(chain, context)) else {
        return Outcome::Pass;
    };
    let names: Vec<String> = path.iter().map(|one| one.shown_name()).collect();
    let served = match chain.served.len() {
        1 => "1 certificate is".to_owned(),
        many => format!("{many} certificates are"),
    };
    let observed = format!("{served} served, and not the shortest chain that holds");
    Found::new(first, first.place(), observed).expected(names.join(", then ")).into()
}
