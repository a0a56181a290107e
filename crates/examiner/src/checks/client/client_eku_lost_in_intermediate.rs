//! Each issuer with purposes has clientAuth among them.

use super::prelude::*;
use super::shared::{listed, purposes_place};
use crate::checks::usage::eku_nesting_broken::lost_at;

pub static CHECK: Check = Check {
    id: "client-eku-lost-in-intermediate",
    severity: Severities::client(Error),
    clause: "practice: clients and servers intersect the purposes along the path",
    expected: "TLS Web Client Authentication, any purpose, or no extKeyUsage",
    remedy: "Have it issued under an intermediate that may issue for clients.",
    affected: "servers built on OpenSSL, Go and rustls",
    in_force: None,
    consequence_of: &["certificate-unreadable", "eku-empty"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let lost = chain.end_entity().and_then(|first| lost_at(chain, first, oid::CLIENT_AUTH));
    let Some(lost) = lost else { return Outcome::Pass };
    Outcome::found(lost, purposes_place(lost), format!("it lists {} alone", listed(lost).join(", ")))
}
