//! `log access`: who could enter on a day, and who did.
//!
//! Who could is told by the record and by what the log says has changed since. What the configuration said then is on no
//! record; what cannot be told exactly is said beside it.

use std::collections::{BTreeMap, BTreeSet};

use examiner::UnixTime;
use policy::{ClientAuth, HostName, PartyName, Principal};
use registry::{Past, PastParty, PastWay};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::globals::columns;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::site::SiteSettings;

const DAY: i64 = 86_400;

/// `countersign log access`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The day (UTC), such as 2027-03-01.
    #[arg(long, value_name = "DATE")]
    on: String,
}

/// Who had access in a stretch of time.
pub struct Access {
    /// Its first second.
    pub from: UnixTime,
    /// Its last second.
    pub until: UnixTime,
    /// The parties that could enter some site, by name.
    pub could: Vec<Could>,
    /// The CAs of which everyone whom their rule lets in could enter, each with the site.
    pub cas: BTreeSet<(HostName, String)>,
    /// Who was admitted where, and how often.
    pub did: Vec<(String, String, u64)>,
    /// What cannot be told exactly.
    pub doubts: Vec<Doubt>,
}

/// A party that could enter.
pub struct Could {
    /// Its name.
    pub name: PartyName,
    /// The sites, each with what let it in there.
    pub sites: BTreeMap<HostName, &'static str>,
    /// What led to it.
    pub ways: Vec<PastWay>,
    /// It was removed since, and not all of what it had is on record.
    pub is_incomplete: bool,
}

/// Something that is not on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// What the configuration and the rules of sites said then: they are taken as they are now.
    Rules,
    /// The log begins later than the stretch does.
    LogBegins(UnixTime),
    /// Certificates were released from hold by a rule since.
    ManyReleased,
    /// Parties that were removed since.
    Removed,
    /// What revocation lists of other CAs said then.
    OtherLists,
    /// Some paths are open to everybody now.
    OpenPaths,
}

impl Doubt {
    /// A stable word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rules => "rules-as-now",
            Self::LogBegins(_) => "log-begins-later",
            Self::ManyReleased => "released-by-a-rule",
            Self::Removed => "removed-parties",
            Self::OtherLists => "other-lists",
            Self::OpenPaths => "open-paths",
        }
    }

    /// In a sentence, put into a language by `t`.
    pub fn text(self, t: impl Fn(&'static str) -> &'static str) -> String {
        let plain = match self {
            Self::Rules => t(
                "What the configuration and the rules of sites said then is not on record: they are taken as they are now.",
            ),
            Self::LogBegins(at) => {
                let text = t(
                    "The log begins later: what changed before is not told, and is taken as it was when the log began. It begins at",
                );
                return format!("{text} {at}.");
            }
            Self::ManyReleased => t(
                "Certificates were released from hold by a rule since. Which is not told: they count as if they had not been held.",
            ),
            Self::Removed => {
                t("Of parties that were removed since, not everything is on record; they are marked.")
            }
            Self::OtherLists => t("Whom other issuers had revoked then is not on record."),
            Self::OpenPaths => {
                t("Some paths are open to everybody now; whether they were then is not on record.")
            }
        };
        plain.to_owned()
    }
}

/// The first and the last second of a day.
///
/// # Errors
///
/// It is no date.
pub fn day(text: &str) -> Result<(UnixTime, UnixTime), Failure> {
    let at = UnixTime::parse(text.trim())
        .map_err(|error| Failure::usage(error.to_string(), "write it like 2027-03-01"))?;
    let from = at.seconds() - at.seconds().rem_euclid(DAY);
    Ok((UnixTime(from), UnixTime(from + DAY - 1)))
}

impl Access {
    /// Who had it on a day, as far as that has passed.
    ///
    /// # Errors
    ///
    /// It is no date, or one that is still to come; the registry cannot be read.
    pub fn on(context: &Context, day_text: &str) -> Result<Self, Failure> {
        let (from, until) = day(day_text)?;
        if from > context.now {
            return Err(Failure::usage("that day is still to come", "ask for today or a day before"));
        }
        let until = until.min(context.now);
        let past = context.run(context.registry.who_could_enter(from, until))?;
        let did = context.run(context.registry.who_entered(from, until))?;
        let doubts = doubts(context, &past, from);
        let sites = &context.settings.sites;
        let mut cas = BTreeSet::new();
        for (name, site) in sites {
            let by_rule = site.allow.iter().filter_map(|who| match who {
                Principal::Ca(ca) if ca != policy::ca::OWN_CA => Some((name.clone(), ca.clone())),
                _ => None,
            });
            cas.extend(by_rule);
        }
        cas.extend(past.cas);
        let one = |one: PastParty| {
            let sites = entered(context, &one);
            let PastParty { name, ways, is_incomplete, .. } = one;
            Could { name, sites, ways, is_incomplete }
        };
        let could = past.parties.into_iter().map(one);
        let could = could.filter(|one| !one.sites.is_empty() || one.is_incomplete).collect();
        Ok(Self { from, until, could, cas, did, doubts })
    }

