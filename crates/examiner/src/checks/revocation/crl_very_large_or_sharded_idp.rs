//! A revocation list is small enough to fetch, and covers the certificate.

use super::prelude::*;
use super::shared_evidence::lists;

const LARGE: usize = 1 << 20;

pub static CHECK: Check = Check {
    id: "crl-very-large-or-sharded-idp",
    severity: Severities::all(Notice),
    clause: "RFC 5280 section 5.2.5, BR section 7.2.2.1",
    expected: "a whole list of less than a mebibyte, or the part that the certificate names",
    remedy: "Give the part of the list that the certificate's distribution point names.",
    affected: "small clients; and nothing is told of a certificate that the list does not cover",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    let Some(certificate) = chain.end_entity() else { return Outcome::Pass };
    Outcome::all(lists(chain).into_iter().filter_map(|(given, issuer)| {
        let about_leaf = issuer.subject_der() == certificate.issuer_der();
        let observed = match given.covers(certificate) {
            _ if given.size > LARGE => format!("its revocation list has {} octets", given.size),
            None => "its revocation list covers some certificates or reasons only".into(),
            Some(false) if about_leaf => {
                "its revocation list is a part that does not cover the end entity".into()
            }
            _ => return None,
        };
        Some(Found::new(issuer, issuer.place(), observed))
    }))
}
