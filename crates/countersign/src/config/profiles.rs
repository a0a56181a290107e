//! `[profile.NAME]`: profiles of certificates beside the built-in ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use examiner::UnixTime;
use policy::issuance::{
    AltName, GRACE_MOST_DAYS, KeyKind, LIFE_MOST_DAYS, OwnProfile, Parties, Plan, Profile, Window, check_name,
};
use policy::{PartyName, Principal};
use serde_json::{Value, json};

use super::file::{At, File, ProfileFile};
use super::keys::Seconds;
use super::problem::{Problem, Source};
use super::read;
use crate::cli::issue::alt_name;

const DAY_SECONDS: i64 = 86_400;

/// The built-in profiles of parties.
pub const BUILT_IN: [Profile; 3] = [Profile::Person, Profile::Device, Profile::Service];

/// The profiles of the configuration, by name.
pub type Profiles = BTreeMap<String, Arc<OwnProfile>>;

/// One that is built in, or one of the configuration.
#[derive(Clone, Debug)]
pub enum Choice {
    /// Built in.
    BuiltIn(Profile),
    /// Of the configuration.
    Own(Arc<OwnProfile>),
}

impl Choice {
    /// The profile of this name that parties may have.
    pub fn named(name: &str, profiles: &Profiles) -> Option<Self> {
        let built_in = BUILT_IN.into_iter().find(|one| one.word() == name).map(Self::BuiltIn);
        built_in.or_else(|| profiles.get(name).cloned().map(Self::Own))
    }

    /// The built-in profile that it is, or is like.
    pub fn like(&self) -> Profile {
        match self {
            Self::BuiltIn(profile) => *profile,
            Self::Own(own) => own.like,
        }
    }

    /// How many days after its end a certificate may still be renewed.
    pub fn grace_days(&self) -> u32 {
        match self {
            Self::BuiltIn(profile) => profile.grace_days(),
            Self::Own(own) => own.grace_days,
        }
    }

    /// A plan for a certificate of it.
    pub fn plan(&self, party: &str, id: &str, spki: Vec<u8>, issuer: Window, now: UnixTime) -> Plan {
        match self {
            Self::BuiltIn(profile) => Plan::new(*profile, party, id, spki, issuer, now),
            Self::Own(own) => Plan::of_own(own.clone(), party, id, spki, issuer, now),
        }
    }
}

/// The profiles of the file at `path`, without anything else of it; for the process that signs.
pub fn of_file(path: &Path) -> Result<Profiles, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let source = Source::file(path.display().to_string(), text);
    let mut problems = Vec::new();
    let file = read::file(&source, &mut problems);
    let profiles = profiles(&file, &source, &mut problems);
    match problems.first() {
        None => Ok(profiles),
        Some(first) => Err(first.to_string()),
    }
}

/// Validates all of them.
pub fn profiles(file: &File, source: &Source, problems: &mut Vec<Problem>) -> Profiles {
    let mut all = BTreeMap::new();
    for (name, one) in &file.profile {
        let word = name.get_ref();
        let taken = Profile::ALL.iter().any(|profile| profile.word() == word) || word == "pinned";
        if !policy::names::is_name(word) || taken {
            let what = format!("`{}` cannot name a profile", word.escape_debug());
            let help = "use a-z, 0-9, `.`, `_`, `-`, and no name of a built-in one";
            problems.push(source.problem(&name.span(), what, help));
            continue;
        }
        if let Some(own) = profile(name, one, file, source, problems) {
            all.insert(word.clone(), Arc::new(own));
        }
    }
    all
}

