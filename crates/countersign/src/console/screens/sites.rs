//! Sites: their rules, the paths that are open, and how their upstreams fare.

use policy::ClientAuth;
use serde_json::Value;

use super::entering;
use crate::cli::Failure;
use crate::config::site::SiteSettings;
use crate::config::{Settings, Stored};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Html, html};
use crate::console::same::same;
use crate::console::shell;
use crate::run::upstreams::{self, Upstream};

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    given.check(&[])?;
    shown(asked, &asked.context.settings, Html::new())
}

/// The page after a change: what holds is read anew.
pub fn changed(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let basis = asked.context.run(asked.context.registry.basis())?;
    let settings = asked.context.try_settings(&Stored::from(&basis))?;
    let note = shell::done(asked.t("It is changed"), super::parties::effect(asked, value));
    shown(asked, &settings, note)
}

fn shown(asked: &Asked<'_>, settings: &Settings, note: Html) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let fare = upstreams::last(&settings.state);
    let mut main = html!("{}<h1>{}</h1>\n", note, t("Sites"));
    if settings.sites.is_empty() {
        main.push(html!(
            "<p class=\"empty\">{}</p>\n",
            t("There is no site yet. The next step is to add one:")
        ));
        main.push(crate::console::same::code(
            t("On the command line"),
            "countersign site add portal.example.com --upstream http://127.0.0.1:3000",
        ));
    }
    for (name, site) in &settings.sites {
        let own: Vec<&Upstream> = fare.iter().filter(|one| one.site == name.as_str()).collect();
        main.push(one(asked, name, site, &own)?);
    }
    main.push(same(asked, "countersign site list", "/sites"));
    Ok(shell::page(asked, "/sites", t("Sites"), main))
}

fn one(
    asked: &Asked<'_>,
    name: &policy::HostName,
    site: &SiteSettings,
    fare: &[&Upstream],
) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let context = asked.context;
    let (parties, cas) = context.run(context.registry.granted_to(name))?;
    let list = |all: &[policy::Principal]| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let or = |text: String| if text.is_empty() { t("nobody").to_owned() } else { text };
    let mut rows = html!(
        "<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}{}</dd>\n<dt>{}</dt><dd>{}</dd>\n",
        t("May enter by the configuration"),
        or(list(&site.allow)),
        t("May not enter"),
        or(list(&site.deny)),
        t("May enter by a grant"),
        format!("{} {}", parties.len(), t("parties")),
        if cas.is_empty() { String::new() } else { format!(", ca:{}", cas.join(", ca:")) },
        t("Where this stands"),
        site.origin
    );
    if let Some(until) = site.observe_until.filter(|until| *until >= asked.now()) {
        rows.push(html!(
            "<dt>{}</dt><dd class=\"bad\">{} {}</dd>\n",
            t("Observes"),
            t("It lets through what it would refuse, until"),
            shell::when(asked, until)
        ));
    }
    let upstreams: Html = if fare.is_empty() {
        html!("<li>{}</li>", site.upstream.text())
    } else {
        fare.iter()
            .map(|one| {
                let class = if one.state == "up" { "good" } else { "bad" };
                html!("<li><span class=\"tag {}\">{}</span> {}</li>\n", class, one.state, one.upstream)
            })
            .collect()
    };
    let paths: Html = site
        .paths
        .iter()
        .map(|rule| {
            let (class, word) = match rule.client_auth {
                ClientAuth::Required => ("", t("an admitted party is required")),
                ClientAuth::Optional => ("bad", t("open to everybody without a certificate")),
                ClientAuth::Off => ("bad", t("open to everybody")),
            };
            let allow = rule.allow.as_deref().map(list);
            html!(
                "<tr class=\"{}\"><td><code>{}</code></td><td>{}</td><td>{}</td></tr>\n",
                class,
                rule.prefix.as_str(),
                word,
                allow
            )
        })
        .collect();
    let paths = if paths.is_empty() {
        Html::new()
    } else {
        shell::table(name.as_str(), &[t("Path"), t("Who passes"), t("Only these")], paths)
    };
    Ok(html!(
        "<section class=\"card\" id=\"{}\"><h2>{}</h2>\n<dl>\n{}<dt>{}</dt><dd><ul class=\"plain\">{}</ul></dd></dl>\n{}{}\
         <p><a href=\"/log?site={}\">{}</a> \u{b7} <a href=\"/explain?site={}\">{}</a></p></section>\n",
        *name,
        *name,
        rows,
        t("Upstream"),
        upstreams,
        paths,
        entering::forms(asked, name, site, &parties),
        *name,
        t("Its log"),
        *name,
        t("Would somebody enter?")
    ))
}
