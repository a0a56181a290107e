//! Public certificates do not name units of organisations.

use super::prelude::*;
use super::shared::{ORGANIZATION, UNIT, attributes, names};
use crate::dates::{BR_PROFILES, NO_ORGANIZATIONAL_UNIT, UNIT_NEEDS_ORGANIZATION};

pub static CHECK: Check = Check {
    id: "organizational-unit-present",
    severity: Severities::web(Error),
    clause: "BR sections 7.1.2.7 and 7.1.2.10.2",
    expected: "no organizationalUnitName",
    remedy: "Ask for the next certificate without it; what it says was never verified.",
    affected: "root programmes; the CA may have to revoke it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let since = |from: UnixTime| certificate.not_before.is_none_or(|issued| issued >= from);
    let (from, what) = match certificate.role {
        Role::EndEntity if since(NO_ORGANIZATIONAL_UNIT) => {
            (NO_ORGANIZATIONAL_UNIT, "the subject names a unit of an organisation")
        }
        Role::EndEntity if !names(certificate, ORGANIZATION) => {
            (UNIT_NEEDS_ORGANIZATION, "the subject names a unit without its organisation")
        }
        Role::EndEntity => return Outcome::Pass,
        Role::Intermediate | Role::Root => (BR_PROFILES, "the subject has a unit in the name of a CA"),
    };
    if !since(from) {
        return Outcome::Pass;
    }
    let all = attributes(certificate).filter(|one| one.oid == UNIT);
    Outcome::all(all.map(|one| Found::new(certificate, one.place.clone(), what).in_force(from)))
}
