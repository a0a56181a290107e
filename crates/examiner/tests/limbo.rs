//! Path building before two public corpora: the core suite of x509-limbo, and BetterTLS in the same form.
//!
//! The folder that `COUNTERSIGN_CORPORA` names holds them; the project keeps no copy. Without it the tests say what they
//! left out, and fail where `COUNTERSIGN_CORPORA_REQUIRED` is set.
#![allow(clippy::disallowed_methods)]

mod limbo_reasons;

use std::path::PathBuf;
use std::process::Command;

use examiner::chain::{Chain, Examinee, ders};
use examiner::path::{Budget, Crl, Rules, Spent, build};
use examiner::profile::{PeerName, Profile};
use examiner::report::Severity;
use examiner::{Question, UnixTime, checks, examine, matching};
use limbo_reasons::REASONS;
use serde::Deserialize;

#[derive(Deserialize)]
struct Suite {
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    id: String,
    validation_kind: String,
    trusted_certs: Vec<String>,
    untrusted_intermediates: Vec<String>,
    peer_certificate: String,
    validation_time: Option<String>,
    expected_result: String,
    expected_peer_name: Option<Peer>,
    #[serde(default)]
    expected_peer_names: Vec<Peer>,
    max_chain_depth: Option<usize>,
    #[serde(default)]
    crls: Vec<String>,
}

#[derive(Deserialize)]
struct Peer {
    kind: String,
    value: String,
}

impl Peer {
    fn name(&self) -> PeerName {
        match self.kind.as_str() {
            "RFC822" => PeerName::Email(self.value.clone()),
            _ => PeerName::host(&self.value),
        }
    }
}

/// The suite of this name, or `None` where the corpora are not at hand and not required.
fn suite(name: &str) -> Option<Suite> {
    let Some(folder) = std::env::var_os("COUNTERSIGN_CORPORA").map(PathBuf::from) else {
        let required = std::env::var_os("COUNTERSIGN_CORPORA_REQUIRED").is_some();
        assert!(!required, "COUNTERSIGN_CORPORA is not set, and the corpora are required");
        println!("left out: {name}; COUNTERSIGN_CORPORA is not set");
        return None;
    };
    let file = folder.join("limbo").join(name);
    let output = Command::new("xz").arg("-dc").arg(&file).output().expect("xz runs");
    assert!(output.status.success(), "xz reads {}", file.display());
    Some(serde_json::from_slice(&output.stdout).expect("the suite is JSON of the known form"))
}

fn certificates(pem: &[String]) -> Vec<Examinee> {
    pem.iter().flat_map(|text| ders(text.as_bytes()).expect("PEM")).map(Examinee::read).collect()
}

/// Whether we take the peer of a case, and if not, the ids of the findings that say why; and what path building spent.
fn verdict(case: &Case) -> (Result<(), Vec<String>>, Spent) {
    let is_client = case.validation_kind == "CLIENT";
    let profile = if is_client {
        Profile::MtlsClient
    } else if case.id.starts_with("webpki::") || case.id.starts_with("online::") {
        Profile::Web
    } else {
        Profile::Rfc5280
    };
    let purpose = if is_client { "1.3.6.1.5.5.7.3.2" } else { "1.3.6.1.5.5.7.3.1" };
    // The suite was made to be looked at "now"; this is a day at which its certificates hold.
    let at = case.validation_time.as_deref().unwrap_or("2026-01-01T00:00:00Z");
    let at = UnixTime::parse(at).expect("a moment");
    let peer = certificates(std::slice::from_ref(&case.peer_certificate));
    let chain = Chain::served(peer)
        .with_beside(certificates(&case.untrusted_intermediates))
        .with_anchors(certificates(&case.trusted_certs));
    let der = |text: &String| {
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        data_encoding::BASE64.decode(body.as_bytes()).expect("base64")
    };
    let crls: Vec<Crl> = case.crls.iter().map(|text| Crl::from_der(&der(text)).expect("a list")).collect();
    let rules = Rules {
        at,
        purpose: Some(purpose),
        max_depth: case.max_chain_depth,
        crls: &crls,
        budget: Budget::default(),
    };
    let paths = build(&chain, &rules);
    if paths.valid.is_empty() {
        return (Err(paths.best_fault().iter().map(|fault| fault.id.to_owned()).collect()), paths.spent);
    }
    let expected = case.expected_peer_name.iter().chain(&case.expected_peer_names);
    let is_named = expected.map(Peer::name).all(|name| matching::names_peer(&chain.served[0], &name));
    let mut reasons = if is_named { Vec::new() } else { vec!["hostname-mismatch".to_owned()] };
    // The checks have the last word on the certificates of a path; one path without an error is enough.
    for path in &paths.valid {
        let mut served: Vec<Examinee> = path.iter().map(|one| (*one).clone()).collect();
        let anchors = if served.len() > 1 { served.split_off(served.len() - 1) } else { Vec::new() };
        let question = Question { profile: Some(profile), at, host: None };
        let report = examine(&Chain::served(served).with_anchors(anchors), &question);
        let errors: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| finding.id.to_owned())
            .collect();
        if errors.is_empty() && is_named {
            return (Ok(()), paths.spent);
        }
        reasons.extend(errors);
    }
    (Err(reasons), paths.spent)
}

