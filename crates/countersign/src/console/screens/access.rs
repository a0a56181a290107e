//! Who had access on a day: who could enter, by the record; who did, by the log; and what neither tells.

use super::input;
use crate::cli::Failure;
use crate::cli::log::access::{Access, Could, way};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::same;
use crate::console::{shell, words};

/// Parties that are shown; the API and the command line have all.
const SHOWN: usize = 500;

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let access = Access::on(asked.context, given.one("on").unwrap_or_default())?;
    let day = access.from.date();
    let doubts: Html =
        access.doubts.iter().map(|one| html!("<li>{}</li>\n", one.text(|text| asked.t(text)))).collect();
    let main = html!(
        "<p class=\"crumb\"><a href=\"/log\">{}</a></p>\n<h1>{} {}</h1>\n\
         <form method=\"get\" action=\"/log/entered\" class=\"filter\">{}<button type=\"submit\">{}</button></form>\n\
         <h2>{}</h2>\n{}<section class=\"note\"><h2>{}</h2>\n<ul>{}</ul></section>\n<h2>{}</h2>\n<p class=\"soft\">{}</p>\n{}{}",
        t("Log"),
        t("Who had access on"),
        words::day(asked.lang, access.from),
        input("on", t("Day"), "on", html!(" type=\"date\" required value=\"{}\"", day)),
        t("Look"),
        t("Who could enter"),
        could(asked, &access),
        t("What this cannot tell"),
        doubts,
        t("Who did enter"),
        t("Whole days are those of UTC. An admission is logged once for each connection."),
        did(asked, &access),
        same(asked, &format!("countersign log access --on {day}"), &format!("/log/access?on={day}"))
    );
    Ok(shell::page(asked, "/log", t("Who had access on"), main))
}

fn could(asked: &Asked<'_>, access: &Access) -> Html {
    let t = |text| asked.t(text);
    let row = |one: &Could| {
        let site = |(site, by): (&policy::HostName, &&'static str)| {
            let by = if *by == "grant" { t("by a grant") } else { t("by a rule") };
            html!("<li>{} <span class=\"soft\">({})</span></li>", *site, by)
        };
        let ways = one.ways.iter().map(|one| html!("<li>{}</li>", Foreign(&way(one))));
        let mark = if one.is_incomplete {
            html!(" <span class=\"tag bad\">{}</span>", t("removed since, not all is on record"))
        } else {
            Html::new()
        };
        html!(
            "<tr><td>{}{}</td><td><ul class=\"plain\">{}</ul></td><td><ul class=\"plain\">{}</ul></td></tr>\n",
            one.name,
            mark,
            one.sites.iter().map(site).collect::<Html>(),
            ways.collect::<Html>()
        )
    };
    let cas = access.cas.iter().map(|(site, ca)| {
        html!(
            "<tr><td>ca:{}</td><td>{}</td><td>{}</td></tr>\n",
            *ca,
            *site,
            t("everyone whom its rule lets in")
        )
    });
    let rows: Html = access.could.iter().take(SHOWN).map(row).chain(cas).collect();
    if rows.is_empty() {
        return html!("<p class=\"empty\">{}</p>\n", t("By the record nobody could enter on this day."));
    }
    let more = access.could.len().saturating_sub(SHOWN);
    let more = if more > 0 { html!("<p>{} {}</p>\n", more, t("more")) } else { Html::new() };
    let headings = [t("Party"), t("Sites"), t("What led to it")];
    html!("{}{}", shell::table(t("Who could enter"), &headings, rows), more)
}

fn did(asked: &Asked<'_>, access: &Access) -> Html {
    let t = |text| asked.t(text);
    let row = |(party, site, count): &(String, String, u64)| {
        html!("<tr><td>{}</td><td>{}</td><td class=\"number\">{}</td></tr>\n", Foreign(party), *site, *count)
    };
    if access.did.is_empty() {
        return html!("<p class=\"empty\">{}</p>\n", t("The log has nobody who was admitted on this day."));
    }
    let rows = access.did.iter().map(row).collect();
    shell::table(t("Who did enter"), &[t("Party"), t("Site"), t("Entries")], rows)
}
