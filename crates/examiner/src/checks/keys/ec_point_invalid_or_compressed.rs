//! An elliptic-curve key is a point of its curve, written uncompressed.

use super::prelude::*;
use super::shared_curves::Curve;

pub static CHECK: Check = Check {
    id: "ec-point-invalid-or-compressed",
    severity: Severities::all(Error),
    clause: "RFC 5480 section 2.2, BR section 6.1.6",
    expected: "the octet 4, then both coordinates of a point of the curve",
    remedy: "Make the key again with other software and have a new certificate issued for it.",
    affected: "browsers, rustls, Go refuse it",
    in_force: None,
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(EVERY, run),
};

fn run(certificate: &Examinee, context: &Context<'_>) -> Outcome {
    let Some(key) = &certificate.key else { return Outcome::Pass };
    let KeyParts::Ec { curve: Some(curve) } = &key.parts else { return Outcome::Pass };
    let Some(curve) = Curve::named(curve) else { return Outcome::Pass };
    let size = curve.octets();
    let found = |observed: &str| Found::new(certificate, key.place.clone(), observed);
    match key.bits.split_first() {
        Some((4, point)) if point.len() == 2 * size => {
            let (x, y) = point.split_at(size);
            if curve.holds(x, y) { Outcome::Pass } else { found("the point is not on the curve").into() }
        }
        Some((2 | 3, x)) if x.len() == size => {
            let found = found("the point is written compressed").clause("RFC 5480 section 2.2");
            let found =
                found.remedy("Make the request again with the point uncompressed, which all software reads.");
            // RFC 5480 allows the form, and many do not read it.
            if context.profile == Profile::Rfc5280 {
                found.severity(Notice).into()
            } else {
                found.severity(Warning).into()
            }
        }
        Some((0, [])) => found("the point is the one at infinity").into(),
        _ => found("the point's form or length is wrong").into(),
    }
}
