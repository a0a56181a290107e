//! Staying, and renewing whenever it is due.

use std::time::Duration;

use super::{Args, Done, once};
use crate::cli::{Exit, Failure, Globals, Outcome};

/// The longest sleep: a machine that was suspended, or whose clock was set, looks again soon after.
const LONGEST: Duration = Duration::from_secs(3600);
/// The first wait after a failure; it doubles up to the longest.
const FIRST_WAIT: Duration = Duration::from_secs(60);

/// Looks, sleeps, and looks again, for ever.
pub fn stay(globals: &Globals, args: &Args) -> Outcome {
    let mut wait = FIRST_WAIT;
    let mut is_told = false;
    loop {
        let sleep = match once(globals, args, false) {
            Ok(Done::NotDue { due, not_after }) => {
                if !is_told {
                    globals.say(format!("due at {due}; it ends at {not_after}"));
                    is_told = true;
                }
                wait = FIRST_WAIT;
                let left = due.seconds().saturating_sub(crate::clock::now().seconds());
                Duration::from_secs(u64::try_from(left).unwrap_or(0).max(1)).min(LONGEST)
            }
            Ok(Done::Renewed { not_after, .. }) => {
                globals.say(format!("renewed until {not_after}"));
                (wait, is_told) = (FIRST_WAIT, false);
                continue;
            }
            Ok(Done::WouldRenew) => return Ok(Exit::Fine),
            Err(failure) => {
                // What is wrong with the files or the call stays wrong.
                if matches!(failure.exit, Exit::Usage | Exit::NotFound | Exit::NoPermission) {
                    return Err(failure);
                }
                let pause = with_lot(wait)?;
                globals.warn(format!("not renewed: {failure}\n  it is tried again in {} s", pause.as_secs()));
                wait = (wait * 2).min(LONGEST);
                pause
            }
        };
        std::thread::sleep(sleep);
    }
}

/// A wait that is up to a quarter longer, so that machines that failed at one moment do not come back at one moment.
fn with_lot(wait: Duration) -> Result<Duration, Failure> {
    let mut lot = [0];
    getrandom::fill(&mut lot)
        .map_err(|error| Failure::new(Exit::Bug, format!("no randomness: {error}"), "try again"))?;
    Ok(wait + wait / 4 * u32::from(lot[0]) / 255)
}
