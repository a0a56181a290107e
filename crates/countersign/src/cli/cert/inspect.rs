//! `cert inspect` and `cert lint`: one certificate after the other, each by itself.

use std::path::{Path, PathBuf};

use examiner::chain::Examinee;
use examiner::report::{Report, Shape, text::text};
use examiner::{KeyPin, lint, other, view};
use serde_json::{Value, json};

use crate::cli::check::source::{self, Source};
use crate::cli::check::{Document, coloured, limit, question};
use crate::cli::{Exit, Globals, Outcome, context};

/// `countersign cert inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign cert inspect www.pem
  countersign cert inspect www.pem -v          with the place and bytes of everything
  countersign cert inspect alice.p12 --password-file alice.password --json")]
pub struct InspectArgs {
    /// A file: PEM, DER, PKCS#7, PKCS#12, a request, a revocation list; `-` for standard input.
    file: PathBuf,
    /// The first line of this file is the password of a PKCS#12 file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

/// `countersign cert lint`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign cert lint www.pem
  countersign cert lint ca.pem --profile rfc5280 --fail-on warning")]
pub struct LintArgs {
    /// A file: PEM, DER, PKCS#7 or PKCS#12; `-` for standard input.
    file: PathBuf,
    /// By whose rules.
    #[arg(long, default_value = "auto", value_parser = ["auto", "web", "rfc5280", "private-server", "mtls-client"])]
    profile: String,
    /// Examine as of this moment.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// The first line of this file is the password of a PKCS#12 file.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// End with 1 from this severity on.
    #[arg(long, default_value = "error", value_parser = ["error", "warning", "notice", "never"])]
    fail_on: String,
}

pub fn inspect(globals: &Globals, args: &InspectArgs) -> Outcome {
    let source = source::read(&args.file, args.password_file.as_deref())?;
    let certificates = examinees(&source);
    if certificates.is_empty() && source.input.others.is_empty() {
        return Err(source::nothing_in(&args.file, &source.input, "certificate"));
    }
    let at_hand: Vec<&Examinee> = certificates.iter().collect();
    let others = source.input.others.iter().map(|one| other::look(one, &at_hand, context::now()).described);
    let others: Vec<_> = others.collect();
    let mut texts: Vec<String> =
        certificates.iter().map(|one| head(one) + &view::text(one, globals.verbose)).collect();
    texts.extend(others.iter().map(|other| {
        let facts = other.facts.iter().map(|fact| format!("  {:<28} {}\n", fact.name, fact.value));
        format!("{}\n{}", other.kind.words(), facts.collect::<String>())
    }));
    let values: Vec<Value> = certificates.iter().map(value).collect();
    globals.print(&json!({ "certificates": values, "others": others }), texts.join("\n"));
    Ok(Exit::Fine)
}

fn examinees(source: &Source) -> Vec<Examinee> {
    let read = |(index, der): (usize, &Vec<u8>)| Examinee { index, ..Examinee::read(der.as_slice()) };
    source.input.certificates.iter().enumerate().map(read).collect()
}

fn head(one: &Examinee) -> String {
    let sha1 = super::sha1(one.der());
    format!(
        "{} {}\n  {:<28} {}\n  {:<28} {sha1} (for looking up)\n",
        one.index,
        one.shown_name(),
        "thumbprint",
        one.thumbprint,
        "SHA-1"
    )
}

fn value(one: &Examinee) -> Value {
    let name = |name: &Option<examiner::chain::DistinguishedName>| name.as_ref().map(ToString::to_string);
    json!({
        "index": one.index,
        "role": one.role,
        "subject": name(&one.subject),
        "issuer": name(&one.issuer),
        "serial": data_hex(one.serial()),
        "not_before": one.not_before,
        "not_after": one.not_after,
        "thumbprint": one.thumbprint.to_string(),
        "sha1_for_lookup": super::sha1(one.der()),
        "key_pin": one.fields().spki.map(|spki| KeyPin::of(spki.element.bytes()).to_string()),
        "size": one.der().len(),
        "fields": view::rows(one),
    })
}

fn data_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn lint_file(globals: &Globals, args: &LintArgs) -> Outcome {
    let source = source::read(&args.file, args.password_file.as_deref())?;
    let report = linted(&args.file, args, &source)?;
    let file = args.file.display().to_string();
    let shown = coloured(globals, &text(&report, globals.verbose));
    let worst = report.worst();
    globals.print(&Document::of(&file, Ok(&report)), shown);
    let limit = limit(&args.fail_on);
    Ok(if worst.zip(limit).is_some_and(|(worst, limit)| worst <= limit) { Exit::No } else { Exit::Fine })
}

fn linted(file: &Path, args: &LintArgs, source: &Source) -> Result<Report, crate::cli::Failure> {
    if source.input.certificates.is_empty() {
        return Err(source::nothing_in(file, &source.input, "certificate"));
    }
    let question = question(&args.profile, false, args.at.as_deref())?;
    Ok(lint(examinees(source), &question, Shape::Apart).of_file(source.input.notes.clone(), Vec::new()))
}
