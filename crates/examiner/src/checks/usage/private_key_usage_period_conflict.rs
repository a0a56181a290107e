//! A period for the use of the private key, where one is given, lies within the certificate's validity and is not over.

use super::prelude::*;
use crate::cert::tlv::{Budget, read};
use crate::chain::moment;

pub static CHECK: Check = Check {
    id: "private-key-usage-period-conflict",
    severity: Severities::all(Notice),
    clause: "RFC 3280 section 4.2.1.4",
    expected: "a period within the certificate's validity, or none",
    remedy: "Have it issued again without the extension; TLS clients ignore it.",
    affected: "software that obeys the extension",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(extension) = certificate.extension(id::PRIVATE_KEY_USAGE_PERIOD) else { return Outcome::Pass };
    let found = |observed: String| Outcome::found(certificate, extension.place.clone(), observed);
    let Some(root) = extension.tree.as_ref().and_then(|tree| tree.root()) else {
        return found("the period cannot be read".into());
    };
    let bound = |number| root.context_child(number).map(|element| period_end(element.content()));
    match (bound(0), bound(1)) {
        (None, None) => found("it gives neither a beginning nor an end".into()),
        (Some(None), _) | (_, Some(None)) => found("the period cannot be read".into()),
        (_, Some(Some(end))) if end < context.at => found(format!("the private key's use ended {end}")),
        (Some(Some(begin)), Some(Some(end))) if end < begin => found("it ends before it begins".into()),
        (Some(Some(begin)), _) if certificate.not_before.is_some_and(|first| begin < first) => {
            found(format!("the private key's use begins {begin}, before the certificate"))
        }
        (_, Some(Some(end))) if certificate.not_after.is_some_and(|last| end > last) => {
            found(format!("the private key's use ends {end}, after the certificate"))
        }
        _ => Outcome::Pass,
    }
}

/// A GeneralizedTime's contents such as `20260501000000Z`; its tag is replaced by one of the extension's own.
fn period_end(content: &[u8]) -> Option<UnixTime> {
    let element = [&[24, u8::try_from(content.len()).ok()?], content].concat();
    moment(read(element.into(), Budget::default()).root()?)
}
