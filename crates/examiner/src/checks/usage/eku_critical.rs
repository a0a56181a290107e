//! extKeyUsage is not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "eku-critical",
    severity: Severities::web(Error).private_server(Some(Notice)),
    clause: "BR section 7.1.2.7.6, section 7.1.2.10.6",
    expected: "extKeyUsage that is not critical",
    remedy: "Have it issued again with extKeyUsage not critical.",
    affected: "a few clients that refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::EXTENDED_KEY_USAGE) {
        Some(extension) if extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "extKeyUsage is critical")
        }
        _ => Outcome::Pass,
    }
}
