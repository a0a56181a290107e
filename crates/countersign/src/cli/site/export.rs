//! `site export`: two-way TLS and the allow list of one site, for a server that the owner already has; or the policy by
//! which managed browsers choose the certificate for it.
//!
//! - `admitted` asks the gate's own decision whom to write down: who is not admitted now, everywhere, is not written.
//! - `servers` has the settings of each kind of server, `browsers` the policies, and what they cannot do.

use std::path::{Path, PathBuf};

use authority::files;
use examiner::cert::pem;
use serde_json::json;

use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};

mod admitted;
mod browsers;
mod servers;

use admitted::{Admitted, admitted};
use browsers::Browser;
use servers::Server;

/// `countersign site export`.
#[derive(Debug, clap::Args)]
pub struct Export {
    /// The site's host name.
    site: String,
    /// For which server, or for which browser.
    #[arg(long = "for", value_enum, value_name = "PROGRAM")]
    program: Program,
    /// The directory that the files go to; made where it is not there.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

/// What the settings are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Program {
    /// nginx.
    Nginx,
    /// Apache httpd 2.4.
    Apache,
    /// HAProxy 2.4 or later.
    Haproxy,
    /// Internet Information Services on Windows.
    Iis,
    /// Google Chrome and Chromium: choose the certificate without asking.
    Chrome,
    /// Microsoft Edge: the same.
    Edge,
    /// Firefox: the same, at every site.
    Firefox,
}

impl Program {
    /// The word of the command line.
    fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Haproxy => "haproxy",
            Self::Iis => "iis",
            Self::Chrome => "chrome",
            Self::Edge => "edge",
            Self::Firefox => "firefox",
        }
    }

    /// Which of the two it is.
    fn kind(self) -> Result<Server, Browser> {
        match self {
            Self::Nginx => Ok(Server::Nginx),
            Self::Apache => Ok(Server::Apache),
            Self::Haproxy => Ok(Server::Haproxy),
            Self::Iis => Ok(Server::Iis),
            Self::Chrome => Err(Browser::Chrome),
            Self::Edge => Err(Browser::Edge),
            Self::Firefox => Err(Browser::Firefox),
        }
    }
}

/// Runs it.
pub fn command(globals: &Globals, args: &Export) -> Outcome {
    let context = Context::open(globals)?;
    if let Some(fault) = context.settings.broken_cas.values().next() {
        // An export is taken for the whole truth elsewhere.
        return Err(crate::config::Problems(vec![fault.clone()]).into());
    }
    let site = context.site(&args.site)?;
    let admitted = admitted(&context, &site)?;
    let kind = args.program.kind();
    if admitted.certificates.is_empty() && kind.is_ok() {
        let why = admitted.left_out.first().map(|(who, why)| format!(" ({who}: {why})")).unwrap_or_default();
        return Err(Failure::no(
            format!(
                "nobody on record is admitted to {site}{why}; {} would refuse everybody",
                args.program.name()
            ),
            format!("give somebody access: countersign party add NAME --site {site}"),
        ));
    }
    let directory = directory(&args.out)?;
    let mut all = Vec::new();
    let written = match kind {
        Ok(server) => {
            let anchors = admitted.anchors.iter().map(|der| pem::encode("CERTIFICATE", der)).collect();
            all.push(("anchors.pem".to_owned(), anchors));
            servers::write(server, site.as_str(), &directory, &admitted)
        }
        Err(browser) => browsers::write(browser, &context, &site, &admitted)?,
    };
    all.extend(written.files);
    if !globals.dry_run {
        std::fs::create_dir_all(&args.out).map_err(|error| Failure::file(&args.out, "made", &error))?;
        for (name, text) in &all {
            files::replace_public(&args.out.join(name), text.as_bytes())?;
        }
    }
    let mut limits = written.cannot;
    let left_out = if kind.is_ok() { admitted.left_out.as_slice() } else { &[] };
    limits.extend(left_out.iter().map(|(who, why)| format!("Left out: {who}: {why}.")));
    let entries: Vec<_> = admitted
        .certificates
        .iter()
        .map(|one| json!({ "party": one.party, "label": one.label, "thumbprint": one.thumbprint }))
        .collect();
    let value = json!({
        "site": site,
        "server": args.program.name(),
        "directory": directory,
        "files": all.iter().map(|(name, _)| name).collect::<Vec<_>>(),
        "admitted": entries,
        "next": written.next,
        "cannot": limits,
    });
    globals.print(
        &value,
        said(&args.out, globals.dry_run, &all, kind.is_ok().then_some(&admitted), &written.next, &limits),
    );
    Ok(Exit::Fine)
}

fn said(
    out: &Path,
    dry: bool,
    all: &[(String, String)],
    admitted: Option<&Admitted>,
    next: &str,
    limits: &[String],
) -> String {
    let would = if dry { "would be written to" } else { "written to" };
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    let who = admitted.map_or_else(String::new, |admitted| match admitted.certificates.len() {
        1 => ": 1 certificate admitted".into(),
        n => format!(": {n} certificates admitted"),
    });
    let mut text = format!("{} {would} {}{who}.\n\n{next}\n", names.join(", "), out.display());
    text += if admitted.is_some() { "What it cannot do as the gate does:\n" } else { "Note:\n" };
    for limit in limits {
        text += &format!("- {limit}\n");
    }
    text
}

/// The directory as settings may name it: absolute, of plain characters.
fn directory(path: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(path).map_err(|error| Failure::file(path, "named", &error))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./@+".contains(c);
    match whole.to_str().filter(|text| text.chars().all(plain)) {
        Some(text) => Ok(text.trim_end_matches('/').to_owned()),
        None => Err(Failure::usage(
            format!("{} cannot stand in every server's settings", path.display()),
            "name a directory of letters, digits, hyphens, dots and slashes",
        )),
    }
}
