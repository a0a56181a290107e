//! No expired certificate is served along with a chain that holds without it.

use super::prelude::*;
use super::shared;

pub static CHECK: Check = Check {
    id: "chain-expired-extra",
    severity: Severities::all(Warning),
    clause: "practice (AddTrust in 2020, DST Root CA X3 in 2021)",
    expected: "only certificates that are valid",
    remedy: "Take the expired certificate out of the certificate file: the chain holds without it.",
    affected: "clients that follow the served chain alone: OpenSSL 1.0, GnuTLS before 3.6.14, old embedded clients",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    Outcome::all(shared::expired_extras(chain, context).into_iter().map(|extra| {
        let place = extra.place_of(extra.fields().not_after, "tbsCertificate.validity.notAfter");
        let ended = extra.not_after.map(|last| last.to_string()).unwrap_or_default();
        Found::new(
            extra,
            place,
            format!("{} ended {ended}, and the chain holds without it", extra.shown_name()),
        )
    }))
}
