//! The examination: every check on every certificate it concerns, and one finding for one cause.

use crate::cert::UnixTime;
use crate::chain::{Chain, Examinee, Store};
use crate::checks::chain::shared::{absent_root, first_missing, suggested};
use crate::checks::check::{Check, Context, Found, Outcome, Run};
use crate::checks::gravity::rank;
use crate::dates;
use crate::profile::{PeerName, Profile};
use crate::report::{
    ChosenProfile, ClientVerdict, Finding, Link, Missing, NetworkUse, Report, Severity, Shape, Source,
    StoreVerdict, Untold, Verdict,
};
use crate::sentence;

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
    let context = Context::new(chain, profile, question.at, question.host.as_ref());
    let mut found: Vec<(&'static Check, Finding, Vec<&'static str>)> = Vec::new();
    let mut untold = Vec::new();
    let examined: Vec<&Examinee> = chain.examined().collect();
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
            Run::Certificate(roles, run) | Run::HostNames(roles, run) => {
                for certificate in examined.iter().copied().filter(|c| roles.contains(&c.role)) {
                    if holds(check, certificate, question.at) {
                        take(run(certificate, &context), Some(certificate.index));
                    }
                }
            }
        }
    }
    let findings = without_consequences(found);
    let verdict = verdict(&findings);
    // What cannot be read names nobody whose certificate could be missing.
    let is_unreadable = findings.iter().any(|finding| finding.id == "certificate-unreadable");
    let missing = if is_unreadable { Vec::new() } else { missing(chain, &context) };
    let sentence = sentence::of_chain(&context, &findings, &missing);
    Report {
        verdict,
        sentence,
        profile: ChosenProfile { name: profile, guessed },
        examined_at: question.at,
        chain: links(chain),
        repaired: suggested(chain, &context).map(|path| path.iter().map(|c| c.index).collect()),
        missing,
        findings,
        untold,
        notes: Vec::new(),
        others: Vec::new(),
        stores: Vec::new(),
        clients: clients(&context),
        network: NetworkUse::of(chain),
        shape: Shape::Chain,
        host: chain.host.clone(),
    }
}

/// What the simulated clients say; nobody is asked about a CA's certificate alone.
fn clients(context: &Context<'_>) -> Vec<ClientVerdict> {
    let is_peers = context.chain.is_peers || context.chain.end_entity().is_some_and(|one| !one.is_issuer());
    match is_peers {
        true => context.clients().iter().map(ClientVerdict::from).collect(),
        false => Vec::new(),
    }
}

/// What each of these root stores says of the chain: whether a path leads to one of its anchors.
pub fn per_store(chain: &Chain, stores: &[Store], question: &Question) -> Vec<StoreVerdict> {
    let profile = question.profile.unwrap_or_else(|| Profile::guess(chain).0);
    let said = |store: &Store| {
        let under = Chain { stores: Vec::new(), ..chain.clone() }.with_anchors(store.anchors.clone());
        let context = Context::new(&under, profile, question.at, None);
        StoreVerdict { name: store.name.clone(), is_trusted: !context.paths().valid.is_empty() }
    };
    stores.iter().map(said).collect()
}

/// Whether a rule with a date concerns this certificate, which counts as issued on the day of its notBefore.
///
/// What has no readable date is looked at. A notBefore from before there were certificates is no day of issue: then a
/// rule about host names holds if it is in force at the moment of the examination.
fn holds(check: &Check, certificate: &Examinee, at: UnixTime) -> bool {
    match (check.in_force, certificate.not_before, check.run) {
        (Some(from), Some(issued), Run::HostNames(..)) if issued < dates::X509 => from <= at,
        (Some(from), Some(issued), _) => from <= issued,
        _ => true,
    }
}

