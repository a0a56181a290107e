//! From one generation of an own CA to the next: begun, followed by who still needs the old one, and finished.

use policy::record::OperatorRole;
use serde_json::Value;

use super::cas;
use crate::cli::Failure;
use crate::cli::ca::rollover::{UnderWay, holder};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::code;
use crate::console::shell;
use crate::console::verbs;

/// Certificates that are shown; the API and the command line have all.
const SHOWN: usize = 50;

/// What is under way, and what can be begun.
pub fn section(asked: &Asked<'_>) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let all = verbs::under_way(asked)?;
    let mut main = html!("<h3>{}</h3>\n", t("From one generation to the next"));
    for one in &all {
        main.push(under_way(asked, one));
    }
    let may_begin: Vec<&str> = ["client", "operator"]
        .into_iter()
        .filter(|ca| all.iter().all(|one| one.role.word() != *ca))
        .collect();
    if asked.may(OperatorRole::Owner) && !may_begin.is_empty() {
        let option = |ca: &&str| {
            let told = if *ca == "client" {
                t("of the parties' certificates")
            } else {
                t("of the operators' certificates")
            };
            html!("<option value=\"{}\">{}</option>", *ca, told)
        };
        main.push(html!(
            "<details class=\"act\"><summary>{}</summary><p>{}</p>\n<form method=\"post\" action=\"/cas/own/rollovers/start\">{}\n\
             <p class=\"field\"><label for=\"rollover-ca\">{}</label><select id=\"rollover-ca\" name=\"ca\">{}</select></p>\n\
             <p class=\"field\"><label for=\"rollover-key\">{}</label><select id=\"rollover-key\" name=\"key\">{}</select></p>\n\
             <button type=\"submit\">{}</button></form></details>\n",
            t("Begin a rollover"),
            t("The root signs the next generation, so its key must be on this host. The present one stays trusted until the rollover is finished."),
            shell::sealed(asked),
            t("Which CA"),
            may_begin.iter().map(option).collect::<Html>(),
            t("Kind of the new key"),
            ["ecdsa-p256", "ecdsa-p384", "rsa-3072", "ed25519"]
                .iter()
                .map(|word| html!("<option value=\"{}\">{}</option>", *word, *word))
                .collect::<Html>(),
            t("Make the next generation")
        ));
    }
    main.push(code(t("On the command line"), "countersign ca rollover status"));
    Ok(main)
}

fn under_way(asked: &Asked<'_>, one: &UnderWay) -> Html {
    let t = |text| asked.t(text);
    let ca = one.role.word();
    let rest = if one.stragglers.is_empty() {
        let finish = if asked.may(OperatorRole::Owner) {
            html!(
                "<form method=\"post\" action=\"/cas/own/rollovers/finish\">{}<input type=\"hidden\" name=\"ca\" value=\"{}\">\
                 <button type=\"submit\" class=\"danger\">{}</button></form>\n",
                shell::sealed(asked),
                ca,
                t("Finish: trust the old generation no longer, and delete its key")
            )
        } else {
            Html::new()
        };
        html!("<p>{}</p>\n{}", t("Nobody needs the old generation any more."), finish)
    } else {
        let row = |row: &registry::IssuedRow| {
            let name = holder(row);
            let who = match &row.holder {
                policy::Holder::Party(_) => html!("<a href=\"/parties/{}\">{}</a>", name, name),
                policy::Holder::Operator { .. } => html!("{}", name),
            };
            let renewed = row.superseded_after.map_or_else(
                || html!("{}", t("not renewed")),
                |until| html!("{} {}", t("renewed, good until"), shell::when(asked, until)),
            );
            html!(
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                who,
                Foreign(&row.label),
                shell::when(asked, row.not_after),
                renewed
            )
        };
        let more = one.stragglers.len().saturating_sub(SHOWN);
        let more = if more > 0 { html!("<p>{} {}</p>\n", more, t("more")) } else { Html::new() };
        html!(
            "<p>{} <b>{}</b></p>\n{}{}",
            t("Certificates of the old generation that are in use:"),
            one.stragglers.len(),
            shell::table(
                t("Certificates of the old generation that are in use:"),
                &[t("Who"), t("Device"), t("Ends"), t("State")],
                one.stragglers.iter().take(SHOWN).map(row).collect()
            ),
            more
        )
    };
    html!(
        "<div class=\"note\"><h4>{}: {}</h4>\n<p>{} {} {}</p>\n{}</div>\n",
        t("A rollover is under way"),
        ca,
        Foreign(&one.new.subject.to_string()),
        t("takes over from"),
        Foreign(&one.old.subject.to_string()),
        rest
    )
}

pub fn started(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    cas::after(asked, shell::done(asked.t("The next generation issues from now on"), Html::new()))
}

pub fn finished(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    cas::after(asked, shell::done(asked.t("The old generation is trusted no longer"), Html::new()))
}
