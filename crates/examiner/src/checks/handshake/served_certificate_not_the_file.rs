//! The host serves the certificates of the file that it is set up with.
//!
//! Where it does not, most often the file was renewed and the server was not made to read it again.

use super::prelude::*;

pub static CHECK: Check = Check {
    id: "served-certificate-not-the-file",
    severity: Severities::all(Error),
    clause: "practice",
    expected: "the certificates of the file, in its order",
    remedy: "Make the server read its certificate again, such as `systemctl reload nginx`; if that does not help, look at which file it is set up with.",
    affected: "everybody, once the certificate that is served ends",
    in_force: None,
    consequence_of: &[],
    run: Run::Chain(run),
};

fn run(chain: &Chain, _context: &Context<'_>) -> Outcome {
    let expected = chain.side.expected.as_slice();
    let (Some(served), Some(wanted)) = (chain.served.first(), expected.first()) else { return Outcome::Pass };
    if served.thumbprint == wanted.thumbprint {
        let is_same =
            chain.served.iter().map(|one| one.thumbprint).eq(expected.iter().map(|one| one.thumbprint));
        return match is_same {
            true => Outcome::Pass,
            false => Found::of_host(format!(
                "the first certificate is the file's, and those behind it are not: {} are served, and {} stand in the file",
                chain.served.len(),
                expected.len()
            ))
            .severity(Warning)
            .affected("clients that need the other certificates")
            .into(),
        };
    }
    Found::of_host(format!("the host serves {}, and the file has {}", told(served), told(wanted))).into()
}

/// Name, begin and end of a certificate.
fn told(certificate: &Examinee) -> String {
    let time = |time: Option<UnixTime>| time.map_or("an unreadable time".into(), |time| time.to_string());
    let (begin, end) = (time(certificate.not_before), time(certificate.not_after));
    format!("the certificate of {} from {begin} to {end}", certificate.shown_name())
}
