//! What scripts get: one document a file, and its JSON Schema.

use examiner::report::{Report, Told};
use examiner::seen::Host;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cli::Failure;

/// What `check --json` prints for one file; for several files, a list of these.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Document {
    /// The file or host was examined.
    Examined(Box<Examined>),
    /// The file or host could not be examined.
    NotExamined(NotExamined),
}

/// A file or a host that was examined.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Examined {
    /// The file as it was named; of a host, host and port.
    file: String,
    /// The worst of the findings.
    #[schemars(extend("enum" = ["right", "warnings", "errors"]))]
    verdict: Value,
    /// The verdict in words.
    sentence: String,
    /// By whose rules, and why these where they were chosen.
    #[schemars(schema_with = "object")]
    profile: Value,
    /// The moment that counted as now, RFC 3339.
    examined_at: String,
    /// How the certificates belong together.
    #[schemars(extend("enum" = ["chain", "apart", "bundle"]))]
    shape: Value,
    /// The certificates by their index.
    chain: Vec<Link>,
    /// Certificates that are missing from what is served.
    #[schemars(schema_with = "objects")]
    missing: Value,
    /// The chain that ought to be served instead, by index.
    repaired: Option<Vec<usize>>,
    /// What each root store says, where more than one was asked.
    #[schemars(schema_with = "objects")]
    root_stores: Value,
    /// Who takes the chain, who refuses it, and why: `client`, `who`, `fetches`, `takes`, `why`, `path`.
    #[schemars(schema_with = "objects")]
    clients: Value,
    /// Whether the host asks for a client certificate; null for files, and for a host's further chains.
    client_certificate: Option<ClientCertificate>,
    /// What was seen of the host: addresses and handshakes; null for files, and for a host's further chains.
    #[schemars(schema_with = "object_or_null")]
    host: Value,
    /// What the file holds beside certificates.
    #[schemars(schema_with = "objects")]
    others: Value,
    /// What was asked of the network, and what came: `index`, `sought`, `method`, `url`, `came`, `fault`.
    #[schemars(schema_with = "objects")]
    network: Value,
    /// What was found, errors first.
    findings: Vec<Found>,
    /// What could not be told: `id`, `index`, `needs`, `why`.
    #[schemars(schema_with = "objects")]
    untold: Value,
}

/// A file or a host that could not be examined.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NotExamined {
    /// The file or the host as it was named.
    file: String,
    /// Why.
    error: String,
    /// What to do.
    help: String,
}

/// What a host asks of a client's certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClientCertificate {
    /// How much it is asked for; `unknown`: it is asked for, and what comes of having none could not be seen.
    #[schemars(extend("enum" = ["required", "optional", "no", "unknown"]))]
    asked: Value,
    /// The issuers that the host names, RFC 4514.
    issuers: Vec<String>,
}

/// A certificate.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// Its number.
    index: usize,
    /// The part it plays.
    #[schemars(extend("enum" = ["end-entity", "intermediate", "root"]))]
    role: Value,
    /// Where it comes from.
    #[schemars(extend("enum" = ["served", "beside", "anchor"]))]
    source: Value,
    /// Its subject, RFC 4514.
    subject: String,
    /// Its issuer, RFC 4514.
    issuer: String,
    /// Its serial number, hexadecimal.
    serial: String,
    /// First second of validity.
    not_before: Option<String>,
    /// Last second of validity.
    not_after: Option<String>,
    /// SHA-256 of its DER.
    thumbprint: String,
}

