//! An OCSP response by itself (RFC 6960): what it says of which certificate, and for how long.

use crate::cert::UnixTime;
use crate::chain::Examinee;
use crate::dates::is_ahead;
use crate::input::NO_ANSWER;
use crate::report::{Needs, Severity};
use crate::side::{OcspResponse, Responder, SignerFault, Status};

use super::{Looked, name};

pub(super) fn look(
    looked: &mut Looked,
    der: &[u8],
    at_hand: &[&Examinee],
    at: UnixTime,
) -> Result<(), String> {
    let response = OcspResponse::from_der(der).map_err(|error| error.to_string())?;
    if response.status != 0 {
        let meaning = match response.status {
            1 => "malformedRequest",
            2 => "internalError",
            3 => "tryLater",
            5 => "sigRequired",
            6 => "unauthorized",
            _ => "unknown",
        };
        looked.fact("status", format!("{meaning} ({})", response.status));
        looked.note(NO_ANSWER, format!("the responder gave no answer: {meaning} ({})", response.status));
        return Ok(());
    }
    match &response.responder {
        Some(Responder::Name(der)) => looked.fact("responder", name(der)),
        Some(Responder::Key(hash)) => {
            looked.fact("responder", format!("key {}", data_encoding::HEXLOWER.encode(hash)))
        }
        None => {}
    }
    if let Some(made) = response.produced_at {
        looked.fact("made", made.to_string());
    }
    for answer in &response.answers {
        let says = match answer.status {
            Status::Good => "not revoked".to_owned(),
            Status::Revoked(since) => format!("revoked since {since}"),
            Status::Unknown => "unknown to the responder".to_owned(),
        };
        let until = answer.next_update.map(|next| format!(" until {next}")).unwrap_or_default();
        let serial = data_encoding::HEXLOWER.encode(answer.serial());
        looked.fact("serial", format!("{serial}: {says}, from {}{until}", answer.this_update));
        let stale = "ocsp-response-stale-or-future";
        if is_ahead(answer.this_update, at) {
            looked.as_check(
                stale,
                Severity::Error,
                format!("its answer holds from {} on", answer.this_update),
            );
        } else if let Some(next) = answer.next_update.filter(|next| *next < at) {
            looked.as_check(stale, Severity::Error, format!("its answer held until {next}"));
        }
    }
    if let Some(algorithm) = &response.algorithm {
        looked.signed_with(&algorithm.oid);
    }
    // The issuer is told by what it signed, or by what it had another sign.
    let judged: Vec<_> = at_hand.iter().map(|issuer| response.signer(issuer, at)).collect();
    let worst = judged.iter().find_map(|one| match one {
        Err(SignerFault::Purpose) => Some("its signer's certificate does not list the purpose OCSP signing"),
        Err(SignerFault::Time) => Some("its signer's certificate is not valid at this time"),
        _ => None,
    });
    if judged.iter().any(Result::is_ok) {
        looked.fact("signature", "by the issuer, or by whom it named");
    } else if let Some(why) = worst {
        looked.as_check("ocsp-signer-not-authorised", Severity::Error, why);
    } else {
        let why = "whether who signed it may: the issuer of the certificate is not at hand (--intermediates, --roots)";
        looked.untold("ocsp-signer-not-authorised", Needs::Issuer, why);
    }
    Ok(())
}
