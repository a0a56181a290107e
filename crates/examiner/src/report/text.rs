//! A report as text for a terminal: one sentence, the chain drawn, then the findings by severity.

use std::fmt::Write;

use super::picture::{Box, boxes};
use super::{Report, Severity, Shape, Told};

/// The report as text; a pure function of it. Lines end with `\n`; there are no colours and no control characters.
/// `verbose` names what could not be told, and what every root store says.
pub fn text(report: &Report, verbose: bool) -> String {
    let mut out = format!("{}\n", report.sentence);
    match report.shape {
        Shape::Chain => picture(&mut out, report),
        Shape::Apart | Shape::Bundle => list(&mut out, report, verbose),
    }
    for other in &report.others {
        let at = other.line.map(|line| format!(", line {line}")).unwrap_or_default();
        let _ = write!(out, "\n  {}{at}\n", other.kind.words());
        for fact in &other.facts {
            let _ = writeln!(out, "    {:<20} {}", format!("{}:", fact.name), fact.value);
        }
    }
    host(&mut out, report);
    network(&mut out, report);
    stores(&mut out, report, verbose);
    clients(&mut out, report, verbose);
    let told = report.told();
    for (severity, title) in
        [(Severity::Error, "Errors"), (Severity::Warning, "Warnings"), (Severity::Notice, "Notices")]
    {
        let these: Vec<String> = told.iter().filter(|one| one.severity == severity).map(one).collect();
        if !these.is_empty() {
            let _ = write!(out, "\n{title}\n{}", these.concat());
        }
    }
    untold(&mut out, report, verbose);
    let guessed = report.profile.guessed.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let _ = write!(
        out,
        "\nExamined as of {} under the profile {}{guessed}.\n",
        report.examined_at, report.profile.name
    );
    out
}

/// The certificates of a bundle, a line each; in a long one only those about which there is something to say.
fn list(out: &mut String, report: &Report, verbose: bool) {
    let is_long = report.chain.len() > 12 && !verbose;
    out.push('\n');
    let mut left_out = 0;
    for link in &report.chain {
        let there = Box::There(link);
        let mark = match there.worst(report) {
            Some(Severity::Error) => " [error]",
            Some(Severity::Warning) => " [warning]",
            _ if is_long => {
                left_out += 1;
                continue;
            }
            _ => "",
        };
        let until = link.not_after.map(|last| format!(", until {}", last.date())).unwrap_or_default();
        let _ = writeln!(out, "  {} {}{until}{mark}", link.index, there.title());
    }
    if left_out > 0 {
        let _ = writeln!(out, "  and {left_out} more, without errors and warnings (-v names them)");
    }
}

/// What was seen of the host.
fn host(out: &mut String, report: &Report) {
    let Some(host) = &report.host else { return };
    *out += "\nThe host\n\n";
    for fact in host.facts() {
        let _ = writeln!(out, "  {:<20} {}", format!("{}:", fact.name), super::shown(&fact.value));
    }
}

/// Every address that was asked.
fn network(out: &mut String, report: &Report) {
    if report.network.is_empty() {
        return;
    }
    *out += "\nAsked on the network\n\n";
    for one in &report.network {
        let _ = writeln!(out, "  {}\n    {}", one.question(), one.answer());
    }
}

/// What each root store says: always where they differ, else on demand.
fn stores(out: &mut String, report: &Report, verbose: bool) {
    let names = |trusted: bool| {
        let these = report.stores.iter().filter(|store| store.is_trusted == trusted);
        these.map(|store| super::shown(&store.name)).collect::<Vec<_>>().join(", ")
    };
    let (with, without) = (names(true), names(false));
    if !with.is_empty() && (verbose || !without.is_empty()) {
        let _ = writeln!(out, "  trusted by: {with}");
    }
    if !without.is_empty() && (verbose || !with.is_empty()) {
        let _ = writeln!(out, "  not trusted by: {without}");
    }
}

/// Who takes it and who refuses: where somebody refuses, else on demand.
fn clients(out: &mut String, report: &Report, verbose: bool) {
    if report.clients.is_empty() || (!verbose && report.clients.iter().all(|one| one.takes == Some(true))) {
        return;
    }
    *out += "\nWho takes it\n\n";
    for one in &report.clients {
        let _ = writeln!(out, "  {}\n    {}", one.who, one.words());
    }
}

/// What could not be told, as a kind of its own: neither right nor wrong.
fn untold(out: &mut String, report: &Report, verbose: bool) {
    if report.untold.is_empty() {
        return;
    }
    if verbose {
        *out += "\nCannot tell\n\n";
        for untold in &report.untold {
            let _ = writeln!(out, "  {}: {}", untold.id, untold.why);
        }
        return;
    }
    let mut lacks: Vec<&str> = report.untold.iter().map(|untold| untold.needs.words()).collect();
    lacks.sort_unstable();
    lacks.dedup();
    let n = report.untold.len();
    let questions = if n == 1 { "1 question" } else { &format!("{n} questions") };
    let _ = writeln!(out, "\nCannot tell: {questions}, for lack of {} (-v names them).", lacks.join(", "));
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

fn one(told: &Told<'_>) -> String {
    let rule = told.rule();
    let lines = [
        ("found", told.observed),
        ("expected", told.expected),
        ("where", &told.place),
        ("clause", &rule),
        ("affected", told.affected),
        ("help", told.remedy),
    ];
    let lines = lines.map(|(name, value)| format!("    {:<10}{value}\n", format!("{name}:")));
    format!("\n  {}{}\n{}", told.id, told.doubt(), lines.concat())
}
