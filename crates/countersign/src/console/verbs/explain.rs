//! Whether a certificate would be admitted, and why: the gate's own decision, step by step.

use examiner::Certificate;
use policy::record::OperatorRole;
use serde_json::Value;

use super::{Verb, site};
use crate::cli::explain::Decided;
use crate::cli::{Failure, party};
use crate::console::answer::Asked;
use crate::console::given::{Given, Kind, may, must};

pub const VERBS: &[Verb] = &[Verb {
    id: "explain",
    method: "POST",
    path: "/explain",
    role: OperatorRole::Viewer,
    changes: false,
    makes: false,
    is_told_once: false,
    about: "whether a certificate would be admitted to a site now, and at which step it would not",
    fields: &[
        must("site", Kind::Text, "the site it would be shown to"),
        may(
            "certificate",
            Kind::Text,
            "the certificate, then its intermediates; PEM. Without one, none is shown",
        ),
        may("party", Kind::Text, "instead: this party's newest certificate on record"),
        may("path", Kind::Text, "the path that would be asked for; / where absent"),
    ],
    run: explain,
}];

fn explain(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    Ok(decided(asked, given)?.value)
}

/// The decision that was asked for.
pub fn decided(asked: &Asked<'_>, given: &Given) -> Result<Decided, Failure> {
    let context = asked.context;
    let site = site(asked, given.needed("site"))?;
    let shown = match (given.one("certificate"), given.one("party")) {
        (Some(_), Some(_)) => {
            return Err(Failure::usage("a certificate and a party are named", "name one of them"));
        }
        (Some(text), None) => Some(read(text)?),
        (None, Some(name)) => Some(vec![newest(asked, name.trim())?]),
        (None, None) => None,
    };
    Decided::of(context, &site, shown, given.one("path").unwrap_or("/"), asked.lang)
}

/// The certificates in a text.
pub fn read(text: &str) -> Result<Vec<Certificate>, Failure> {
    let all = examiner::cert::pem::certificates(text.as_bytes());
    all.map_err(|error| Failure::usage(format!("it cannot be read: {error}"), "give a certificate as PEM"))
}

fn newest(asked: &Asked<'_>, name: &str) -> Result<Certificate, Failure> {
    let row = party::known(asked.context, name)?;
    let all = asked.context.run(asked.context.registry.certificates(&row.name))?;
    let none =
        || Failure::not_found(format!("{name} has no certificate on record"), "give the certificate itself");
    let newest = all.iter().max_by_key(|one| (one.revoked.is_none(), one.not_after)).ok_or_else(none)?;
    Certificate::from_der(&newest.der)
        .map_err(|error| Failure::no(error.to_string(), "give the certificate itself"))
}
