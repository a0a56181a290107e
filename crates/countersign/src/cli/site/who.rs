//! `site allow` and `site deny`: who enters a site that the registry holds, and who does not. What the configuration holds is
//! changed there.

use policy::{HostName, Principal};
use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::party::effect::Effect;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::Stored;

/// `countersign site allow`, `countersign site deny`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The site's host name.
    site: String,
    /// A party's name, group:NAME or ca:NAME; may be repeated.
    #[arg(required = true)]
    who: Vec<String>,
    /// Take it off the list again.
    #[arg(long)]
    undo: bool,
}

/// Which of a site's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List {
    /// Who may enter.
    Allow,
    /// Who may not, whatever else is said.
    Deny,
}

impl List {
    fn key(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Whether the registry holds the site, so that its lists are changed here.
pub fn is_held(context: &Context, site: &HostName) -> bool {
    context.basis.sites.iter().any(|one| one.name == *site)
}

/// A change that can be made: the settings hold together with it.
pub struct Change {
    site: registry::StoredSite,
    list: List,
    who: Vec<Principal>,
    undo: bool,
}

impl Change {
    /// Looks whether it can be made; nothing is changed.
    ///
    /// # Errors
    ///
    /// The site is unknown or stands in the file, somebody is none, is on the list already or is not.
    pub fn of(
        context: &Context,
        site: &HostName,
        list: List,
        who: &[String],
        undo: bool,
    ) -> Result<Self, Failure> {
        let key = list.key();
        let Some(held) = context.basis.sites.iter().find(|one| one.name == *site) else {
            let origin = &context.settings.sites[site].origin;
            let what = format!("site {site} stands in {origin}");
            return Err(Failure::usage(what, format!("change `{key}` there, then run `countersign reload`")));
        };
        let who = who.iter().map(|text| Principal::parse(text.trim())).collect::<Result<Vec<_>, _>>()?;
        let unread = |error: String| Failure::new(Exit::Bug, error, "please report this");
        let mut table: toml::Table =
            toml::from_str(&held.settings).map_err(|error| unread(error.to_string()))?;
        let mut names: Vec<String> = match table.get(key).and_then(toml::Value::as_array) {
            Some(names) => names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect(),
            None => Vec::new(),
        };
        for one in who.iter().map(ToString::to_string) {
            match (names.iter().position(|name| *name == one), undo) {
                (None, false) => names.push(one),
                (Some(at), true) => drop(names.remove(at)),
                (Some(_), false) => {
                    return Err(Failure::no(format!("{one} is in `{key}` of {site} already"), ""));
                }
                (None, true) => return Err(Failure::no(format!("{one} is not in `{key}` of {site}"), "")),
            }
        }
        if names.is_empty() {
            table.remove(key);
        } else {
            table.insert(key.into(), names.into());
        }
        let settings = toml::to_string(&table).map_err(|error| unread(error.to_string()))?;
        let mut stored = Stored::from(&context.basis);
        let own = stored.sites.iter_mut().filter(|one| one.name == site.as_str());
        own.for_each(|one| one.settings.clone_from(&settings));
        context.try_settings(&stored)?;
        Ok(Self { site: registry::StoredSite { name: site.clone(), settings }, list, who, undo })
    }

    /// Makes it, and waits for the effect.
    pub fn make(self, context: &Context) -> Result<(Value, Effect), Failure> {
        let before = Effect::before(context)?;
        let name = self.site.name.clone();
        context.run(context.registry.put_site(self.site, &context.actor, context.now))?;
        let effect = before.wait(context)?;
        let value = json!({
            "site": name,
            "list": self.list.key(),
            "who": self.who.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "undone": self.undo,
            "applied": effect.applied,
            "late": effect.late,
        });
        Ok((value, effect))
    }
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args, list: List) -> Outcome {
    let context = Context::open(globals)?;
    let site = context.site(&args.site)?;
    let change = Change::of(&context, &site, list, &args.who, args.undo)?;
    let (who, key) = (args.who.join(", "), list.key());
    if globals.dry_run {
        let would = if args.undo { "take off" } else { "put on" };
        globals.say(format!("would {would} `{key}` of {site}: {who}"));
        return Ok(Exit::Fine);
    }
    let (value, effect) = change.make(&context)?;
    let done = if args.undo { "no longer in" } else { "in" };
    globals.print(&value, format!("{who}: {done} `{key}` of {site}\n{}", effect.text()));
    Ok(effect.end(globals))
}
