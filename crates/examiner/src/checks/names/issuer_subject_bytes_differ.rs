//! The issuer field is the issuer's subject, byte for byte.

use super::prelude::*;
use crate::chain::DistinguishedName;

pub static CHECK: Check = Check {
    id: "issuer-subject-bytes-differ",
    severity: Severities::all(Error).private_server(Some(Warning)),
    clause: "RFC 5280 section 7.1, BR section 7.1.2.7",
    expected: "the bytes of the issuer's subject",
    remedy: "Have the certificate issued again by a CA that copies its own subject.",
    affected: "clients that compare names as bytes: rustls, Go, Firefox, Chrome",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let folded = |name: &Option<DistinguishedName>| {
        let text = name.as_ref()?.to_string().to_lowercase();
        Some(text.split_whitespace().collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
    };
    Outcome::all(chain.examined().filter_map(|one| {
        let issuer = folded(&one.issuer)?;
        if chain.issuers_by_name(one).next().is_some() {
            return None;
        }
        let other = chain
            .all()
            .find(|other| other.is_issuer() && folded(&other.subject).as_ref() == Some(&issuer))?;
        let place = one.place_of(one.fields().issuer, "tbsCertificate.issuer");
        let observed =
            format!("it names its issuer as certificate {} is named, but in other bytes", other.index);
        Some(Found::new(one, place, observed))
    }))
}
