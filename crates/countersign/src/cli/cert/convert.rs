//! `cert convert`: the same certificates in another form. Nothing that is there is overwritten.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use authority::{files, keys, pkcs12};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use examiner::KeyPin;
use examiner::cert::pem;
use examiner::chain::Examinee;
use serde_json::json;
use zeroize::Zeroizing;

use super::apple;
use crate::cli::check::source;
use crate::cli::{Exit, Failure, Globals, Outcome, cert};

/// `countersign cert convert`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign cert convert www.der --to pem --out www.pem
  countersign cert convert fullchain.pem --to pkcs7 --out fullchain.p7b
  countersign cert convert alice.pem --key alice.key --to pkcs12 --out alice.p12
  countersign cert convert alice.p12 --password-file alice.password --to pem --out alice.pem --key-out alice.key
  countersign cert convert alice.pem --key alice.key --to mobileconfig --root ca.pem --out alice.mobileconfig")]
pub struct Args {
    /// A file: PEM, DER, PKCS#7 or PKCS#12; `-` for standard input.
    file: PathBuf,
    /// The form to make; `mobileconfig` is a configuration profile for iPhone, iPad and Mac, with a PKCS#12 file in it.
    #[arg(long, value_parser = form())]
    to: String,
    /// The file to make; standard output where it is left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The private key of the first certificate, for PKCS#12 and `mobileconfig`.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// A root that the device is to trust as well, for `mobileconfig`: that of the site's own certificate.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Write the private key of a PKCS#12 file here, mode 0600.
    #[arg(long, value_name = "FILE")]
    key_out: Option<PathBuf>,
    /// How a PKCS#12 file is sealed: `compatible` opens everywhere, `modern` is AES-256.
    #[arg(long, default_value = "compatible", value_parser = ["compatible", "modern"])]
    p12: String,
    /// The first line of this file is the password of the PKCS#12 file that is read, or else of the one that is made.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// The password of the PKCS#12 file that is made, where one is read too; generated where no file is named.
    #[arg(long, value_name = "FILE")]
    new_password_file: Option<PathBuf>,
}

/// The forms, and the endings of their files for them.
const FORMS: [(&str, Option<&str>); 5] =
    [("pem", None), ("der", None), ("pkcs7", Some("p7b")), ("pkcs12", Some("p12")), ("mobileconfig", None)];

fn form() -> impl TypedValueParser<Value = String> {
    let forms = FORMS.map(|(name, ending)| PossibleValue::new(name).aliases(ending));
    PossibleValuesParser::new(forms).map(|given| {
        let meant = FORMS.iter().find(|(_, ending)| *ending == Some(given.as_str()));
        meant.map_or(given, |(name, _)| (*name).to_owned())
    })
}

pub fn command(globals: &Globals, args: &Args) -> Outcome {
    let source = source::read(&args.file, args.password_file.as_deref())?;
    let certificates = &source.input.certificates;
    let Some(first) = certificates.first() else {
        return Err(source::nothing_in(&args.file, &source.input, "certificate"));
    };
    if args.root.is_some() && args.to != "mobileconfig" {
        return Err(Failure::usage(
            "--root: only a configuration profile takes a root",
            "add --to mobileconfig",
        ));
    }
    for path in args.out.iter().chain(&args.key_out) {
        if path.exists() {
            return Err(authority::AuthorityError::AlreadyThere(path.clone()).into());
        }
    }
    let mut password = None;
    let bytes = match args.to.as_str() {
        "pem" => {
            certificates.iter().map(|der| pem::encode("CERTIFICATE", der)).collect::<String>().into_bytes()
        }
        "der" if certificates.len() > 1 => {
            return Err(Failure::usage(
                format!("the file holds {} certificates, and DER holds one", certificates.len()),
                "use --to pkcs7 or --to pem for all of them",
            ));
        }
        "der" => first.clone(),
        "pkcs7" => pem::encode("PKCS7", &pkcs7(certificates)).into_bytes(),
        _ => {
            let made = new_password(args, source.pkcs8.is_some())?;
            let key = key(args, source.pkcs8.as_ref(), first)?;
            let certificate = Examinee::read(first.as_slice());
            let spki = certificate.fields().spki.map(|spki| KeyPin::of(spki.element.bytes()));
            let id = spki.map(|pin| pin.0[..20].to_vec()).unwrap_or_default();
            let name = certificate.shown_name();
            let p12 = crate::cli::issue::p12_profile(&args.p12);
            let sealed = pkcs12::seal(&name, &key, &id, first, &certificates[1..], &made, p12)?;
            password = Some(made);
            match args.to.as_str() {
                "pkcs12" => sealed,
                _ => apple::profile(&name, sealed, args.root.as_deref())?,
            }
        }
    };
    if globals.dry_run {
        globals.say(format!("would make {} bytes of {}; nothing was written", bytes.len(), args.to));
        return Ok(Exit::Fine);
    }
    if let Some(path) = &args.key_out {
        let Some(key) = &source.pkcs8 else {
            return Err(Failure::usage(
                "--key-out: there is no key in a PKCS#12 file here",
                "leave --key-out out",
            ));
        };
        let text = Zeroizing::new(pem::encode("PRIVATE KEY", key));
        files::write_new_private(path, text.as_bytes())?;
    }
    let Some(out) = &args.out else {
        if matches!(args.to.as_str(), "der" | "pkcs12" | "mobileconfig")
            && (std::io::stdout().is_terminal() || password.is_some())
        {
            return Err(Failure::usage(
                "this form does not go to standard output",
                "name a file: --out FILE",
            ));
        }
        globals.print_bytes(&bytes);
        return Ok(Exit::Fine);
    };
    match password {
        Some(_) => files::write_new_private(out, &bytes)?,
        None => files::write_new_public(out, &bytes)?,
    }
    told(
        globals,
        args,
        out,
        certificates.len(),
        password.filter(|_| generates(args, source.pkcs8.is_some())),
    );
    Ok(Exit::Fine)
}

