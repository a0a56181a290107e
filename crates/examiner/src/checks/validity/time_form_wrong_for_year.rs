//! Times up to 2049 are UTCTime, later ones GeneralizedTime.

use super::prelude::*;
use super::shared_dates::dates;
use crate::cert::tlv::tag;
use crate::chain::moment;
use crate::dates::day;

pub static CHECK: Check = Check {
    id: "time-form-wrong-for-year",
    severity: Severities::all(Error),
    clause: "RFC 5280 section 4.1.2.5",
    expected: "UTCTime up to the year 2049, GeneralizedTime from 2050 on",
    remedy: "Have the certificate issued again by software that writes times right.",
    affected: "strict clients: rustls, Go, Firefox",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    Outcome::all(dates(certificate).filter_map(|date| {
        // A UTCTime cannot say a year after 2049.
        let when = moment(date.element)?;
        let early = date.element.is(tag::GENERALIZED_TIME) && when < day(2050, 1, 1);
        early.then(|| Found::new(certificate, date.place, format!("{when} as GeneralizedTime")))
    }))
}
