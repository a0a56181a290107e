//! `check`: certificate files examined, each finding with its place and what to do.

use std::path::{Path, PathBuf};

use examiner::chain::{Chain, Examinee};
use examiner::input::{self, Input, KEY_MISMATCH, Note};
use examiner::profile::{PeerName, Profile};
use examiner::report::{Report, Severity};
use examiner::{Question, UnixTime, examine};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;

use super::{Exit, Failure, Globals, Outcome, cert, context};

mod shown;

/// `countersign check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Certificate files: PEM, DER or PKCS#7; `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// By whose rules.
    #[arg(long, default_value = "auto", value_parser = ["auto", "web", "rfc5280", "private-server", "mtls-client"])]
    profile: String,
    /// By the rules for servers under a private CA: the same as `--profile private-server`.
    #[arg(long, conflicts_with = "profile")]
    private: bool,
    /// The host name, address or mailbox that the certificate ought to be for.
    #[arg(long, value_name = "NAME")]
    servername: Option<String>,
    /// Examine as of this moment, such as 2027-03-15 or 2027-03-15T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// A file of trust anchors, instead of the roots of the public web.
    #[arg(long, value_name = "FILE")]
    roots: Option<PathBuf>,
    /// A file of intermediates at hand beside what is examined.
    #[arg(long, value_name = "FILE")]
    intermediates: Option<PathBuf>,
    /// The private key that ought to belong to the first certificate.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// End with 1 from this severity on.
    #[arg(long, default_value = "error", value_parser = ["error", "warning", "notice", "never"])]
    fail_on: String,
}

/// Runs it.
pub fn command(globals: &Globals, args: Args) -> Exit {
    globals.end(run(globals, &args))
}

/// One file, examined.
struct Examined {
    file: String,
    report: Report,
    notes: Vec<Note>,
    fails: bool,
}

fn run(globals: &Globals, args: &Args) -> Outcome {
    let at = match &args.at {
        Some(text) => UnixTime::parse(text).map_err(|error| Failure::usage(error.to_string(), ""))?,
        None => context::now(),
    };
    let roots = args.roots.as_deref().map(anchors).transpose()?;
    let beside = args.intermediates.as_deref().map(anchors).transpose()?.unwrap_or_default();
    let key = args.key.as_deref().map(public_half).transpose()?;
    let mut all = Vec::new();
    for file in &args.files {
        let mut input = input::read(&cert::read_bytes(file)?);
        if input.certificates.is_empty() {
            return Err(without_certificate(file, &input));
        }
        let certificates: Vec<Examinee> =
            input.certificates.drain(..).map(|der| Examinee::read(der.as_slice())).collect();
        if let Some(key) = &key
            && !fits(&certificates[0], key)
        {
            input.notes.push(Note::new(KEY_MISMATCH, "the private key given is that of another certificate"));
        }
        let chain = match &args.servername {
            Some(_) => Chain::served(certificates),
            None => Chain::given(certificates),
        };
        all.push(look(args, file, chain.with_beside(beside.clone()), roots.as_ref(), input.notes, at));
    }
    let values: Vec<_> = all.iter().map(shown::value).collect();
    let texts: Vec<_> = all.iter().map(|one| shown::text(one, all.len() > 1, globals.verbose)).collect();
    match values.as_slice() {
        [one] => globals.print(one, texts.concat()),
        many => globals.print(&many, texts.join("\n")),
    }
    Ok(if all.iter().any(|one| one.fails) { Exit::No } else { Exit::Fine })
}

fn look(
    args: &Args,
    file: &Path,
    chain: Chain,
    roots: Option<&Vec<Examinee>>,
    notes: Vec<Note>,
    at: UnixTime,
) -> Examined {
    let asked = if args.private { Some(Profile::PrivateServer) } else { Profile::named(&args.profile) };
    let profile = asked.unwrap_or_else(|| Profile::guess(&chain).0);
    let chain = match (roots, profile) {
        (Some(roots), _) => chain.with_anchors(roots.clone()),
        (None, Profile::Web) => chain.with_anchors(public_roots()),
        // Of a private CA's anchors nothing is known but what is given.
        (None, _) => chain,
    };
    let host = args.servername.as_deref().map(|name| match name.contains('@') {
        true => PeerName::Email(name.to_owned()),
        false => PeerName::host(name),
    });
    let report = examine(&chain, &Question { profile: asked, at, host });
    let worst = report
        .findings
        .iter()
        .map(|one| one.severity)
        .chain(notes.iter().map(|one| one.about.severity))
        .min();
    let limit = match args.fail_on.as_str() {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        "notice" => Some(Severity::Notice),
        _ => None,
    };
    let fails = worst.zip(limit).is_some_and(|(worst, limit)| worst <= limit);
    Examined { file: file.display().to_string(), report, notes, fails }
}

/// Why a file without any certificate cannot be examined.
fn without_certificate(file: &Path, input: &Input) -> Failure {
    let what = match input.notes.first() {
        Some(note) => match note.line {
            Some(line) => format!("line {line}: {}", note.observed),
            None => note.observed.clone(),
        },
        None => "neither PEM nor DER".into(),
    };
    let help = input.notes.first().map_or("give a certificate: PEM, DER or PKCS#7", |note| note.about.remedy);
    Failure::no(format!("{}: it holds no certificate ({what})", file.display()), help)
}

fn anchors(file: &Path) -> Result<Vec<Examinee>, Failure> {
    let input = input::read(&cert::read_bytes(file)?);
    if input.certificates.is_empty() {
        return Err(without_certificate(file, &input));
    }
    Ok(input.certificates.iter().map(|der| Examinee::read(der.as_slice())).collect())
}

/// The roots of the public web, as the program was built with them.
fn public_roots() -> Vec<Examinee> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|root| Examinee::read(root.as_ref())).collect()
}

/// The subjectPublicKeyInfo that belongs to a private key.
fn public_half(file: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = cert::read_bytes(file)?;
    let unreadable = |what: String| {
        Failure::usage(
            format!("{}: {what}", file.display()),
            "give an unencrypted private key, PEM: PKCS#8, PKCS#1 or SEC 1",
        )
    };
    let key = PrivateKeyDer::from_pem_slice(&bytes)
        .map_err(|error| unreadable(format!("it holds no private key ({error})")))?;
    let key = rustls::crypto::aws_lc_rs::sign::any_supported_type(&key)
        .map_err(|error| unreadable(format!("the private key cannot be used ({error})")))?;
    match key.public_key() {
        Some(public) => Ok(public.as_ref().to_vec()),
        None => Err(unreadable("its public half cannot be told".into())),
    }
}

fn fits(certificate: &Examinee, public: &[u8]) -> bool {
    certificate.fields().spki.is_some_and(|spki| spki.element.bytes() == public)
}
