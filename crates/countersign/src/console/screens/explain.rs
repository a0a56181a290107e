//! Would somebody enter, and if not, at which step? The gate's own decision as a ladder, with the rung that fails.

use serde_json::Value;

use super::{PemField, input, site_choice};
use crate::cli::Failure;
use crate::cli::ladder::Ladder;
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, Lines, html};
use crate::console::same::same;
use crate::console::shell;
use crate::console::verbs;

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let reference = given.one("reference").map(str::trim);
    let found = match reference {
        Some(reference) => by_reference(asked, reference)?,
        None => Html::new(),
    };
    shown(asked, given, found)
}

/// What the log says of a refusal.
fn by_reference(asked: &Asked<'_>, reference: &str) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let filter = registry::AuditFilter {
        reference: Some(reference.to_ascii_uppercase()),
        limit: Some(20),
        ..registry::AuditFilter::default()
    };
    let rows = asked.context.run(asked.context.registry.search_audit(&filter))?;
    if rows.is_empty() {
        // The gate may just be storing it: with a script the page asks again as soon as something is logged.
        return Ok(html!(
            "<div data-live=\"reference\" data-on=\"log\"><p class=\"note bad\">{}</p></div>\n",
            t(
                "No entry of the log has this reference. One that was shown this very moment is there within a second."
            )
        ));
    }
    let code = rows.iter().find_map(|row| policy::Code::parse(row.event.code.as_deref()?));
    let words = code.map(|code| {
        let words = gateway::pages::code_text(asked.lang, code);
        html!(
            "<p><b>{}</b> {}</p><p>{} {}</p>\n",
            words.title,
            words.detail,
            t("What its visitor can do:"),
            words.next
        )
    });
    let pending = asked.context.run(asked.context.registry.pendings())?;
    let waits =
        pending.iter().find(|row| row.references.iter().any(|one| one.eq_ignore_ascii_case(reference)));
    let waits = waits.map(|row| {
        html!("<p><a href=\"/pending#{}\">{}</a></p>\n", row.id, t("It waits under Pending, to be let in"))
    });
    Ok(html!(
        "<div data-live=\"reference\" data-on=\"\"><section class=\"card\"><h2>{}</h2>\n{}{}{}</section></div>\n",
        reference,
        words,
        waits,
        super::log::table(asked, &rows)
    ))
}

fn shown(asked: &Asked<'_>, given: &Given, result: Html) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let value = |name: &str| {
        html!(" value=\"{}\" autocomplete=\"off\" spellcheck=\"false\"", given.one(name).unwrap_or_default())
    };
    let main = html!(
        "<h1>{}</h1>\n{}<section class=\"card\"><h2>{}</h2>\n<form method=\"get\" action=\"/explain\" role=\"search\">{}<button type=\"submit\">{}</button></form></section>\n\
         <section class=\"card\"><h2>{}</h2>\n<form method=\"post\" action=\"/explain\">{}\n{}{}{}{}\
         <button type=\"submit\">{}</button></form></section>\n{}",
        t("Explain"),
        result,
        t("A reference from a refusal page"),
        input(
            "reference",
            t("Reference"),
            "reference",
            html!("{} placeholder=\"7F3K-22\" required", value("reference"))
        ),
        t("Look it up"),
        t("Would somebody enter?"),
        shell::sealed(asked),
        site_choice(asked, "site", given.one("site"), false),
        input("path", t("Path"), "path", html!("{} placeholder=\"/\"", value("path"))),
        input("party", t("A party, with its newest certificate"), "party", value("party")),
        PemField {
            id: "certificate",
            name: "certificate",
            label: t("Or a certificate, PEM; without either, none is shown"),
            block: "CERTIFICATE",
            is_required: false,
            text: given.one("certificate"),
        }
        .html(asked),
        t("Decide"),
        same(asked, "countersign explain alice.pem --site portal.example.com -v", "/log?reference=7F3K-22")
    );
    Ok(shell::page(asked, "/explain", t("Explain"), main))
}

pub fn explained(asked: &Asked<'_>, given: &Given, value: &Value) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let decided = verbs::decided(asked, given)?;
    let (class, title) = match value["verdict"].as_str() {
        Some("admitted") => ("good", t("It would enter")),
        Some("open") => ("bad", t("The path is open: everybody passes")),
        Some("observed") => ("bad", t("It would be let through, because the site observes")),
        _ => ("bad", t("It would be refused")),
    };
    let result = html!(
        "<section class=\"note {}\" role=\"status\"><h2>{}</h2>\n<p class=\"foreign\">{}</p>\n{}</section>\n",
        class,
        title,
        Lines(&decided.text),
        ladder(asked, &decided.ladder)
    );
    shown(asked, given, result)
}

fn ladder(asked: &Asked<'_>, ladder: &Ladder) -> Html {
    let t = |text| asked.t(text);
    let sign = |mark: &str| match mark {
        "passed" => ("passed", "\u{2713}", t("passed")),
        "failed" => ("failed", "\u{2717}", t("failed")),
        "not-needed" => ("open", "\u{2013}", t("not needed")),
        _ => ("open", "\u{2013}", t("not reached")),
    };
    let rung = |mark: &'static str, told: &str, more: Html| {
        let (class, sign, word) = sign(mark);
        html!(
            "<li class=\"{}\"><span class=\"sign\" aria-hidden=\"true\">{}</span> {} <span class=\"soft\">({})</span>{}</li>\n",
            class,
            sign,
            Foreign(told),
            word,
            more
        )
    };
    let checks: Html = ladder.checks().map(|(mark, _, told)| rung(mark, told, Html::new())).collect();
    let steps: Html = ladder
        .steps()
        .map(|(mark, name, told)| {
            let more =
                if name == "verify" { html!("<ul class=\"ladder\">{}</ul>", checks) } else { Html::new() };
            rung(mark, told, more)
        })
        .collect();
    html!("<ol class=\"ladder\">\n{}</ol>\n", steps)
}
