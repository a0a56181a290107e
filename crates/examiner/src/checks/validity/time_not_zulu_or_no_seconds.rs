//! Times have seconds, end with Z, and nothing else.

use super::prelude::*;
use super::shared_dates::dates;
use crate::cert::tlv::tag;
use crate::chain::moment;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "time-not-zulu-or-no-seconds",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.5.1",
    expected: "YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ",
    remedy: "Have the certificate issued again by software that writes times right.",
    affected: "strict clients: rustls, Go, Firefox",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(dates(certificate).filter_map(|date| {
        let digits = match date.element {
            e if e.is(tag::UTC_TIME) => 12,
            e if e.is(tag::GENERALIZED_TIME) => 14,
            _ => {
                return Some(Found::new(
                    certificate,
                    date.place,
                    "a time is neither UTCTime nor GeneralizedTime",
                ));
            }
        };
        let content = date.element.content();
        let right = content.len() == digits + 1
            && content[..digits].iter().all(u8::is_ascii_digit)
            && content[digits] == b'Z'
            && moment(date.element).is_some();
        let text = shown(&String::from_utf8_lossy(content));
        (!right)
            .then(|| Found::new(certificate, date.place, format!("a time is written \u{201c}{text}\u{201d}")))
    }))
}
