//! A revocation list by itself (RFC 5280 section 5): whose it is, how long it holds, and whether its issuer signed it.

use crate::cert::UnixTime;
use crate::chain::Examinee;
use crate::dates::is_ahead;
use crate::report::{Needs, Severity};
use crate::side::GivenCrl;

use super::{Looked, name};

pub(super) fn look(
    looked: &mut Looked,
    der: &[u8],
    at_hand: &[&Examinee],
    at: UnixTime,
) -> Result<(), String> {
    let given = GivenCrl::from_der(der).map_err(|error| error.to_string())?;
    let list = &given.list;
    let issuer = name(&list.issuer);
    looked.fact("issuer", issuer.clone());
    if let Some(number) = list.number_octets() {
        looked.fact("number", format!("0x{}", data_encoding::HEXLOWER.encode(&number)));
    }
    looked.fact("made", list.this_update.to_string());
    looked.fact("holds until", list.next_update.map_or("it does not say".into(), |next| next.to_string()));
    looked.fact(
        "names",
        match list.count() {
            1 => "1 revoked certificate".into(),
            n => format!("{n} revoked certificates"),
        },
    );
    if let Some(scope) = &given.scope {
        let of = match (scope.only_cas, scope.only_end_entities) {
            (true, _) => "CA certificates alone",
            (_, true) => "end-entity certificates alone",
            _ => "one part of its issuer's certificates",
        };
        looked.fact("speaks of", of);
    }
    looked.signed_with(list.signature_algorithm());

    if is_ahead(list.this_update, at) {
        looked.as_check(
            "crl-unreachable-expired",
            Severity::Error,
            format!("it holds from {} on", list.this_update),
        );
    } else if let Some(next) = list.next_update.filter(|next| *next < at) {
        looked.as_check("crl-unreachable-expired", Severity::Error, format!("it held until {next}"));
    }
    let mut faults: Vec<String> = Vec::new();
    faults.extend(list.flaw.map(str::to_owned));
    faults.extend(list.next_update.is_none().then(|| "it has no nextUpdate".to_owned()));
    faults.extend(list.number.is_none().then(|| "it has no CRL number".to_owned()));
    faults.extend((!given.has_authority_key_id).then(|| "it has no authorityKeyIdentifier".to_owned()));
    faults.extend(list.unknown_critical.iter().map(|oid| format!("its critical extension {oid} is unknown")));
    if !faults.is_empty() {
        looked.as_check("crl-profile", Severity::Warning, faults.join("; "));
    }
    let mut issuers = at_hand.iter().filter(|one| one.subject_der() == list.issuer).peekable();
    if issuers.peek().is_none() {
        let why =
            format!("whether {issuer} signed it: that certificate is not at hand (--intermediates, --roots)");
        looked.untold("crl-signature-or-issuer-wrong", Needs::Issuer, why);
    } else if !issuers.any(|one| list.is_signed_by(one)) {
        let observed = format!("its signature is not that of {issuer}");
        looked.as_check("crl-signature-or-issuer-wrong", Severity::Error, observed);
    }
    Ok(())
}