fn told(globals: &Globals, args: &Args, out: &Path, count: usize, password: Option<pkcs12::Password>) {
    let password = password.as_ref().map(pkcs12::Password::expose);
    let certificates = if count == 1 { "1 certificate".into() } else { format!("{count} certificates") };
    let mut text = format!("{}  {certificates} as {}\n", out.display(), args.to);
    if let Some(key) = &args.key_out {
        text += &format!("{}  the private key, unencrypted, mode 0600\n", key.display());
    }
    if let Some(password) = password {
        text += &format!("password of {}, shown this once: {password}\n", out.display());
    }
    let value = json!({ "file": out, "form": args.to, "certificates": count, "key_file": args.key_out, "password": password });
    globals.print(&value, text);
}

/// Where the password of the file that is made comes from, if not from the generator.
fn password_file(args: &Args, reads_one: bool) -> Option<&Path> {
    let other = args.password_file.as_deref().filter(|_| !reads_one);
    args.new_password_file.as_deref().or(other)
}

fn generates(args: &Args, reads_one: bool) -> bool {
    password_file(args, reads_one).is_none()
}

fn new_password(args: &Args, reads_one: bool) -> Result<pkcs12::Password, Failure> {
    match password_file(args, reads_one) {
        None => Ok(pkcs12::generate_password()?),
        Some(file) => Ok(pkcs12::Password::chosen(source::password_of(file)?.as_str())?),
    }
}

/// The private key of the certificate as PKCS#8.
fn key(
    args: &Args,
    sealed: Option<&Zeroizing<Vec<u8>>>,
    first: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let no_key = || {
        Failure::usage("a PKCS#12 file needs the private key of the first certificate", "name it: --key FILE")
    };
    // The key may stand in the certificate's own file.
    let file = match (&args.key, sealed) {
        (Some(file), _) => file,
        (None, Some(key)) => return Ok(key.clone()),
        (None, None) if args.file == Path::new("-") => return Err(no_key()),
        (None, None) => &args.file,
    };
    let bytes = Zeroizing::new(cert::read_bytes(file)?);
    let public = source::public_half(&bytes).map_err(|what| match args.key {
        Some(_) => Failure::usage(format!("{}: {what}", file.display()), "give an unencrypted private key"),
        None => no_key(),
    })?;
    if Examinee::read(first).fields().spki.is_none_or(|spki| spki.element.bytes() != public) {
        return Err(Failure::no(
            format!("{}: the private key is that of another certificate", file.display()),
            "give the key that the first certificate was requested with",
        ));
    }
    Ok(keys::to_pkcs8(&bytes)?)
}

/// Certificates alone in signedData (RFC 5652 section 5.1), in their order.
pub fn pkcs7(certificates: &[Vec<u8>]) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| {
        let length = content.len();
        let mut out = vec![tag];
        if length < 0x80 {
            out.push(length as u8);
        } else {
            let octets: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
            out.push(0x80 | octets.len() as u8);
            out.extend(octets);
        }
        out.extend_from_slice(content);
        out
    };
    const SIGNED_DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
    const DATA: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let parts =
        [vec![2, 1, 1], tlv(0x31, &[]), tlv(0x30, DATA), tlv(0xa0, &certificates.concat()), tlv(0x31, &[])];
    tlv(0x30, &[SIGNED_DATA, &tlv(0xa0, &tlv(0x30, &parts.concat()))].concat())
}
