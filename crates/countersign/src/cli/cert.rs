//! `cert`: what can be read off a certificate file.

use std::io::Read;
use std::path::{Path, PathBuf};

use examiner::Certificate;
use serde_json::json;

use super::{Exit, Failure, Globals, Outcome};

/// `countersign cert …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// The SHA-256 thumbprint and key pin of each certificate in a file.
    Thumbprint {
        /// A PEM or DER file; `-` for standard input.
        file: PathBuf,
    },
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Thumbprint { file } => thumbprint(globals, &file),
    })
}

fn thumbprint(globals: &Globals, file: &Path) -> Outcome {
    let all = read(file)?;
    let rows: Vec<_> = all
        .iter()
        .map(
            |c| json!({ "subject": c.subject.to_string(), "thumbprint": c.thumbprint, "key_pin": c.key_pin }),
        )
        .collect();
    let text: Vec<String> = all
        .iter()
        .map(|c| format!("{}\n  thumbprint  {}\n  key pin     {}", c.subject, c.thumbprint, c.key_pin))
        .collect();
    globals.print(&rows, text.join("\n"));
    Ok(Exit::Fine)
}

/// The facts of a certificate as JSON.
pub fn view(c: &Certificate) -> serde_json::Value {
    json!({
        "subject": c.subject.to_string(),
        "issuer": c.issuer.to_string(),
        "serial": c.serial_hex(),
        "not_before": c.not_before,
        "not_after": c.not_after,
        "thumbprint": c.thumbprint,
        "key_pin": c.key_pin,
        "key": format!("{:?}", c.public_key),
        "names": c.subject_alt_names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>(),
        "key_purposes": c.extended_key_usage,
        "ca": c.is_ca,
    })
}

/// The certificates of a file; `-` is standard input. Never empty.
pub fn read(file: &Path) -> Result<Vec<Certificate>, Failure> {
    let bytes = read_bytes(file)?;
    examiner::cert::pem::certificates(&bytes).map_err(|error| {
        Failure::usage(format!("{}: {error}", file.display()), "give a certificate, PEM or DER")
    })
}

/// The bytes of a file; `-` is standard input.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        let read = std::io::stdin().take(1 << 20).read_to_end(&mut bytes);
        return read.map(|_| bytes).map_err(|error| Failure::file(file, "read", &error));
    }
    std::fs::read(file).map_err(|error| Failure::file(file, "read", &error))
}
