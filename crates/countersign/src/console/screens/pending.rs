//! Who has knocked: who each says it is, who vouches for it, from where, how often and why it was refused; approved with
//! the reference that its visitor reads, or dismissed.

use policy::record::OperatorRole;
use registry::PendingRow;
use serde_json::Value;

use super::{input, site_boxes};
use crate::cli::{Failure, pending};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::same;
use crate::console::shell;

pub fn screen(asked: &Asked<'_>, _: &Given) -> Result<Html, Failure> {
    shown(asked, Html::new())
}

fn shown(asked: &Asked<'_>, note: Html) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let context = asked.context;
    let all = context.run(context.registry.pendings())?;
    let mut main =
        html!("{}<h1>{}</h1>\n<div data-live=\"pending\" data-on=\"pending\">\n", note, t("Pending"));
    if all.is_empty() {
        main.push(html!(
            "<p class=\"empty\">{}</p>\n",
            t("Nobody waits. Whoever comes with a certificate that is admitted nowhere stands here, with a reference.")
        ));
    }
    for row in &all {
        main.push(one(asked, row));
    }
    let dropped = context.run(context.registry.pending_dropped())?;
    if dropped > 0 {
        main.push(html!("<p class=\"soft\">{}: {}</p>\n", t("Left out because the list was full"), dropped));
    }
    main.push(html!("</div>\n"));
    main.push(ignored_issuers(asked)?);
    main.push(same(asked, "countersign pending list", "/pending"));
    Ok(shell::page(asked, "/pending", t("Pending"), main))
}

fn one(asked: &Asked<'_>, row: &PendingRow) -> Html {
    let t = |text| asked.t(text);
    let vouched = pending::vouched(asked.context, row);
    let vouches = if vouched {
        html!("{}", t("a CA of the site"))
    } else {
        html!("<b>{}</b>", t("nobody: anyone could have made it"))
    };
    let words =
        policy::Code::parse(&row.reason).map(|code| gateway::pages::code_text(asked.lang, code).title);
    let note = (!row.note.is_empty())
        .then(|| html!("<dt>{}</dt><dd class=\"bad\">{}</dd>\n", t("Careful"), Foreign(&row.note)));
    let facts = html!(
        "<dl><dt>{}</dt><dd>\u{201c}{}\u{201d}</dd>\n<dt>{}</dt><dd>\u{201c}{}\u{201d}</dd>\n<dt>{}</dt><dd>{}</dd>\n{}\
         <dt>{}</dt><dd><code>{}</code> {}</dd>\n<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}</dd>\n<dt>{}</dt><dd>{}, {} {}</dd>\n\
         <dt>{}</dt><dd><code class=\"long\">{}</code></dd></dl>\n",
        t("It says it is"),
        Foreign(&row.subject),
        t("Issued, it says, by"),
        Foreign(&row.issuer),
        t("Who vouches for it"),
        vouches,
        note,
        t("Why it was refused"),
        row.reason,
        words,
        t("Site"),
        row.site,
        t("From"),
        row.address,
        t("How often"),
        row.count,
        t("last"),
        shell::when(asked, row.last_seen),
        t("Thumbprint"),
        row.thumbprint
    );
    let forms = if asked.may(OperatorRole::Operator) { forms(asked, row, vouched) } else { Html::new() };
    html!(
        "<article class=\"card\" id=\"{}\"><h2>\u{201c}{}\u{201d}</h2>\n{}{}</article>\n",
        row.id,
        Foreign(&row.subject),
        facts,
        forms
    )
}

