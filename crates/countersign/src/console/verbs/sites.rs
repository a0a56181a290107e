//! Sites, as the configuration and the registry have them, and the other settings.

use policy::record::OperatorRole;
use serde_json::{Value, json};

use super::{Verb, reads, site as named};
use crate::cli::{Failure, config, site};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::run::upstreams;

pub const VERBS: &[Verb] = &[
    reads("listSites", "/sites", "all sites, and how their upstreams fare", &[], list),
    Verb {
        role: OperatorRole::Owner,
        ..reads(
            "showSettings",
            "/settings",
            "all settings as they hold, of a secret only where it stands",
            &[],
            settings,
        )
    },
    reads("showSite", "/sites/{site}", "one site, with its rules and grants", &[], show),
];

fn settings(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(config::view(&asked.context.settings))
}

fn list(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let settings = &asked.context.settings;
    let fare = upstreams::last(&settings.state);
    let view = |(name, site): (&policy::HostName, &crate::config::site::SiteSettings)| {
        let own = fare.iter().filter(|one| one.site == name.as_str());
        json!({
            "name": name,
            "upstream": site.upstream.view(),
            "origin": site.origin,
            "open_paths": site.paths.iter().filter(|rule| rule.client_auth != policy::ClientAuth::Required)
                .map(|rule| rule.prefix.as_str()).collect::<Vec<_>>(),
            "upstreams": own.collect::<Vec<_>>(),
        })
    };
    Ok(json!({ "items": settings.sites.iter().map(view).collect::<Vec<_>>() }))
}

fn show(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    site::view(asked.context, &named(asked, asked.place())?)
}
