//! A certificate's successor: for the key of a request, here; or by an invite, where the key is made by the party itself.

use examiner::UnixTime;
use policy::record::Origin;
use registry::{CertificateRow, PartyRow};
use serde_json::Value;

use super::{PemField, input, parties};
use crate::cli::Failure;
use crate::console::answer::Asked;
use crate::console::given::Given;
use crate::console::html::{Foreign, Html, html};
use crate::console::same::code;
use crate::console::shell;

/// The form, where there is something to renew.
pub fn form(asked: &Asked<'_>, row: &PartyRow, all: &[CertificateRow]) -> Html {
    let t = |text| asked.t(text);
    let due = |one: &&CertificateRow| {
        one.origin == Origin::Own && one.revoked.is_none() && one.superseded_after.is_none()
    };
    let option = |one: &CertificateRow| {
        html!(
            "<option value=\"{}\">{}, {} {}</option>",
            one.thumbprint,
            one.label,
            t("ends"),
            one.not_after.date()
        )
    };
    let options: Vec<Html> = all.iter().filter(due).map(option).collect();
    if options.is_empty() {
        return Html::new();
    }
    html!(
        "<details class=\"act\"><summary>{}</summary><p>{}</p>\n<form method=\"post\" action=\"/parties/{}/renew\">{}\n\
         <p class=\"field\"><label for=\"renew-which\">{}</label><select id=\"renew-which\" name=\"certificate\">{}</select></p>\n\
         {}{}{}\
         <button type=\"submit\">{}</button></form></details>\n",
        t("Renew a certificate"),
        t(
            "Old and new enter side by side for the overlap; then the old one is refused. Without a request, invite the party instead."
        ),
        row.name,
        shell::sealed(asked),
        t("Which certificate"),
        options.into_iter().collect::<Html>(),
        PemField::request(asked, "renew-request").html(asked),
        input(
            "renew-overlap",
            t("How long the old one holds beside it"),
            "overlap",
            html!(" value=\"7d\" autocomplete=\"off\"")
        ),
        input(
            "renew-label",
            t("What it calls the certificate, such as laptop"),
            "label",
            html!(" autocomplete=\"off\"")
        ),
        t("Renew")
    )
}

pub fn renewed(asked: &Asked<'_>, _: &Given, value: &Value) -> Result<Html, Failure> {
    let t = |text| asked.t(text);
    let until = value["old_until"].as_str().and_then(|text| UnixTime::parse(text).ok());
    let lines = html!(
        "<p>{} \u{201c}{}\u{201d} {} {}</p>\n{}",
        t("The old certificate"),
        Foreign(value["old"]["label"].as_str().unwrap_or_default()),
        t("holds until"),
        until.map(|until| shell::when(asked, until)),
        code(t("The certificate, then its issuers, PEM"), value["pem"].as_str().unwrap_or_default())
    );
    parties::after(asked, shell::done(t("It is renewed"), lines))
}
