//! Parties: who may enter, and by which certificates; and the invites that are open.

use std::time::{Duration, Instant};

use policy::PartyName;
use policy::issuance::Reason;
use policy::record::PinExceptions;
use registry::{Page, PartyEntry, PartyRow};
use serde_json::{Value, json};

use super::{Verb, changes, explain, reads, site};
use crate::cli::party::invite::{self, Wanted as Invite};
use crate::cli::party::revoke::Wanted as Revocation;
use crate::cli::party::{self, add, renew};
use crate::cli::{Exit, Failure};
use crate::config::keys::Seconds;
use crate::console::answer::Asked;
use crate::console::given::{Field, Given, Kind, may, must};
use crate::run::signing::ask;
use crate::run::signing::protocol::{Answer, Proposal};
use crate::run::upkeep::Dates;

/// Parties of a page, where nothing else is asked for, and at most.
pub const LIMIT: (u32, u32) = (50, 500);
/// How long a list that names what was just revoked is waited for, where one may be made now.
const LIST_LONGEST: Duration = Duration::from_secs(5);
/// Two lists are made so far apart, in seconds.
const LIST_APART: i64 = 60;

const SITES: Field = must("sites", Kind::Texts, "host names of sites");
const REASONS: &[&str] = &[
    "unspecified",
    "key-compromise",
    "affiliation-changed",
    "superseded",
    "cessation-of-operation",
    "certificate-hold",
];

pub const VERBS: &[Verb] = &[
    reads(
        "listParties",
        "/parties",
        "parties by name",
        &[
            may("q", Kind::Text, "only names that contain this"),
            may("after", Kind::Name, "only names after this one: where a page ended, the next goes on"),
            may("limit", Kind::Count, "parties of a page, 50 where absent, 500 at most"),
            may(
                "ends_within",
                Kind::Length,
                "only those whose last certificate ends within this time, such as 30d",
            ),
        ],
        list,
    ),
    Verb {
        makes: true,
        ..changes(
            "addParty",
            "/parties",
            "a party, and the certificate or key that it has already, pinned",
            &[
                must("party", Kind::Name, "its name: a-z, 0-9, `.`, `_`, `-`"),
                may("sites", Kind::Texts, "sites that it may enter"),
                may("certificate", Kind::Text, "a certificate that it has, PEM"),
                may(
                    "pin",
                    Kind::Word(&["cert", "key"]),
                    "pin the very certificate, or its key; the certificate where absent",
                ),
                may("label", Kind::Text, "what the party calls it"),
            ],
            add,
        )
    },
    reads("showParty", "/parties/{party}", "one party: its grants, certificates, pins and rules", &[], show),
    changes("grantParty", "/parties/{party}/grant", "let it enter sites", &[SITES], grant),
    changes(
        "ungrantParty",
        "/parties/{party}/ungrant",
        "take that back; says where it has taken effect",
        &[SITES],
        ungrant,
    ),
    changes(
        "suspendParty",
        "/parties/{party}/suspend",
        "refuse it until it is resumed; says where it has taken effect",
        &[],
        suspend,
    ),
    changes("resumeParty", "/parties/{party}/resume", "end its suspension", &[], resume),
    changes(
        "revokeParty",
        "/parties/{party}/revoke",
        "revoke all its certificates, key pins and subject rules, or one certificate; says where it has taken effect",
        &[
            must("reason", Kind::Word(REASONS), "why"),
            may("certificate", Kind::Text, "one certificate: its label or thumbprint"),
        ],
        revoke,
    ),
    Verb {
        makes: true,
        is_told_once: true,
        ..changes(
            "inviteParty",
            "/parties/{party}/invite",
            "a link with which it fetches a certificate, once; the link is told this once",
            &[
                may("sites", Kind::Texts, "sites that it may enter; a new party needs one"),
                may(
                    "profile",
                    Kind::Text,
                    "what the certificate is for: person (where absent), device, service, or a profile of the configuration",
                ),
                may("label", Kind::Text, "what the party calls the certificate"),
                may(
                    "expires",
                    Kind::Length,
                    "how long the link is good, such as 24h (where absent); 7d at most",
                ),
                may("code", Kind::Flag, "also ask for a code that is told by another way"),
            ],
            invite,
        )
    },
    Verb {
        makes: true,
        ..changes(
            "issueCertificate",
            "/parties/{party}/issue",
            "a certificate for the key of a certificate request, signed by the authority's process",
            &[
                must("request", Kind::Text, "the certificate request, PEM; only its public key is taken"),
                may(
                    "profile",
                    Kind::Text,
                    "what it is for: person (where absent), device, service, or an own profile",
                ),
                may("label", Kind::Text, "what the party calls the certificate"),
            ],
            issue,
        )
    },
    Verb {
        makes: true,
        ..changes(
            "renewParty",
            "/parties/{party}/renew",
            "a certificate's successor, for the key of a request; the old one holds beside it for the overlap",
            &[
                must("request", Kind::Text, "a certificate request, PEM; only its key is taken"),
                may(
                    "certificate",
                    Kind::Text,
                    "which: its label or thumbprint; needed where there are several",
                ),
                may("overlap", Kind::Text, "how long the old one holds, such as 7d or 12h; 7d where absent"),
                may("label", Kind::Text, "what the party calls the new one"),
            ],
            self::renew,
        )
    },
    reads(
        "listInvites",
        "/invites",
        "the open invites",
        &[may("party", Kind::Name, "of this party")],
        invites,
    ),
    changes("withdrawInvite", "/invites/{id}/withdraw", "end an open invite", &[], withdraw),
];

