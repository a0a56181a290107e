//! A report in one sentence: who takes the chain and who does not, the worst cause in words, and how much more there is.

use crate::chain::Role;
use crate::checks::check::Context;
use crate::input::Note;
use crate::path::clients::Client;
use crate::profile::Profile;
use crate::report::{Finding, Missing, Severity};
use crate::seen::ClientCertificate;

/// The sentence for a chain. It begins with what its simulated clients say, where they can say something. A host that
/// asks for a client's certificate is named as such: whoever has none may be refused for that alone.
pub(crate) fn of_chain(context: &Context<'_>, findings: &[Finding], missing: &[Missing]) -> String {
    let sentence = of_served(context, findings, missing);
    let word = context.chain.host.as_ref().and_then(|host| host.asks()).map(ClientCertificate::word);
    match word {
        Some("required") => format!("{sentence} The host lets nobody in without a client certificate."),
        Some(_) => format!("{sentence} The host asks for a client certificate."),
        None => sentence,
    }
}

fn of_served(context: &Context<'_>, findings: &[Finding], missing: &[Missing]) -> String {
    if context.chain.served.is_empty() {
        return "There is no certificate to examine.".into();
    }
    if let Some(sentence) = works_in_browsers(context, findings, missing) {
        return sentence;
    }
    let words = of_findings(findings);
    match findings.first().map(|first| first.severity) {
        Some(Severity::Error | Severity::Warning) => match takers(context, findings) {
            Some(takers) => format!("{takers}: {words}"),
            None => capital(&words),
        },
        _ => words,
    }
}

/// The sentence for findings alone, without its capital.
pub(crate) fn of_findings(findings: &[Finding]) -> String {
    in_words(findings.iter().map(|finding| (finding.severity, subject(finding), finding.id)))
}

/// The sentence for a file that is damaged: the first damage with its line, then how much was found beside it.
pub(crate) fn of_damage(notes: &[Note], findings: &[Finding]) -> String {
    let of_file = notes.iter().map(|note| (note.about.severity, note.observed.clone(), note.about.id));
    let all = of_file.chain(findings.iter().map(|one| (one.severity, subject(one), one.id)));
    let line = notes.first().and_then(|note| note.line).map(|line| format!(" in line {line}"));
    format!("The file is damaged{}: {}", line.unwrap_or_default(), in_words(all))
}

/// What was found, as one sentence without its capital; the worst comes first.
pub(crate) fn in_words(found: impl Iterator<Item = (Severity, String, &'static str)>) -> String {
    let findings: Vec<_> = found.collect();
    let Some((_, what, id)) = findings.first().filter(|first| first.0 != Severity::Notice) else {
        return "Nothing wrong was found.".into();
    };
    let count = |severity| findings[1..].iter().filter(|finding| finding.0 == severity).count();
    let plural = |n: usize, word: &str| format!("{n} more {word}{}", if n == 1 { "" } else { "s" });
    let more = match (count(Severity::Error), count(Severity::Warning)) {
        (0, 0) => String::new(),
        (0, warnings) => format!("; {}", plural(warnings, "warning")),
        (errors, 0) => format!("; {}", plural(errors, "error")),
        (errors, warnings) => format!("; {} and {}", plural(errors, "error"), plural(warnings, "warning")),
    };
    format!("{what} ({id}){more}.")
}

/// What was observed, with the certificate that it is about as its subject.
fn subject(finding: &Finding) -> String {
    if finding.is_of_host {
        return finding.observed.clone();
    }
    // The first certificate is what was asked about, whatever it says of itself.
    let who = match finding.role {
        Role::Intermediate if finding.index > 0 => "the intermediate certificate",
        Role::Root if finding.index > 0 => "the root certificate",
        _ => "the certificate",
    };
    let observed = finding.observed.as_str();
    let is_of_chain = crate::checks::named(finding.id).is_some_and(|check| check.run.is_of_chain());
    match (observed.strip_prefix("it "), observed.strip_prefix("its "), finding.role) {
        (Some(rest), ..) => format!("{who} {rest}"),
        (None, Some(rest), _) => format!("{who}'s {rest}"),
        (None, None, Role::Intermediate | Role::Root) if finding.index > 0 && !is_of_chain => {
            format!("in {who}, {observed}")
        }
        _ => observed.to_owned(),
    }
}

/// Findings for which every client refuses, though no simulated one looks at names and handshakes.
const SEEN_BY_ALL: &[&str] = &[
    "hostname-mismatch",
    "san-missing",
    "handshake-fails",
    "certificate-key-possession-fails",
    "tls-version-old-only",
];
/// Findings for which those refuse that look up revocation; many do not.
const REVOKED: &[&str] = &["revoked-crl", "revoked-ocsp", "intermediate-revoked"];

/// Who takes the chain; `None` where nobody can be asked.
fn takers(context: &Context<'_>, findings: &[Finding]) -> Option<&'static str> {
    let judged = context.clients();
    let taken = judged.iter().filter(|one| one.verdict.is_ok()).count();
    let may_fetch = judged.iter().any(|one| one.would_fetch.is_some());
    let finds =
        |ids: &[&str]| findings.iter().any(|one| one.severity == Severity::Error && ids.contains(&one.id));
    let seen = finds(SEEN_BY_ALL);
    let is_wrong = findings.first().is_some_and(|first| first.severity == Severity::Error);
    let is_of_roots = findings.first().is_some_and(|first| first.id == "untrusted-root");
    Some(match (context.profile, judged.len(), taken) {
        (_, 0, _) => return None,
        (Profile::MtlsClient, all, taken) if is_wrong && taken == all => {
            "Not fit as a client certificate, though some servers take it"
        }
        (Profile::MtlsClient, _, _) if is_wrong => "Not fit as a client certificate",
        (Profile::MtlsClient, _, _) => "Fit as a client certificate, with a warning",
        (_, _, 0) if is_of_roots => "Clients with these roots refuse it",
        (_, _, 0) if may_fetch => "Clients that fetch nothing refuse it; others must fetch what is missing",
        (_, _, 0) => "Every client refuses it",
        _ if seen => "Every client refuses it",
        (_, all, taken) if taken == all && finds(REVOKED) => {
            "Clients that look up revocation refuse it, others take it"
        }
        (_, all, taken) if taken < all => "Some clients take it, others refuse",
        _ if is_wrong => "Clients take it, but it breaks a rule",
        _ => "Clients take it, with a warning",
    })
}

/// The sentence for the chain that browsers repair by fetching: nothing is wrong but what they fetch.
fn works_in_browsers(context: &Context<'_>, findings: &[Finding], missing: &[Missing]) -> Option<String> {
    let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    let only = errors.next().filter(|first| first.id == "chain-incomplete" && errors.next().is_none());
    let fetched = context.clients().iter().any(|one| one.client == Client::Fetching && one.verdict.is_ok());
    only.filter(|_| fetched)?;
    let what = match missing.len() {
        0 | 1 => "one certificate is missing".to_owned(),
        n => format!("{n} certificates are missing"),
    };
    Some(format!("Works in browsers that fetch what is missing, fails in apps and API clients: {what}."))
}

/// A text that begins a sentence. What is no plain word, such as basicConstraints or a host name, stays as it is.
pub(crate) fn capital(text: &str) -> String {
    let first = text.split([' ', ',', ':']).next().unwrap_or_default();
    if !first.bytes().all(|b| b.is_ascii_lowercase()) {
        return text.to_owned();
    }
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
