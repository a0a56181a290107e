//! Trusted issuers: whom each lets in, and would; the own authority's rollovers.

use authority::Hierarchy;
use examiner::UnixTime;
use policy::record::OperatorRole;
use serde_json::{Value, json};

use super::{Verb, changes, explain, reads};
use crate::cli::ca::add::{Candidate, Wanted};
use crate::cli::ca::preview::Preview;
use crate::cli::ca::rollover::UnderWay;
use crate::cli::ca::{self, remove};
use crate::cli::{Exit, Failure};
use crate::console::answer::Asked;
use crate::console::given::{Field, Given, Kind, may, must};
use crate::run::signing::ask;
use crate::run::signing::protocol::{Answer, Rollover, Step};

/// Who of an issuer gets in: the words of the field `rule`.
pub const RULES: &[&str] = &["match", "named-only", "everyone"];

const NAME: Field = must("name", Kind::Text, "its name in rules, ca:NAME: a-z, 0-9, `.`, `_`, `-`");
const CERTIFICATES: Field = must(
    "certificates",
    Kind::Text,
    "its certificates, PEM: the root, and intermediates that clients leave out",
);
const AT: Field = must("sites", Kind::Texts, "the sites where it is trusted");
const MATCH: Field = may(
    "match",
    Kind::Texts,
    "with the rule `match`: which certificates get in, such as san:dns=*.acme.example",
);
const NAME_FROM: Field =
    may("name_from", Kind::Text, "from which value the party's name is taken, such as san:dns");
const EXCUSE: Field = may(
    "accept_without_client_usage_until",
    Kind::Text,
    "excuse the missing client usage until this date, such as 2027-03-15",
);
const CA: Field =
    must("ca", Kind::Word(&["client", "operator"]), "of the parties' certificates, or the operators'");

pub const VERBS: &[Verb] = &[
    reads("listCas", "/cas", "all trusted issuers, without the own one", &[], list),
    Verb {
        method: "POST",
        ..reads(
            "previewCa",
            "/ca-previews",
            "what an issuer's rule would let in, of the certificates that are known here; nothing is changed. Without a rule: \
             as if everyone got in",
            &[
                NAME,
                CERTIFICATES,
                AT,
                may("rule", Kind::Word(RULES), "who gets in"),
                MATCH,
                NAME_FROM,
                EXCUSE,
            ],
            preview,
        )
    },
    Verb {
        role: OperatorRole::Owner,
        makes: true,
        ..changes(
            "addCa",
            "/cas",
            "trust an issuer at sites, by a rule that says who of it gets in",
            &[
                NAME,
                CERTIFICATES,
                AT,
                must("rule", Kind::Word(RULES), "who gets in"),
                MATCH,
                NAME_FROM,
                EXCUSE,
            ],
            add,
        )
    },
    reads(
        "listRollovers",
        "/cas/own/rollovers",
        "rollovers that are under way, and who still needs the old generation",
        &[],
        rollovers,
    ),
    Verb {
        role: OperatorRole::Owner,
        ..changes(
            "startRollover",
            "/cas/own/rollovers/start",
            "make the next generation of an own CA: it issues from now on, and the present one is still trusted",
            &[
                CA,
                may(
                    "key",
                    Kind::Word(&["ecdsa-p256", "ecdsa-p384", "rsa-3072", "ed25519"]),
                    "the kind of its key, ecdsa-p256 where absent",
                ),
            ],
            start,
        )
    },
    Verb {
        role: OperatorRole::Owner,
        ..changes(
            "finishRollover",
            "/cas/own/rollovers/finish",
            "trust the old generation no longer and delete its key, where nobody needs it",
            &[CA],
            finish,
        )
    },
    reads("showCa", "/cas/{ca}", "one trusted issuer: whom it lets in, where, and its lists", &[], show),
    Verb {
        role: OperatorRole::Owner,
        ..changes(
            "removeCa",
            "/cas/{ca}/remove",
            "trust it no longer, with its grants and the subject rules on it; says where that has taken effect",
            &[],
            remove,
        )
    },
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

/// The issuer that is spoken of, as it would be trusted.
fn candidate(asked: &Asked<'_>, given: &Given) -> Result<Candidate, Failure> {
    let until = given.one("accept_without_client_usage_until").map(|text| {
        let wrong = |error| Failure::usage(format!("{error}"), "write it like 2027-03-15");
        UnixTime::parse(text.trim()).map_err(wrong)
    });
    let trimmed = |all: Vec<String>| {
        let all = all.iter().map(|one| one.trim().to_owned());
        all.filter(|one| !one.is_empty()).collect::<Vec<_>>()
    };
    let rule = given.one("rule").unwrap_or("everyone");
    let matches = trimmed(given.all("match"));
    if (rule == "match") == matches.is_empty() {
        return Err(Failure::usage(
            "the rule `match` and its conditions belong together",
            "write a condition like san:dns=*.acme.example, or choose another rule",
        ));
    }
    let wanted = Wanted {
        name: given.needed("name").trim().to_owned(),
        sites: trimmed(given.all("sites")),
        matches,
        name_from: given.one("name_from").map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        accept_any: rule == "everyone",
        named_only: rule == "named-only",
        accept_without_client_usage_until: until.transpose()?,
        ..Wanted::default()
    };
    Candidate::of(asked.context, &wanted, &explain::read(given.needed("certificates"))?)
}

/// What it would let in.
pub fn previewed(asked: &Asked<'_>, given: &Given) -> Result<Preview, Failure> {
    Preview::of(asked.context, &candidate(asked, given)?)
}

fn preview(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    Ok(json!(previewed(asked, given)?))
}

fn add(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    candidate(asked, given)?.trust(asked.context)
}

fn remove(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    remove::check(asked.context, asked.place())?;
    Ok(remove::removed(asked.context, asked.place())?.0)
}

/// The rollovers that are under way; none where there is no authority on this host.
pub fn under_way(asked: &Asked<'_>) -> Result<Vec<UnderWay>, Failure> {
    if !Hierarchy::is_at(&asked.context.settings.state.authority()) {
        return Ok(Vec::new());
    }
    UnderWay::all(asked.context)
}

fn rollovers(asked: &Asked<'_>, _: &Given) -> Result<Value, Failure> {
    Ok(json!({ "items": under_way(asked)?.iter().map(UnderWay::value).collect::<Vec<_>>() }))
}

fn start(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    step(asked, given, Step::Start(given.one("key").unwrap_or("ecdsa-p256").to_owned()))
}

fn finish(asked: &Asked<'_>, given: &Given) -> Result<Value, Failure> {
    step(asked, given, Step::Finish {})
}

/// Has the authority's process do it, which alone opens the keys.
fn step(asked: &Asked<'_>, given: &Given, step: Step) -> Result<Value, Failure> {
    let rollover = Rollover {
        ca: given.needed("ca").to_owned(),
        step,
        by: asked.operator.name.to_string(),
        made_at: asked.now(),
    };
    match ask::rollover(&asked.context.settings.state, rollover) {
        Ok(Answer::RolledOver(value)) => Ok(value),
        Ok(Answer::Refused { what, .. }) => {
            Err(Failure::no(what, "`countersign ca rollover` on the host of the CA's keys can do more"))
        }
        Ok(_) => {
            Err(Failure::new(Exit::Bug, "the authority answered what was not asked", "please report this"))
        }
        Err(error) => Err(Failure::new(
            Exit::Unreachable,
            format!("the authority's process cannot be asked: {error}"),
            "it runs where the CA's key is; do it there with `countersign ca rollover`",
        )),
    }
}
