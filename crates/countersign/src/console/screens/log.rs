//! The log: looked through, taken along, verified; and who entered on a day.

use registry::{AuditRow, AuditVerdict};

use super::{input, site_choice};
use crate::cli::Failure;
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::{quoted, same};
use crate::console::shell;
use crate::console::verbs::{self, Found};

const VERDICTS: [&str; 4] = ["admitted", "refused", "observed", "changed"];
/// The fields that go along from page to page.
const KEPT: [&str; 8] = ["site", "party", "code", "verdict", "reference", "since", "until", "admin"];

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    given.check(verbs::LOG_FILTER)?;
    let Found { rows, next } = verbs::found(asked, given)?;
    // What comes while somebody reads an older page is not put there.
    let live = if given.is_empty() { html!(" data-live=\"log\" data-on=\"log\"") } else { Html::new() };
    let mut main = html!("<h1>{}</h1>\n{}<div{}>\n", t("Log"), filter(asked, given), live);
    if rows.is_empty() {
        main.push(html!(
            "<p class=\"empty\">{}</p>\n",
            t("No entry fits. Take a filter away, or look further back.")
        ));
    } else {
        main.push(table(asked, &rows));
    }
    main.push(html!("</div>\n"));
    let query = query(given);
    if let Some(next) = next {
        main.push(html!(
            "<p class=\"pager\"><a rel=\"next\" href=\"/log?{}before={}\">{}</a></p>\n",
            query,
            next,
            t("Older entries")
        ));
    }
    main.push(html!(
        "<section class=\"card\"><h2>{}</h2>\n<p><a href=\"/log/verify\">{}</a></p>\n\
         <form method=\"get\" action=\"/log/entered\">{}<button type=\"submit\">{}</button></form>\n\
         <p><a href=\"/api/v1/log?{}limit=500\" download=\"log.json\">{}</a></p></section>\n",
        t("For auditors"),
        t("Was anything altered or taken away?"),
        input("on", t("Who had access on this day?"), "on", html!(" type=\"date\" required")),
        t("Look"),
        query,
        t("Take this page along as JSON"),
    ));
    let flags: String =
        KEPT[..7].iter().filter_map(|name| Some(format!(" --{name} {}", quoted(given.one(name)?)))).collect();
    let flags = if given.flag("admin") { flags } else { flags + " --without-admin" };
    main.push(same(
        asked,
        &format!("countersign log search{flags} --limit 50"),
        &format!("/log?{query}limit=50"),
    ));
    Ok(shell::page(asked, "/log", t("Log"), main))
}

fn query(given: &Given) -> String {
    let encoded = |text: &str| {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    };
    KEPT.iter().filter_map(|name| Some(format!("{name}={}&", encoded(given.one(name)?)))).collect()
}

fn filter(asked: &Asked<'_>, given: &Given) -> Html {
    let t = |text| asked.t(text);
    let value = |name: &str| {
        html!(" value=\"{}\" autocomplete=\"off\" spellcheck=\"false\"", given.one(name).unwrap_or_default())
    };
    let verdict = |word: &&'static str| {
        let selected = if given.one("verdict") == Some(*word) { html!(" selected") } else { Html::new() };
        html!("<option value=\"{}\"{}>{}</option>", *word, selected, *word)
    };
    html!(
        "<form method=\"get\" action=\"/log\" role=\"search\" class=\"filter\">{}{}{}<p class=\"field\"><label for=\"verdict\">{}</label>\
         <select id=\"verdict\" name=\"verdict\"><option value=\"\">{}</option>{}</select></p>\n{}{}\
         <p class=\"field\"><label for=\"admin\"><input type=\"checkbox\" id=\"admin\" name=\"admin\" value=\"true\"{}> {}</label></p>\
         <button type=\"submit\">{}</button></form>\n",
        site_choice(asked, "site", given.one("site"), true),
        input("party", t("Party"), "party", value("party")),
        input("code", t("Code"), "code", value("code")),
        t("Verdict"),
        t("all"),
        VERDICTS.iter().map(verdict).collect::<Html>(),
        input("reference", t("Reference"), "reference", value("reference")),
        input("since", t("Since (1h, 7d or a date)"), "since", value("since")),
        if given.flag("admin") { html!(" checked") } else { Html::new() },
        t("Also who looked at the console"),
        t("Filter"),
    )
}

/// Entries as a table.
pub fn table(asked: &Asked<'_>, rows: &[AuditRow]) -> Html {
    let t = |text| asked.t(text);
    let row = |row: &AuditRow| {
        let event = &row.event;
        let class = match event.verdict.as_str() {
            "admitted" => "good",
            "refused" => "bad",
            _ => "",
        };
        let times = if event.count > 1 { html!(" \u{d7}{}", event.count) } else { Html::new() };
        let party = event.party.as_ref().map(|party| html!("{}", Foreign(party)));
        let reference =
            event.reference.as_ref().map(|one| html!("<a href=\"/explain?reference={}\">{}</a>", one, one));
        html!(
            "<tr><td>{}</td><td><span class=\"tag {}\">{}</span>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            shell::time(asked, event.time),
            class,
            event.verdict,
            times,
            event.code,
            event.site,
            party,
            event.address,
            reference,
            event.detail.as_deref().map(|detail| html!("{}", Foreign(detail)))
        )
    };
    let headings =
        [t("When"), t("Verdict"), t("Code"), t("Site"), t("Party"), t("From"), t("Reference"), t("More")];
    html!(
        "<div class=\"entries\">{}</div>",
        shell::table(t("Log"), &headings, rows.iter().map(row).collect())
    )
}

pub fn verify(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    given.check(&[])?;
    let note = match asked.context.run(asked.context.registry.verify_audit())? {
        AuditVerdict::Whole { entries, .. } => {
            html!(
                "<p class=\"note good\" role=\"status\"><b>{}</b> {} {}</p>\n",
                t("The log is whole."),
                entries,
                t("entries")
            )
        }
        AuditVerdict::Broken { writer, id, what } => html!(
            "<p class=\"note bad\" role=\"alert\"><b>{}</b> {} {} ({}): {}</p>\n",
            t("The log is not whole."),
            t("Entry"),
            id,
            Foreign(&writer),
            Foreign(&what)
        ),
    };
    let main = html!(
        "<h1>{}</h1>\n{}<p><a href=\"/log\">{}</a></p>\n{}",
        t("Was anything altered or taken away?"),
        note,
        t("Log"),
        same(asked, "countersign log verify", "/log/verify")
    );
    Ok(shell::page(asked, "/log", t("Log"), main))
}
