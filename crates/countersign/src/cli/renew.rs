//! `renew`: a machine has its own certificate renewed, by showing the present one.
//!
//! - [`due`]: when. [`place`]: the files, and how a renewal that was cut short is taken up. [`asking`]: what is sent, and
//!   what comes back. [`daemon`]: once and again.

use std::path::PathBuf;

use authority::KeyType;
use examiner::UnixTime;
use serde_json::json;

use super::{Exit, Failure, Globals, Outcome, issue};
use crate::fetch::FetchUrl;

mod asking;
mod daemon;
pub mod due;
mod place;

use place::Place;

/// `countersign renew`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  countersign renew --cert svc.pem --key svc.key --cacert ca.pem --url https://enrol.example.com:8444
  countersign renew --cert svc.pem --key svc.key --cacert ca.pem --url https://enrol.example.com:8444 --daemon \\
      --then 'systemctl reload nginx'

Exit codes: 0 renewed, or not due yet; 1 refused; 4 not reachable.")]
pub struct Args {
    /// The present certificate, then the CAs that are sent along; PEM. The new one takes its place.
    #[arg(long, value_name = "FILE")]
    cert: PathBuf,
    /// Its private key, unencrypted. May be the same file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The enrolment address of the authority.
    #[arg(long, value_name = "URL", value_parser = FetchUrl::parse)]
    url: FetchUrl,
    /// The roots that its certificate must lead to; those of the public web where absent.
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Have the new certificate issued for the present key; otherwise a new one is made.
    #[arg(long)]
    same_key: bool,
    /// The kind of the new key; that of the present one where absent.
    #[arg(long, value_name = "KIND", conflicts_with = "same_key", value_parser = issue::key_type)]
    key_type: Option<KeyType>,
    /// Renew also where it is not due yet.
    #[arg(long, conflicts_with = "daemon")]
    force: bool,
    /// Stay, and renew whenever it is due.
    #[arg(long)]
    daemon: bool,
    /// What the shell runs after each renewal, such as 'systemctl reload nginx'.
    #[arg(long, value_name = "COMMAND")]
    then: Option<String>,
}

/// Runs it.
pub fn command(globals: &Globals, args: &Args) -> Exit {
    globals.end(run(globals, args))
}

fn run(globals: &Globals, args: &Args) -> Outcome {
    if !args.url.is_https() {
        return Err(Failure::usage(
            "the enrolment address is https://",
            "a certificate is shown over TLS alone",
        ));
    }
    if args.url.path() != "/" {
        let help = "give it as [enrol] url of the authority's configuration has it";
        return Err(Failure::usage("the enrolment address has no path", help));
    }
    if args.daemon {
        return daemon::stay(globals, args);
    }
    match once(globals, args, args.force)? {
        Done::NotDue { due, not_after } => {
            globals.print(
                &json!({ "renewed": false, "due": due, "not_after": not_after }),
                format!("{}: not due before {due}; it ends at {not_after}", args.cert.display()),
            );
        }
        Done::Renewed { not_after, old_until, thumbprint } => {
            globals.print(
                &json!({
                    "renewed": true,
                    "thumbprint": thumbprint,
                    "not_after": not_after,
                    "old_until": old_until,
                    "files": [args.cert, args.key],
                }),
                format!(
                    "{}: renewed until {not_after}; the old certificate is accepted until {old_until}",
                    args.cert.display()
                ),
            );
        }
        Done::WouldRenew => globals.say("would ask for a renewal"),
    }
    Ok(Exit::Fine)
}

/// What came of one look.
enum Done {
    NotDue { due: UnixTime, not_after: UnixTime },
    Renewed { not_after: UnixTime, old_until: UnixTime, thumbprint: String },
    WouldRenew,
}

/// Renews where it is due, or where that does not matter.
fn once(globals: &Globals, args: &Args, force: bool) -> Result<Done, Failure> {
    let now = crate::clock::now();
    let place = Place { cert: args.cert.clone(), key: args.key.clone() };
    if !globals.dry_run && place.take_up()? {
        globals.say("a renewal that was cut short is finished");
        then(globals, args)?;
    }
    let present = place.read()?;
    let certificate = &present.certificate;
    let due = due::due(certificate);
    if now < due && !force {
        return Ok(Done::NotDue { due, not_after: certificate.not_after });
    }
    if globals.dry_run {
        return Ok(Done::WouldRenew);
    }
    let kind = args.key_type.unwrap_or(present.key.key_type());
    let next = if args.same_key { None } else { Some(place.next_key(kind)?) };
    let given = asking::ask(args, &present, next.as_ref().unwrap_or(&present.key), now)?;
    place.put(&present, next.as_ref(), &given.pem)?;
    then(globals, args)?;
    Ok(Done::Renewed { not_after: given.not_after, old_until: given.old_until, thumbprint: given.thumbprint })
}

/// Runs what the user wants run after a renewal. That it failed is told; the certificate is renewed all the same.
fn then(globals: &Globals, args: &Args) -> Result<(), Failure> {
    let Some(line) = &args.then else { return Ok(()) };
    // What it prints is talk: the result on standard output is ours.
    let talk = std::io::stderr();
    let status = std::process::Command::new("/bin/sh")
        .args(["-c", line])
        .stdin(std::process::Stdio::null())
        .stdout(std::os::fd::AsFd::as_fd(&talk).try_clone_to_owned().map_err(|error| {
            Failure::new(Exit::Bug, format!("standard error cannot be used: {error}"), "please report this")
        })?)
        .status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => globals.warn(format!("the certificate is renewed, but `{line}` failed: {status}")),
        Err(error) => globals.warn(format!("the certificate is renewed, but `{line}` was not run: {error}")),
    }
    Ok(())
}