struct Outcome {
    agree: usize,
    total: usize,
    /// The cases where we say other than the suite: what we said.
    wrong: Vec<(String, Result<(), Vec<String>>)>,
    /// The cases that we reject as the suite does, with our reasons.
    reasons: Vec<(String, Vec<String>)>,
    /// The most that a case took of each.
    most: Spent,
}

/// What a case may take at most: well under a second on any machine, where a clock would also measure the machine.
const MOST: Spent = Spent { signatures: 128, steps: 1_024, comparisons: 250_000 };

fn run(suite: &Suite) -> Outcome {
    let mut outcome = Outcome {
        agree: 0,
        total: suite.testcases.len(),
        wrong: Vec::new(),
        reasons: Vec::new(),
        most: Spent::default(),
    };
    for case in &suite.testcases {
        let (verdict, spent) = verdict(case);
        let within = spent.signatures <= MOST.signatures
            && spent.steps <= MOST.steps
            && spent.comparisons <= MOST.comparisons;
        assert!(within, "{} took {spent:?}", case.id);
        outcome.most.signatures = outcome.most.signatures.max(spent.signatures);
        outcome.most.steps = outcome.most.steps.max(spent.steps);
        outcome.most.comparisons = outcome.most.comparisons.max(spent.comparisons);
        if verdict.is_ok() == (case.expected_result == "SUCCESS") {
            outcome.agree += 1;
            if let Err(reasons) = verdict {
                outcome.reasons.push((case.id.clone(), reasons));
            }
        } else {
            outcome.wrong.push((case.id.clone(), verdict));
        }
    }
    outcome
}

#[test]
fn better_tls_agrees_in_every_case() {
    let Some(suite) = suite("limbo-bettertls-dev.json.xz") else { return };
    let outcome = run(&suite);
    println!("BetterTLS: {} / {} agree; at most {:?} a case", outcome.agree, outcome.total, outcome.most);
    assert!(outcome.wrong.is_empty(), "{:#?}", &outcome.wrong[..outcome.wrong.len().min(20)]);
}

/// Cases that we take against the suite, and why.
const TAKEN: [(&str, &str); 2] = [
    (
        "webpki::cn::not-in-san",
        "the suite takes other certificates of 1970 whose common name is no alternative name, and the rule is of 2012",
    ),
    (
        "webpki::san::public-suffix-private-namespace-wildcard-san",
        "who owns a suffix of the list's private part may have a wildcard for it: a notice",
    ),
];

/// Every case is taken or rejected as the suite says, each rejected one for the table's reason. A case may be taken
/// against the suite only as long as the check that would reject it does not exist.
#[test]
fn the_core_suite_agrees_and_for_the_right_reasons() {
    let Some(suite) = suite("limbo-core-dev.json.xz") else { return };
    let outcome = run(&suite);
    println!("limbo core: {} / {} agree; at most {:?} a case", outcome.agree, outcome.total, outcome.most);
    let told = |id: &str| REASONS.iter().find(|(case, _)| *case == id).map(|(_, reason)| *reason);
    let mut amiss = Vec::new();
    for (id, reasons) in &outcome.reasons {
        let right = told(id).is_some_and(|reason| reasons.iter().any(|one| one == reason));
        let waits = told(id).is_some_and(|reason| checks::named(reason).is_none());
        if !right && !waits {
            amiss.push(format!("{id}: the table says {:?}, we say {reasons:?}", told(id)));
        }
    }
    for (id, verdict) in &outcome.wrong {
        match (told(id), verdict) {
            (Some(reason), Ok(())) if checks::named(reason).is_none() => {
                println!("taken, since there is no check {reason}: {id}");
            }
            (Some(_), Ok(())) if TAKEN.iter().any(|(case, _)| case == id) => {
                println!("taken: {id}: {}", TAKEN.iter().find(|(case, _)| case == id).unwrap().1);
            }
            (told, verdict) => amiss.push(format!("{id}: the table says {told:?}, we say {verdict:?}")),
        }
    }
    assert!(amiss.is_empty(), "{amiss:#?}");
    assert!(outcome.agree * 100 >= outcome.total * 98, "fewer than 98 of 100 agree");
}