fn profile(
    name: &At<String>,
    one: &ProfileFile,
    file: &File,
    source: &Source,
    problems: &mut Vec<Problem>,
) -> Option<OwnProfile> {
    let before = problems.len();
    let like = one.like.as_ref().and_then(|at| {
        let found = BUILT_IN.into_iter().find(|built_in| built_in.word() == at.get_ref());
        if found.is_none() {
            let what = format!("`{}` is no profile to be like", at.get_ref().escape_debug());
            problems.push(source.problem(&at.span(), what, "write person, device or service"));
        }
        found
    });
    let path = ["profile", name.get_ref().as_str()];
    if one.like.is_none() && !read::is_told::<ProfileFile>(source, problems, &path, "like") {
        let help = "write like = \"person\", \"device\" or \"service\"";
        problems.push(source.problem(&name.span(), "the profile has no `like`", help));
    }
    let like = like.unwrap_or(Profile::Device);
    let mut days = |at: &Option<At<Seconds>>, usual: u32, least: i64, most: u32| {
        let Some(at) = at else { return usual };
        let Seconds(seconds) = *at.get_ref();
        let whole = seconds / DAY_SECONDS;
        if seconds % DAY_SECONDS != 0 || !(least..=i64::from(most)).contains(&whole) {
            let help = format!("write whole days, from \"{least}d\" to \"{most}d\"");
            problems.push(source.problem(&at.span(), "it is not so many days", help));
        }
        u32::try_from(whole).unwrap_or(usual)
    };
    let life_days = days(&one.life, like.life_days(), 1, LIFE_MOST_DAYS);
    let grace_days = days(&one.grace, like.grace_days(), 0, GRACE_MOST_DAYS);
    let mut keys = Vec::new();
    for at in &one.keys {
        match KeyKind::named(at.get_ref()) {
            Some(kind) => keys.push(kind),
            None => {
                let what = format!("`{}` is no kind of key", at.get_ref().escape_debug());
                let help = "write ecdsa-p256, ecdsa-p384, ecdsa-p521, ed25519 or rsa-3072";
                problems.push(source.problem(&at.span(), what, help));
            }
        }
    }
    let names = names(one, like, source, problems);
    let parties = one.parties.as_ref().map(|all| parties(all, file, source, problems));
    let own = OwnProfile { name: name.get_ref().clone(), like, life_days, grace_days, keys, names, parties };
    (problems.len() == before).then_some(own)
}

fn names(one: &ProfileFile, like: Profile, source: &Source, problems: &mut Vec<Problem>) -> Vec<AltName> {
    let mut all = Vec::new();
    for at in &one.names {
        // As it would be for a party: the names of parties are names of hosts, too.
        let tried = alt_name(&at.get_ref().replace("{party}", "x"))
            .and_then(|name| check_name(like, &name).map_err(|error| error.to_string()));
        match tried.and_then(|()| alt_name(at.get_ref())) {
            Ok(name) => all.push(name),
            Err(what) => {
                let help = "write it like dns:{party}.machines.example.com";
                problems.push(source.problem(&at.span(), what, help));
            }
        }
    }
    all
}

fn parties(all: &[At<String>], file: &File, source: &Source, problems: &mut Vec<Problem>) -> Parties {
    let mut parties = Parties::default();
    for at in all {
        let text = at.get_ref();
        if let Some(begin) = text.strip_suffix('*') {
            if begin.is_empty() || PartyName::parse(begin).is_err() {
                let what = format!("`{}` is no beginning of a party's name", text.escape_debug());
                problems.push(source.problem(
                    &at.span(),
                    what,
                    "write it like kiosk-*; leave `parties` out for all",
                ));
            }
            parties.beginnings.push(begin.to_owned());
            continue;
        }
        match Principal::parse(text) {
            Ok(Principal::Party(name)) => drop(parties.names.insert(name.to_string())),
            Ok(Principal::Group(group)) => match file.group.iter().find(|(name, _)| *name.get_ref() == group)
            {
                Some((_, members)) => parties.names.extend(members.iter().map(|one| one.get_ref().clone())),
                None => {
                    let what = format!("there is no group `{group}`");
                    problems.push(source.problem(&at.span(), what, "write it under [group]"));
                }
            },
            _ => {
                let what = format!("`{}` is neither a party nor a group", text.escape_debug());
                problems.push(source.problem(&at.span(), what, "write a name, NAME-*, or group:NAME"));
            }
        }
    }
    parties
}

/// In the file's words.
pub fn view(profiles: &Profiles) -> Value {
    let name = |name: &AltName| match name {
        AltName::Dns(text) => format!("dns:{text}"),
        AltName::Email(text) => format!("email:{text}"),
        AltName::Uri(text) => format!("uri:{text}"),
        AltName::Ip(address) => format!("ip:{address}"),
    };
    let one = |own: &OwnProfile| {
        let parties = own.parties.as_ref().map(|parties| {
            let beginnings = parties.beginnings.iter().map(|begin| format!("{begin}*"));
            parties.names.iter().cloned().chain(beginnings).collect::<Vec<_>>()
        });
        json!({
            "like": own.like.word(),
            "life": format!("{}d", own.life_days),
            "grace": format!("{}d", own.grace_days),
            "keys": own.keys.iter().map(KeyKind::to_string).collect::<Vec<_>>(),
            "names": own.names.iter().map(name).collect::<Vec<_>>(),
            "parties": parties,
        })
    };
    Value::Object(profiles.iter().map(|(name, own)| (name.clone(), one(own))).collect())
}
