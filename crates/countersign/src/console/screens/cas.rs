//! Trusted issuers: whom each lets in, in a sentence; how fresh its revocation lists are; and the own authority.

use authority::{Hierarchy, Role};
use policy::Admission;
use policy::record::OperatorRole;

use super::{issuer, rollover};
use crate::cli::Failure;
use crate::config::ca::CaSettings;
use crate::config::crl::CrlSettings;
use crate::config::{Settings, Stored};
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html, one_line};
use crate::console::same::{code, same};
use crate::console::shell;
use crate::run::upkeep::Dates;

pub fn screen(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    given.check(&[])?;
    shown(asked, (&asked.context.settings, &asked.context.basis), Html::new())
}

/// The page after a change: what holds is read anew.
pub fn after(asked: &Asked<'_>, note: Html) -> Result<Html, Failure> {
    let basis = asked.context.run(asked.context.registry.basis())?;
    shown(asked, (&asked.context.try_settings(&Stored::from(&basis))?, &basis), note)
}

fn shown(
    asked: &Asked<'_>,
    (settings, basis): (&Settings, &registry::Basis),
    note: Html,
) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let mut main = html!("{}<h1>{}</h1>\n", note, t("CAs"));
    main.push(own(asked)?);
    main.push(html!("<h2>{}</h2>\n", t("Trusted issuers")));
    if settings.cas.is_empty() && settings.broken_cas.is_empty() {
        main.push(html!(
            "<p class=\"empty\">{}</p>\n{}",
            t("No other issuer is trusted. Where a partner has a CA of its own, the next step is:"),
            code(
                t("On the command line"),
                "countersign ca add partner-ca.pem --name partner --site portal.example.com --match 'san:dns=*.partner.example'"
            )
        ));
    }
    for (name, fault) in &settings.broken_cas {
        main.push(html!(
            "<section class=\"note bad\"><h3>{}</h3><p>{}</p></section>\n",
            name,
            Foreign(&one_line(&fault.to_string()))
        ));
    }
    let stored: Vec<&str> = basis.cas.iter().map(|one| one.name.as_str()).collect();
    for (name, ca) in &settings.cas {
        main.push(one(asked, name, ca, stored.contains(&name.as_str())));
    }
    if asked.may(OperatorRole::Owner) {
        main.push(html!(
            "<section class=\"card\"><h2>{}</h2>\n<p>{}</p>\n{}</section>\n",
            t("Trust another issuer"),
            t("First it is shown what the rule would let in; nothing is saved before that. A revocation list is given on the command line, with --crl or --crl-url."),
            issuer::form(asked, &Given::default(), false)
        ));
    }
    main.push(same(asked, "countersign ca list", "/cas"));
    Ok(shell::page(asked, "/cas", t("CAs"), main))
}

/// The own authority, where there is one here.
fn own(asked: &Asked<'_>) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let state = &asked.context.settings.state;
    if !Hierarchy::is_at(&state.authority()) {
        return Ok(html!("<p class=\"empty\">{}</p>\n", t("There is no own authority on this host.")));
    }
    let hierarchy = asked.context.hierarchy()?;
    let rows: Html = Role::ALL
        .iter()
        .map(|role| {
            let one = hierarchy.certificate(*role);
            html!(
                "<tr><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                role.to_string(),
                Foreign(&one.subject.to_string()),
                shell::when(asked, one.not_after)
            )
        })
        .collect();
    let list = Dates::read(state).map(|list| {
        html!(
            "<p>{} <b>{}</b>: {} {}; {} {}</p>\n",
            t("Revocation list"),
            list.number,
            t("made"),
            shell::when(asked, list.at),
            t("the next is due"),
            shell::when(asked, list.next_update)
        )
    });
    Ok(html!(
        "<section class=\"card\"><h2>{}</h2>\n{}{}{}</section>\n",
        t("The own authority"),
        shell::table(t("The own authority"), &[t("Its part"), t("Subject"), t("Ends")], rows),
        list,
        rollover::section(asked)?
    ))
}