/// A finding.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Found {
    /// Its stable name; `explain` knows it.
    id: String,
    /// How much it matters.
    #[schemars(extend("enum" = ["error", "warning", "notice"]))]
    severity: Value,
    /// Of what it is.
    #[schemars(extend("enum" = ["end-entity", "intermediate", "root", "file", "host"]))]
    role: Value,
    /// The certificate's index; null for the file and the host.
    index: Option<usize>,
    /// Where in the certificate, by the standard's names; in the file by its line.
    path: String,
    /// The bytes, from the first to one after the last; null for the file and the host.
    range: Option<[usize; 2]>,
    /// What stands there.
    observed: String,
    /// What ought to stand there.
    expected: String,
    /// Where the rule is written.
    clause: String,
    /// Since when the rule holds, where it has a date.
    in_force: Option<String>,
    /// Who is affected.
    affected: String,
    /// How sure it is.
    #[schemars(extend("enum" = ["certain", "likely"]))]
    confidence: Value,
    /// What to do.
    remedy: String,
}

impl Document {
    /// The document of one file.
    pub fn of(file: &str, examined: Result<&Report, &Failure>) -> Self {
        let file = file.to_owned();
        match examined {
            Ok(report) => Self::Examined(Box::new(Examined::of(file, report))),
            Err(failure) => Self::NotExamined(NotExamined {
                file,
                error: failure.what.clone(),
                help: failure.help.clone(),
            }),
        }
    }
}

impl Examined {
    fn of(file: String, report: &Report) -> Self {
        let time = |time: Option<examiner::UnixTime>| time.map(|time| time.to_string());
        let links = report.chain.iter().map(|link| Link {
            index: link.index,
            role: json!(link.role),
            source: json!(link.source),
            subject: link.subject.clone(),
            issuer: link.issuer.clone(),
            serial: link.serial.clone(),
            not_before: time(link.not_before),
            not_after: time(link.not_after),
            thumbprint: link.thumbprint.clone(),
        });
        Self {
            file,
            verdict: json!(report.verdict),
            sentence: report.sentence.clone(),
            profile: json!(report.profile),
            examined_at: report.examined_at.to_string(),
            shape: json!(report.shape),
            chain: links.collect(),
            missing: json!(report.missing),
            repaired: report.repaired.clone(),
            root_stores: json!(report.stores),
            clients: json!(report.clients),
            client_certificate: report.host.as_ref().map(client_certificate),
            host: json!(report.host),
            others: json!(report.others),
            network: json!(report.network),
            findings: report.told().iter().map(found).collect(),
            untold: json!(report.untold),
        }
    }
}

fn client_certificate(host: &Host) -> ClientCertificate {
    let asks = host.asks();
    let asked = match asks.map(|asks| asks.word()) {
        Some("asked") => "unknown",
        Some(word) => word,
        None if host.newest().is_none() => "unknown",
        None => "no",
    };
    ClientCertificate {
        asked: json!(asked),
        issuers: asks.map(|asks| asks.issuers.clone()).unwrap_or_default(),
    }
}

fn found(told: &Told<'_>) -> Found {
    let elsewhere = if told.is_of_host { "host" } else { "file" };
    Found {
        id: told.id.into(),
        severity: json!(told.severity),
        role: told.certificate.map_or(json!(elsewhere), |(role, _)| json!(role)),
        index: told.certificate.map(|(_, index)| index),
        path: told.path.to_string(),
        range: told.range.as_ref().map(|range| [range.start, range.end]),
        observed: told.observed.into(),
        expected: told.expected.into(),
        clause: told.clause.into(),
        in_force: told.in_force.map(|from| from.to_string()),
        affected: told.affected.into(),
        confidence: json!(told.confidence),
        remedy: told.remedy.into(),
    }
}

fn object(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "object" })
}

fn object_or_null(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": ["object", "null"] })
}

fn objects(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "array", "items": { "type": "object" } })
}

/// The JSON Schema (2020-12) of what `check --json` prints: one document, or a list of them.
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    let alternatives = schema.as_object_mut().and_then(|all| all.remove("anyOf")).unwrap_or_default();
    schema["$defs"]["Document"] = json!({ "anyOf": alternatives });
    let one = json!({ "$ref": "#/$defs/Document" });
    schema["anyOf"] = json!([one, { "type": "array", "items": one }]);
    schema["title"] = json!("countersign check --json");
    schema
}
