//! Who enters a site, changed: grants to parties, and the lists of a site that the registry holds.

use policy::record::OperatorRole;
use policy::{HostName, PartyName, Principal};

use super::input;
use crate::cli::site::who;
use crate::config::site::SiteSettings;
use crate::console::answer::Asked;
use crate::console::html::{Html, html};
use crate::console::shell;

/// Parties that are shown with a button; all stand under Parties.
const SHOWN: usize = 50;

/// What an operator can change of it.
pub fn forms(asked: &Asked<'_>, name: &HostName, site: &SiteSettings, granted: &[PartyName]) -> Html {
    let t = |text| asked.t(text);
    if !asked.may(OperatorRole::Operator) {
        return Html::new();
    }
    let id = |what: &str| format!("{what}-{name}");
    let take = granted.iter().take(SHOWN).map(|party| {
        html!(
            "<li><a href=\"/parties/{}\">{}</a> {}</li>\n",
            *party,
            *party,
            button(asked, name, "ungrant", ("parties", party.as_str()), false)
        )
    });
    let take: Html = take.collect();
    let more = granted.len().saturating_sub(SHOWN);
    let more = if more > 0 { html!("<p>{} {}</p>\n", more, t("more")) } else { Html::new() };
    let grants = html!(
        "<h3>{}</h3>\n<ul class=\"plain\">{}</ul>\n{}\
         <form method=\"post\" action=\"/sites/{}/grant\" class=\"filter\">{}{}<button type=\"submit\">{}</button></form>\n",
        t("Parties that may enter by a grant"),
        take,
        more,
        *name,
        shell::sealed(asked),
        input(
            &id("grant"),
            t("A party's name"),
            "parties",
            html!(" required autocomplete=\"off\" spellcheck=\"false\"")
        ),
        t("Let it enter")
    );
    let lists = if who::is_held(asked.context, name) {
        let allow = list(asked, name, "allow", t("Others that may enter"), &site.allow);
        let deny = list(asked, name, "deny", t("Banned, whatever else is said"), &site.deny);
        html!("{}{}", allow, deny)
    } else {
        html!(
            "<p class=\"soft\">{} {}</p>\n",
            t("Its other rules, and bans, are changed where they stand:"),
            site.origin
        )
    };
    html!(
        "<details class=\"act\"><summary>{}</summary>{}{}</details>\n",
        t("Change who enters"),
        grants,
        lists
    )
}

fn list(asked: &Asked<'_>, name: &HostName, key: &'static str, title: &str, all: &[Principal]) -> Html {
    let t = |text| asked.t(text);
    let one = |who: &Principal| {
        let who = who.to_string();
        html!("<li>{} {}</li>\n", who, button(asked, name, key, ("who", who.as_str()), true))
    };
    html!(
        "<h3>{}</h3>\n<ul class=\"plain\">{}</ul>\n\
         <form method=\"post\" action=\"/sites/{}/{}\" class=\"filter\">{}{}<button type=\"submit\"{}>{}</button></form>\n",
        title,
        all.iter().map(one).collect::<Html>(),
        *name,
        key,
        shell::sealed(asked),
        input(
            &format!("{key}-{name}"),
            t("A party's name, group:NAME or ca:NAME"),
            "who",
            html!(" required autocomplete=\"off\" spellcheck=\"false\"")
        ),
        if key == "deny" { html!(" class=\"danger\"") } else { Html::new() },
        if key == "deny" { t("Ban") } else { t("Let it enter") }
    )
}

/// A button that takes one off a list.
fn button(
    asked: &Asked<'_>,
    site: &HostName,
    verb: &'static str,
    (field, value): (&'static str, &str),
    undo: bool,
) -> Html {
    let t = |text| asked.t(text);
    let undo = if undo { html!("<input type=\"hidden\" name=\"undo\" value=\"true\">") } else { Html::new() };
    html!(
        "<form method=\"post\" action=\"/sites/{}/{}\" class=\"inline\">{}<input type=\"hidden\" name=\"{}\" value=\"{}\">{}\
         <button type=\"submit\" class=\"quiet\" aria-label=\"{}: {}\">{}</button></form>",
        *site,
        verb,
        shell::sealed(asked),
        field,
        value,
        undo,
        t("Take back"),
        value,
        t("Take back")
    )
}
