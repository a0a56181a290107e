//! Parties: found by name, with the life that is left; one party with its certificates by device, and what can be done.

use examiner::UnixTime;
use policy::record::OperatorRole;
use registry::{CertificateRow, PartyEntry, PartyRow};
use serde_json::Value;

use super::{PemField, input, renewal, site_boxes};
use crate::cli::Failure;
use crate::cli::party::{self, Ways};
use crate::config::profiles::BUILT_IN;
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::{code, quoted, same};
use crate::console::shell;
use crate::console::verbs::{self, Listed};

pub fn list(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let Listed { entries, next } = verbs::listed(asked, given)?;
    let q = given.one("q").unwrap_or_default();
    let count = asked.context.run(asked.context.registry.count_parties())?;
    let mut main = html!(
        "<h1>{} <span class=\"soft\">{}</span></h1>\n<form method=\"get\" action=\"/parties\" role=\"search\" class=\"filter\">{}\
         <button type=\"submit\">{}</button></form>\n",
        t("Parties"),
        count,
        input(
            "q",
            t("Name contains"),
            "q",
            html!(" value=\"{}\" autocomplete=\"off\" spellcheck=\"false\"", q)
        ),
        t("Search"),
    );
    main.push(match (entries.is_empty(), count) {
        (true, 0) => html!(
            "<p class=\"empty\">{}</p>\n",
            t("There is no party yet. The next step is to add or invite one, below.")
        ),
        (true, _) => html!("<p class=\"empty\">{}</p>\n", t("No party's name contains this.")),
        (false, _) => table(asked, &entries),
    });
    if let Some(next) = next {
        let q = percent_encoding::utf8_percent_encode(q, percent_encoding::NON_ALPHANUMERIC).to_string();
        main.push(html!(
            "<p class=\"pager\"><a rel=\"next\" href=\"/parties?q={}&amp;after={}\">{}</a></p>\n",
            q,
            next,
            t("More")
        ));
    }
    if asked.may(OperatorRole::Operator) {
        main.push(add_form(asked));
    }
    let path = if q.is_empty() { "/parties?limit=50".to_owned() } else { format!("/parties?limit=50&q={q}") };
    main.push(same(asked, "countersign party list --limit 50", &path));
    Ok(shell::page(asked, "/parties", t("Parties"), main))
}

fn table(asked: &Asked<'_>, entries: &[PartyEntry]) -> Html {
    let t = |text| asked.t(text);
    let row = |one: &PartyEntry| {
        let PartyEntry { party, last_end, has_other_way } = one;
        let (class, state) = match party.suspended_since {
            Some(_) => ("bad", t("suspended")),
            None if *has_other_way || last_end.is_some_and(|end| end >= asked.now()) => ("good", t("active")),
            None => ("bad", t("no valid certificate")),
        };
        let sites: Vec<&str> = party.grants.iter().map(policy::HostName::as_str).collect();
        let life = last_end.map(|end| html!("{} {}", life(asked, None, end), shell::when(asked, end)));
        html!(
            "<tr><td><a href=\"/parties/{}\">{}</a></td><td>{}</td><td>{}</td><td><span class=\"tag {}\">{}</span></td></tr>\n",
            party.name,
            party.name,
            sites.join(", "),
            life,
            class,
            state
        )
    };
    let headings = [t("Party"), t("Granted sites"), t("Last certificate ends"), t("State")];
    shell::table(t("Parties"), &headings, entries.iter().map(row).collect())
}

/// The life that is left as a bar: of the certificate's own, or of a year.
fn life(asked: &Asked<'_>, begin: Option<UnixTime>, end: UnixTime) -> Html {
    const DAY: i64 = 86_400;
    let whole = begin.map_or(365, |begin| (end.seconds() - begin.seconds()) / DAY).max(1);
    let left = ((end.seconds() - asked.now().seconds()) / DAY).clamp(0, whole);
    html!(
        "<meter min=\"0\" max=\"{}\" low=\"{}\" high=\"{}\" optimum=\"{}\" value=\"{}\" aria-label=\"{}\">{}</meter>",
        whole,
        whole / 8,
        whole / 3,
        whole,
        left,
        asked.t("Life that is left"),
        crate::console::words::away(asked.lang, end, asked.now())
    )
}

