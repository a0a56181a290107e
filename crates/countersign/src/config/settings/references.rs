//! Rules that name what is not there, groups, and rules that let nobody in.

use std::collections::BTreeMap;

use policy::{HostName, Principal};

use crate::config::ca::CaSettings;
use crate::config::file::{At, File, SiteFile};
use crate::config::problem::{Problem, Source};
use crate::config::read;
use crate::config::site::SiteSettings;
use crate::config::stored::Stored;

/// Rules that name what is not there.
pub(super) fn references(
    file: &File,
    source: &Source,
    stored: Option<&Stored>,
    sites: &BTreeMap<HostName, SiteSettings>,
    cas: &BTreeMap<String, CaSettings>,
    problems: &mut Vec<Problem>,
) {
    let known_site = |text: &str| HostName::parse(text).is_ok_and(|host| sites.contains_key(&host));
    let spelled = |text: &str| file.site.keys().any(|name| name.get_ref() == text);
    for at in file
        .ca
        .values()
        .flat_map(|ca| &ca.sites)
        .filter(|at| !known_site(at.get_ref()) && !spelled(at.get_ref()))
    {
        problems.push(source.problem(
            &at.span(),
            format!("there is no site `{}`", at.get_ref().escape_debug()),
            "add the site, or remove it here",
        ));
    }
    let known_group = |name: &str| file.group.keys().any(|key| key.get_ref() == name);
    let known_ca = |name: &str| {
        name == policy::ca::OWN_CA
            || cas.contains_key(name)
            || file.ca.keys().any(|key| key.get_ref() == name)
            || stored.is_some_and(|stored| stored.cas.iter().any(|ca| ca.name == name))
    };
    let mut lists = |site: &SiteFile, source: &Source| {
        let paths = site.path.iter().map(At::get_ref);
        let paths = paths.flat_map(|path| path.allow.iter().chain(&path.deny).flatten());
        for at in site.allow.iter().chain(&site.deny).chain(paths) {
            let missing = match Principal::parse(at.get_ref()) {
                Ok(Principal::Group(name)) if !known_group(&name) => format!("group `{name}`"),
                Ok(Principal::Ca(name)) if !known_ca(&name) => format!("CA `{name}`"),
                _ => continue,
            };
            let what = format!("there is no {missing}");
            problems.push(source.problem(&at.span(), what, "define it, or remove it here"));
        }
    };
    for site in file.site.values() {
        lists(site, source);
    }
    for one in stored.iter().flat_map(|stored| &stored.sites) {
        let source = Source::registry(format!("site {} (registry)", one.name), one.settings.clone());
        // What cannot be read of it is told where the site itself is read.
        lists(&read::site(&source, &mut Vec::new()), &source);
    }
}

/// The groups by name; their members are parties.
pub(super) fn groups(
    file: &File,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for (name, members) in &file.group {
        if !policy::names::is_name(name.get_ref()) {
            problems.push(source.problem(
                &name.span(),
                format!("`{}` cannot name a group", name.get_ref().escape_debug()),
                "use a-z, 0-9, `.`, `_`, `-`",
            ));
        }
        for member in members {
            if !matches!(Principal::parse(member.get_ref()), Ok(Principal::Party(_))) {
                let what = format!("`{}` is no party's name", member.get_ref().escape_debug());
                problems.push(source.problem(
                    &member.span(),
                    what,
                    "a group holds parties, no groups or CAs",
                ));
            }
        }
        all.insert(name.get_ref().clone(), members.iter().map(|member| member.get_ref().clone()).collect());
    }
    all
}

/// Warns of sites that let nobody in.
pub(super) fn lonely(
    sites: &BTreeMap<HostName, SiteSettings>,
    stored: Option<&Stored>,
    warnings: &mut Vec<Problem>,
) {
    for (name, site) in sites {
        let granted = stored.is_some_and(|stored| stored.granted.contains(name));
        if site.allow.is_empty() && !granted {
            let what = format!("site {name} lets nobody in: it has neither `allow` nor grants");
            let help = format!("countersign party add NAME --site {name}");
            warnings.push(Problem { place: site.origin.clone(), what, help });
        }
    }
}

/// Warns of sites that allow a CA which vouches for nobody there.
pub(super) fn unattached(
    sites: &BTreeMap<HostName, SiteSettings>,
    cas: &BTreeMap<String, CaSettings>,
    warnings: &mut Vec<Problem>,
) {
    for (name, site) in sites {
        for allowed in &site.allow {
            let Principal::Ca(ca) = allowed else { continue };
            let Some(settings) = cas.get(ca).filter(|settings| !settings.sites.contains(name)) else {
                continue;
            };
            let what =
                format!("site {name} allows `ca:{ca}`, which is not attached to it: nobody enters by it");
            let help = format!("add {name} to the sites of CA {ca} ({})", settings.origin);
            warnings.push(Problem { place: site.origin.clone(), what, help });
        }
    }
}
