//! cRLDistributionPoints is not critical.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "cdp-critical",
    severity: Severities::all(Warning).on_web(Some(Error)),
    clause: "BR section 7.1.2.7.6, RFC 5280 section 4.2.1.13",
    expected: "cRLDistributionPoints that is not critical",
    remedy: "Have it issued again with cRLDistributionPoints not critical.",
    affected: "strict clients, and all that do not know the extension",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(BELOW_ROOT, run),
};

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    match certificate.extension(id::CRL_DISTRIBUTION_POINTS) {
        Some(extension) if extension.is_critical() => {
            Outcome::found(certificate, extension.place.clone(), "cRLDistributionPoints is critical")
        }
        _ => Outcome::Pass,
    }
}
