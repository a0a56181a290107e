//! CAA records are ones that CAs can read: known tags where they are critical, and values of the right form.

use super::prelude::*;
use super::shared::caa;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "caa-critical-unknown-or-syntax",
    severity: Severities::web(Warning),
    clause: "RFC 8659 sections 4.1 and 4.2",
    expected: "tags that CAs know, and a CA's name with tag=value parameters behind semicolons",
    remedy: "Write the record anew, such as: CAA 0 issue \"your-ca.example\".",
    affected: "the next renewal: a CA that does not understand a critical record must refuse it",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

/// The tags that are registered (IANA, Certification Authority Restriction Properties).
const TAGS: &[&str] =
    &["issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"];

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let Some(set) = caa(chain) else { return Outcome::Pass };
    let name = shown(&set.name);
    Outcome::all(set.records.iter().filter_map(|one| {
        let (tag, value) = (shown(&one.tag), shown(&one.value));
        if !TAGS.contains(&one.tag.as_str()) {
            let observed = format!("a critical CAA record of {name} has the tag {tag}, which is not known");
            return one.is_critical.then(|| Found::of_host(observed));
        }
        let is_wrong = one.tag.starts_with("issue") && one.issuer().is_none();
        is_wrong.then(|| Found::of_host(format!("the CAA record {tag} of {name} has the value {value}")))
    }))
}
