//! `cert request`: a key, and a request for a certificate that is bought or issued elsewhere.

use std::path::PathBuf;

use authority::{KeyType, PrivateKey, files, keys, request};
use examiner::cert::pem;
use policy::issuance::{AltName, Profile, check_name};
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::{Exit, Failure, Globals, Outcome, cert, issue};

/// `countersign cert request`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign cert request --subject CN=svc-1,O=Lab
  countersign cert request --for server --san dns:www.example.com --san dns:example.com --out tls
  countersign cert request --subject CN=svc-1 --key old.key")]
pub struct Args {
    /// The subject to ask for (RFC 4514), such as CN=svc-1,O=Lab; may be left out beside --san.
    #[arg(long, value_name = "NAME", required_unless_present = "names")]
    subject: Option<String>,
    /// A further name to ask for: dns:NAME, ip:ADDRESS, email:ADDRESS or uri:URI; may be repeated.
    #[arg(long = "san", value_name = "TYPE:VALUE", value_parser = issue::alt_name)]
    names: Vec<AltName>,
    /// Who shows the certificate: a client to servers, or a server to its visitors.
    #[arg(long = "for", value_name = "ROLE", default_value = "client", value_parser = ["client", "server"])]
    role: String,
    /// Ask for this unencrypted private key instead of making one.
    #[arg(long, value_name = "FILE", conflicts_with = "key_type")]
    key: Option<PathBuf>,
    /// The kind of key to make: ecdsa-p256, ecdsa-p384, rsa-3072 or ed25519.
    #[arg(long, value_name = "KIND", default_value = "ecdsa-p256", value_parser = issue::key_type)]
    key_type: KeyType,
    /// The directory to write to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

/// Runs it.
pub fn command(globals: &Globals, args: &Args) -> Outcome {
    let profile = if args.role == "server" { Profile::Server } else { Profile::Person };
    for name in &args.names {
        check_name(profile, name)?;
    }
    if profile == Profile::Server && args.names.is_empty() {
        return Err(Failure::usage(
            "a server's certificate needs the names of its hosts, and the subject is none of them",
            "name them: --san dns:www.example.com",
        ));
    }
    let (subject, name) = match (&args.subject, args.names.first()) {
        (Some(subject), _) => (subject.clone(), common_name(subject)),
        // Clients of today look at the alternative names alone.
        (None, first) => (String::new(), first.map(AltName::to_string)),
    };
    let stem = name.map(|name| issue::stem(&name)).filter(|stem| !stem.is_empty());
    let stem = stem.unwrap_or_else(|| args.role.clone());
    let (key, made) = match &args.key {
        Some(file) => {
            let bytes = Zeroizing::new(cert::read_bytes(file)?);
            (PrivateKey::from_pkcs8(&keys::to_pkcs8(&bytes)?)?, false)
        }
        None => (keys::generate(args.key_type)?, true),
    };
    let asked =
        request::Request { subject: &subject, alt_names: &args.names, is_client: profile.is_client() };
    let text = pem::encode("CERTIFICATE REQUEST", &asked.sign(&key)?);
    let (key_file, request_file) =
        (args.out.join(format!("{stem}.key")), args.out.join(format!("{stem}.csr")));
    for path in [&request_file].into_iter().chain(made.then_some(&key_file)) {
        if path.exists() {
            return Err(authority::AuthorityError::AlreadyThere(path.clone()).into());
        }
    }
    if globals.dry_run {
        globals.say(format!("would write {}; nothing was written", request_file.display()));
        return Ok(Exit::Fine);
    }
    std::fs::create_dir_all(&args.out).map_err(|error| Failure::file(&args.out, "made", &error))?;
    let mut told = String::new();
    if made {
        files::write_new_private(&key_file, key.to_pem()?.as_bytes())?;
        told = format!("{}  the private key, unencrypted, mode 0600: it stays here\n", key_file.display());
    }
    files::write_new_public(&request_file, text.as_bytes())?;
    told += &format!("{}  the request: give it to the issuer\n", request_file.display());
    let key_file = made.then_some(&key_file).or(args.key.as_ref());
    globals.print(&json!({ "request": request_file, "key_file": key_file, "subject": subject }), told);
    Ok(Exit::Fine)
}

/// The common name in a subject, for the names of the files.
fn common_name(subject: &str) -> Option<String> {
    let value = |part: &str| part.trim().strip_prefix("CN=").map(str::to_owned);
    subject.split(',').find_map(value)
}
