//! A new trusted issuer: what its rule would let in, in plain words and by what is known here, before it is saved.

use policy::record::OperatorRole;
use serde_json::Value;

use super::{PemField, cas, input, site_boxes};
use crate::cli::Failure;
use crate::cli::ca::preview::{Example, Known, Preview};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html, one_line};
use crate::console::same::{quoted, same};
use crate::console::shell;
use crate::console::verbs;

/// Conditions that a form has room for.
const CONDITIONS: usize = 3;

/// The form; where what it says was looked at, an owner may save it.
pub fn form(asked: &Asked<'_>, given: &Given, is_looked_at: bool) -> Html {
    let t = |text| asked.t(text);
    let value = |name: &str| {
        html!(" value=\"{}\" autocomplete=\"off\" spellcheck=\"false\"", given.one(name).unwrap_or_default())
    };
    let rule = |word: &&'static str| {
        let told = match *word {
            "match" => t("Only certificates that fit a condition below"),
            "named-only" => t("Only parties with a subject rule on it"),
            _ => t("Everyone with a certificate from this issuer"),
        };
        let checked = if given.one("rule") == Some(*word) { html!(" checked") } else { Html::new() };
        html!(
            "<label for=\"rule-{}\"><input type=\"radio\" id=\"rule-{}\" name=\"rule\" value=\"{}\"{}> {}</label>\n",
            *word,
            *word,
            *word,
            checked,
            told
        )
    };
    let matches = given.all("match");
    let condition = |number: usize| {
        let text = matches.get(number).cloned().unwrap_or_default();
        let id = format!("match-{number}");
        html!(
            "<input id=\"{}\" name=\"match\" value=\"{}\" aria-label=\"{} {}\" placeholder=\"san:dns=*.partner.example\" autocomplete=\"off\" spellcheck=\"false\">\n",
            id,
            text,
            t("Condition"),
            number + 1
        )
    };
    let save = if is_looked_at && asked.may(OperatorRole::Owner) {
        html!(
            "<button type=\"submit\" class=\"danger\" formaction=\"/cas\">{}</button>\n",
            t("Trust this issuer")
        )
    } else {
        Html::new()
    };
    html!(
        "<form method=\"post\" action=\"/ca-previews\">{}\n{}\
         {}{}\
         <fieldset><legend>{}</legend>\n{}</fieldset>\n\
         <fieldset><legend>{}</legend>\n{}</fieldset>\n{}{}\
         <p class=\"actions\"><button type=\"submit\">{}</button> {}</p></form>\n",
        shell::sealed(asked),
        input(
            "name",
            t("Its name in rules, such as partner"),
            "name",
            html!("{} required pattern=\"[a-z0-9][a-z0-9._\\-]*\" maxlength=\"63\"", value("name"))
        ),
        PemField {
            id: "certificates",
            name: "certificates",
            label: t("Its certificates, PEM: the root, and intermediates that clients leave out"),
            block: "CERTIFICATE",
            is_required: true,
            text: given.one("certificates"),
        }
        .html(asked),
        site_boxes(asked, "ca-site", &given.all("sites")),
        t("Who gets in"),
        verbs::CA_RULES.iter().map(rule).collect::<Html>(),
        t("Conditions: one of them is enough; in one, ` and ` joins several"),
        (0..CONDITIONS.max(matches.len())).map(condition).collect::<Html>(),
        input(
            "name_from",
            t("The party's name is taken from, such as san:dns; may stay empty"),
            "name_from",
            value("name_from")
        ),
        input(
            "accept_without_client_usage_until",
            t("Excuse a missing client usage until this date; may stay empty"),
            "accept_without_client_usage_until",
            html!(" type=\"date\"{}", value("accept_without_client_usage_until"))
        ),
        t("What would it let in?"),
        save
    )
}

