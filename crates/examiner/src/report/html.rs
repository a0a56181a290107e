//! Reports as one page of HTML: a sentence, the chain drawn, the findings by severity with what to do.
//!
//! The page asks for nothing: no script, no font, no picture of another file; its Content-Security-Policy says so too.

use std::fmt::Write;

use super::markup::escaped;
use super::picture::{Box, boxes};
use super::{Report, Severity, Shape, Subject, Told, Verdict};
use crate::sentence::capital;

/// The style of the page: light and dark, narrow and wide, and on paper.
pub const STYLE: &str = include_str!("html.css");

/// All of a run as one HTML file; a pure function of it. `by` is the name that stands above.
pub fn html(subjects: &[Subject<'_>], by: &str) -> String {
    let title = match subjects {
        [one] => format!("{}: {by}", one.name),
        many => format!("{} reports: {by}", many.len()),
    };
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>{}</header>\n<main>\n",
        escaped(&title),
        escaped(by)
    );
    for one in subjects {
        subject(&mut out, one, "");
    }
    out + "</main>\n</body>\n</html>\n"
}

/// One subject as an element of a page with [`STYLE`]; `mending` is HTML that stands behind what is
/// wrong.
pub fn subject(out: &mut String, subject: &Subject<'_>, mending: &str) {
    let _ = write!(
        out,
        "<section class=\"subject\">\n<h1 class=\"name\"><bdi>{}</bdi></h1>\n",
        escaped(subject.name)
    );
    match subject.outcome {
        Ok(report) => examined(out, report, mending),
        Err(failure) => {
            verdict(out, Verdict::Errors, &format!("It could not be examined: {}", failure.what));
            if !failure.help.is_empty() {
                let _ = writeln!(
                    out,
                    "<p class=\"remedy\"><b>What to do</b>{}</p>",
                    escaped(&capital(failure.help))
                );
            }
        }
    }
    *out += "</section>\n";
}

fn examined(out: &mut String, report: &Report, mending: &str) {
    verdict(out, report.verdict, &report.sentence);
    chain(out, report);
    for other in &report.others {
        let _ = write!(out, "<h2>{}</h2>\n<dl>\n", escaped(other.kind.words()));
        for fact in &other.facts {
            let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(fact.name), escaped(&fact.value));
        }
        *out += "</dl>\n";
    }
    let told = report.told();
    findings(out, &told, Severity::Error, "What is wrong");
    findings(out, &told, Severity::Warning, "What may go wrong");
    clients(out, report);
    *out += mending;
    findings(out, &told, Severity::Notice, "Good to know");
    host(out, report);
    network(out, report);
    stores(out, report);
    untold(out, report);
    let guessed = report.profile.guessed.as_ref().map(|why| format!(" ({why})")).unwrap_or_default();
    let _ = writeln!(
        out,
        "<footer>Examined as of {} under the profile {}{}.</footer>",
        report.examined_at,
        report.profile.name,
        escaped(&guessed)
    );
}

/// What was found of one severity, under a heading where there is any.
fn findings(out: &mut String, told: &[Told<'_>], severity: Severity, title: &str) {
    let mut these = told.iter().filter(|one| one.severity == severity).peekable();
    if these.peek().is_some() {
        let _ = writeln!(out, "<h2>{title}</h2>");
    }
    for one in these {
        finding(out, one);
    }
}

fn host(out: &mut String, report: &Report) {
    let Some(host) = &report.host else { return };
    *out += "<h2>The host</h2>\n<dl>\n";
    for fact in host.facts() {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escaped(fact.name), escaped(&fact.value));
    }
    *out += "</dl>\n";
}

fn verdict(out: &mut String, verdict: Verdict, sentence: &str) {
    let (class, sign, word) = match verdict {
        Verdict::Right => ("right", "\u{2713}", "right"),
        Verdict::Warnings => ("warnings", "!", "warnings"),
        Verdict::Errors => ("errors", "\u{2715}", "errors"),
    };
    let _ = writeln!(
        out,
        "<div class=\"verdict {class}\"><span class=\"sign\" role=\"img\" aria-label=\"{word}\">{sign}</span><p>{}</p></div>",
        escaped(sentence)
    );
}