fn add_form(asked: &Asked<'_>) -> Html {
    let t = |text| asked.t(text);
    html!(
        "<section class=\"card\"><h2>{}</h2>\n<p>{}</p>\n<form method=\"post\" action=\"/parties\">{}\n{}{}\
         {}\
         <p class=\"field\"><label for=\"pin\">{}</label><select id=\"pin\" name=\"pin\"><option value=\"cert\">{}</option>\
         <option value=\"key\">{}</option></select></p>\n<button type=\"submit\">{}</button></form></section>\n",
        t("Add a party"),
        t(
            "It then gets a certificate by an invite, on its own page; or it has one already, which is pinned here."
        ),
        shell::sealed(asked),
        input(
            "party",
            t("Name"),
            "party",
            html!(
                " required pattern=\"[a-z0-9][a-z0-9._\\-]*\" title=\"{}\" maxlength=\"63\" autocomplete=\"off\" spellcheck=\"false\"",
                t("a-z, 0-9 and . _ -, a letter or digit first")
            )
        ),
        site_boxes(asked, "site", &[]),
        PemField {
            id: "certificate",
            name: "certificate",
            label: t("A certificate that it has already, PEM; may stay empty"),
            block: "CERTIFICATE",
            is_required: false,
            text: None,
        }
        .html(asked),
        t("What is pinned"),
        t("this very certificate"),
        t("its key, through renewals with the same names"),
        t("Add")
    )
}

pub fn show(asked: &Asked<'_>, given: &Given) -> Result<Html, Failure> {
    given.check(&[])?;
    shown(asked, asked.place(), Html::new())
}

fn shown(asked: &Asked<'_>, name: &str, note: Html) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let row = party::known(asked.context, name)?;
    let ways = Ways::of(asked.context, &row)?;
    let may = asked.may(OperatorRole::Operator);
    let state = match row.suspended_since {
        Some(since) => {
            html!("<p class=\"note bad\">{} {}</p>\n", t("Suspended since"), shell::when(asked, since))
        }
        None => Html::new(),
    };
    let mut main = html!(
        "{}<p class=\"crumb\"><a href=\"/parties\">{}</a></p>\n<h1>{}</h1>\n{}{}",
        note,
        t("Parties"),
        row.name,
        state,
        certificates(asked, &row, &ways.certificates, may)
    );
    main.push(other_ways(asked, &ways));
    main.push(grants(asked, &row, may));
    if may {
        main.push(invites(asked, &row)?);
        main.push(renewal::form(asked, &row, &ways.certificates));
        main.push(issue_form(asked, &row));
        main.push(danger(asked, &row));
    }
    main.push(connecting(asked, &row));
    main.push(html!(
        "<p><a href=\"/explain?party={}\">{}</a> \u{b7} <a href=\"/log?party={}\">{}</a></p>\n",
        row.name,
        t("Would it enter?"),
        row.name,
        t("Its log")
    ));
    main.push(same(
        asked,
        &format!("countersign party show {}", row.name),
        &format!("/parties/{}", row.name),
    ));
    Ok(shell::page(asked, "/parties", row.name.as_str(), main))
}

/// The page of the party that a verb was about, after it.
pub fn after(asked: &Asked<'_>, note: Html) -> Result<Html, Failure> {
    shown(asked, asked.place(), note)
}

fn certificates(asked: &Asked<'_>, row: &PartyRow, all: &[CertificateRow], may: bool) -> Html {
    let t = |text| asked.t(text);
    if all.is_empty() {
        return html!(
            "<h2>{}</h2>\n<p class=\"empty\">{}</p>\n",
            t("Certificates"),
            t("It has none on record. An invite lets it fetch one.")
        );
    }
    let one = |one: &CertificateRow| {
        let state = party::certificate_state(one, asked.now());
        let valid = one.revoked.is_none() && one.not_after >= asked.now();
        let action = if may && one.revoked.is_none() {
            revoke_form(asked, row, Some(&one.label))
        } else {
            Html::new()
        };
        html!(
            "<tr><td>{}</td><td><span class=\"tag {}\">{}</span></td><td>{} {}</td><td>{}</td><td><code class=\"long\">{}</code></td><td>{}</td></tr>\n",
            Foreign(&one.label),
            if valid { "good" } else { "bad" },
            state,
            if valid { life(asked, Some(one.not_before), one.not_after) } else { Html::new() },
            shell::when(asked, one.not_after),
            Foreign(&one.subject),
            one.thumbprint,
            action
        )
    };
    let headings = [t("Device"), t("State"), t("Ends"), t("Subject"), t("Thumbprint"), t("Action")];
    let table = shell::table(t("Certificates"), &headings, all.iter().map(one).collect());
    html!("<h2>{}</h2>\n{}", t("Certificates"), table)
}

