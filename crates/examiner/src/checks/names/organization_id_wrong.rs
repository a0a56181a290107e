//! An organisation's number in the subject is of a known register, and the extension of the EV Guidelines says the same.

use super::prelude::*;
use super::shared::{ORGANIZATION_ID, attributes, is_extended};
use crate::cert::tlv::{Element, tag};
use crate::dates::ORGANIZATION_IDS;
use crate::report::shown;

pub static CHECK: Check = Check {
    id: "organization-id-wrong",
    severity: Severities::web(Error),
    clause: "EVG section 7.1.4.2.8, section 7.1.2.2",
    expected: "a number of NTR, VAT or PSD, the same in the subject and in cabfOrganizationIdentifier",
    remedy: "Ask the CA for a certificate with the number as the register has it, in both places.",
    affected: "root programmes; whoever looks the organisation up",
    in_force: Some(ORGANIZATION_IDS),
    consequence_of: &["certificate-unreadable"],
    run: Run::Certificate(LEAVES, run),
};

/// cabfOrganizationIdentifier.
const EXTENSION: &str = "2.23.140.3.1";
/// The registers: of trade, of value added tax, of payment services.
const REGISTERS: &[&str] = &["NTR", "VAT", "PSD"];

/// What the extension says.
struct Number {
    register: String,
    country: String,
    state: Option<String>,
    reference: String,
}

impl Number {
    fn read(root: Element<'_>) -> Option<Self> {
        let text = |one: Element<'_>| std::str::from_utf8(one.content()).ok().map(str::to_owned);
        let (register, country) = (text(root.child(0)?)?, text(root.child(1)?)?);
        let third = root.child(2)?;
        let (state, last) = match third.is_context(0) {
            true => (Some(text(third)?), root.child(3)?),
            false => (None, third),
        };
        Some(Self { register, country, state, reference: text(last)? })
    }

    /// As the subject has it.
    fn as_text(&self) -> String {
        let state = self.state.as_ref().map(|state| format!("+{state}")).unwrap_or_default();
        format!("{}{}{state}-{}", self.register, self.country, self.reference)
    }
}

fn run(certificate: &Examinee, _: &Context<'_>) -> Outcome {
    let mut findings = Vec::new();
    let extension = certificate.extension(EXTENSION);
    let number = extension
        .and_then(|one| Number::read(one.tree.as_ref()?.root().filter(|root| root.is(tag::SEQUENCE))?));
    if let Some(extension) = extension {
        let found = |observed: String| Found::new(certificate, extension.place.clone(), observed);
        match &number {
            None => findings.push(found("cabfOrganizationIdentifier cannot be read".into())),
            Some(number) if number.state.is_some() && number.register != "NTR" => {
                let register = shown(&number.register);
                findings.push(found(format!("cabfOrganizationIdentifier gives a state for {register}")));
            }
            Some(_) => {}
        }
    }
    let subjects = attributes(certificate).filter(|one| one.oid == ORGANIZATION_ID);
    for attribute in subjects.filter(|_| is_extended(certificate)) {
        let text = attribute.text().unwrap_or_default();
        let mut found = |observed: String| {
            findings.push(Found::new(certificate, attribute.place.clone(), observed));
        };
        if !REGISTERS.iter().any(|register| text.starts_with(register)) {
            found(format!(
                "the organisation's number \u{201c}{}\u{201d} is of no known register",
                shown(&text)
            ));
        } else if extension.is_none() {
            found("the organisation's number stands in the subject alone".into());
        } else if let Some(number) = number.as_ref().filter(|number| number.as_text() != text) {
            let (subject, other) = (shown(&text), shown(&number.as_text()));
            found(format!(
                "the organisation's number is \u{201c}{subject}\u{201d} in the subject and \u{201c}{other}\u{201d} \
                 in cabfOrganizationIdentifier"
            ));
        }
    }
    Outcome::all(findings)
}
