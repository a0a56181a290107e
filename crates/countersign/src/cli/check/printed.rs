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
    match format {
        None | Some(Format::Text) => plain(globals, all),
        Some(format) => globals.print_bytes(text_of(format, all, limit, BY)?.as_bytes()),
    }
    Ok(())
}

/// The reports in one form; `by` is the name above a page.
pub fn text_of(
    format: Format,
    all: &[(String, Result<Seen, Failure>)],
    limit: Option<Severity>,
    by: &str,
) -> Result<String, Failure> {
    let subjects: Vec<Subject<'_>> = all.iter().map(|(name, one)| subject(name, one)).collect();
    Ok(match format {
        Format::Text => texts(all, false, str::to_owned).join("\n"),
        Format::Html => html::html(&subjects, by),
        Format::Svg => match subjects.as_slice() {
            [Subject { outcome: Ok(report), .. }] => svg::svg(report),
            [_] => return Err(first_failure(all)),
            _ => return Err(Failure::usage("a picture shows one chain", "give one file with one chain")),
        },
        Format::Sarif => serde_json::to_string_pretty(&sarif::sarif(&subjects, env!("CARGO_PKG_VERSION")))
            .map(|text| text + "\n")
            .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))?,
        Format::Junit => junit::junit(&subjects, limit),
        Format::Markdown => markdown::markdown(&subjects),
    })
}

/// The documents for scripts as text: of one subject one, of several a list.
pub fn json(all: &[(String, Result<Seen, Failure>)]) -> Result<String, Failure> {
    let text = match documents(all).as_slice() {
        [one] => serde_json::to_string_pretty(one),
        many => serde_json::to_string_pretty(many),
    };
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))
}

fn documents(all: &[(String, Result<Seen, Failure>)]) -> Vec<Document> {
    all.iter().map(|(file, one)| Document::of(file, one.as_ref().map(|seen| &seen.report))).collect()
}

fn plain(globals: &Globals, all: &[(String, Result<Seen, Failure>)]) {
    let texts = texts(all, globals.verbose, |text| coloured(globals, text));
    match documents(all).as_slice() {
        [one] => globals.print(one, texts.concat()),
        many => globals.print(&many, texts.join("\n")),
    }
}

/// Each report as text, with a head where there are several.
fn texts(
    all: &[(String, Result<Seen, Failure>)],
    is_verbose: bool,
    paint: impl Fn(&str) -> String,
) -> Vec<String> {
    let one = |(file, one): &(String, Result<Seen, Failure>)| {
        let head = if all.len() > 1 { format!("== {file}\n") } else { String::new() };
        match one {
            Ok(seen) => head + &paint(&text(&seen.report, is_verbose)),
            Err(failure) => format!("{head}It could not be examined: {failure}\n"),
        }
    };
    all.iter().map(one).collect()
}

/// What a page tells of one of them.
pub fn subject<'a>(name: &'a str, one: &'a Result<Seen, Failure>) -> Subject<'a> {
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
