//! A report as text for a terminal: one sentence, the chain drawn, then the findings by severity.

use std::fmt::Write;

use super::picture::{Box, boxes};
use super::{Confidence, Finding, Report, Severity};

/// The report as text; a pure function of it. Lines end with `\n`; there are no colours and no control characters.
pub fn text(report: &Report) -> String {
    let mut out = format!("{}\n", report.sentence);
    picture(&mut out, report);
    for (severity, title) in
        [(Severity::Error, "Errors"), (Severity::Warning, "Warnings"), (Severity::Notice, "Notices")]
    {
        let these: Vec<&Finding> = report.findings.iter().filter(|f| f.severity == severity).collect();
        if !these.is_empty() {
            let _ = write!(out, "\n{title}\n");
            these.into_iter().for_each(|finding| one(&mut out, report, finding));
        }
    }
    if !report.untold.is_empty() {
        out += "\nNot told\n";
        for untold in &report.untold {
            let _ = writeln!(out, "\n  {}: {}", untold.id, untold.why);
        }
    }
    let guessed = report.profile.guessed.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let _ = write!(
        out,
        "\nExamined as of {} under the profile {}{guessed}.\n",
        report.examined_at, report.profile.name
    );
    out
}

fn picture(out: &mut String, report: &Report) {
    let (path, others) = boxes(report);
    if path.is_empty() {
        return;
    }
    out.push('\n');
    let rows: Vec<(&Box<'_>, [String; 2])> = path
        .iter()
        .map(|one| {
            let mark = match one.worst(report) {
                Some(Severity::Error) => " [error]",
                Some(Severity::Warning) => " [warning]",
                _ => "",
            };
            let number = match one {
                Box::There(link) => format!("{} ", link.index),
                Box::Missing(_) => String::new(),
            };
            (one, [format!("{number}{}{mark}", one.title()), one.about()])
        })
        .collect();
    let width = rows.iter().flat_map(|(_, lines)| lines).map(|line| line.chars().count()).max().unwrap_or(0);
    for (i, (one, lines)) in rows.iter().enumerate() {
        if i > 0 {
            out.push_str("  |\n");
        }
        let (edge, side) = match one {
            Box::There(_) => (format!("  +{}+\n", "-".repeat(width + 2)), '|'),
            // Dashed: each second stroke is left out.
            Box::Missing(_) => {
                let dashes: String = (0..width + 2).map(|i| if i % 2 == 0 { '-' } else { ' ' }).collect();
                (format!("  +{dashes}+\n"), ':')
            }
        };
        out.push_str(&edge);
        for line in lines {
            let padding = " ".repeat(width - line.chars().count());
            let _ = writeln!(out, "  {side} {line}{padding} {side}");
        }
        out.push_str(&edge);
    }
    for link in others {
        let about = Box::There(link);
        let _ = writeln!(out, "  not on the path: {} {}, {}", link.index, about.title(), about.about());
    }
    if let Some(repaired) = &report.repaired {
        let numbers: Vec<String> = repaired.iter().map(usize::to_string).collect();
        let _ = writeln!(out, "  to be served instead: {}", numbers.join(", "));
    }
}

fn one(out: &mut String, report: &Report, finding: &Finding) {
    let link = report.chain.iter().find(|link| link.index == finding.index);
    let whose = link.map(|link| Box::There(link).title()).unwrap_or_default();
    let likely = if finding.confidence == Confidence::Likely { " (likely)" } else { "" };
    let at = match finding.path.as_str() {
        "" => format!("certificate {} ({whose})", finding.index),
        path => format!(
            "certificate {} ({whose}), {path}, bytes {} to {}",
            finding.index, finding.range.start, finding.range.end
        ),
    };
    let since = finding.in_force.map(|from| format!(", in force since {}", from.date())).unwrap_or_default();
    let _ = write!(out, "\n  {}{likely}\n", finding.id);
    for (what, value) in [
        ("found", finding.observed.as_str()),
        ("expected", &finding.expected),
        ("where", &at),
        ("clause", &format!("{}{since}", finding.clause)),
        ("affected", &finding.affected),
        ("help", &finding.remedy),
    ] {
        let _ = writeln!(out, "    {:<10}{value}", format!("{what}:"));
    }
}
