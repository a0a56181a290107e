//! `cert`: what can be read off a certificate file, and its other forms.
//!
//! - `inspect` shows everything in certificates, and looks at each by itself; `convert` writes them in another form.
//! - `request` makes a key and a request for a certificate that is bought or issued elsewhere.

use std::io::Read;
use std::path::{Path, PathBuf};

use examiner::Certificate;
use serde_json::json;

use super::{Exit, Failure, Globals, Outcome};

mod apple;
pub mod convert;
mod inspect;
mod request;

/// `countersign cert …`.
#[derive(Debug, clap::Subcommand)]
pub enum Args {
    /// Everything in a certificate, a request or a revocation list.
    Inspect(inspect::InspectArgs),
    /// Look at each certificate of a file by itself: no chain, no trust.
    Lint(inspect::LintArgs),
    /// The certificates of a file in another form: PEM, DER, PKCS#7, PKCS#12, Apple's profile.
    Convert(convert::Args),
    /// A key and a certificate request, for a certificate that is bought or issued elsewhere.
    Request(request::Args),
    /// The SHA-256 thumbprint and key pin of each certificate in a file; SHA-1 is for looking up alone.
    #[command(after_help = "Example:\n  countersign cert thumbprint alice.pem")]
    Thumbprint {
        /// A PEM or DER file; `-` for standard input.
        file: PathBuf,
    },
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(match args {
        Args::Inspect(args) => inspect::inspect(globals, &args),
        Args::Lint(args) => inspect::lint_file(globals, &args),
        Args::Convert(args) => convert::command(globals, &args),
        Args::Request(args) => request::command(globals, &args),
        Args::Thumbprint { file } => thumbprint(globals, &file),
    })
}

fn thumbprint(globals: &Globals, file: &Path) -> Outcome {
    let all = read(file)?;
    let rows: Vec<_> = all
        .iter()
        .map(
            |c| json!({ "subject": c.subject.to_string(), "thumbprint": c.thumbprint, "key_pin": c.key_pin, "sha1_for_lookup": sha1(&c.der) }),
        )
        .collect();
    let text: Vec<String> = all
        .iter()
        .map(|c| {
            let sha1 = sha1(&c.der);
            let (subject, thumbprint, pin) = (&c.subject, &c.thumbprint, &c.key_pin);
            format!("{subject}\n  thumbprint  {thumbprint}\n  key pin     {pin}\n  SHA-1       {sha1}, for looking up alone")
        })
        .collect();
    globals.print(&rows, text.join("\n"));
    Ok(Exit::Fine)
}

/// The SHA-1 thumbprint as Windows shows it; it is for looking up, and decides nothing.
pub fn sha1(der: &[u8]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, der);
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
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
        let help = "give a certificate, PEM or DER; `countersign cert convert FILE --to pem` makes PEM of PKCS#7 and PKCS#12";
        Failure::usage(format!("{}: {error}", file.display()), help)
    })
}

/// No file examined is larger.
const SIZE_MOST: u64 = 64 << 20;

/// The bytes of a file; `-` is standard input.
pub fn read_bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let unread = |error: std::io::Error| Failure::file(file, "read", &error);
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin())
    } else {
        Box::new(std::fs::File::open(file).map_err(unread)?)
    };
    let mut bytes = Vec::new();
    source.take(SIZE_MOST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > SIZE_MOST {
        return Err(Failure::usage(
            format!("{} is larger than 64 MB", file.display()),
            "give a smaller file",
        ));
    }
    Ok(bytes)
}