fn other_ways(asked: &Asked<'_>, ways: &Ways) -> Html {
    let t = |text| asked.t(text);
    if ways.pins.is_empty() && ways.subjects.is_empty() {
        return Html::new();
    }
    let pins = ways.pins.iter().map(|pin| {
        let state = if pin.revoked.is_some() { t("revoked") } else { t("active") };
        html!(
            "<li>{}: {} <code class=\"long\">{}</code> ({})</li>\n",
            t("Key pin"),
            Foreign(&pin.label),
            pin.key_pin.to_string(),
            state
        )
    });
    let subjects = ways.subjects.iter().map(|rule| {
        html!(
            "<li>{} <a href=\"/cas#{}\">{}</a>: {}</li>\n",
            t("Subject of"),
            rule.ca,
            rule.ca,
            Foreign(&rule.subject)
        )
    });
    html!("<h2>{}</h2>\n<ul>{}</ul>\n", t("Other ways in"), pins.chain(subjects).collect::<Html>())
}

fn grants(asked: &Asked<'_>, row: &PartyRow, may: bool) -> Html {
    let t = |text| asked.t(text);
    let one = |site: &policy::HostName| {
        let take = if may {
            html!(
                "<form method=\"post\" action=\"/parties/{}/ungrant\" class=\"inline\">{}<input type=\"hidden\" name=\"sites\" value=\"{}\">\
                 <button type=\"submit\" class=\"quiet\" aria-label=\"{}: {}\">{}</button></form>",
                row.name,
                shell::sealed(asked),
                *site,
                t("Take back"),
                *site,
                t("Take back")
            )
        } else {
            Html::new()
        };
        html!("<li><a href=\"/sites#{}\">{}</a> {}</li>\n", *site, *site, take)
    };
    let list: Html = row.grants.iter().map(one).collect();
    let list = if list.is_empty() {
        html!(
            "<p class=\"empty\">{}</p>\n",
            t("No site is granted to it. It enters where the configuration names it, and else nowhere.")
        )
    } else {
        html!("<ul>\n{}</ul>\n", list)
    };
    let form = if may {
        html!(
            "<details class=\"act\"><summary>{}</summary><form method=\"post\" action=\"/parties/{}/grant\">{}\n{}<button type=\"submit\">{}</button></form></details>\n",
            t("Let it enter a site"),
            row.name,
            shell::sealed(asked),
            site_boxes(asked, "grant", &[]),
            t("Grant")
        )
    } else {
        Html::new()
    };
    html!("<h2>{}</h2>\n{}{}", t("Granted sites"), list, form)
}

fn invites(asked: &Asked<'_>, row: &PartyRow) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let context = asked.context;
    if context.settings.enrol.is_none() {
        return Ok(Html::new());
    }
    let open = context.run(context.registry.open_invites(Some(&row.name), context.now))?;
    let one = |one: &registry::InviteRow| {
        html!(
            "<li>{} <code>{}</code>, {} {} <form method=\"post\" action=\"/invites/{}/withdraw\" class=\"inline\">{}\
             <button type=\"submit\" class=\"quiet\">{}</button></form></li>\n",
            t("Open invite"),
            one.id,
            t("until"),
            shell::when(asked, one.expires_at),
            one.id,
            shell::sealed(asked),
            t("Withdraw")
        )
    };
    let options = profiles(asked);
    Ok(html!(
        "<ul class=\"plain\">\n{}</ul>\n<details class=\"act\"><summary>{}</summary><form method=\"post\" action=\"/parties/{}/invite\">{}\n\
         <p class=\"field\"><label for=\"profile\">{}</label><select id=\"profile\" name=\"profile\">{}</select></p>\n{}{}\
         <p class=\"field\"><label for=\"code\"><input type=\"checkbox\" id=\"code\" name=\"code\" value=\"true\"> {}</label></p>\n\
         <button type=\"submit\">{}</button></form></details>\n",
        open.iter().map(one).collect::<Html>(),
        t("Invite it to fetch a certificate"),
        row.name,
        shell::sealed(asked),
        t("What the certificate is for"),
        options,
        input(
            "label",
            t("What it calls the certificate, such as laptop"),
            "label",
            html!(" autocomplete=\"off\"")
        ),
        input(
            "expires",
            t("How long the link is good"),
            "expires",
            html!(" value=\"24h\" autocomplete=\"off\"")
        ),
        t("Also ask for a code, told by another way"),
        t("Make the link")
    ))
}

