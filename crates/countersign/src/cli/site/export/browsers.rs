//! Policies by which managed browsers show the fitting certificate to a site without asking.

use std::collections::BTreeSet;

use authority::{Hierarchy, Role};
use examiner::{Certificate, Name};
use policy::HostName;
use serde_json::{Value, json};

use super::admitted::Admitted;
use super::servers::Written;
use crate::cli::Failure;
use crate::cli::context::Context;

/// A browser that takes policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// Google Chrome, and Chromium.
    Chrome,
    /// Microsoft Edge.
    Edge,
    /// Mozilla Firefox.
    Firefox,
}

/// The policy for one browser.
pub fn write(
    browser: Browser,
    context: &Context,
    site: &HostName,
    admitted: &Admitted,
) -> Result<Written, Failure> {
    let elsewhere = "It chooses for whoever has a fitting certificate; who has none is asked nothing and sees the refusal.";
    Ok(match browser {
        Browser::Firefox => Written {
            files: vec![("policies.json".into(), text(&firefox()))],
            next: "On each computer: policies.json belongs into the folder `distribution` beside the program, or into \
                   /etc/firefox/policies on Linux.\n"
                .into(),
            cannot: vec![
                "Firefox knows no such choice for one site: it chooses by itself at every site that asks.".into(),
                elsewhere.into(),
            ],
        },
        _ => {
            let (linux, windows) = match browser {
                Browser::Edge => ("/etc/opt/edge/policies/managed", r"Microsoft\Edge"),
                _ => ("/etc/opt/chrome/policies/managed (Chromium: /etc/chromium/policies/managed)", r"Google\Chrome"),
            };
            let choices = choices(site, &issuers(context, site, admitted)?);
            let json = format!("countersign-{}.json", site.as_str().replace(['[', ']', ':'], "-"));
            let reg = json.replace(".json", ".reg");
            Written {
                next: format!(
                    "Linux:   {json} into {linux}\nWindows: import {reg} on each computer, or the same value by Group Policy\n"
                ),
                files: vec![
                    (json, text(&json!({ "AutoSelectCertificateForUrls": choices }))),
                    (reg, registry(windows, &choices)),
                ],
                cannot: vec![
                    "Of several fitting certificates the browser takes one by itself.".into(),
                    "A .reg file replaces the list of other sites that is there: join them, or use Group Policy.".into(),
                    elsewhere.into(),
                ],
            }
        }
    })
}

fn text(policy: &Value) -> String {
    format!("{policy:#}\n")
}

/// The policy's entries, one an issuer; each is JSON within a string.
fn choices(site: &HostName, issuers: &BTreeSet<Vec<(&'static str, String)>>) -> Vec<String> {
    let choice = |issuer: &Vec<(&'static str, String)>| {
        let names: serde_json::Map<String, Value> =
            issuer.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
        json!({ "pattern": format!("https://{site}"), "filter": { "ISSUER": names } }).to_string()
    };
    issuers.iter().map(choice).collect()
}

/// The names of the issuers whose certificates may enter, as far as a filter knows them. The own client CA is one before
/// anybody has a certificate of it: computers get the policy before their people follow an invite.
fn issuers(
    context: &Context,
    site: &HostName,
    admitted: &Admitted,
) -> Result<BTreeSet<Vec<(&'static str, String)>>, Failure> {
    let mut names: Vec<Name> = admitted
        .certificates
        .iter()
        .filter_map(|one| Certificate::from_der(&one.der).ok())
        .map(|certificate| certificate.issuer)
        .collect();
    for ca in context.settings.cas.values().filter(|ca| ca.sites.contains(site)) {
        let all = ca.rules.anchors.iter().chain(&ca.rules.intermediates);
        names.extend(all.map(|certificate| certificate.subject.clone()));
    }
    if Hierarchy::is_at(&context.settings.state.authority()) {
        names.push(context.hierarchy()?.certificate(Role::Client).subject.clone());
    }
    let known = [("CN", "2.5.4.3"), ("L", "2.5.4.7"), ("O", "2.5.4.10"), ("OU", "2.5.4.11")];
    let filter = |name: &Name| -> Vec<(&'static str, String)> {
        known.iter().filter_map(|(key, oid)| Some((*key, name.values(oid).next()?.to_owned()))).collect()
    };
    Ok(names.iter().map(filter).filter(|filter| !filter.is_empty()).collect())
}

fn firefox() -> Value {
    json!({ "policies": { "Preferences": {
        "security.default_personal_cert": { "Value": "Select Automatically", "Status": "default" }
    } } })
}

/// The same for the Windows registry.
fn registry(product: &str, choices: &[String]) -> String {
    let mut text = format!(
        "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\{product}\\AutoSelectCertificateForUrls]\r\n"
    );
    for (number, choice) in (1..).zip(choices) {
        let escaped = choice.replace('\\', "\\\\").replace('"', "\\\"");
        text += &format!("\"{number}\"=\"{escaped}\"\r\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_backslashes_stay_what_they_are_in_each_form() {
        let site = HostName::parse("portal.test").unwrap();
        let issuers = BTreeSet::from([vec![("CN", r#"A "CA" \ 1"#.to_owned())]]);
        let choices = choices(&site, &issuers);
        let read: Value = serde_json::from_str(&choices[0]).unwrap();
        assert_eq!(read["filter"]["ISSUER"]["CN"], r#"A "CA" \ 1"#);
        let line = registry(r"Google\Chrome", &choices).lines().last().unwrap().to_owned();
        let value = line.strip_prefix("\"1\"=\"").and_then(|rest| rest.strip_suffix('"')).unwrap();
        let mut plain = String::new();
        let mut rest = value.chars();
        while let Some(c) = rest.next() {
            assert_ne!(c, '"', "it would end the value");
            plain.push(if c == '\\' { rest.next().unwrap() } else { c });
        }
        assert_eq!(plain, choices[0]);
    }
}