/// `is_stored`: whether the registry holds it, so that it is removed here.
fn one(asked: &Asked<'_>, name: &str, ca: &CaSettings, is_stored: bool) -> Html {
    let t = |text| asked.t(text);
    let (class, who) = match &ca.rules.admission {
        Admission::Any => {
            ("bad", html!("<b>{}</b>", t("Everyone with a certificate from this issuer gets in.")))
        }
        Admission::NamedOnly => ("", html!("{}", t("Only parties with a subject rule on it get in."))),
        Admission::OnRecord => ("", html!("{}", t("Only certificates on record get in."))),
        Admission::Match(entries) => {
            let list = entries
                .iter()
                .map(|one| html!("<li><code>{}</code></li>", one.to_string()))
                .collect::<Html>();
            ("", html!("{}<ul>{}</ul>", t("Only certificates get in that fit one of these:"), list))
        }
    };
    let sites: Vec<&str> = ca.sites.iter().map(policy::HostName::as_str).collect();
    let anchors: Html = ca
        .rules
        .anchors
        .iter()
        .map(|one| {
            html!(
                "<li>{}, {} {}</li>\n",
                Foreign(&one.subject.to_string()),
                t("ends"),
                shell::when(asked, one.not_after)
            )
        })
        .collect();
    let lists: Html = ca.lists.iter().map(|one| list(asked, one)).collect();
    let lists = if lists.is_empty() {
        html!("<li>{}</li>", t("none: what it revokes is not known here"))
    } else {
        lists
    };
    let excuse = ca.rules.without_client_usage_until.map(|until| {
        html!(
            "<dt>{}</dt><dd class=\"bad\">{} {}</dd>\n",
            t("Exception"),
            t("a missing client usage is excused until"),
            shell::when(asked, until)
        )
    });
    let remove = if is_stored && asked.may(OperatorRole::Owner) {
        html!(
            "<details class=\"act\"><summary>{}</summary><p>{}</p>\n<form method=\"post\" action=\"/cas/{}/remove\">{}\
             <button type=\"submit\" class=\"danger\">{}</button></form></details>\n",
            t("Remove"),
            t("Everyone it lets in is refused at once."),
            name,
            shell::sealed(asked),
            t("Trust it no longer")
        )
    } else {
        Html::new()
    };
    html!(
        "<section class=\"card\" id=\"{}\"><h3>{}</h3>\n<dl><dt>{}</dt><dd class=\"{}\">{}</dd>\n<dt>{}</dt><dd>{}</dd>\n\
         <dt>{}</dt><dd><ul class=\"plain\">{}</ul></dd>\n<dt>{}</dt><dd><ul class=\"plain\">{}</ul></dd>\n{}<dt>{}</dt><dd>{}</dd></dl>{}</section>\n",
        name,
        name,
        t("Who gets in"),
        class,
        who,
        t("Sites"),
        sites.join(", "),
        t("Certificates"),
        anchors,
        t("Revocation lists"),
        lists,
        excuse,
        t("Where this stands"),
        ca.origin,
        remove
    )
}

fn list(asked: &Asked<'_>, one: &CrlSettings) -> Html {
    let t = |text| asked.t(text);
    match &one.list {
        Ok(list) => {
            let fresh = list.is_fresh_at(asked.now());
            let (class, word) = if fresh { ("good", t("fresh")) } else { ("bad", t("too old")) };
            html!(
                "<li><span class=\"tag {}\">{}</span> {}: {} {}</li>\n",
                class,
                word,
                one.shown.to_string(),
                t("the next is due"),
                shell::when(asked, list.next_update)
            )
        }
        Err(fault) => html!("<li class=\"bad\">{}</li>\n", Foreign(&fault.what)),
    }
}
