//! The certificates that a host pins in the DNS are those that it serves.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use data_encoding::HEXLOWER;

use super::prelude::*;
use super::shared::dns;
use crate::report::shown;
use crate::side::Tlsa;

pub static CHECK: Check = Check {
    id: "tlsa-mismatch",
    severity: Severities::all(Error),
    clause: "RFC 6698 section 2.1, RFC 7671 section 5",
    expected: "a TLSA record that matches the chain that is served",
    remedy: "Publish a record for the certificate in use, best 3 1 1 of its key; before a change, publish the next one too.",
    affected: "clients that verify by DANE: mail servers above all, which then do not deliver",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(set) = dns(chain).and_then(|dns| dns.pins.as_ref()) else { return Outcome::Pass };
    // What a client cannot use, it passes over (RFC 7671 section 4.1).
    let usable: Vec<&Tlsa> =
        set.records.iter().filter(|one| one.usage <= 3 && one.selector <= 1 && one.matching <= 2).collect();
    if usable.is_empty() || usable.iter().any(|one| matches(chain, one)) {
        return Outcome::Pass;
    }
    let records: Vec<String> = usable
        .iter()
        .map(|one| {
            let data: String = one.data.chars().take(16).collect();
            format!("{} {} {} {data}\u{2026}", one.usage, one.selector, one.matching)
        })
        .collect();
    let observed =
        format!("none of the TLSA records of {} matches: {}", shown(&set.name), records.join(", "));
    match set.is_authentic {
        true => Found::of_host(observed).into(),
        false => {
            let observed =
                format!("{observed}; the answer is not verified by DNSSEC, so clients do not use it");
            Found::of_host(observed).severity(Warning).into()
        }
    }
}

/// Whether a certificate of the chain is the pinned one: the first for 1 and 3, an issuer for 0 and 2.
fn matches(chain: &Chain, pin: &Tlsa) -> bool {
    let is_pinned =
        |one: &Examinee| associated(one, pin).is_some_and(|data| HEXLOWER.encode(&data) == pin.data);
    match pin.usage {
        1 | 3 => chain.end_entity().is_some_and(is_pinned),
        // A root that is not served may be pinned as PKIX-TA, where it is known.
        0 => chain.all().filter(|one| one.index != 0).any(is_pinned),
        _ => chain.served.iter().skip(1).any(is_pinned),
    }
}

fn associated(certificate: &Examinee, pin: &Tlsa) -> Option<Vec<u8>> {
    let selected = match pin.selector {
        0 => certificate.der().to_vec(),
        _ => certificate.fields().spki?.element.bytes().to_vec(),
    };
    Some(match pin.matching {
        0 => selected,
        1 => digest(&SHA256, &selected).as_ref().to_vec(),
        _ => digest(&SHA512, &selected).as_ref().to_vec(),
    })
}
