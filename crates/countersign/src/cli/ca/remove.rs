//! `ca remove`: an issuer is trusted no longer.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::party::effect::Effect;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::Stored;

/// Looks whether it can be removed; nothing is changed.
///
/// # Errors
///
/// There is no such CA, it stands in the file, or something still names it.
pub fn check(context: &Context, name: &str) -> Result<(), Failure> {
    let Some(ca) = context.settings.cas.get(name) else {
        return Err(Failure::not_found(
            format!("there is no CA `{}`", name.escape_debug()),
            "countersign ca list",
        ));
    };
    if !context.basis.cas.iter().any(|stored| stored.name == name) {
        return Err(Failure::usage(format!("CA {name} stands in {}", ca.origin), "remove it there"));
    }
    // What would still name it is said before anything is removed.
    let mut stored = Stored::from(&context.basis);
    stored.cas.retain(|one| one.name != name);
    context.try_settings(&stored)?;
    Ok(())
}

/// Removes it, and waits for the effect.
pub fn removed(context: &Context, name: &str) -> Result<(Value, Effect), Failure> {
    let before = Effect::before(context)?;
    context.run(context.registry.remove_ca(name, &context.actor, context.now))?;
    let effect = before.wait(context)?;
    Ok((json!({ "removed": name, "applied": effect.applied, "late": effect.late }), effect))
}

/// Runs it.
pub fn run(globals: &Globals, name: &str) -> Outcome {
    let context = Context::open(globals)?;
    check(&context, name)?;
    if globals.dry_run
        || !globals.confirm(&format!("Remove CA {name}? Everyone it lets in is refused at once."))
    {
        globals.say(format!("CA {name} would be removed; --yes does it"));
        return Ok(if globals.dry_run { Exit::Fine } else { Exit::Usage });
    }
    let (value, effect) = removed(&context, name)?;
    globals.print(&value, format!("CA {name} is removed\n{}", effect.text()));
    Ok(effect.end(globals))
}
