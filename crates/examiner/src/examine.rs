//! The examination: every check on every certificate it concerns, and one finding for one cause.

use crate::cert::UnixTime;
use crate::chain::{Chain, Examinee};
use crate::checks::check::{Check, Context, Found, Outcome, Run};
use crate::profile::{PeerName, Profile};
use crate::report::{ChosenProfile, Finding, Link, Report, Severity, Source, Untold, Verdict};

/// What an examination is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// By whose rules; `None` lets the examination choose.
    pub profile: Option<Profile>,
    /// The moment that counts as now.
    pub at: UnixTime,
    /// The name that the peer ought to have.
    pub host: Option<PeerName>,
}

/// Examines a chain by every check there is.
pub fn examine(chain: &Chain, question: &Question) -> Report {
    examine_with(&crate::checks::all().collect::<Vec<_>>(), chain, question)
}

/// Examines a chain by these checks alone.
pub fn examine_with(checks: &[&'static Check], chain: &Chain, question: &Question) -> Report {
    let (profile, guessed) = match question.profile {
        Some(profile) => (profile, None),
        None => {
            let (profile, reason) = Profile::guess(chain);
            (profile, Some(reason))
        }
    };
    let context = Context { chain, profile, at: question.at, host: question.host.as_ref() };
    let mut found: Vec<(&'static Check, Finding, Vec<&'static str>)> = Vec::new();
    let mut untold = Vec::new();
    for check in checks {
        let Some(severity) = check.severity.under(profile) else { continue };
        let mut take = |outcome: Outcome, index: Option<usize>| match outcome {
            Outcome::Pass => {}
            Outcome::CannotTell(needs, why) => untold.push(Untold { id: check.id, index, needs, why }),
            Outcome::Found(all) => found.extend(all.into_iter().map(|one| {
                let mut causes = one.because_of.clone();
                causes.extend(check.consequence_of);
                (*check, finding(check, severity, one), causes)
            })),
        };
        match check.run {
            Run::Chain(run) => take(run(chain, &context), None),
            Run::Certificate(roles, run) => {
                for certificate in chain.examined().filter(|c| roles.contains(&c.role)) {
                    if holds(check, certificate) {
                        take(run(certificate, &context), Some(certificate.index));
                    }
                }
            }
        }
    }
    let findings = without_consequences(found);
    let verdict = verdict(&findings);
    Report {
        verdict,
        sentence: sentence(chain, &findings),
        profile: ChosenProfile { name: profile, guessed },
        examined_at: question.at,
        chain: links(chain),
        findings,
        untold,
    }
}

/// Whether a rule with a date concerns this certificate. What has no readable date is looked at.
fn holds(check: &Check, certificate: &Examinee) -> bool {
    match (check.in_force, certificate.not_before) {
        (Some(from), Some(issued)) => issued >= from,
        _ => true,
    }
}

fn finding(check: &'static Check, severity: Severity, found: Found) -> Finding {
    Finding {
        id: check.id,
        severity: found.severity.unwrap_or(severity),
        role: found.role,
        index: found.index,
        path: found.place.path.into_owned(),
        range: found.place.range,
        observed: found.observed,
        expected: found.expected.unwrap_or_else(|| check.expected.into()),
        clause: found.clause.unwrap_or_else(|| check.clause.into()),
        in_force: found.in_force.or(check.in_force),
        affected: found.affected.unwrap_or_else(|| check.affected.into()),
        confidence: found.confidence,
        remedy: found.remedy.unwrap_or_else(|| check.remedy.into()),
    }
}

/// Leaves out the findings whose cause was found too, and puts the rest in order.
fn without_consequences(found: Vec<(&'static Check, Finding, Vec<&'static str>)>) -> Vec<Finding> {
    let explained = |check: &Check, finding: &Finding, causes: &[&str]| {
        let of_chain = matches!(check.run, Run::Chain(_));
        found.iter().any(|(cause, other, _)| {
            let whole = of_chain || matches!(cause.run, Run::Chain(_));
            causes.contains(&cause.id) && cause.id != check.id && (whole || other.index == finding.index)
        })
    };
    let keep: Vec<bool> =
        found.iter().map(|(check, finding, causes)| !explained(check, finding, causes)).collect();
    let kept = found.into_iter().zip(keep).filter(|(_, keep)| *keep);
    let mut findings: Vec<Finding> = kept.map(|((_, finding, _), _)| finding).collect();
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.severity, f.index, f.range.start, f.id);
        key(a).cmp(&key(b))
    });
    findings
}

fn verdict(findings: &[Finding]) -> Verdict {
    match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Error) => Verdict::Errors,
        Some(Severity::Warning) => Verdict::Warnings,
        _ => Verdict::Right,
    }
}

/// The report in one sentence: the worst finding in words, and how many more there are.
fn sentence(chain: &Chain, findings: &[Finding]) -> String {
    if chain.served.is_empty() {
        return "There is no certificate to examine.".into();
    }
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let Some(first) = findings.first().filter(|first| first.severity != Severity::Notice) else {
        return "Nothing wrong was found.".into();
    };
    let plural = |n: usize, word: &str| format!("{n} {word}{}", if n == 1 { "" } else { "s" });
    let counts = match (errors, warnings) {
        (0, _) => plural(warnings, "warning"),
        (_, 0) => plural(errors, "error"),
        _ => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    format!("{counts}; first: {} ({}).", first.observed, first.id)
}

fn links(chain: &Chain) -> Vec<Link> {
    let served = chain.served.len();
    let beside = served + chain.beside.len();
    let name = |name: &Option<crate::chain::DistinguishedName>| name.as_ref().map(ToString::to_string);
    let anchored = chain.examined().filter(|c| c.index >= beside).map(|c| c.index).collect::<Vec<_>>();
    let all = chain.all().filter(|c| c.index < beside || anchored.contains(&c.index));
    all.map(|certificate| Link {
        index: certificate.index,
        role: certificate.role,
        source: match certificate.index {
            i if i < served => Source::Served,
            i if i < beside => Source::Beside,
            _ => Source::Anchor,
        },
        subject: name(&certificate.subject).unwrap_or_default(),
        issuer: name(&certificate.issuer).unwrap_or_default(),
        serial: data_encoding::HEXLOWER.encode(certificate.serial()),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        thumbprint: certificate.thumbprint.to_string(),
    })
    .collect()
}
