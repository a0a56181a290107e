//! Reports as JUnit XML, as build servers read it: a suite for each thing examined, a case for each thing found.

use std::fmt::Write;

use super::markup::escaped;
use super::{Report, Severity, Subject, Told};

/// All of a run as JUnit XML; a pure function of it. What is of severity `fail_on` or worse is a failure, the rest
/// passes with its text as output; `None` fails nothing. What could not be examined is an error.
pub fn junit(subjects: &[Subject<'_>], fail_on: Option<Severity>) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut errors) = (0, 0, 0);
    for subject in subjects {
        let cases = match subject.outcome {
            Ok(report) => cases(report, subject.name, fail_on),
            Err(failure) => Cases {
                tests: 1,
                errors: 1,
                text: format!(
                    "    <testcase classname=\"{}\" name=\"can be examined\">\n      \
                     <error message=\"{}\">{}</error>\n    </testcase>\n",
                    escaped(subject.name),
                    escaped(failure.what),
                    escaped(failure.help)
                ),
                ..Cases::default()
            },
        };
        let _ = write!(
            suites,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\">\n{}  </testsuite>\n",
            escaped(subject.name),
            cases.tests,
            cases.failures,
            cases.errors,
            cases.text
        );
        tests += cases.tests;
        failures += cases.failures;
        errors += cases.errors;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"countersign check\" tests=\"{tests}\" \
         failures=\"{failures}\" errors=\"{errors}\">\n{suites}</testsuites>\n"
    )
}

#[derive(Default)]
struct Cases {
    tests: usize,
    failures: usize,
    errors: usize,
    text: String,
}

fn cases(report: &Report, name: &str, fail_on: Option<Severity>) -> Cases {
    let mut all = Cases { tests: 1, ..Cases::default() };
    let _ = write!(
        all.text,
        "    <testcase classname=\"{}\" name=\"can be examined\">\n      <system-out>{}</system-out>\n    \
         </testcase>\n",
        escaped(name),
        escaped(&network(report))
    );
    for told in report.told() {
        let fails = fail_on.is_some_and(|limit| told.severity <= limit);
        all.tests += 1;
        all.failures += usize::from(fails);
        let body = body(&told);
        let inner = match fails {
            true => format!(
                "<failure type=\"{}\" message=\"{}\">{body}</failure>",
                told.severity.word(),
                escaped(told.observed)
            ),
            false => format!(
                "<system-out>{}: {}\n{body}</system-out>",
                told.severity.word(),
                escaped(told.observed)
            ),
        };
        let place = match told.certificate {
            Some((_, index)) => format!("certificate {index}"),
            None if told.is_of_host => "the host".into(),
            None => "the file".into(),
        };
        let path = if told.path.is_empty() { String::new() } else { format!(", {}", told.path) };
        let _ = write!(
            all.text,
            "    <testcase classname=\"{}\" name=\"{}\">\n      {inner}\n    </testcase>\n",
            escaped(name),
            escaped(&format!("{} ({place}{path})", told.id)),
        );
    }
    all
}

/// The sentence, and every address that was asked.
fn network(report: &Report) -> String {
    let asked = report.network.iter().map(|one| format!("\n{}: {}", one.question(), one.answer()));
    std::iter::once(report.sentence.clone()).chain(asked).collect()
}

fn body(told: &Told<'_>) -> String {
    let rule = told.rule();
    let lines = [
        ("expected", told.expected),
        ("where", told.place.as_str()),
        ("clause", &rule),
        ("affected", told.affected),
        ("help", told.remedy),
    ];
    lines.iter().map(|(name, value)| format!("{name}: {}\n", escaped(value))).collect()
}
