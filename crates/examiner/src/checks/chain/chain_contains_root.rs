//! The root stays at home: who trusts it has it.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-contains-root",
    severity: Severities::all(Notice),
    clause: "RFC 8446 section 4.4.2",
    expected: "a chain that ends below the trust anchor",
    remedy: "Leave the root out of the served chain; it only costs bytes in each handshake.",
    affected: "nobody; each handshake is larger than it needs to be",
    in_force: None,
    consequence_of: &["certificate-unreadable", "chain-leaf-not-first", "untrusted-root"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    if !shared::is_chain(chain) {
        return Outcome::Pass;
    }
    let reachable = shared::reachable(chain);
    let is_anchor = |one: &Examinee| chain.anchors.iter().flatten().any(|anchor| anchor.der() == one.der());
    let roots = chain.served.iter().skip(1).filter(|one| reachable[one.index]);
    Outcome::all(roots.filter(|one| is_anchor(one) || (one.is_self_issued() && one.role == Role::Root)).map(
        |root| {
            let observed = format!("the root {} is served, {} bytes", root.shown_name(), root.der().len());
            Found::new(root, root.place(), observed)
        },
    ))
}
