//! Trusted issuers.

use serde_json::{Value, json};

use super::{Verb, reads};
use crate::cli::{Failure, ca};
use crate::console::answer::Asked;
use crate::console::given::Given;

pub const VERBS: &[Verb] = &[
    reads("listCas", "/cas", "all trusted issuers, without the own one", &[], list),
    reads("showCa", "/cas/{ca}", "one trusted issuer: whom it lets in, where, and its lists", &[], show),
];

fn list(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(json!({ "items": asked.context.settings.cas.values().map(ca::view).collect::<Vec<_>>() }))
}

fn show(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let name = asked.place();
    let found = asked.context.settings.cas.get(name);
    found.map(ca::view).ok_or_else(|| {
        Failure::not_found(
            format!("there is no CA `{}`", name.escape_debug()),
            "/cas has those that there are",
        )
    })
}
