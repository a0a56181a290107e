//! A country is one of ISO 3166-1, in capitals; XX stands for a place on no list.

use super::prelude::*;
use super::shared::{COUNTRY, JURISDICTION_COUNTRY, attributes};
use crate::dates::BASELINE;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "country-not-iso",
    severity: Severities::all(Error).private_server(Some(Warning)).mtls_client(Some(Warning)),
    clause: "BR section 7.1.2.7, X.520 section 6.3.1",
    expected: "two capital letters of ISO 3166-1",
    remedy: "Have it issued again with the right country.",
    affected: "linters; software that reads the country",
    in_force: Some(BASELINE),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

/// The officially assigned codes.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ \
    BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR \
    CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU \
    ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ \
    LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ \
    MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF \
    PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI \
    SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR \
    TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let countries =
        attributes(certificate).filter(|one| [COUNTRY, JURISDICTION_COUNTRY].contains(&one.oid.as_str()));
    Outcome::all(countries.filter_map(|one| {
        let text = one.text()?;
        let known =
            text == "XX" || (text.len() == 2 && COUNTRIES.split_whitespace().any(|country| country == text));
        (!known).then(|| {
            Found::new(
                certificate,
                one.place.clone(),
                format!("the country is \u{201c}{}\u{201d}", shown(&text)),
            )
        })
    }))
}
