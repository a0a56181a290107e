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

/// The trusted issuers by name, the same way.
pub(super) fn all_cas(
    file: &File,
    source: &Source,
    folders: (&Path, &StateDir),
    stored: Option<&Stored>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> BTreeMap<String, CaSettings> {
    let mut all: BTreeMap<String, CaSettings> = BTreeMap::new();
    for (name, ca) in &file.ca {
        let from = Certificates::File(folders.0);
        if let Some(ca) =
            ca::settings(name.get_ref(), ca, from, folders, (source, name.span()), problems, warnings)
        {
            all.insert(name.get_ref().clone(), ca);
        }
    }
    for one in stored.iter().flat_map(|stored| &stored.cas) {
        let source = Source::registry(format!("CA {} (registry)", one.name), one.settings.clone());
        let file = read::ca(&source, problems);
        let from = Certificates::Text(&one.pem);
        let Some(mut ca) = ca::settings(&one.name, &file, from, folders, (&source, 0..0), problems, warnings)
        else {
            continue;
        };
        ca.sites.extend(one.sites.iter().filter_map(|site| HostName::parse(site).ok()));
        if let Some(other) = all.get(&one.name) {
            let what = format!("CA {} stands here and in {}", one.name, other.origin);
            problems.push(source.problem(&(0..0), what, "remove one of the two"));
            continue;
        }
        all.insert(one.name.clone(), ca);
    }
    all
}
