//! The pages, one noun a file. They say nothing that a verb does not: what they show is asked for as the API asks for it.

mod access;
mod cas;
mod entering;
mod explain;
mod issuer;
mod log;
mod overview;
mod parties;
mod pending;
mod renewal;
mod rollover;
mod settings;
mod sites;

use gateway::pages::Lang;
use policy::record::OperatorRole;
use serde_json::Value;

use super::answer::Asked;
use super::given::Given;
use super::html::{Html, Lines, html};
use super::problem::Problem;
use super::verbs::{Verb, places};
use super::{shell, words};
use crate::cli::Failure;

/// A page: what is asked, as a whole document.
pub type Screen = fn(&Asked<'_>, &Given) -> Result<Html, Failure>;
/// What is shown after a form's verb was done.
type After = fn(&Asked<'_>, &Given, &Value) -> Result<Html, Failure>;

const SCREENS: &[(&str, OperatorRole, Screen)] = &[
    ("/", OperatorRole::Viewer, overview::screen),
    ("/sites", OperatorRole::Viewer, sites::screen),
    ("/parties", OperatorRole::Viewer, parties::list),
    ("/parties/{party}", OperatorRole::Viewer, parties::show),
    ("/pending", OperatorRole::Viewer, pending::screen),
    ("/cas", OperatorRole::Viewer, cas::screen),
    ("/log", OperatorRole::Viewer, log::screen),
    ("/log/verify", OperatorRole::Viewer, log::verify),
    ("/log/entered", OperatorRole::Viewer, access::screen),
    ("/explain", OperatorRole::Viewer, explain::screen),
    ("/settings", OperatorRole::Owner, settings::screen),
];

/// By the verb's name.
const AFTER: &[(&str, After)] = &[
    ("addParty", parties::added),
    ("grantParty", parties::granted),
    ("ungrantParty", parties::ungranted),
    ("suspendParty", parties::suspended),
    ("resumeParty", parties::resumed),
    ("revokeParty", parties::revoked),
    ("inviteParty", parties::invited),
    ("issueCertificate", parties::issued),
    ("withdrawInvite", parties::withdrawn),
    ("approvePending", pending::approved),
    ("rejectPending", pending::rejected),
    ("ignoreIssuer", pending::ignored),
    ("heedIssuer", pending::heeded),
    ("renewParty", renewal::renewed),
    ("grantSite", sites::changed),
    ("ungrantSite", sites::changed),
    ("allowAtSite", sites::changed),
    ("denyAtSite", sites::changed),
    ("previewCa", issuer::previewed),
    ("addCa", issuer::added),
    ("removeCa", issuer::removed),
    ("startRollover", rollover::started),
    ("finishRollover", rollover::finished),
    ("explain", explain::explained),
];

/// The page at a path, who may see it, and what stands in its places.
pub fn find(path: &str) -> Option<(Screen, OperatorRole, Vec<String>)> {
    SCREENS.iter().find_map(|(pattern, role, screen)| Some((*screen, *role, places(pattern, path)?)))
}

/// Whether a form of a page may send this.
pub fn has_after(verb: &Verb) -> bool {
    AFTER.iter().any(|(id, _)| *id == verb.id)
}

/// The page after a form was sent.
///
/// # Errors
///
/// What it shows cannot be read.
pub fn after(verb: &Verb, asked: &Asked<'_>, given: &Given, value: &Value) -> Result<Html, Failure> {
    match AFTER.iter().find(|(id, _)| *id == verb.id) {
        Some((_, screen)) => screen(asked, given, value),
        None => Err(Failure::not_found("there is no such form", "open the page again")),
    }
}

/// The page that says why something cannot be.
pub fn problem(lang: Lang, problem: &Problem, reference: Option<&str>) -> String {
    let t = |text| words::said(lang, text);
    let mut main = html!(
        "<div class=\"note bad\" role=\"alert\"><h1>{}</h1>\n<p>{}</p>\n<p>{}</p>\n",
        t("That cannot be done"),
        problem.detail,
        problem.help
    );
    if let Some(reference) = reference {
        main.push(html!("<p class=\"soft\">{}: <code>{}</code></p>\n", t("Reference"), reference));
    }
    main.push(html!("</div>\n<p><a href=\"/\">{}</a></p>\n", t("Overview")));
    let header = html!("<header class=\"top\"><a class=\"brand\" href=\"/\">Countersign</a></header>\n");
    shell::document(lang, problem.title, header, main).into_string()
}

/// A text field of a form.
fn input(id: &str, label: &str, name: &str, more: Html) -> Html {
    html!(
        "<p class=\"field\"><label for=\"{}\">{}</label><input id=\"{}\" name=\"{}\"{}></p>\n",
        id,
        label,
        id,
        name,
        more
    )
}

/// A field for PEM text, pasted or read from a file.
struct PemField<'a> {
    id: &'static str,
    name: &'static str,
    label: &'a str,
    /// What its text holds, such as `CERTIFICATE`; a file in DER becomes that.
    block: &'static str,
    is_required: bool,
    /// What stands in it already.
    text: Option<&'a str>,
}

impl<'a> PemField<'a> {
    /// For a certificate request (RFC 2986) that has to be there.
    fn request(asked: &'a Asked<'_>, id: &'static str) -> Self {
        Self {
            id,
            name: "request",
            label: asked.t("The request, PEM: its key stays where it was made"),
            block: "CERTIFICATE REQUEST",
            is_required: true,
            text: None,
        }
    }

    fn html(&self, asked: &Asked<'_>) -> Html {
        let t = |text| asked.t(text);
        html!(
            "<p class=\"field\"><label for=\"{}\">{}</label><textarea id=\"{}\" name=\"{}\" rows=\"6\"{} spellcheck=\"false\" \
             placeholder=\"-----BEGIN {}-----\" data-block=\"{}\" data-file=\"{}\" data-large=\"{}\" data-key=\"{}\">{}</textarea></p>\n",
            self.id,
            self.label,
            self.id,
            self.name,
            if self.is_required { html!(" required") } else { Html::new() },
            self.block,
            self.block,
            t("Or choose a file"),
            t("That file is larger than 200 kB and was not read: choose one with this alone."),
            t("That file holds a private key and nothing else. The key stays where it is."),
            self.text.map(Lines)
        )
    }
}

/// Check boxes for the sites, with these checked.
fn site_boxes(asked: &Asked<'_>, id: &str, chosen: &[String]) -> Html {
    let one = |(number, site): (usize, &policy::HostName)| {
        let id = format!("{id}-{number}");
        let checked =
            if chosen.iter().any(|one| one == site.as_str()) { html!(" checked") } else { Html::new() };
        html!(
            "<label for=\"{}\"><input type=\"checkbox\" id=\"{}\" name=\"sites\" value=\"{}\"{}> {}</label>\n",
            id,
            id,
            *site,
            checked,
            *site
        )
    };
    html!(
        "<fieldset><legend>{}</legend>\n{}</fieldset>\n",
        asked.t("Sites it may enter"),
        asked.context.settings.sites.keys().enumerate().map(one).collect::<Html>()
    )
}

/// A select box over the sites.
fn site_choice(asked: &Asked<'_>, id: &str, chosen: Option<&str>, any: bool) -> Html {
    let option = |site: &policy::HostName| {
        let selected = if chosen == Some(site.as_str()) { html!(" selected") } else { Html::new() };
        html!("<option value=\"{}\"{}>{}</option>", *site, selected, *site)
    };
    let all = if any { html!("<option value=\"\">{}</option>", asked.t("all")) } else { Html::new() };
    html!(
        "<p class=\"field\"><label for=\"{}\">{}</label><select id=\"{}\" name=\"site\">{}{}</select></p>\n",
        id,
        asked.t("Site"),
        id,
        all,
        asked.context.settings.sites.keys().map(option).collect::<Html>()
    )
}
