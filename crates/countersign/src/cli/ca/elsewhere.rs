//! `ca csr` and `ca import`: the client CA's certificate, signed by an authority elsewhere.

use std::path::{Path, PathBuf};

use authority::{Role, files};
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::{Exit, Globals, Outcome, cert};

/// `countersign ca csr`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign ca csr --out client-ca.csr")]
pub struct Csr {
    /// The file to write; standard output where absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `countersign ca import`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "The client CA keeps its key and its name: certificates that it issued before hold under the new \
                  one.\n\nExample: countersign ca import client-ca-chain.pem"
)]
pub struct Import {
    /// The signed certificate and its issuers up to their root, PEM or DER, in any order.
    file: PathBuf,
}

/// Writes a request for the client CA's key.
pub fn csr(globals: &Globals, args: &Csr) -> Outcome {
    let context = Context::open(globals)?;
    let hierarchy = context.hierarchy()?;
    let request = hierarchy.client_ca_request(&context.passphrase()?)?;
    let text = examiner::cert::pem::encode("CERTIFICATE REQUEST", &request);
    let Some(out) = &args.out else {
        globals.print_bytes(text.as_bytes());
        return Ok(Exit::Fine);
    };
    if globals.dry_run {
        globals.say(format!("would write {}", out.display()));
        return Ok(Exit::Fine);
    }
    files::write_new_public(out, text.as_bytes())?;
    let subject = hierarchy.certificate(Role::Client).subject.to_string();
    globals.print(
        &json!({ "request": out, "subject": subject }),
        format!("{}  the request for {subject}", out.display()),
    );
    globals.say("Next: have it signed as a CA, with its name as it is; then countersign ca import CHAIN.pem");
    Ok(Exit::Fine)
}

/// Takes the signed certificate in.
pub fn import(globals: &Globals, args: &Import) -> Outcome {
    let context = Context::open(globals)?;
    let certificates = cert::read(&args.file)?;
    let mut hierarchy = context.hierarchy()?;
    let chain = hierarchy.examine_client_ca(&certificates, context.now)?;
    let issuer = chain[0].issuer.to_string();
    let line = format!("the client CA is signed by {issuer}, until {}", chain[0].not_after);
    if globals.dry_run {
        globals.say(format!("the chain is taken: {line}; nothing was changed"));
        return Ok(Exit::Fine);
    }
    hierarchy.import_client_ca(&certificates, context.now)?;
    let noted = format!("client CA: certificate signed by {issuer} imported, until {}", chain[0].not_after);
    context.run(context.registry.note_authority(&noted, &context.actor, context.now))?;
    let written: &Path = hierarchy.directory();
    globals.print(
        &json!({
            "directory": written,
            "chain": chain.iter().map(cert::view).collect::<Vec<_>>(),
        }),
        format!("{}: {line}", written.display()),
    );
    globals.say("Certificates issued from now on have this chain; those issued before still enter.");
    Ok(Exit::Fine)
}
