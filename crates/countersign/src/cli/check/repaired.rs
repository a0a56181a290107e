//! `check --out` and `check --fix`: the chain in its right form, and the lines that make a server serve it.
//!
//! Certificates that are missing come from `--intermediates`, from the trust anchors at hand, and with `--fetch` from the
//! addresses that the others name.

use std::path::{Path, PathBuf};

use authority::files;
use examiner::chain::{Chain, Examinee, NameAt, NameForm};
use examiner::repair::{NoRepair, as_served, repair};
use examiner::report::fix::{self, Material, Server};
use examiner::report::{Report, Severity, Told};
use examiner::{Question, cert::pem, examine};
use serde_json::json;

use super::look::Seen;
use super::{Args, Document};
use crate::cli::{Exit, Failure, Globals, Outcome};

/// A chain in its right form.
pub struct Mended {
    /// The certificates, PEM, the server's own first.
    pub pem: String,
    /// What each is called.
    pub names: Vec<String>,
    /// Whether it is another than the one that is served.
    pub is_changed: bool,
    /// The host that it is for, as it may stand in settings.
    pub host: String,
    /// What is said of it.
    pub after: Report,
}

impl Mended {
    /// What is asked stands in `question`; `report` is what was said of the chain.
    pub fn of(question: &Question, chain: &Chain, report: &Report) -> Result<Self, NoRepair> {
        let whole = repair(chain, report)?;
        Ok(Self {
            pem: whole.iter().map(|one| pem::encode("CERTIFICATE", one.der())).collect(),
            names: whole.iter().map(|one| one.shown_name()).collect(),
            is_changed: !whole.iter().map(|one| one.der()).eq(chain.served.iter().map(Examinee::der)),
            host: fix::host(&host_of(question, chain)),
            after: examine(&as_served(chain, &whole), question),
        })
    }

    /// What the right form does not mend: warnings and errors.
    pub fn left(&self) -> impl Iterator<Item = Told<'_>> {
        self.after.told().into_iter().filter(|told| told.severity <= Severity::Warning)
    }
}

/// Writes the chain, prints the lines, and says what they do not mend. Ends with 1 where something of the severity
/// `limit` is left.
pub fn hand_back(
    globals: &Globals,
    question: &Question,
    server: Option<Server>,
    args: &Args,
    all: Vec<(String, Result<Seen, Failure>)>,
    limit: Option<Severity>,
) -> Outcome {
    let Ok([(name, one)]) = <[_; 1]>::try_from(all) else {
        return Err(Failure::usage(
            "one chain can be repaired at a time",
            "give one file with one server's chain",
        ));
    };
    let seen = one?;
    let Some(chain) = &seen.chain else {
        return Err(Failure::usage(
            format!("{name} holds no server's chain"),
            "give the file that is served",
        ));
    };
    let mended = Mended::of(question, chain, &seen.report)
        .map_err(|error| Failure::no(format!("{name}: {error}"), error.remedy()))?;
    let Mended { pem, names, is_changed, host, after } = &mended;
    let out = args.out.as_deref().map(absolute).transpose()?;
    if let Some(out) = args.out.as_deref().filter(|_| !globals.dry_run) {
        files::replace_public(out, pem.as_bytes())?;
    }
    let file = out.clone().unwrap_or_else(|| format!("/etc/ssl/{host}.pem"));
    let key = args.key.as_deref().map_or_else(|| Ok(format!("/etc/ssl/private/{host}.key")), absolute)?;
    let material =
        Material { host, chain: &file, key: &key, pem: args.out.is_none().then_some(pem.as_str()) };
    let steps = server.map(|server| fix::steps(server, &material)).unwrap_or_default();

    for one in &seen.report.network {
        globals.say(format!("Asked on the network: {}: {}", one.question(), one.answer()));
    }
    globals.say(match *is_changed {
        true => format!("The chain in its right form: {}.", names.join(", then ")),
        false => format!("The chain is in its right form as it is: {}.", names.join(", then ")),
    });
    for told in mended.left() {
        globals.say(format!(
            "This does not mend: {}: {} ({}). {}",
            told.place, told.observed, told.id, told.remedy
        ));
    }
    let written = out.as_ref().filter(|_| server.is_none()).map(|out| match globals.dry_run {
        true => format!("{out} would be written"),
        false => format!("{out} is written"),
    });
    let value = json!({
        "server": server,
        "changed": is_changed,
        "file": out,
        "chain": pem,
        "steps": steps,
        "after": Document::of(&name, Ok(after)),
    });
    globals.print(&value, written.unwrap_or_else(|| fix::text(&steps)));
    Ok(if is_left(after, limit) { Exit::No } else { Exit::Fine })
}

fn is_left(after: &Report, limit: Option<Severity>) -> bool {
    after.worst().zip(limit).is_some_and(|(worst, limit)| worst <= limit)
}

/// The host that was asked for, else the first that the certificate names.
fn host_of(question: &Question, chain: &Chain) -> String {
    let leaf = chain.leaf_elsewhere().or_else(|| chain.end_entity());
    let named = || leaf.and_then(|leaf| leaf.known.subject_alt_name.read()?.iter().find_map(dns));
    let asked = question.host.as_ref().map(ToString::to_string);
    asked.or_else(named).or_else(|| leaf.map(Examinee::shown_name)).unwrap_or_default()
}

fn dns(name: &NameAt) -> Option<String> {
    match &name.form {
        NameForm::Dns(bytes) => String::from_utf8(bytes.clone()).ok(),
        _ => None,
    }
}

/// A path as settings may name it: absolute, and text without control characters.
fn absolute(path: &Path) -> Result<String, Failure> {
    let whole: PathBuf = std::path::absolute(path).map_err(|error| Failure::file(path, "named", &error))?;
    match whole.to_str().filter(|text| !text.chars().any(char::is_control)) {
        Some(text) => Ok(text.to_owned()),
        None => Err(Failure::usage(
            format!("{} cannot stand in settings", path.display()),
            "name a file whose name is plain text",
        )),
    }
}