fn forms(asked: &Asked<'_>, row: &PendingRow, vouched: bool) -> Html {
    let t = |text| asked.t(text);
    let id = |what: &str| format!("{what}-{}", row.id);
    let needed = if vouched { Html::new() } else { html!(" required") };
    let ignore = if pending::ignored::check(asked.context, row).is_ok() {
        html!(
            "<form method=\"post\" action=\"/pending/{}/ignore\" class=\"inline\">{}<button type=\"submit\" class=\"quiet\">{}</button></form>\n",
            row.id,
            shell::sealed(asked),
            t("Ignore this issuer")
        )
    } else {
        Html::new()
    };
    html!(
        "<details class=\"act\"><summary>{}</summary>\n<form method=\"post\" action=\"/pending/{}/approve\">{}\n{}{}{}\
         <p class=\"field\"><label for=\"{}\">{}</label><select id=\"{}\" name=\"pin\"><option value=\"cert\">{}</option>\
         <option value=\"key\">{}</option></select></p>\n<button type=\"submit\">{}</button></form></details>\n\
         <form method=\"post\" action=\"/pending/{}/reject\" class=\"inline\">{}<button type=\"submit\" class=\"quiet\">{}</button></form>\n{}",
        t("Let it in"),
        row.id,
        shell::sealed(asked),
        input(
            &id("party"),
            t("Its name here, such as erik-laptop"),
            "party",
            html!(
                " required pattern=\"[a-z0-9][a-z0-9._\\-]*\" title=\"{}\" maxlength=\"63\" autocomplete=\"off\" spellcheck=\"false\"",
                t("a-z, 0-9 and . _ -, a letter or digit first")
            )
        ),
        input(
            &id("reference"),
            t("The reference that its visitor reads out to you"),
            "reference",
            html!("{} placeholder=\"7F3K-22\" autocomplete=\"off\" spellcheck=\"false\"", needed)
        ),
        // Where it knocked; who wants it elsewhere says so.
        site_boxes(asked, &id("site"), std::slice::from_ref(&row.site)),
        id("pin"),
        t("What is pinned"),
        id("pin"),
        t("this very certificate"),
        t("its key, through renewals with the same names"),
        t("Let it in"),
        row.id,
        shell::sealed(asked),
        t("Dismiss it"),
        ignore
    )
}

/// The issuers that are ignored, and the way back.
fn ignored_issuers(asked: &Asked<'_>) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let all = asked.context.run(asked.context.registry.ignored_issuers())?;
    if all.is_empty() {
        return Ok(Html::new());
    }
    let row = |one: &registry::IgnoredIssuer| {
        let heed = if asked.may(OperatorRole::Operator) {
            html!(
                "<form method=\"post\" action=\"/ignored-issuers/heed\" class=\"inline\">{}<input type=\"hidden\" name=\"issuer\" value=\"{}\">\
                 <button type=\"submit\" class=\"quiet\">{}</button></form>",
                shell::sealed(asked),
                one.issuer,
                t("Ignore it no longer")
            )
        } else {
            Html::new()
        };
        html!(
            "<tr><td>\u{201c}{}\u{201d}</td><td>{}</td><td class=\"number\">{}</td><td>{}</td><td>{}</td></tr>\n",
            Foreign(&one.issuer),
            shell::when(asked, one.at),
            one.count,
            one.last_seen.map(|at| shell::when(asked, at)),
            heed
        )
    };
    let headings = [t("Issuer"), t("Since"), t("Knocks since"), t("last"), t("Action")];
    let table = shell::table(t("Issuers that are ignored"), &headings, all.iter().map(row).collect());
    Ok(html!(
        "<h2>{}</h2>\n<p class=\"soft\">{}</p>\n{}",
        t("Issuers that are ignored"),
        t("Their certificates are refused and logged, and do not wait here."),
        table
    ))
}

pub fn approved(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let party = value["party"].as_str().unwrap_or_default();
    let sites: Vec<&str> =
        value["sites"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let enters = if sites.is_empty() {
        html!("<p>{}</p>\n", asked.t("It may enter no site yet: that is given on its page."))
    } else {
        html!("<p>{} {}</p>\n", asked.t("It may enter:"), sites.join(", "))
    };
    let line = html!(
        "<p>{} <a href=\"/parties/{}\">{}</a></p>\n{}",
        asked.t("It is from now on:"),
        party,
        party,
        enters
    );
    shown(asked, shell::done(asked.t("It is let in"), line))
}

pub fn rejected(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    shown(asked, shell::done(asked.t("It is dismissed"), Html::new()))
}

pub fn ignored(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let line = html!(
        "<p>\u{201c}{}\u{201d}</p>\n<p>{} {}</p>\n",
        Foreign(value["ignored"].as_str().unwrap_or_default()),
        asked.t("Dismissed with it:"),
        value["dismissed"].as_u64().unwrap_or_default()
    );
    shown(asked, shell::done(asked.t("The issuer is ignored"), line))
}

pub fn heeded(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    shown(asked, shell::done(asked.t("The issuer is ignored no longer"), Html::new()))
}
