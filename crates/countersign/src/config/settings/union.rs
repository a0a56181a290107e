//! The sites and trusted issuers of file and registry together.

use std::collections::BTreeMap;
use std::path::Path;

use examiner::UnixTime;
use policy::HostName;

use crate::config::ca::{self, CaSettings, Certificates};
use crate::config::file::File;
use crate::config::problem::{Problem, Source};
use crate::config::read;
use crate::config::site::{Check, SiteSettings};
use crate::config::state::StateDir;
use crate::config::stored::Stored;

/// The sites by name. The same site in both is a problem that names both places.
pub(super) fn all_sites(
    file: &File,
    source: &Source,
    base: &Path,
    stored: Option<&Stored>,
    now: UnixTime,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> BTreeMap<HostName, SiteSettings> {
    let mut all: BTreeMap<HostName, SiteSettings> = BTreeMap::new();
    let mut default: Option<String> = None;
    let mut add =
        |name: &str, span: std::ops::Range<usize>, check: &mut Check<'_>, site: Option<SiteSettings>| {
            let Some(site) = site else { return };
            if let Some(other) = all.get(&site.name) {
                let what = format!("site {} stands here and in {}", name.escape_debug(), other.origin);
                check.problems.push(check.source.problem(&span, what, "remove one of the two"));
                return;
            }
            if site.is_default
                && let Some(other) = default.replace(site.name.to_string())
            {
                let what = format!("{} and {other} are both default", site.name);
                let help = "one site can take connections without SNI";
                check.problems.push(check.source.problem(&span, what, help));
            }
            all.insert(site.name.clone(), site);
        };
    for (name, site) in &file.site {
        let mut check = Check { source, base, now, problems: &mut *problems, warnings: &mut *warnings };
        let checked = check.site(name.get_ref(), name.span(), site);
        add(name.get_ref(), name.span(), &mut check, checked);
    }
    for one in stored.iter().flat_map(|stored| &stored.sites) {
        let source = Source::registry(format!("site {} (registry)", one.name), one.settings.clone());
        let site = read::site(&source, problems);
        let mut check =
            Check { source: &source, base, now, problems: &mut *problems, warnings: &mut *warnings };
        let checked = check.site(&one.name, 0..0, &site);
        add(&one.name, 0..0, &mut check, checked);
    }
    all
}

/// The trusted issuers of both.
#[derive(Default)]
pub(super) struct Issuers {
    /// By name.
    pub(super) taken: BTreeMap<String, CaSettings>,
    /// Those that are left out because their file cannot be taken, with the reason.
    pub(super) broken: BTreeMap<String, Problem>,
}

/// The trusted issuers by name, the same way.
pub(super) fn all_cas(
    file: &File,
    source: &Source,
    folders: (&Path, &StateDir),
    stored: Option<&Stored>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> Issuers {
    let mut all = Issuers::default();
    for (name, ca) in &file.ca {
        let (name, span) = (name.get_ref().clone(), name.span());
        let from = Certificates::File(folders.0);
        match ca::settings(&name, ca, from, folders, (source, span), problems, warnings) {
            Ok(Some(ca)) => drop(all.taken.insert(name, ca)),
            Ok(None) => {}
            Err(fault) => drop(all.broken.insert(name, fault)),
        }
    }
    for one in stored.iter().flat_map(|stored| &stored.cas) {
        let source = Source::registry(format!("CA {} (registry)", one.name), one.settings.clone());
        let file = read::ca(&source, problems);
        let from = Certificates::Text(&one.pem);
        let ca = ca::settings(&one.name, &file, from, folders, (&source, 0..0), problems, warnings);
        let Some(mut ca) = ca.unwrap_or_else(|fault| {
            problems.push(fault);
            None
        }) else {
            continue;
        };
        ca.sites.extend(one.sites.iter().filter_map(|site| HostName::parse(site).ok()));
        let taken = all.taken.get(&one.name).map(|ca| &ca.origin);
        if let Some(other) = taken.or_else(|| all.broken.get(&one.name).map(|fault| &fault.place)) {
            let what = format!("CA {} stands here and in {other}", one.name);
            problems.push(source.problem(&(0..0), what, "remove one of the two"));
            continue;
        }
        all.taken.insert(one.name.clone(), ca);
    }
    all
}
