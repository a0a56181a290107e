//! Certificates looked at one by one: no chain, no trust, no host.

use crate::cert::PublicKey;
use crate::chain::{Chain, Examinee, Role};
use crate::checks::check::Check;
use crate::examine::{Question, examine_with, verdict};
use crate::input::{About, BUNDLE_DUPLICATE, BUNDLE_STALE};
use crate::profile::Profile;
use crate::report::{Confidence, Finding, Report, Shape};
use crate::sentence;

/// Whether these certificates are trust anchors that lie together, and no chain: all are CAs', and at least two of them
/// have nothing to do with each other.
pub fn is_bundle(certificates: &[Examinee]) -> bool {
    let issues = |a: &Examinee, b: &Examinee| a.subject_der() == b.issuer_der();
    let is_alone = |one: &Examinee| {
        let mut others = certificates.iter().filter(|other| other.thumbprint != one.thumbprint).peekable();
        others.peek().is_some() && !others.any(|other| issues(one, other) || issues(other, one))
    };
    certificates.iter().all(|one| one.role != Role::EndEntity) && certificates.iter().any(is_alone)
}

/// Looks at each certificate by itself, by the checks that concern one certificate alone. In a bundle, what has ended or
/// is weak and what stands twice is told as such.
pub fn lint(certificates: Vec<Examinee>, question: &Question, shape: Shape) -> Report {
    let checks: Vec<&'static Check> = crate::checks::all().filter(|check| !check.run.is_of_chain()).collect();
    // Who keeps a bundle does not answer for how public CAs issued what is in it.
    let chosen = (shape == Shape::Bundle && question.profile.is_none()).then_some(Profile::PrivateServer);
    let question = &Question { profile: question.profile.or(chosen), host: None, ..question.clone() };
    let mut whole = Report::without_certificate(question.profile, question.at);
    whole.shape = shape;
    let mut seen: Vec<_> = Vec::new();
    for (index, one) in certificates.iter().enumerate() {
        let alone = Chain::given(vec![one.clone()]);
        let report = examine_with(&checks, &alone, question);
        if index == 0 {
            whole.profile = report.profile;
            whole.profile.guessed = whole
                .profile
                .guessed
                .or(chosen.map(|_| "a bundle of trust anchors; --profile names another".into()));
        }
        whole.chain.extend(report.chain.into_iter().map(|link| crate::report::Link { index, ..link }));
        if shape == Shape::Bundle && seen.contains(&one.thumbprint) {
            whole.findings.push(of_bundle(
                BUNDLE_DUPLICATE,
                one,
                index,
                "it stands in the bundle already".into(),
            ));
            continue;
        }
        seen.push(one.thumbprint);
        let stale = (shape == Shape::Bundle).then(|| stale(one, question)).flatten();
        let explained = |finding: &Finding| stale.is_some() && EXPLAINED.contains(&finding.id);
        // Alone each certificate is the first; one that issued another here is nobody's own.
        let issued =
            |other: &Examinee| other.thumbprint != one.thumbprint && other.issuer_der() == one.subject_der();
        let is_issuer = certificates.iter().any(issued);
        let unfit = |finding: &Finding| is_issuer && finding.id == "client-ca-bit-set";
        let own = report.findings.into_iter().filter(|finding| !explained(finding) && !unfit(finding));
        whole.findings.extend(own.map(|finding| Finding { index, ..finding }));
        whole.findings.extend(stale.map(|observed| of_bundle(BUNDLE_STALE, one, index, observed)));
        for untold in report.untold {
            if !whole.untold.iter().any(|other| other.id == untold.id) {
                whole.untold.push(crate::report::Untold { index: Some(index), ..untold });
            }
        }
    }
    whole.findings.sort_by_key(|finding| (finding.severity, finding.index));
    whole.verdict = verdict(&whole.findings);
    let words = sentence::capital(&sentence::of_findings(&whole.findings));
    whole.sentence = match shape {
        Shape::Bundle => format!("A bundle of {} CA certificates. {words}", whole.chain.len()),
        _ => words,
    };
    whole
}

/// What is told of a stale trust anchor as one thing.
const EXPLAINED: &[&str] = &["expired", "root-expired-but-anchor", "rsa-under-2048", "expires-soon-relative"];

fn stale(one: &Examinee, question: &Question) -> Option<String> {
    let name = one.shown_name();
    if let Some(end) = one.not_after.filter(|end| *end < question.at) {
        return Some(format!("{name} ended on {}", end.date()));
    }
    let key = one.fields().spki.and_then(|spki| PublicKey::from_spki(spki.element.bytes()));
    match key {
        Some(key @ PublicKey::Rsa { modulus_bits, .. }) if modulus_bits < 2048 => {
            Some(format!("{name} has a key of {key}"))
        }
        _ => None,
    }
}

fn of_bundle(about: About, one: &Examinee, index: usize, observed: String) -> Finding {
    Finding {
        is_of_host: false,
        id: about.id,
        severity: about.severity,
        role: one.role,
        index,
        path: String::new(),
        range: 0..one.der().len(),
        observed,
        expected: about.expected.into(),
        clause: about.clause.into(),
        in_force: None,
        affected: about.affected.into(),
        confidence: Confidence::Certain,
        remedy: about.remedy.into(),
    }
}
