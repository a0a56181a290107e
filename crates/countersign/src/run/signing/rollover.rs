//! A rollover of the client or the operator CA, asked for by an owner in the console.
//!
//! What is done here cuts nobody off: a new generation is trusted beside the old one, and the old one goes when nobody needs
//! it. Everything else is for the command line.

use authority::{KeyType, Role};
use examiner::UnixTime;
use policy::PartyName;
use registry::Actor;
use serde_json::Value;

use super::issue::{Refused, fresh};
use super::protocol::{Refusal, Rollover, Step};
use crate::cli::Globals;
use crate::cli::ca::rollover::{self, Finish};
use crate::cli::context::Context;

/// What can be said of it without the authority.
#[derive(Debug)]
pub struct Asked {
    role: Role,
    /// The kind of the next generation's key; `None` where the old one is to go.
    key: Option<KeyType>,
    by: PartyName,
}

/// Looks at what is asked by itself.
pub fn sound(asked: &Rollover, now: UnixTime) -> Result<Asked, Refused> {
    let role = [Role::Client, Role::Operator].into_iter().find(|role| role.word() == asked.ca);
    let role = role.ok_or_else(|| {
        (Refusal::Profile, format!("`{}` is no CA that has generations", asked.ca.escape_debug()))
    })?;
    fresh(asked.made_at, now)?;
    let rules = |what: String| (Refusal::Rules, what);
    let key = match &asked.step {
        Step::Start(kind) => Some(kind.parse::<KeyType>().map_err(|error| rules(error.to_string()))?),
        Step::Finish {} => None,
    };
    let by = PartyName::parse(&asked.by).map_err(|error| rules(error.to_string()))?;
    Ok(Asked { role, key, by })
}

/// Does it, as `ca rollover` does.
pub fn step(asked: &Asked, globals: &Globals) -> Result<Value, Refused> {
    let refused = |failure: crate::cli::Failure| (Refusal::Rules, failure.what);
    let actor = Actor { name: format!("operator {}", asked.by) };
    let context = Context::open_as(globals, actor).map_err(refused)?;
    let done = match asked.key {
        Some(key) => rollover::begin(&context, asked.role, key),
        None => Finish::of(&context, asked.role, false).and_then(|finish| finish.end(&context)),
    };
    done.map(|(value, _)| value).map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn refusal(change: impl FnOnce(&mut Rollover)) -> Option<Refusal> {
        let mut asked =
            Rollover { ca: "client".into(), step: Step::Finish {}, by: "ann".into(), made_at: NOW };
        change(&mut asked);
        sound(&asked, NOW).err().map(|(code, _)| code)
    }

    #[test]
    fn only_the_cas_below_the_root_that_admit_have_generations() {
        for ca in ["client", "operator"] {
            assert_eq!(refusal(|one| one.ca = ca.into()), None, "{ca}");
        }
        for ca in ["root", "server", "Client", ""] {
            assert_eq!(refusal(|one| one.ca = ca.into()), Some(Refusal::Profile), "{ca}");
        }
    }

    #[test]
    fn it_is_good_for_a_minute_names_a_kind_of_key_and_who_asked() {
        let at = |seconds: i64| refusal(|one| one.made_at = NOW.plus(seconds));
        assert_eq!([at(-60), at(5)], [None, None]);
        assert_eq!([at(-61), at(6)], [Some(Refusal::Expired); 2]);
        assert_eq!(refusal(|one| one.step = Step::Start("ecdsa-p384".into())), None);
        assert_eq!(refusal(|one| one.step = Step::Start("dsa".into())), Some(Refusal::Rules));
        assert_eq!(refusal(|one| one.by = "ann; by root".into()), Some(Refusal::Rules));
    }
}
