//! The checks: one a file, in areas, and [`ALL`], the one list of them.
//!
//! To add a check:
//!
//! 1. Write `checks/<area>/<id_with_underscores>.rs` after a neighbour: a comment that says the rule in one sentence, a
//!    `pub static CHECK`, and `fn run`. It sees one certificate ([`check::Run::Certificate`]) or the chain
//!    ([`check::Run::Chain`]), and the [`check::Context`]: profile, moment, host name.
//! 2. Name it in the area's `mod.rs`: a `mod` line, and a line in its `ALL`.
//! 3. Give `tests/recipes/<area>.rs` at least one certificate that passes and one that fails, made from the right one of
//!    `tests/support/spec.rs` by changing one thing, and make the fixtures:
//!    `COUNTERSIGN_MAKE_FIXTURES=1 cargo test --profile checked -p examiner --test fixtures`. Read what changed under
//!    `fixtures/` before you commit it: a report of another check that changed is a false alarm or a second finding for
//!    one cause (then see `consequence_of`).
//!
//! Rules: what cannot be read is never passed in silence. [`certificate-unreadable`](encoding) and
//! [`extension-undecodable`](encoding) say it once for all, so another check passes over what is missing or undecodable
//! for that reason. Dates stand in [`crate::dates`]. Text out of a certificate is shown through [`crate::report::shown`].

pub mod check;
pub(crate) mod gravity;
pub mod left_out;
pub mod prelude;

pub mod ca;
pub mod chain;
pub mod client;
pub mod dns;
pub mod encoding;
pub mod handshake;
pub mod identifiers;
pub mod keys;
pub mod names;
pub mod revocation;
pub mod san;
pub mod transparency;
pub mod trust;
pub mod usage;
pub mod validity;

use check::Check;

/// Every area with its checks.
pub static ALL: &[(&str, &[&Check])] = &[
    ("encoding", encoding::ALL),
    ("validity", validity::ALL),
    ("names", names::ALL),
    ("san", san::ALL),
    ("keys", keys::ALL),
    ("usage", usage::ALL),
    ("ca", ca::ALL),
    ("identifiers", identifiers::ALL),
    ("chain", chain::ALL),
    ("trust", trust::ALL),
    ("client", client::ALL),
    ("revocation", revocation::ALL),
    ("transparency", transparency::ALL),
    ("handshake", handshake::ALL),
    ("dns", dns::ALL),
];

/// Every check, in the order of [`ALL`].
pub fn all() -> impl Iterator<Item = &'static Check> {
    ALL.iter().flat_map(|(_, checks)| checks.iter().copied())
}

/// The check with this id.
pub fn named(id: &str) -> Option<&'static Check> {
    all().find(|check| check.id == id)
}
