//! A key is none whose private part is known to others.
//!
//! Keys out of examples, firmware and leaks go on being used. The list is the user's to give: see [`crate::side::KeyList`].

use super::prelude::*;
use super::shared_lists::find;
use crate::side::KeyListKind;

pub static CHECK: Check = Check {
    id: "known-compromised-key",
    severity: Severities::all(Error),
    clause: "BR section 6.1.1.3",
    expected: "a key that nobody else holds",
    remedy: "Make a new key, have a new certificate issued for it, and have this one revoked.",
    affected: "everyone: others hold the private key",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    find(chain, context, KeyListKind::Compromised, "a key whose private part is public")
}
