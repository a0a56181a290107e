//! A key is none of those that Debian's broken random numbers made (CVE-2008-0166).
//!
//! There are so few of them that all are known. The list is the user's to give: see [`crate::side::KeyList`].

use super::prelude::*;
use super::shared_lists::find;
use crate::side::KeyListKind;

pub static CHECK: Check = Check {
    id: "debian-weak-key",
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
    find(
        chain,
        context,
        KeyListKind::DebianWeak,
        "one of the keys that Debian's OpenSSL of 2006 to 2008 made",
    )
}
