//! The purpose that the end entity is used for is allowed by every intermediate above it that lists purposes.
//!
//! Clients take the purposes together along the path, although no standard says so. Of client certificates it is told by
//! `client-eku-lost-in-intermediate`.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-nesting-broken",
    severity: Severities::servers(Error),
    clause: "practice of all TLS clients; BR section 7.1.2.10.6",
    expected: "intermediates that allow the purpose",
    remedy: "Have the certificate issued by a CA that is for this purpose.",
    affected: "every client: OpenSSL, Go, rustls, Windows, browsers",
    in_force: None,
    consequence_of: &["certificate-unreadable", "eku-empty"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    let Some(end_entity) = chain.end_entity() else { return Outcome::Pass };
    let purpose = context.purpose();
    let Some(lost) = lost_at(chain, end_entity, purpose) else { return Outcome::Pass };
    let place = lost.extension_place(id::EXTENDED_KEY_USAGE);
    Outcome::found(lost, place, format!("it does not allow {}", oid::key_purpose_name(purpose)))
}

/// Where the purpose is lost: the lowest certificate all of whose alternatives lose it.
pub(in crate::checks) fn lost_at<'a>(
    chain: &'a Chain,
    end_entity: &'a Examinee,
    purpose: &str,
) -> Option<&'a Examinee> {
    let mut level = vec![end_entity];
    let mut passed: Vec<usize> = vec![end_entity.index];
    while !level.is_empty() {
        let above: Vec<&Examinee> = level
            .iter()
            .flat_map(|certificate| chain.issuers_by_name(certificate))
            .filter(|issuer| issuer.role == Role::Intermediate && !passed.contains(&issuer.index))
            .collect();
        passed.extend(above.iter().map(|issuer| issuer.index));
        let (keep, lose): (Vec<&Examinee>, Vec<&Examinee>) =
            above.into_iter().partition(|i| allows(i, purpose));
        if keep.is_empty() {
            return lose.first().copied();
        }
        level = keep;
    }
    None
}

fn allows(issuer: &Examinee, purpose: &str) -> bool {
    match &issuer.known.extended_key_usage {
        Decoded::Read(all) => {
            all.is_empty()
                || all.iter().any(|one| one.oid == purpose || one.oid == oid::ANY_EXTENDED_KEY_USAGE)
        }
        // Absent allows all; what cannot be decoded is told elsewhere.
        _ => true,
    }
}
