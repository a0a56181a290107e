//! Sites, as the configuration and the registry have them, and the other settings.

use policy::record::OperatorRole;
use serde_json::{Value, json};

use super::{Verb, changes, reads, site as named};
use crate::cli::party::effect::Effect;
use crate::cli::site::who::{Change, List};
use crate::cli::{Failure, config, party, site};
use crate::console::answer::Asked;
use crate::console::given::{Field, Given, Kind, may, must};
use crate::run::upstreams;

const PARTIES: Field = must("parties", Kind::Texts, "names of parties on record");
const WHO: Field = must("who", Kind::Texts, "a party's name, group:NAME or ca:NAME");
const UNDO: Field = may("undo", Kind::Flag, "take them off the list instead");

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
    changes("grantSite", "/sites/{site}/grant", "let parties enter it", &[PARTIES], grant),
    changes(
        "ungrantSite",
        "/sites/{site}/ungrant",
        "take that back; says where it has taken effect",
        &[PARTIES],
        ungrant,
    ),
    changes(
        "allowAtSite",
        "/sites/{site}/allow",
        "put somebody on the list of who enters, or take them off; of a site that the registry holds",
        &[WHO, UNDO],
        |asked, given| change(asked, given, List::Allow),
    ),
    changes(
        "denyAtSite",
        "/sites/{site}/deny",
        "ban somebody, which beats every grant, or end that; of a site that the registry holds",
        &[WHO, UNDO],
        |asked, given| change(asked, given, List::Deny),
    ),
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

fn grant(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    granted(asked, given, true)
}

fn ungrant(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    granted(asked, given, false)
}

/// All of them, or none where one is not known.
fn granted(asked: &Asked<'_>, given: &Given, on: bool) -> Result<Value, Failure> {
    let context = asked.context;
    let sites = [named(asked, asked.place())?];
    let all = given.all("parties");
    let rows = all.iter().map(|name| party::known(context, name.trim())).collect::<Result<Vec<_>, _>>()?;
    let before = Effect::before(context)?;
    for row in &rows {
        party::granted(context, row, &sites, on)?;
    }
    let effect = before.wait(context)?;
    let names: Vec<_> = rows.iter().map(|row| &row.name).collect();
    Ok(json!({
        "site": sites[0], "parties": names, "granted": on, "applied": effect.applied, "late": effect.late,
    }))
}

fn change(asked: &Asked<'_>, given: &Given, list: List) -> Result<Value, Failure> {
    let context = asked.context;
    let site = named(asked, asked.place())?;
    let change = Change::of(context, &site, list, &given.all("who"), given.flag("undo"))?;
    Ok(change.make(context)?.0)
}