fn finding(check: &'static Check, severity: Severity, found: Found) -> Finding {
    Finding {
        id: check.id,
        severity: found.severity.unwrap_or(severity),
        is_of_host: found.is_of_host,
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

/// Checks that say of a certificate that the chain holds without it: what is wrong with it matters no more than they say.
const NOT_NEEDED: &[&str] = &["chain-expired-extra"];

/// Where the list of extensions stands.
const EXTENSIONS: &str = "tbsCertificate.extensions";

/// Whether it is of an extension that is missing, in a list that is found to have no entry at all: one cause.
fn is_of_empty_list(finding: &Finding, found: &[(&'static Check, Finding, Vec<&'static str>)]) -> bool {
    let is_missing = finding.path == EXTENSIONS && finding.range.is_empty();
    is_missing
        && found.iter().any(|(_, other, _)| {
            other.id == "empty-extension-sequence" && other.path == EXTENSIONS && other.index == finding.index
        })
}

/// Leaves out the findings whose cause was found too, and puts the rest in order.
fn without_consequences(found: Vec<(&'static Check, Finding, Vec<&'static str>)>) -> Vec<Finding> {
    let explained = |check: &Check, finding: &Finding, causes: &[&str]| {
        let of_chain = check.run.is_of_chain();
        found.iter().any(|(cause, other, _)| {
            let whole = of_chain || cause.run.is_of_chain();
            // What matters more than its cause is told beside it.
            let covers = other.severity <= finding.severity || NOT_NEEDED.contains(&cause.id);
            let is_cause = causes.contains(&cause.id) && cause.id != check.id && covers;
            is_cause && (whole || other.index == finding.index)
        })
    };
    let keep: Vec<bool> = found
        .iter()
        .map(|(check, finding, causes)| {
            !explained(check, finding, causes) && !is_of_empty_list(finding, &found)
        })
        .collect();
    let kept = found.into_iter().zip(keep).filter(|(_, keep)| *keep);
    let mut findings: Vec<Finding> = kept.map(|((_, finding, _), _)| finding).collect();
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.severity, rank(f.id), f.index, f.range.start, f.id);
        key(a).cmp(&key(b))
    });
    findings
}

pub(crate) fn verdict(findings: &[Finding]) -> Verdict {
    match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Error) => Verdict::Errors,
        Some(Severity::Warning) => Verdict::Warnings,
        _ => Verdict::Right,
    }
}

/// The certificates that are missing from what was served: those beside it that the shortest path needs, else the first
/// one that nobody has.
fn missing(chain: &Chain, context: &Context<'_>) -> Vec<Missing> {
    let Some((below, issuer)) = first_missing(chain) else { return Vec::new() };
    let not_anchors = chain.served.len() + chain.beside.len();
    let beside = chain.served.len()..not_anchors;
    let shortest = context.paths().valid.iter().min_by_key(|path| path.len());
    let needed = shortest.into_iter().flat_map(|path| path.windows(2));
    let at_hand: Vec<Missing> = needed
        .filter(|pair| beside.contains(&pair[1].index))
        .map(|pair| Missing {
            issuer_of: pair[0].index,
            name: pair[1].subject.as_ref().map(ToString::to_string).unwrap_or_default(),
            at_hand: Some(pair[1].index),
        })
        .collect();
    if at_hand.is_empty() && chain.anchors.is_some() && absent_root(chain).is_none() {
        return vec![Missing { issuer_of: below.index, name: issuer.to_string(), at_hand: None }];
    }
    at_hand
}

pub(crate) fn links(chain: &Chain) -> Vec<Link> {
    let served = chain.served.len();
    let beside = served + chain.beside.len();
    let name = |name: &Option<crate::chain::DistinguishedName>| name.as_ref().map(ToString::to_string);
    let anchored = chain.concerned().filter(|c| c.index >= beside).map(|c| c.index).collect::<Vec<_>>();
    let all = chain.all().filter(|c| c.index < beside || anchored.contains(&c.index));
    all.map(|certificate| Link {
        index: certificate.index,
        role: certificate.role,
        source: match certificate.index {
            i if i < served => Source::Served,
            i if i < beside => Source::Beside,
            _ => Source::Anchor,
        },
        title: certificate.shown_name(),
        subject: name(&certificate.subject).unwrap_or_default(),
        issuer: name(&certificate.issuer).unwrap_or_default(),
        serial: data_encoding::HEXLOWER.encode(certificate.serial()),
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        thumbprint: certificate.thumbprint.to_string(),
    })
    .collect()
}