    /// All of it as JSON.
    pub fn value(&self) -> Value {
        let did = |(party, site, count): &(String, String, u64)| json!({ "party": party, "site": site, "count": count });
        json!({
            "from": self.from,
            "until": self.until,
            "could": self.could.iter().map(Could::value).collect::<Vec<_>>(),
            "cas": self.cas.iter().map(|(site, ca)| json!({ "site": site, "ca": ca })).collect::<Vec<_>>(),
            "did": self.did.iter().map(did).collect::<Vec<_>>(),
            "doubts": self.doubts.iter().map(|one| json!({ "code": one.word(), "text": one.text(|text| text) })).collect::<Vec<_>>(),
        })
    }

    fn text(&self) -> String {
        let mut could = vec![["COULD ENTER", "SITES", "BY"].map(String::from).to_vec()];
        could.extend(self.could.iter().map(|one| {
            let sites: Vec<&str> = one.sites.keys().map(HostName::as_str).collect();
            let ways: Vec<String> = one.ways.iter().map(way).collect();
            let mark = if one.is_incomplete { " (removed since; not all is on record)" } else { "" };
            vec![format!("{}{mark}", one.name), sites.join(" "), ways.join(", ")]
        }));
        could.extend(
            self.cas
                .iter()
                .map(|(site, ca)| vec![format!("ca:{ca}"), site.to_string(), "whom its rule lets in".into()]),
        );
        let mut did = vec![["ENTERED", "SITE", "ENTRIES"].map(String::from).to_vec()];
        did.extend(
            self.did.iter().map(|(party, site, count)| vec![party.clone(), site.clone(), count.to_string()]),
        );
        format!("{}\n{}", columns(&could), columns(&did))
    }
}

impl Could {
    /// As JSON.
    pub fn value(&self) -> Value {
        json!({
            "party": self.name,
            "sites": self.sites.iter().map(|(site, by)| json!({ "site": site, "by": by })).collect::<Vec<_>>(),
            "ways": self.ways.iter().map(way).collect::<Vec<_>>(),
            "incomplete": self.is_incomplete,
        })
    }
}

/// A way in, in words.
pub fn way(way: &PastWay) -> String {
    match way {
        PastWay::Certificate(label, thumbprint) => {
            let hex = thumbprint.to_string();
            format!("certificate {label} ({}…)", &hex[..16])
        }
        PastWay::Key(label) => format!("key {label}"),
        PastWay::Subject { ca, subject } => format!("subject {subject} of ca:{ca}"),
    }
}

/// The sites that a party could enter: those granted then, and those whose rules name it now.
fn entered(context: &Context, one: &PastParty) -> BTreeMap<HostName, &'static str> {
    let names = |list: &[Principal]| {
        list.iter().any(|who| match who {
            Principal::Party(name) => name == one.name.as_str(),
            Principal::Group(group) => {
                let members = context.settings.groups.get(group);
                members.is_some_and(|all| all.iter().any(|member| member == one.name.as_str()))
            }
            Principal::Ca(_) => false,
        })
    };
    let by_rule = |site: &SiteSettings| names(&site.allow) && !names(&site.deny) && !one.ways.is_empty();
    let ruled = context.settings.sites.iter().filter(|(_, site)| by_rule(site));
    let mut all: BTreeMap<_, _> = ruled.map(|(name, _)| (name.clone(), "rule")).collect();
    for site in &one.granted {
        let banned = context.settings.sites.get(site).is_some_and(|site| names(&site.deny));
        if !banned {
            all.insert(site.clone(), "grant");
        }
    }
    all
}

fn doubts(context: &Context, past: &Past, from: UnixTime) -> Vec<Doubt> {
    let settings = &context.settings;
    let is_open =
        |site: &SiteSettings| site.paths.iter().any(|path| path.client_auth != ClientAuth::Required);
    let has_open = settings.sites.values().any(is_open);
    let mut doubts = vec![Doubt::Rules];
    doubts.extend(past.begins.filter(|begins| *begins > from).map(Doubt::LogBegins));
    for (is_so, doubt) in [
        (past.many_released, Doubt::ManyReleased),
        (past.parties.iter().any(|one| one.is_incomplete), Doubt::Removed),
        (!settings.cas.is_empty(), Doubt::OtherLists),
        (has_open, Doubt::OpenPaths),
    ] {
        if is_so {
            doubts.push(doubt);
        }
    }
    doubts
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    let access = Access::on(&context, &args.on)?;
    globals.print(&access.value(), access.text());
    for doubt in &access.doubts {
        globals.say(doubt.text(|text| text));
    }
    Ok(Exit::Fine)
}
