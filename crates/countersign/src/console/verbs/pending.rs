//! Certificates with a proven key that are admitted nowhere and have knocked.

use serde_json::{Value, json};

use super::{Verb, changes, reads, site};
use crate::cli::Failure;
use crate::cli::pending::{self, Approval, Approve, ignored as issuers};
use crate::console::answer::Asked;
use crate::console::given::{Given, Kind, may, must};

pub const VERBS: &[Verb] = &[
    reads("listPending", "/pending", "who has knocked, last seen first; at most 1000 are kept", &[], list),
    reads("showPending", "/pending/{id}", "one of them", &[], show),
    changes(
        "approvePending",
        "/pending/{id}/approve",
        "pin its certificate or key to a party",
        &[
            must("party", Kind::Name, "the party it belongs to; made where it is new"),
            may("sites", Kind::Texts, "sites that the party may enter"),
            may(
                "reference",
                Kind::Text,
                "the reference that the visitor sees, needed where no CA of the site vouches",
            ),
            may(
                "pin",
                Kind::Word(&["cert", "key"]),
                "pin the very certificate, or its key; the certificate where absent",
            ),
            may("label", Kind::Text, "what the party calls it"),
        ],
        approve,
    ),
    changes("rejectPending", "/pending/{id}/reject", "dismiss it", &[], reject),
    changes(
        "ignoreIssuer",
        "/pending/{id}/ignore",
        "ignore the issuer that it names: what names it is dismissed, and is refused and logged without becoming pending",
        &[],
        ignore,
    ),
    reads(
        "listIgnoredIssuers",
        "/ignored-issuers",
        "the issuers that are ignored, and how often they knocked",
        &[],
        ignored,
    ),
    changes(
        "heedIssuer",
        "/ignored-issuers/heed",
        "let certificates of an ignored issuer become pending again",
        &[must("issuer", Kind::Text, "the issuer, as the list has it")],
        heed,
    ),
];

fn list(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let all = asked.context.run(asked.context.registry.pendings())?;
    let dropped = asked.context.run(asked.context.registry.pending_dropped())?;
    Ok(json!({ "items": all.iter().map(pending::view).collect::<Vec<_>>(), "dropped": dropped }))
}

fn show(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(pending::view(&pending::known(asked.context, asked.place())?))
}

fn approve(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let args = Approve {
        id: asked.place().to_owned(),
        party: given.needed("party").to_owned(),
        sites: sites(asked, given)?,
        reference: given.one("reference").map(str::to_owned),
        pin: given.one("pin").unwrap_or("cert").to_owned(),
        label: given.one("label").map(str::to_owned),
    };
    Approval::of(asked.context, &args)?.give(asked.context)
}

/// The sites that are named, each of which there is.
fn sites(asked: &Asked<'_>, given: &Given) -> Result<Vec<String>, Failure> {
    given.all("sites").iter().map(|name| Ok(site(asked, name)?.to_string())).collect()
}

fn reject(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let row = pending::known(asked.context, asked.place())?;
    pending::rejected(asked.context, &row)
}

fn ignore(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    issuers::ignored(asked.context, &pending::known(asked.context, asked.place())?)
}

fn ignored(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let all = asked.context.run(asked.context.registry.ignored_issuers())?;
    Ok(json!({ "items": all.iter().map(issuers::view).collect::<Vec<_>>() }))
}

fn heed(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    issuers::heeded(asked.context, given.needed("issuer"))
}