/// The page that tells what it would let in, with the form to go on from.
pub fn previewed(asked: &Asked<'_>, given: &Given, _: &Value) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let preview = verbs::previewed(asked, given)?;
    let is_whole = given.one("rule").is_some();
    let (class, sentence) = match given.one("rule") {
        Some("match") => ("good", t("Only certificates get in that fit one of these:")),
        Some("named-only") => ("good", t("Only parties with a subject rule on it get in.")),
        _ => ("bad", t("Everyone with a certificate from this issuer gets in.")),
    };
    let matches = given.all("match");
    let conditions: Html = matches.iter().map(|one| html!("<li><code>{}</code></li>\n", *one)).collect();
    let choose = if is_whole {
        Html::new()
    } else {
        html!(
            "<p>{}</p>\n",
            t(
                "No rule is chosen. Whoever gets a certificate from this issuer, now or later, would get in: choose a rule below."
            )
        )
    };
    let warnings: Html = preview
        .warnings
        .iter()
        .map(|one| html!("<p class=\"bad\">{}</p>\n", Foreign(&one_line(one))))
        .collect();
    let main = html!(
        "<p class=\"crumb\"><a href=\"/cas\">{}</a></p>\n<h1>{}</h1>\n\
         <section class=\"note {}\" role=\"status\"><h2>{}: {}</h2>\n<p><b>{}</b></p>\n<ul>{}</ul>\n{}{}{}</section>\n\
         <section class=\"card\"><h2>{}</h2>\n{}</section>\n{}",
        t("CAs"),
        t("What would it let in?"),
        class,
        preview.name,
        preview.sites.join(", "),
        sentence,
        conditions,
        choose,
        warnings,
        told(asked, &preview),
        t("Change it, or save it"),
        form(asked, given, is_whole),
        same(asked, &command(given), "/cas")
    );
    Ok(shell::page(asked, "/cas", t("What would it let in?"), main))
}

/// What it means for those who are known.
fn told(asked: &Asked<'_>, preview: &Preview) -> Html {
    let t = |text| asked.t(text);
    html!(
        "{}{}<p class=\"soft\">{}</p>\n",
        known(asked, t("Of those that have knocked and wait"), &preview.pending),
        known(asked, t("Of the parties' saved certificates"), &preview.saved),
        t(
            "Only certificates that are known here can be told. The issuer may have given out others, and may give out more."
        )
    )
}

fn known(asked: &Asked<'_>, title: &str, known: &Known) -> Html {
    let t = |text| asked.t(text);
    if known.count == 0 {
        return html!("<p>{}: {}</p>\n", title, t("none is from this issuer"));
    }
    let one = |one: &Example, class: &str| {
        let party = one.party.as_ref().map(|party| html!(" ({})", *party));
        html!(
            "<tr class=\"{}\"><td>\u{201c}{}\u{201d}{}</td><td><code>{}</code></td></tr>\n",
            class,
            Foreign(&one.subject),
            party,
            one.becomes
        )
    };
    let rows =
        known.examples.iter().map(|it| one(it, "")).chain(known.refused.iter().map(|it| one(it, "bad")));
    html!(
        "<h3>{}</h3>\n<p>{}: <b>{}</b>; {}: <b>{}</b></p>\n{}",
        title,
        t("from this issuer"),
        known.count,
        t("would get in"),
        known.let_in,
        shell::table(title, &[t("Subject"), t("Enters as, or is refused for")], rows.collect())
    )
}

/// How the command line does it.
fn command(given: &Given) -> String {
    let mut command =
        format!("countersign ca add partner-ca.pem --name {}", quoted(given.needed("name").trim()));
    for site in given.all("sites") {
        command += &format!(" --site {}", quoted(&site));
    }
    match given.one("rule") {
        Some("match") => {
            given.all("match").iter().for_each(|one| command += &format!(" --match {}", quoted(one.trim())));
        }
        Some("named-only") => command += " --named-only",
        _ => command += " --accept-any",
    }
    command + " --dry-run"
}

pub fn added(asked: &Asked<'_>, given: &Given, _: &Value) -> Result<Html, Failure> {
    let title = format!("{} {}", asked.t("It is trusted from now on:"), given.needed("name").trim());
    cas::after(asked, shell::done(&title, Html::new()))
}

pub fn removed(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let title = format!("{} {}", asked.t("It is trusted no longer:"), asked.place());
    cas::after(asked, shell::done(&title, super::parties::effect(asked, value)))
}
