//! Whether a path goes over a CA's certificate for its own new key.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "path-self-issued-rollover",
    severity: Severities::all(Notice),
    clause: "RFC 5280 section 6.1",
    expected: "a path without a CA that certifies its own next key",
    remedy: "Nothing is to be done while both keys are trusted; leave the certificate out once clients have the new root.",
    affected: "clients that take any certificate with equal subject and issuer for a root",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(_: &Chain, context: &Context<'_>) -> Outcome {
    // The shortest path is the one that counts: where it does without, nothing is to be told.
    let Some(path) = context.paths().valid.iter().min_by_key(|path| path.len()) else { return Outcome::Pass };
    let between = path.iter().skip(1).take(path.len().saturating_sub(2));
    Outcome::all(between.filter(|one| one.is_self_issued()).map(|one| {
        let place = one.place_of(one.fields().issuer, "tbsCertificate.issuer");
        Found::new(one, place, format!("{} certifies a new key of its own", one.shown_name()))
    }))
}
