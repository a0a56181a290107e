//! A public host says in the DNS who may issue for it.

use super::prelude::*;
use super::shared::dns;

pub static CHECK: Check = Check {
    id: "caa-absent",
    severity: Severities::web(Notice),
    clause: "RFC 8659 section 3",
    expected: "a CAA record that names the CAs that may issue",
    remedy: "Add a record such as: CAA 0 issue \"your-ca.example\".",
    affected: "the name's owner: any CA may issue for it",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    match dns(chain).and_then(|dns| dns.issuers.as_ref()) {
        Some(set) if set.records.is_empty() => {
            Found::of_host("neither the host's name nor one above it has a CAA record").into()
        }
        _ => Outcome::Pass,
    }
}
