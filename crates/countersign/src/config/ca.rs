//! A trusted issuer, validated: which certificates it has and which of them lead to a party.

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use examiner::cert::pem;
use examiner::{Certificate, KeyPin};
use policy::{Admission, Ca, CaLists, HostName, MatchEntry, MatchKind};

use super::crl::CrlSettings;
use super::file::CaFile;
use super::problem::{Problem, Source};
use super::state::StateDir;

/// A CA with the sites it is attached to.
#[derive(Clone, Debug)]
pub struct CaSettings {
    /// What decides.
    pub rules: Arc<Ca>,
    /// The sites it is attached to.
    pub sites: Vec<HostName>,
    /// Its revocation lists.
    pub lists: Vec<CrlSettings>,
    /// The file of its certificates, where it is in the configuration: it is looked at while the gate runs.
    pub file: Option<PathBuf>,
    /// Where it stands: `countersign.toml:14`, or `the registry`.
    pub origin: String,
}

/// Where a CA's certificates come from.
pub enum Certificates<'a> {
    /// The file that its settings name, relative to this directory.
    File(&'a Path),
    /// This text.
    Text(&'a str),
    /// Those of this CA, which stay although the file, relative to this directory, cannot be taken.
    Kept(&'a Path, &'a Ca),
}

/// Everyone with a certificate from that issuer gets in: the sentence, and what is wanted.
pub const EVERYONE: &str = "without `match`, everyone with a certificate from this issuer gets in";
/// What to write instead.
pub const EVERYONE_HELP: &str = "give one of: match = [\"san:dns=*.acme.example\"] (only these), named_only = true (only \
    parties with a subject rule on this CA), accept_any = true (really everyone)";

/// Validates a CA's settings, which stand at this place of their source. What is wrong with them goes to `problems`;
/// what is wrong with the file that they name is the error.
pub fn settings(
    name: &str,
    file: &CaFile,
    certificates: Certificates<'_>,
    folders: (&Path, &StateDir),
    (source, span): (&Source, std::ops::Range<usize>),
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Result<Option<CaSettings>, Problem> {
    let before = problems.len();
    if !policy::names::is_name(name) || name == policy::ca::OWN_CA {
        let help = "use a-z, 0-9, `.`, `_`, `-`; `own` is the authority's";
        problems.push(source.problem(&span, format!("`{}` cannot name a CA", name.escape_debug()), help));
    }
    let (found, fault) = match read(name, file, &certificates, source, &span, problems) {
        Ok(found) => (found, None),
        Err(fault) => (Default::default(), Some(fault)),
    };
    let (anchors, intermediates) = found;
    let admission = admission(name, file, &anchors, source, &span, problems, warnings);
    let name_from = file.name_from.as_ref().and_then(|text| match MatchKind::parse(text.get_ref()) {
        Ok(kind) => Some(kind),
        Err(error) => {
            problems.push(source.problem(&text.span(), error.to_string(), ""));
            None
        }
    });
    let mut sites = Vec::new();
    for site in &file.sites {
        match HostName::parse(site.get_ref()) {
            Ok(host) => sites.push(host),
            Err(error) => problems.push(source.problem(&site.span(), error.to_string(), "name a site")),
        }
    }
    if let Some(fault) = fault {
        return Err(fault);
    }
    let (Some(admission), true) = (admission, problems.len() == before) else { return Ok(None) };
    let rules = Ca {
        name: name.to_owned(),
        anchors,
        intermediates,
        admission,
        name_from,
        without_client_usage_until: file
            .accept_without_client_usage
            .as_ref()
            .map(|until| until.get_ref().until.0),
    };
    let path = match certificates {
        Certificates::File(base) | Certificates::Kept(base, _) => {
            file.file.as_ref().map(|path| base.join(path.get_ref()))
        }
        Certificates::Text(_) => None,
    };
    let mut lists = Vec::new();
    for (crl, one) in file.crl.iter().flat_map(|crl| crl.get_ref().0.iter().map(move |one| (crl, one))) {
        match CrlSettings::read(&rules, one, folders, &source.place(&crl.span())) {
            Ok(list) => lists.push(list),
            Err(what) => {
                let help =
                    "write it like { file = \"acme.crl\" } or { url = \"http://crl.acme.example/ca.crl\" }";
                problems.push(source.problem(&crl.span(), format!("ca.{name}: {what}"), help));
            }
        }
    }
    if problems.len() > before {
        return Ok(None);
    }
    Ok(Some(CaSettings { rules: Arc::new(rules), sites, lists, file: path, origin: source.line(&span) }))
}

impl CaSettings {
    /// The lists that could be taken, as decisions use them.
    pub fn in_force(&self) -> CaLists {
        let taken = |one: &CrlSettings| Some((one.list.as_ref().ok()?.clone(), one.on_stale));
        CaLists::new(self.lists.iter().filter_map(taken))
    }
}

/// The trust anchors and the intermediates of a CA: self-issued CA certificates are anchors; where there is none, all
/// of them are.
pub fn sort(all: Vec<Certificate>) -> (Vec<Certificate>, Vec<Certificate>) {
    let (roots, rest): (Vec<_>, Vec<_>) = all.into_iter().partition(Certificate::is_self_issued);
    if roots.is_empty() { (rest, roots) } else { (roots, rest) }
}

/// Anchors and intermediates; the error is what is wrong with the file.
fn read(
    name: &str,
    file: &CaFile,
    certificates: &Certificates<'_>,
    source: &Source,
    span: &std::ops::Range<usize>,
    problems: &mut Vec<Problem>,
) -> Result<(Vec<Certificate>, Vec<Certificate>), Problem> {
    let (bytes, shown, span) = match (certificates, &file.file) {
        (Certificates::Kept(_, ca), Some(_)) => {
            return Ok((ca.anchors.clone(), ca.intermediates.clone()));
        }
        (Certificates::Text(text), None) => {
            (text.as_bytes().to_vec(), "the registry".to_owned(), span.clone())
        }
        (Certificates::Text(_), Some(path)) => {
            problems.push(source.problem(
                &path.span(),
                "a CA in the registry has no file",
                "remove the CA and add it again",
            ));
            return Ok(Default::default());
        }
        (Certificates::File(base), Some(path)) => {
            let shown = path.get_ref().display().to_string();
            match std::fs::read(base.join(path.get_ref())) {
                Ok(bytes) => (bytes, shown, path.span()),
                Err(error) => {
                    let what = format!("ca.{name}: {shown} cannot be read: {error}");
                    let help = "give a PEM file; its path is relative to this file";
                    return Err(source.problem(&path.span(), what, help));
                }
            }
        }
        (Certificates::File(_) | Certificates::Kept(..), None) => {
            let help = "add file = \"…\" with the CA's certificate";
            problems.push(source.problem(span, format!("ca.{name} has no file"), help));
            return Ok(Default::default());
        }
    };
    let fault = match pem::certificates(&bytes) {
        Ok(all) => match all.iter().find(|one| !one.is_ca) {
            None => return Ok(sort(all)),
            Some(leaf) => {
                let what = format!("ca.{name}: {} in {shown} is no CA certificate", leaf.subject);
                let help =
                    "to admit one certificate, use `countersign party add NAME --cert FILE --pin cert`";
                source.problem(&span, what, help)
            }
        },
        Err(error) => {
            let help = "give a PEM file with at least one CERTIFICATE block";
            source.problem(&span, format!("ca.{name}: {shown}: {error}"), help)
        }
    };
    if matches!(certificates, Certificates::Text(_)) {
        problems.push(fault);
        return Ok(Default::default());
    }
    Err(fault)
}

fn admission(
    name: &str,
    file: &CaFile,
    anchors: &[Certificate],
    source: &Source,
    span: &std::ops::Range<usize>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Option<Admission> {
    let set = |flag: &Option<super::file::At<bool>>| flag.as_ref().is_some_and(|flag| *flag.get_ref());
    let chosen = [!file.matches.is_empty(), set(&file.accept_any), set(&file.named_only)];
    match (chosen.iter().filter(|one| **one).count(), chosen) {
        (0, _) => problems.push(source.problem(span, format!("ca.{name}: {EVERYONE}"), EVERYONE_HELP)),
        (1, [true, ..]) => return entries(file, source, problems).map(Admission::Match),
        (1, [_, true, _]) => {
            if let Some(public) = anchors.iter().find(|anchor| is_public(&anchor.key_pin)) {
                let what = format!(
                    "ca.{name}: {} is in a public root store: the whole world would get in",
                    public.subject
                );
                problems.push(source.problem(span, what, "use `match` or `named_only = true`"));
                return None;
            }
            let what = format!("ca.{name}: accept_any: everyone with a certificate from this issuer gets in");
            warnings.push(source.problem(span, what, "use `match` or `named_only = true` to choose"));
            return Some(Admission::Any);
        }
        (1, _) => return Some(Admission::NamedOnly),
        _ => {
            let what = format!("ca.{name}: only one of match, accept_any and named_only can hold");
            problems.push(source.problem(span, what, "keep one of them"));
        }
    }
    None
}

fn entries(file: &CaFile, source: &Source, problems: &mut Vec<Problem>) -> Option<Vec<MatchEntry>> {
    let mut all = Vec::new();
    for text in &file.matches {
        match MatchEntry::parse(text.get_ref()) {
            Ok(entry) => all.push(entry),
            Err(error) => problems.push(source.problem(&text.span(), error.to_string(), "")),
        }
    }
    (all.len() == file.matches.len()).then_some(all)
}

/// Whether a public root store holds this key.
pub fn is_public(key: &KeyPin) -> bool {
    static KEYS: LazyLock<Vec<KeyPin>> = LazyLock::new(|| {
        let roots = webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter();
        roots.filter_map(|der| Certificate::from_der(der).ok()).map(|root| root.key_pin).collect()
    });
    KEYS.contains(key)
}
