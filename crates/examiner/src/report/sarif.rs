//! Reports as SARIF 2.1.0, as code scanners and their dashboards read it.
//!
//! A finding's place in a certificate is a logical location: bytes of the DER are no bytes of a PEM file. A note on a file
//! has its line there.

use serde::Serialize;

use super::{NetworkUse, NotExamined, Severity, Subject, Told};
use crate::chain::Role;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A SARIF log (SARIF 2.1.0 section 3.13), to be written as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Vec<Outcome>,
    column_kind: &'static str,
}

#[derive(Debug, Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Message,
    full_description: Message,
    help: Message,
}

#[derive(Debug, Serialize)]
struct Message {
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Debug, Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
    locations: [Location; 1],
}

#[derive(Debug, Serialize)]
struct Artifact {
    location: ArtifactLocation,
}

#[derive(Debug, Serialize)]
struct ArtifactLocation {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location; 1],
    partial_fingerprints: Fingerprint,
    properties: Properties,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: PhysicalLocation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<LogicalLocation>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogicalLocation {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

/// What stays the same when the same thing is found again (SARIF 2.1.0 section 3.27.16).
#[derive(Debug, Serialize)]
struct Fingerprint {
    #[serde(rename = "countersign/v1")]
    ours: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    expected: String,
    affected: String,
    clause: String,
    remedy: String,
    confidence: super::Confidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<[usize; 2]>,
}

/// All of a run as one SARIF log; a pure function of it. `version` is the program's.
pub fn sarif(subjects: &[Subject<'_>], version: &str) -> Log {
    let mut rules: Vec<Rule> = Vec::new();
    let mut results = Vec::new();
    let mut failures = Vec::new();
    let mut asked = Vec::new();
    for (index, subject) in subjects.iter().enumerate() {
        let report = match subject.outcome {
            Ok(report) => report,
            Err(failure) => {
                failures.push(notification(subject.name, index, failure));
                continue;
            }
        };
        asked.extend(report.network.iter().map(|one| note(subject.name, index, one)));
        for told in report.told() {
            let rule_index = rules.iter().position(|rule| rule.id == told.id).unwrap_or_else(|| {
                rules.push(rule(&told));
                rules.len() - 1
            });
            let thumbprint = told
                .certificate
                .and_then(|(_, i)| report.chain.iter().find(|link| link.index == i))
                .map_or("", |link| link.thumbprint.as_str());
            results.push(result(&told, thumbprint, subject.name, index, rule_index));
        }
    }
    let artifacts = subjects
        .iter()
        .map(|subject| Artifact { location: ArtifactLocation { uri: uri(subject.name), index: None } });
    Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool { driver: Driver { name: "countersign", version: version.to_owned(), rules } },
            invocations: [Invocation {
                execution_successful: failures.is_empty(),
                tool_execution_notifications: failures.into_iter().chain(asked).collect(),
            }],
            artifacts: artifacts.collect(),
            results,
            column_kind: "unicodeCodePoints",
        }],
    }
}

fn rule(told: &Told<'_>) -> Rule {
    Rule {
        id: told.id,
        short_description: message(told.id.replace('-', " ")),
        full_description: message(format!("Expected: {} ({}).", told.expected, told.clause)),
        help: message(told.remedy),
    }
}

fn result(told: &Told<'_>, thumbprint: &str, name: &str, index: usize, rule_index: usize) -> Outcome {
    let certificate = told.certificate.map(|(role, i)| LogicalLocation {
        name: format!("certificate {i}"),
        fully_qualified_name: match &*told.path {
            "" => format!("certificate {i}"),
            path => format!("certificate {i}/{path}"),
        },
        kind: match role {
            Role::EndEntity => "end-entity certificate",
            Role::Intermediate => "intermediate certificate",
            Role::Root => "root certificate",
        },
    });
    Outcome {
        rule_id: told.id,
        rule_index,
        level: level(told.severity),
        message: message(format!("{}: {}. {}", told.place, told.observed.trim_end_matches('.'), told.remedy)),
        locations: [Location {
            physical_location: physical(name, index, Some(told.line.unwrap_or(1))),
            logical_locations: certificate.into_iter().collect(),
        }],
        partial_fingerprints: Fingerprint { ours: format!("{}:{thumbprint}:{}", told.id, told.path) },
        properties: Properties {
            expected: told.expected.to_owned(),
            affected: told.affected.to_owned(),
            clause: told.rule(),
            remedy: told.remedy.to_owned(),
            confidence: told.confidence,
            bytes: told.range.as_ref().map(|range| [range.start, range.end]),
        },
    }
}

fn notification(name: &str, index: usize, failure: NotExamined<'_>) -> Notification {
    let help = if failure.help.is_empty() { String::new() } else { format!(" ({})", failure.help) };
    let text = format!("{} could not be examined: {}{help}", super::shown(name), failure.what);
    notify("error", text, name, index)
}

/// An address that was asked.
fn note(name: &str, index: usize, one: &NetworkUse) -> Notification {
    notify("note", format!("Asked on the network: {}: {}", one.question(), one.answer()), name, index)
}

fn notify(level: &'static str, text: String, name: &str, index: usize) -> Notification {
    Notification {
        level,
        message: message(text),
        locations: [Location {
            physical_location: physical(name, index, None),
            logical_locations: Vec::new(),
        }],
    }
}

fn physical(name: &str, index: usize, start_line: Option<usize>) -> PhysicalLocation {
    PhysicalLocation {
        artifact_location: ArtifactLocation { uri: uri(name), index: Some(index) },
        region: start_line.map(|start_line| Region { start_line }),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Notice => "note",
    }
}

fn message(text: impl Into<String>) -> Message {
    Message { text: text.into() }
}

/// A file's name as a URI reference (RFC 3986 section 4.1): what has a meaning of its own there is percent-encoded.
fn uri(name: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        if plain(byte) {
            out.push(char::from(byte));
        } else {
            out += &format!("%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_name_cannot_become_an_address_or_a_query() {
        assert_eq!(super::uri("certs/www.example.com.pem"), "certs/www.example.com.pem");
        assert_eq!(super::uri("javascript:x?y#z é"), "javascript%3Ax%3Fy%23z%20%C3%A9");
    }
}