fn chain(out: &mut String, report: &Report) {
    if report.chain.is_empty() {
        return;
    }
    let (path, aside) = match report.shape {
        Shape::Chain => boxes(report),
        Shape::Apart | Shape::Bundle => (report.chain.iter().map(Box::There).collect(), Vec::new()),
    };
    let (title, class) = match report.shape {
        Shape::Chain => ("The chain", "chain"),
        Shape::Apart | Shape::Bundle => ("The certificates", "chain list"),
    };
    let _ = write!(out, "<h2>{title}</h2>\n<ol class=\"{class}\">\n");
    for one in &path {
        link(out, report, one, false);
    }
    for one in aside {
        link(out, report, &Box::There(one), true);
    }
    *out += "</ol>\n";
    if let Some(repaired) = &report.repaired {
        let names: Vec<String> = repaired
            .iter()
            .filter_map(|index| report.chain.iter().find(|link| link.index == *index))
            .map(|link| escaped(&Box::There(link).title()))
            .collect();
        let _ = writeln!(
            out,
            "<p class=\"repaired\"><b>To be served instead:</b> {}.</p>",
            names.join(", then ")
        );
    }
}

fn link(out: &mut String, report: &Report, one: &Box<'_>, aside: bool) {
    let worst = one.worst(report).filter(|severity| *severity != Severity::Notice);
    let mut class = worst.map(Severity::word).unwrap_or_default().to_owned();
    if matches!(one, Box::Missing(_)) {
        class += " missing";
    }
    if aside {
        class += " aside";
    }
    let mark = worst.map(|severity| format!("<span class=\"mark {0}\">{0}</span>", severity.word()));
    let prefix = if aside { "not on the path: " } else { "" };
    let _ = writeln!(
        out,
        "<li class=\"{}\"><div class=\"title\"><bdi>{}</bdi>{}</div><div class=\"about\">{prefix}{}</div></li>",
        class.trim(),
        escaped(&one.title()),
        mark.unwrap_or_default(),
        escaped(&one.about())
    );
}

fn clients(out: &mut String, report: &Report) {
    if report.clients.iter().all(|one| one.takes == Some(true)) {
        return;
    }
    *out += "<h2>Who takes it</h2>\n<ul class=\"plain\">\n";
    for one in &report.clients {
        let _ = writeln!(out, "<li>{}: {}</li>", escaped(one.who), escaped(&one.words()));
    }
    *out += "</ul>\n";
}

fn network(out: &mut String, report: &Report) {
    if report.network.is_empty() {
        return;
    }
    *out += "<h2>Asked on the network</h2>\n<ul class=\"plain\">\n";
    for one in &report.network {
        let _ = writeln!(out, "<li>{}: {}</li>", escaped(&one.question()), escaped(&one.answer()));
    }
    *out += "</ul>\n";
}

fn stores(out: &mut String, report: &Report) {
    if report.stores.is_empty() {
        return;
    }
    *out += "<h2>Root stores</h2>\n<ul class=\"plain\">\n";
    for store in &report.stores {
        let said = if store.is_trusted { "trusted by" } else { "not trusted by" };
        let _ = writeln!(out, "<li>{said} {}</li>", escaped(&store.name));
    }
    *out += "</ul>\n";
}

fn finding(out: &mut String, told: &Told<'_>) {
    let word = told.severity.word();
    let _ = write!(
        out,
        "<article class=\"finding {word}\">\n<div class=\"title\"><h3>{}</h3><span class=\"mark {word}\">{word}</span></div>\n\
         <p class=\"place\">{}</p>\n<p class=\"remedy\"><b>What to do</b>{}</p>\n\
         <details{}><summary>Details</summary><dl>\n",
        escaped(&capital(told.observed)),
        escaped(&told.place),
        escaped(told.remedy),
        // What is good to know is known in a line.
        if told.severity == Severity::Notice { "" } else { " open" },
    );
    let rule = told.rule();
    for (name, value) in [("expected", told.expected), ("affected", told.affected), ("rule", &rule)] {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", escaped(value));
    }
    let _ = write!(
        out,
        "<dt>check</dt><dd><code>{}</code>{}</dd>\n</dl></details>\n</article>\n",
        told.id,
        told.doubt()
    );
}

fn untold(out: &mut String, report: &Report) {
    if report.untold.is_empty() {
        return;
    }
    *out += "<h2>What could not be told</h2>\n<ul class=\"plain\">\n";
    for one in &report.untold {
        let _ = writeln!(out, "<li><code>{}</code>: {}</li>", one.id, escaped(&one.why));
    }
    *out += "</ul>\n";
}
