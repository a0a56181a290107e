//! A report as JSON and as text. Both are pure functions of what was found.

use std::fmt::Write;

use examiner::chain::Role;
use examiner::report::{Finding, Link, Severity, Source, Verdict};
use serde_json::{Value, json};

use super::Examined;

/// The report as scripts read it: the file's notes stand among the findings.
pub fn value(one: &Examined) -> Value {
    let report = &one.report;
    let notes = one.notes.iter().map(|note| {
        json!({
            "id": note.about.id,
            "severity": note.about.severity,
            "role": "file",
            "index": null,
            "path": note.line.map_or(String::new(), |line| format!("line {line}")),
            "range": null,
            "observed": note.observed,
            "expected": note.about.expected,
            "clause": note.about.clause,
            "in_force": null,
            "affected": note.about.affected,
            "confidence": "certain",
            "remedy": note.about.remedy,
        })
    });
    let findings: Vec<Value> = notes.chain(report.findings.iter().map(|finding| json!(finding))).collect();
    json!({
        "file": one.file,
        "verdict": verdict(one),
        "sentence": sentence(one),
        "profile": report.profile,
        "examined_at": report.examined_at,
        "chain": report.chain,
        "findings": findings,
        "untold": report.untold,
    })
}

/// The worst of the notes and the findings.
fn verdict(one: &Examined) -> Verdict {
    let worst = one.notes.iter().map(|note| note.about.severity).min();
    match (worst, one.report.verdict) {
        (Some(Severity::Error), _) | (_, Verdict::Errors) => Verdict::Errors,
        (Some(Severity::Warning), _) | (_, Verdict::Warnings) => Verdict::Warnings,
        _ => Verdict::Right,
    }
}

fn sentence(one: &Examined) -> String {
    let worst = one.notes.iter().min_by_key(|note| note.about.severity);
    match worst.filter(|note| note.about.severity != Severity::Notice) {
        Some(note) if one.report.verdict == Verdict::Right => {
            format!("The certificates are right; the file is not: {} ({}).", note.observed, note.about.id)
        }
        _ => one.report.sentence.clone(),
    }
}

/// The report as people read it: a sentence, the chain, the findings.
pub fn text(one: &Examined, named: bool, verbose: bool) -> String {
    let report = &one.report;
    let mut text = if named { format!("{}\n", one.file) } else { String::new() };
    text += &sentence(one);
    text += "\n\n";
    text += &picture(&report.chain);
    for note in &one.notes {
        let place = note.line.map_or("the file".to_owned(), |line| format!("line {line}"));
        let about = &note.about;
        let head = head(about.severity, about.id, &note.observed);
        text += &paragraph(&head, &place, about.clause, about.expected, about.affected, about.remedy);
    }
    for finding in &report.findings {
        let place = place(finding, &report.chain);
        let head = head(finding.severity, finding.id, &finding.observed);
        let clause = match finding.in_force {
            Some(from) => format!("{}, since {}", finding.clause, from.date()),
            None => finding.clause.clone(),
        };
        text += &paragraph(&head, &place, &clause, &finding.expected, &finding.affected, &finding.remedy);
    }
    if verbose {
        for untold in &report.untold {
            let _ = writeln!(text, "\nnot told  {}: {}", untold.id, untold.why);
        }
    }
    let how = match &report.profile.guessed {
        Some(reason) => format!("chosen: {reason}"),
        None => "as asked".into(),
    };
    let _ = writeln!(
        text,
        "\nExamined as of {} by the profile {} ({how}).",
        report.examined_at, report.profile.name
    );
    text
}

fn head(severity: Severity, id: &str, observed: &str) -> String {
    let word = match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "notice",
    };
    format!("{word}  {id}: {observed}")
}

fn paragraph(head: &str, place: &str, clause: &str, expected: &str, affected: &str, remedy: &str) -> String {
    format!(
        "\n{head}\n  place     {place}\n  expected  {expected} ({clause})\n  affects   {affected}\n  remedy    {remedy}\n"
    )
}

fn place(finding: &Finding, chain: &[Link]) -> String {
    let name = chain.iter().find(|link| link.index == finding.index).map_or("", |link| link.subject.as_str());
    let path = if finding.path.is_empty() { "the whole certificate" } else { finding.path.as_str() };
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    format!(
        "certificate {}{name}, {path}, bytes {} to {}",
        finding.index, finding.range.start, finding.range.end
    )
}

/// The chain, each certificate above the one that issued it.
fn picture(chain: &[Link]) -> String {
    let mut text = String::new();
    for (depth, link) in chain.iter().enumerate() {
        let branch = match depth {
            0 => String::new(),
            _ => format!("{}\u{2514}\u{2500} ", "   ".repeat(depth - 1)),
        };
        let name = if link.subject.is_empty() { "(no subject)" } else { link.subject.as_str() };
        let role = match (link.source, link.role) {
            (Source::Anchor, _) => "trust anchor",
            (Source::Beside, _) => "at hand beside it",
            (_, Role::EndEntity) => "end-entity",
            (_, Role::Intermediate) => "intermediate",
            (_, Role::Root) => "root",
        };
        let until =
            link.not_after.map_or("no readable date".to_owned(), |until| format!("until {}", until.date()));
        let _ = writeln!(text, "  {branch}{} {name}  [{role}, {until}]", link.index);
    }
    text
}