/// The profiles of certificates as options of a select box.
fn profiles(asked: &Asked<'_>) -> Html {
    let own = asked.context.settings.profiles.keys().map(String::as_str);
    let all = BUILT_IN.iter().map(|one| one.word()).chain(own);
    all.map(|word| html!("<option value=\"{}\">{}</option>", word, word)).collect()
}

fn issue_form(asked: &Asked<'_>, row: &PartyRow) -> Html {
    let t = |text| asked.t(text);
    html!(
        "<details class=\"act\"><summary>{}</summary><form method=\"post\" action=\"/parties/{}/issue\">{}\n\
         {}\
         <p class=\"field\"><label for=\"issue-profile\">{}</label><select id=\"issue-profile\" name=\"profile\">{}</select></p>\n{}\
         <button type=\"submit\">{}</button></form></details>\n",
        t("Issue for a certificate request"),
        row.name,
        shell::sealed(asked),
        PemField::request(asked, "request").html(asked),
        t("What the certificate is for"),
        profiles(asked),
        input(
            "issue-label",
            t("What it calls the certificate, such as laptop"),
            "label",
            html!(" autocomplete=\"off\"")
        ),
        t("Issue")
    )
}

fn revoke_form(asked: &Asked<'_>, row: &PartyRow, label: Option<&str>) -> Html {
    let t = |text| asked.t(text);
    const REASONS: [&str; 6] = [
        "unspecified",
        "key-compromise",
        "superseded",
        "affiliation-changed",
        "cessation-of-operation",
        "certificate-hold",
    ];
    let which = label.map(|label| html!("<input type=\"hidden\" name=\"certificate\" value=\"{}\">", label));
    let id = format!("reason-{}", label.unwrap_or_default());
    let title = label.map_or_else(|| t("Revoke everything").to_owned(), |_| t("Revoke").to_owned());
    html!(
        "<details class=\"act\"><summary>{}</summary><form method=\"post\" action=\"/parties/{}/revoke\">{}{}\n\
         <p class=\"field\"><label for=\"{}\">{}</label><select id=\"{}\" name=\"reason\">{}</select></p>\n\
         <button type=\"submit\" class=\"danger\">{}</button></form></details>",
        title,
        row.name,
        shell::sealed(asked),
        which,
        id,
        t("Reason"),
        id,
        REASONS.iter().map(|word| html!("<option value=\"{}\">{}</option>", *word, *word)).collect::<Html>(),
        title
    )
}

fn danger(asked: &Asked<'_>, row: &PartyRow) -> Html {
    let t = |text| asked.t(text);
    let (action, word) =
        if row.suspended_since.is_some() { ("resume", t("Resume")) } else { ("suspend", t("Suspend")) };
    html!(
        "<h2>{}</h2>\n<p class=\"soft\">{}</p>\n<form method=\"post\" action=\"/parties/{}/{}\" class=\"inline\">{}<button type=\"submit\">{}</button></form>\n{}\n",
        t("Take admission away"),
        t(
            "What is suspended can be resumed; what is revoked is out for good, unless for certificate-hold. Both also end what is open now."
        ),
        row.name,
        action,
        shell::sealed(asked),
        word,
        revoke_form(asked, row, None)
    )
}

/// Lines with which a program of this party connects.
fn connecting(asked: &Asked<'_>, row: &PartyRow) -> Html {
    let t = |text| asked.t(text);
    let settings = &asked.context.settings;
    let Some(site) = row.grants.first().or_else(|| settings.sites.keys().next()) else { return Html::new() };
    let port = settings.listen.first().map_or(443, std::net::SocketAddr::port);
    let url = if port == 443 { format!("https://{site}/") } else { format!("https://{site}:{port}/") };
    let name = row.name.as_str();
    let all = [
        ("curl", format!("curl --cacert ca.pem --cert {name}.pem --key {name}.key {}", quoted(&url))),
        (
            "Python",
            format!(
                "import requests\n\nanswer = requests.get(\n    \"{url}\",\n    cert=(\"{name}.pem\", \"{name}.key\"),\n    verify=\"ca.pem\",\n)\nprint(answer.status_code)"
            ),
        ),
        (
            "Java",
            format!(
                "java -Djavax.net.ssl.keyStoreType=PKCS12 \\\n  -Djavax.net.ssl.keyStore={name}.p12 \\\n  -Djavax.net.ssl.keyStorePassword=\"$PASSWORD\" \\\n  -Djavax.net.ssl.trustStore=ca.p12 \\\n  -Djavax.net.ssl.trustStorePassword=\"$CA_PASSWORD\" \\\n  -jar app.jar"
            ),
        ),
        (
            "Node.js",
            format!(
                "const https = require(\"node:https\");\nconst fs = require(\"node:fs\");\n\nhttps.get(\"{url}\", {{\n  cert: fs.readFileSync(\"{name}.pem\"),\n  key: fs.readFileSync(\"{name}.key\"),\n  ca: fs.readFileSync(\"ca.pem\"),\n}}, (answer) => console.log(answer.statusCode));"
            ),
        ),
        (
            "nginx",
            format!(
                "location / {{\n  proxy_pass {url};\n  proxy_ssl_server_name on;\n  proxy_ssl_certificate {name}.pem;\n  proxy_ssl_certificate_key {name}.key;\n  proxy_ssl_trusted_certificate ca.pem;\n  proxy_ssl_verify on;\n}}"
            ),
        ),
    ];
    let blocks = all.iter().map(|(title, text)| {
        html!("<details><summary>{}</summary>{}</details>\n", *title, code(title, text))
    });
    html!(
        "<h2>{}</h2>\n<p class=\"soft\">{}</p>\n{}",
        t("How it connects"),
        t("ca.pem is the root: countersign ca show own --format pem"),
        blocks.collect::<Html>()
    )
}

