//! A revocation list has a number, its issuer's key identifier and a date for the next, and no critical extension that nobody knows.

use super::prelude::*;
use super::shared_evidence::lists;

pub static CHECK: Check = Check {
    id: "crl-profile",
    severity: Severities::all(Warning).rfc5280(Some(Error)).on_web(Some(Error)),
    clause: "RFC 5280 section 5.2, BR section 7.2",
    expected: "cRLNumber, authorityKeyIdentifier, nextUpdate",
    remedy: "Have the CA publish lists that follow RFC 5280.",
    affected: "strict clients; who compares lists cannot tell which is newer",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _: &Context<'_>) -> Outcome {
    Outcome::all(lists(chain).into_iter().flat_map(|(given, issuer)| {
        let list = &given.list;
        let wrong = [
            (list.number.is_none(), "its revocation list has no number".to_owned()),
            (!given.has_authority_key_id, "its revocation list has no authorityKeyIdentifier".into()),
            (list.next_update.is_none(), "its revocation list does not say when the next is due".into()),
            (
                !list.unknown_critical.is_empty(),
                format!(
                    "its revocation list has the unknown critical extension {}",
                    list.unknown_critical.join(", ")
                ),
            ),
        ];
        wrong
            .into_iter()
            .filter(|(is_wrong, _)| *is_wrong)
            .map(|(_, observed)| Found::new(issuer, issuer.place(), observed))
    }))
}