/// A page of parties, and where the next begins.
pub struct Listed {
    /// The parties, by name.
    pub entries: Vec<PartyEntry>,
    /// The name to give as `after`; `None` on the last page.
    pub next: Option<PartyName>,
}

/// The parties that are asked for.
pub fn listed(asked: &Asked<'_>, given: &Given) -> Result<Listed, Failure> {
    let limit = given.count("limit").unwrap_or(LIMIT.0).clamp(1, LIMIT.1);
    let now = asked.now();
    let within = given.one("ends_within").map(|text| {
        Seconds::parse(text)
            .ok_or_else(|| Failure::usage("give a length of time", "write it like 30d or 12h"))
    });
    let page = Page {
        after: given.one("after").map(PartyName::parse).transpose()?,
        limit: Some(limit + 1),
        containing: given.one("q").map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()),
        ends_within: within.transpose()?.map(|Seconds(length)| (now, now.plus(length))),
    };
    let mut entries = asked.context.run(asked.context.registry.party_page(&page))?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|one| one.party.name.clone());
    Ok(Listed { entries, next })
}

fn list(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let Listed { entries, next } = listed(asked, given)?;
    let view = |one: &PartyEntry| {
        let mut value = party::row_view(&one.party);
        value["certificates_until"] = json!(one.last_end);
        value
    };
    Ok(json!({ "items": entries.iter().map(view).collect::<Vec<_>>(), "next": next }))
}

fn show(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    party::whole_view(asked.context, &party::known(asked.context, asked.place())?)
}

fn sites(asked: &Asked<'_>, given: &Given) -> Result<Vec<policy::HostName>, Failure> {
    given.all("sites").iter().map(|name| site(asked, name)).collect()
}

fn add(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let context = asked.context;
    let name = PartyName::parse(given.needed("party").trim())?;
    let sites = sites(asked, given)?;
    if context.run(context.registry.party(&name))?.is_some() && given.one("certificate").is_none() {
        return Err(Failure::no(
            format!("there is a party `{name}` already"),
            "choose another name, or grant it sites",
        ));
    }
    match given.one("certificate") {
        Some(text) => {
            let certificate = explain::read(text)?.swap_remove(0);
            let none = PinExceptions::default();
            add::pinnable(&certificate, &none, context.now)?;
            let label = given.one("label").map(str::to_owned);
            add::save_pin(context, &name, label, &certificate, given.one("pin") == Some("key"), none)?;
        }
        None => drop(context.run(context.registry.ensure_party(&name, &context.actor, context.now))?),
    }
    add::grant(context, &name, &sites)?;
    party::whole_view(context, &party::known(context, name.as_str())?)
}

fn grant(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let row = party::known(asked.context, asked.place())?;
    Ok(party::granted(asked.context, &row, &sites(asked, given)?, true)?.0)
}

fn ungrant(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let row = party::known(asked.context, asked.place())?;
    Ok(party::granted(asked.context, &row, &sites(asked, given)?, false)?.0)
}

fn suspend(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(party::suspended(asked.context, &party::known(asked.context, asked.place())?, true)?.0)
}

fn resume(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(party::suspended(asked.context, &party::known(asked.context, asked.place())?, false)?.0)
}

