//! What was seen of many, as Prometheus reads it from a file (text format 0.0.4), such as one of node_exporter's folder.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use authority::files;
use examiner::UnixTime;

use super::state::{Known, Word};
use crate::cli::Failure;

/// Writes the file in one step, so that nobody reads half of it.
pub fn write(file: &Path, all: &[(String, Known)], at: UnixTime, took: Duration) -> Result<(), Failure> {
    Ok(files::replace_public(file, text(all, at, took).as_bytes())?)
}

fn text(all: &[(String, Known)], at: UnixTime, took: Duration) -> String {
    // A name that was given twice is measured once.
    let all: BTreeMap<&str, &Known> = all.iter().map(|(name, known)| (name.as_str(), known)).collect();
    let mut out = String::new();
    let mut family = |name: &str, help: &str, samples: Vec<(String, i64)>| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (labels, value) in samples {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let target = |name: &str| format!("{{target=\"{}\"}}", escaped(name));
    let examined = |known: &Known| i64::from(known.state.word != Word::NotExamined);
    family(
        "countersign_check_examined",
        "Whether the target could be examined (1) or not (0).",
        all.iter().map(|(name, known)| (target(name), examined(known))).collect(),
    );
    let severities = ["error", "warning", "notice"];
    let counted = all.iter().filter(|(_, known)| known.state.word != Word::NotExamined);
    let counted = counted.flat_map(|(name, known)| {
        severities.iter().zip(known.counts).map(move |(severity, count)| {
            let labels = format!("{{target=\"{}\",severity=\"{severity}\"}}", escaped(name));
            (labels, i64::try_from(count).unwrap_or(i64::MAX))
        })
    });
    family("countersign_check_findings", "Findings by severity.", counted.collect());
    let ends = all.iter().filter_map(|(name, known)| Some((target(name), known.not_after?.seconds())));
    family(
        "countersign_check_certificate_not_after_seconds",
        "End of the first certificate, in seconds since 1970-01-01T00:00:00Z.",
        ends.collect(),
    );
    family(
        "countersign_check_round_end_seconds",
        "When all of them had been examined, in seconds since 1970-01-01T00:00:00Z.",
        vec![(String::new(), at.seconds())],
    );
    let _ = writeln!(
        out,
        "# HELP countersign_check_round_duration_seconds How long it took to examine all of them.\n\
         # TYPE countersign_check_round_duration_seconds gauge\n\
         countersign_check_round_duration_seconds {:.3}",
        took.as_secs_f64()
    );
    out
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::state::State;

    #[test]
    fn one_that_could_not_be_examined_has_no_findings_and_a_name_cannot_end_its_label() {
        let known = |word, counts, not_after| Known {
            state: State { word, ids: Default::default() },
            sentence: String::new(),
            counts,
            not_after,
        };
        let all = [
            ("a.example:443".to_owned(), known(Word::Errors, [1, 0, 2], Some(UnixTime(1_900_000_000)))),
            ("b\"\\\n".to_owned(), known(Word::NotExamined, [0; 3], None)),
        ];
        let text = text(&all, UnixTime(1_800_000_000), Duration::from_millis(1500));
        for line in [
            "countersign_check_examined{target=\"a.example:443\"} 1",
            "countersign_check_examined{target=\"b\\\"\\\\\\n\"} 0",
            "countersign_check_findings{target=\"a.example:443\",severity=\"error\"} 1",
            "countersign_check_findings{target=\"a.example:443\",severity=\"warning\"} 0",
            "countersign_check_certificate_not_after_seconds{target=\"a.example:443\"} 1900000000",
            "countersign_check_round_end_seconds 1800000000",
            "countersign_check_round_duration_seconds 1.500",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
        assert_eq!(text.matches("countersign_check_findings{").count(), 3, "{text}");
    }
}
