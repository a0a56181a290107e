//! What a report tells, of the file and of its certificates alike, in the order in which every format tells it.

use std::borrow::Cow;
use std::ops::Range;

use super::picture::Box;
use super::{Confidence, Finding, Report, Severity};
use crate::cert::UnixTime;
use crate::chain::Role;
use crate::input::Note;

/// One thing told: a finding in a certificate, or a note on the file.
#[derive(Clone, Debug)]
pub struct Told<'a> {
    /// The check, or the note; stable.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The certificate's part and index in the report's chain; `None` for the file and for the host.
    pub certificate: Option<(Role, usize)>,
    /// Whether it is about the host.
    pub is_of_host: bool,
    /// Where: in the certificate by the standard's names, in the file by its line; empty for the whole.
    pub path: Cow<'a, str>,
    /// Where in the certificate, by bytes: from the first to one after the last.
    pub range: Option<Range<usize>>,
    /// The line in the file, counted from one.
    pub line: Option<usize>,
    /// Where, in words.
    pub place: String,
    /// What stands there.
    pub observed: &'a str,
    /// What ought to stand there.
    pub expected: &'a str,
    /// Where the rule is written.
    pub clause: &'a str,
    /// Since when the rule holds, where it has a date.
    pub in_force: Option<UnixTime>,
    /// Who is affected.
    pub affected: &'a str,
    /// How sure it is.
    pub confidence: Confidence,
    /// What to do.
    pub remedy: &'a str,
}

impl Told<'_> {
    /// The clause, with the day since when it holds.
    pub fn rule(&self) -> String {
        let since = self.in_force.map(|from| format!(", in force since {}", from.date())).unwrap_or_default();
        format!("{}{since}", self.clause)
    }

    /// A word behind the id where it is not certain.
    pub(super) fn doubt(&self) -> &'static str {
        if self.confidence == Confidence::Likely { " (likely)" } else { "" }
    }
}

impl Report {
    /// Everything that is told, errors first; within a severity what concerns the file comes first, then the order of
    /// the chain.
    pub fn told(&self) -> Vec<Told<'_>> {
        let notes = self.notes.iter().map(of_file);
        let findings = self.findings.iter().map(|finding| match finding.is_of_host {
            true => of_host(self, finding),
            false => of_certificate(self, finding),
        });
        let mut all: Vec<Told<'_>> = notes.chain(findings).collect();
        all.sort_by_key(|one| one.severity);
        all
    }
}

fn of_file(note: &Note) -> Told<'_> {
    Told {
        id: note.about.id,
        severity: note.about.severity,
        certificate: None,
        is_of_host: false,
        path: note.line.map(|line| format!("line {line}")).unwrap_or_default().into(),
        range: None,
        line: note.line,
        place: note.place(),
        observed: &note.observed,
        expected: note.about.expected,
        clause: note.about.clause,
        in_force: None,
        affected: note.about.affected,
        confidence: Confidence::Certain,
        remedy: note.about.remedy,
    }
}

/// A finding about the host as it is told of a certificate, without the certificate.
fn of_host<'a>(report: &Report, finding: &'a Finding) -> Told<'a> {
    let name = report.host.as_ref().map(|host| host.name.as_str()).unwrap_or_default();
    Told {
        certificate: None,
        is_of_host: true,
        range: None,
        place: format!("the host {}", super::shown(name)),
        ..of_certificate(report, finding)
    }
}

fn of_certificate<'a>(report: &Report, finding: &'a Finding) -> Told<'a> {
    let link = report.chain.iter().find(|link| link.index == finding.index);
    let whose = link.map(|link| Box::There(link).title()).unwrap_or_default();
    let place = match finding.path.as_str() {
        "" => format!("certificate {} ({whose})", finding.index),
        path => format!(
            "certificate {} ({whose}), {path}, bytes {} to {}",
            finding.index, finding.range.start, finding.range.end
        ),
    };
    Told {
        id: finding.id,
        severity: finding.severity,
        certificate: Some((finding.role, finding.index)),
        is_of_host: false,
        path: finding.path.as_str().into(),
        range: Some(finding.range.clone()),
        line: None,
        place,
        observed: &finding.observed,
        expected: &finding.expected,
        clause: &finding.clause,
        in_force: finding.in_force,
        affected: &finding.affected,
        confidence: finding.confidence,
        remedy: &finding.remedy,
    }
}