fn revoke(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let context = asked.context;
    let row = party::known(context, asked.place())?;
    let reason: Reason = given
        .needed("reason")
        .parse()
        .map_err(|_| Failure::usage("the reason is none", REASONS.join(", ")))?;
    let wanted = Revocation::of(context, &row, given.one("certificate").map(str::trim), reason)?;
    let before = Dates::read(&context.settings.state);
    let done = wanted.revoke(context, &row)?;
    let mut value = done.value;
    // Pins are on no list.
    let listed = done.revoked.iter().any(|one| one.origin == policy::record::Origin::Own);
    value["list"] = json!(before.filter(|_| listed).and_then(|before| published_after(asked, &before)));
    value["list_due"] = json!(listed && value["list"].is_null());
    Ok(value)
}

/// The number of a list that was published after this one, where it comes soon.
fn published_after(asked: &Asked<'_>, before: &Dates) -> Option<u64> {
    let begun = Instant::now();
    let may_come = before.at.plus(LIST_APART) <= asked.now();
    loop {
        let now = Dates::read(&asked.context.settings.state).map(|list| list.number);
        if let Some(number) = now.filter(|number| *number > before.number) {
            return Some(number);
        }
        if !may_come || begun.elapsed() >= LIST_LONGEST {
            return None;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn invite(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let expires = given.one("expires").unwrap_or("24h");
    let args = invite::Args {
        party: Some(asked.place().to_owned()),
        sites: sites(asked, given)?.iter().map(ToString::to_string).collect(),
        profile: given.one("profile").map(str::to_owned),
        acme: false,
        names: Vec::new(),
        label: given.one("label").map(str::to_owned),
        expires: invite::life(expires)
            .map_err(|what| Failure::usage("`expires` is no length of time", what))?,
        code: given.flag("code"),
        list: false,
        withdraw: None,
    };
    Ok(Invite::of(asked.context, &args, asked.place())?.invite(asked.context)?.value)
}

fn issue(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let row = party::known(asked.context, asked.place())?;
    let profile = given.one("profile").unwrap_or("person");
    let help = "issue it there with `countersign party add --csr FILE`";
    issued(asked, &row, given, profile, help)
}

fn renew(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let context = asked.context;
    let row = party::known(context, asked.place())?;
    let old = renew::due(context, &row, given.one("certificate").map(str::trim))?;
    let overlap = renew::overlap(given.one("overlap").unwrap_or("7d").trim())
        .map_err(|what| Failure::usage("`overlap` is no length of time", what))?;
    let help = "renew it there with `countersign party renew --csr FILE`";
    let mut value = issued(asked, &row, given, &old.profile, help)?;
    let until = asked.now().plus(overlap.0);
    context.run(context.registry.supersede(&[old.thumbprint], until, &context.actor, context.now))?;
    value["old"] = party::certificate_view(&old);
    value["old_until"] = json!(until);
    Ok(value)
}

/// Has the authority's process issue for the request that was given.
fn issued(
    asked: &Asked<'_>,
    row: &PartyRow,
    given: &Given,
    profile: &str,
    help: &str,
) -> Result<Value, Failure> {
    let proposal = Proposal {
        party: row.name.to_string(),
        label: given.one("label").map(str::to_owned),
        profile: profile.to_owned(),
        request: given.needed("request").to_owned(),
        names: Vec::new(),
        made_at: asked.now(),
        not_after: None,
    };
    match ask::issue(&asked.context.settings.state, proposal) {
        Ok(Answer::Issued { thumbprint, not_after, pem }) => {
            Ok(json!({ "party": row.name, "thumbprint": thumbprint, "not_after": not_after, "pem": pem }))
        }
        Ok(Answer::Refused { what, .. }) => {
            Err(Failure::no(what, "make another request with `openssl req -new`"))
        }
        Ok(_) => {
            Err(Failure::new(Exit::Bug, "the authority answered what was not asked", "please report this"))
        }
        Err(error) => Err(Failure::new(
            Exit::Unreachable,
            format!("the authority's process cannot be asked: {error}"),
            format!("it runs where the CA's key is; {help}"),
        )),
    }
}

fn invites(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    let context = asked.context;
    let name = given.one("party").map(|name| party::known(context, name)).transpose()?.map(|row| row.name);
    let open = context.run(context.registry.open_invites(name.as_ref(), context.now))?;
    Ok(json!({ "items": open.iter().map(invite::view).collect::<Vec<_>>() }))
}

fn withdraw(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    let (kind, party) = invite::withdrawn(asked.context, asked.place())?;
    Ok(json!({ "withdrawn": asked.place(), "kind": kind, "party": party }))
}
