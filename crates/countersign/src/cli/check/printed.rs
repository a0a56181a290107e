//! What is printed of the reports, in each form.

use examiner::report::text::text;
use examiner::report::{NotExamined, Severity, Subject, html, junit, markdown, sarif, svg};

use super::look::Seen;
use super::{Document, coloured};
use crate::cli::{Exit, Failure, Globals};

/// The name above a page.
const BY: &str = "Countersign check";

/// A form other than JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// To be read in a terminal.
    Text,
    /// One page that needs no other file.
    Html,
    /// The chain as a picture.
    Svg,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// JUnit XML, for build servers.
    Junit,
    /// Markdown, for tickets and merge requests.
    Markdown,
}

/// Prints everything that was seen.
pub fn print(
    globals: &Globals,
    format: Option<Format>,
    all: &[(String, Result<Seen, Failure>)],
    limit: Option<Severity>,
) -> Result<(), Failure> {
    let subjects: Vec<Subject<'_>> = all.iter().map(|(name, one)| subject(name, one)).collect();
    let printed = match format {
        None | Some(Format::Text) => {
            plain(globals, all);
            return Ok(());
        }
        Some(Format::Html) => html::html(&subjects, BY),
        Some(Format::Svg) => match subjects.as_slice() {
            [Subject { outcome: Ok(report), .. }] => svg::svg(report),
            [_] => return Err(first_failure(all)),
            _ => return Err(Failure::usage("a picture shows one chain", "give one file with one chain")),
        },
        Some(Format::Sarif) => {
            serde_json::to_string_pretty(&sarif::sarif(&subjects, env!("CARGO_PKG_VERSION")))
                .map(|text| text + "\n")
                .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))?
        }
        Some(Format::Junit) => junit::junit(&subjects, limit),
        Some(Format::Markdown) => markdown::markdown(&subjects),
    };
    globals.print_bytes(printed.as_bytes());
    Ok(())
}

fn plain(globals: &Globals, all: &[(String, Result<Seen, Failure>)]) {
    let documents: Vec<Document> =
        all.iter().map(|(file, one)| Document::of(file, one.as_ref().map(|seen| &seen.report))).collect();
    let texts: Vec<String> = all
        .iter()
        .map(|(file, one)| {
            let head = if all.len() > 1 { format!("== {file}\n") } else { String::new() };
            match one {
                Ok(seen) => head + &coloured(globals, &text(&seen.report, globals.verbose)),
                Err(failure) => format!("{head}It could not be examined: {failure}\n"),
            }
        })
        .collect();
    match documents.as_slice() {
        [one] => globals.print(one, texts.concat()),
        many => globals.print(&many, texts.join("\n")),
    }
}

fn subject<'a>(name: &'a str, one: &'a Result<Seen, Failure>) -> Subject<'a> {
    let outcome = match one {
        Ok(seen) => Ok(&seen.report),
        Err(failure) => Err(NotExamined { what: &failure.what, help: &failure.help }),
    };
    Subject { name, outcome }
}

fn first_failure(all: &[(String, Result<Seen, Failure>)]) -> Failure {
    let failed = all.iter().find_map(|(_, one)| one.as_ref().err().cloned());
    failed.unwrap_or_else(|| Failure::usage("there is nothing to draw", "give a file with a chain"))
}
