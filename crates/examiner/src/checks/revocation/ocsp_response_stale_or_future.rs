//! An OCSP response holds at the moment.

use super::prelude::*;
use super::shared_evidence::told;
use crate::dates::is_ahead;

pub static CHECK: Check = Check {
    id: "ocsp-response-stale-or-future",
    severity: Severities::all(Error),
    clause: "RFC 6960 section 4.2.2.1, BR section 4.9.10",
    expected: "thisUpdate before now, nextUpdate after",
    remedy: "Fetch a new response; see that the server renews its stapled one, and that its clock is right.",
    affected: "clients that check the status: they do not take the response",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Chain(run),
};

fn run(chain: &Chain, context: &Context<'_>) -> Outcome {
    Outcome::all(told(chain).iter().filter_map(|told| {
        let answer = told.answer;
        let produced = told.response.produced_at;
        let observed = if is_ahead(answer.this_update, context.at) {
            format!("the response holds from {} on", answer.this_update)
        } else if produced.is_some_and(|produced| is_ahead(produced, context.at)) {
            "the response says that it was made in the future".into()
        } else if produced.is_some_and(|produced| answer.this_update > produced) {
            "the response says that it was made before it holds".into()
        } else {
            match answer.next_update {
                Some(next) if next < context.at => format!("the response held until {next}"),
                Some(next) if next < answer.this_update => "the response ends before it begins".into(),
                Some(_) => return None,
                None if context.profile != Profile::Web => return None,
                None => "the response does not say until when it holds".into(),
            }
        };
        Some(Found::new(told.certificate, told.certificate.place(), observed))
    }))
}