/// What a change has come to: where it has taken effect, what was cut, which list names it.
pub fn effect(asked: &Asked<'_>, value: &Value) -> Html {
    let t = |text| asked.t(text);
    let all = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let (applied, late) = (all("applied"), all("late"));
    let mut lines = Html::new();
    let mut say = |text: &str, more: String| lines.push(html!("<li>{} {}</li>\n", text, more));
    if applied.is_empty() && late.is_empty() {
        say(t("No gate is running; it holds from the next start."), String::new());
    }
    if !applied.is_empty() {
        say(t("New connections are refused."), String::new());
        let cut: i64 = applied.iter().filter_map(|gate| gate["cut"].as_i64()).sum();
        say(t("Connections cut:"), cut.to_string());
    }
    for gate in &late {
        say(t("This gate has not applied it yet:"), gate["gate"].as_str().unwrap_or_default().to_owned());
    }
    if let Some(number) = value["list"].as_u64() {
        say(t("Revocation list published:"), number.to_string());
    }
    if value["list_due"] == true {
        say(t("The next revocation list names it, within a minute."), String::new());
    }
    html!("<ul>\n{}</ul>\n", lines)
}

pub fn added(asked: &Asked<'_>, given: &Given, _: &Value) -> Result<Html, Failure> {
    shown(asked, given.needed("party").trim(), shell::done(asked.t("It is added"), Html::new()))
}

pub fn granted(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    shown(asked, asked.place(), shell::done(asked.t("It is granted"), Html::new()))
}

pub fn ungranted(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    shown(asked, asked.place(), shell::done(asked.t("The grant is taken back"), effect(asked, value)))
}

pub fn suspended(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    shown(asked, asked.place(), shell::done(asked.t("It is suspended"), effect(asked, value)))
}

pub fn resumed(asked: &Asked<'_>, _: &Given, _: &Value) -> Result<Html, Failure> {
    shown(asked, asked.place(), shell::done(asked.t("It is active again"), Html::new()))
}

pub fn revoked(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let count = value["revoked"].as_array().map_or(0, Vec::len);
    let lines = html!("<p>{} {}</p>\n{}", asked.t("Certificates revoked:"), count, effect(asked, value));
    shown(asked, asked.place(), shell::done(asked.t("It is revoked"), lines))
}

pub fn invited(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let word = |name: &str| value[name].as_str().unwrap_or_default();
    let code_line = if word("code").is_empty() {
        Html::new()
    } else {
        html!("<p>{} <code>{}</code></p>\n", t("The code, told by another way than the link:"), word("code"))
    };
    let lines = html!(
        "<p>{}</p>\n{}{}",
        t("Whoever has this link can use it, once. It is shown this once."),
        code(t("The link"), word("url")),
        code_line
    );
    shown(asked, asked.place(), shell::done(t("It is invited"), lines))
}

pub fn issued(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let lines = code(t("The certificate, then its issuers, PEM"), value["pem"].as_str().unwrap_or_default());
    shown(asked, asked.place(), shell::done(t("It is issued"), lines))
}

pub fn withdrawn(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let party = value["party"].as_str().unwrap_or_default();
    shown(asked, party, shell::done(asked.t("The invite is withdrawn"), Html::new()))
}
