//! Reports as Markdown, for a merge request, a ticket or a build's summary.

use std::fmt::Write;

use super::picture::{Box, boxes};
use super::{Report, Severity, Shape, Subject, shown};

/// All of a run as Markdown; a pure function of it. Text out of certificates is text: nothing in it is markup.
pub fn markdown(subjects: &[Subject<'_>]) -> String {
    let all = subjects.iter().map(|subject| {
        let head = format!("# {}\n\n", plain(subject.name));
        match subject.outcome {
            Ok(report) => head + &one(report),
            Err(failure) => {
                format!(
                    "{head}**It could not be examined:** {}. {}\n",
                    plain(failure.what),
                    plain(failure.help)
                )
            }
        }
    });
    all.collect::<Vec<_>>().join("\n")
}

fn one(report: &Report) -> String {
    let mut out = format!("**{}**\n", plain(&report.sentence));
    if !report.chain.is_empty() {
        out += "\n| | certificate | |\n| --- | --- | --- |\n";
    }
    let (path, aside) = match report.shape {
        Shape::Chain => boxes(report),
        Shape::Apart | Shape::Bundle => (report.chain.iter().map(Box::There).collect(), Vec::new()),
    };
    for one in &path {
        row(&mut out, report, one, "");
    }
    for link in aside {
        row(&mut out, report, &Box::There(link), "not on the path: ");
    }
    if let Some(repaired) = &report.repaired {
        let numbers: Vec<String> = repaired.iter().map(usize::to_string).collect();
        let _ = write!(out, "\nTo be served instead: {}.\n", numbers.join(", "));
    }
    if let Some(host) = &report.host {
        out += "\n## The host\n\n";
        for fact in host.facts() {
            let _ = writeln!(out, "- {}: {}", plain(fact.name), plain(&fact.value));
        }
    }
    if !report.network.is_empty() {
        out += "\n## Asked on the network\n\n";
        for one in &report.network {
            let _ = writeln!(out, "- {}: {}", plain(&one.question()), plain(&one.answer()));
        }
    }
    if report.clients.iter().any(|one| one.takes != Some(true)) {
        out += "\n## Who takes it\n\n";
        for one in &report.clients {
            let _ = writeln!(out, "- {}: {}", plain(one.who), plain(&one.words()));
        }
    }
    let told = report.told();
    for (severity, title) in
        [(Severity::Error, "Errors"), (Severity::Warning, "Warnings"), (Severity::Notice, "Notices")]
    {
        let mut these = told.iter().filter(|one| one.severity == severity).peekable();
        if these.peek().is_some() {
            let _ = write!(out, "\n## {title}\n");
        }
        for one in these {
            let _ = write!(
                out,
                "\n- **{}**{}: {}\n  - expected: {}\n  - where: {}\n  - clause: {}\n  - affected: {}\n  - **help: {}**\n",
                one.id,
                one.doubt(),
                plain(one.observed),
                plain(one.expected),
                plain(&one.place),
                plain(&one.rule()),
                plain(one.affected),
                plain(one.remedy),
            );
        }
    }
    if !report.untold.is_empty() {
        out += "\n## Cannot tell\n\n";
        for one in &report.untold {
            let _ = writeln!(out, "- {}: {}", one.id, plain(&one.why));
        }
    }
    let _ =
        write!(out, "\nExamined as of {} under the profile {}.\n", report.examined_at, report.profile.name);
    out
}

fn row(out: &mut String, report: &Report, one: &Box<'_>, prefix: &str) {
    let number = match one {
        Box::There(link) => link.index.to_string(),
        Box::Missing(_) => "?".into(),
    };
    let mark = match one.worst(report) {
        Some(Severity::Error) => " **[error]**",
        Some(Severity::Warning) => " **[warning]**",
        _ => "",
    };
    let _ = writeln!(out, "| {number} | {}{mark} | {prefix}{} |", plain(&one.title()), plain(&one.about()));
}

/// Text that stays text: every character with a meaning in Markdown is escaped (CommonMark section 2.4), and those of HTML
/// are entities, so that no reader takes them for a tag.
fn plain(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '&' => safe += "&amp;",
            c if "\\`*_{}[]()#+!|~\"$".contains(c) => safe.extend(['\\', c]),
            c => safe.push(c),
        }
    }
    // What would become a link or a mention by itself.
    safe.replace("://", "\\://").replace('@', "\\@").replace("www.", "www\\.")
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_in_a_name_is_markup() {
        assert_eq!(super::plain("a|b*c`<d>&"), "a\\|b\\*c\\`&lt;d&gt;&amp;");
        assert_eq!(super::plain("https://www.x.example @y"), "https\\://www\\.x.example \\@y");
    }
}
