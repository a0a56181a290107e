//! The channels whose last attempts failed, in `state/notices.failing`, for `status` to tell of.

use authority::files;
use examiner::UnixTime;
use serde::{Deserialize, Serialize};

use crate::config::StateDir;

/// So many failures in a row call for attention: mail servers turn the first attempt away now and then.
const FAILURES: u32 = 3;
/// Characters of a reason that are kept.
const FAULT_MOST: usize = 500;

/// A channel that fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct Failing {
    /// `mail` or `webhook`.
    pub channel: String,
    /// When the first of these failures in a row was.
    pub since: UnixTime,
    /// When the last one was.
    pub last: UnixTime,
    /// How many.
    pub failures: u32,
    /// Why the last one failed; what a server said is in it with its controls escaped.
    pub fault: String,
}

impl Failing {
    /// Whether it failed often enough to call for attention.
    pub fn is_pressing(&self) -> bool {
        self.failures >= FAILURES
    }

    /// What is wrong, since when, and where to look.
    pub fn line(&self) -> String {
        let Self { channel, since, failures, fault, .. } = self;
        let times = if *failures == 1 { "once".to_owned() } else { format!("{failures} times in a row") };
        format!(
            "notices by {channel} were not sent, {times} since {since}: {fault}; they are tried every ten minutes: see [notify.{channel}] and its server"
        )
    }
}

/// Those that fail, as the last attempts left it.
pub fn read(state: &StateDir) -> Vec<Failing> {
    let read = std::fs::read(place(state)).ok();
    read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Notes how an attempt on each of these channels went: why it failed, or `None`. Others fail no more.
pub fn note(state: &StateDir, outcomes: &[(&str, Option<&str>)], now: UnixTime) -> std::io::Result<()> {
    let before = read(state);
    let failing = |(channel, fault): &(&str, Option<&str>)| {
        let known = before.iter().find(|one| one.channel == *channel);
        Some(Failing {
            channel: (*channel).to_owned(),
            since: known.map_or(now, |one| one.since),
            last: now,
            failures: known.map_or(0, |one| one.failures).saturating_add(1),
            fault: shown((*fault)?),
        })
    };
    let after: Vec<Failing> = outcomes.iter().filter_map(failing).collect();
    if after.is_empty() {
        return match std::fs::remove_file(place(state)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    files::replace_private(&place(state), &serde_json::to_vec(&after)?).map_err(std::io::Error::other)
}

fn shown(fault: &str) -> String {
    let visible = |one: char| match one {
        one if one.is_control() => one.escape_default().to_string(),
        one => one.to_string(),
    };
    fault.chars().take(FAULT_MOST).map(visible).collect()
}

fn place(state: &StateDir) -> std::path::PathBuf {
    state.path().join("notices.failing")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn failures_are_counted_from_the_first_and_forgotten_with_a_success() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        assert_eq!(read(&state), []);
        for number in 1..=3_u32 {
            let now = NOW.plus(600 * i64::from(number));
            note(&state, &[("mail", Some("550 no")), ("webhook", None)], now).unwrap();
            let all = read(&state);
            assert_eq!(all.len(), 1, "{all:?}");
            assert_eq!((all[0].failures, all[0].since, all[0].last), (number, NOW.plus(600), now));
            assert_eq!(all[0].is_pressing(), number == 3);
            assert!(all[0].line().contains("550 no") && all[0].line().contains("[notify.mail]"));
        }
        note(&state, &[("mail", None), ("webhook", Some("500"))], NOW).unwrap();
        assert_eq!(read(&state).iter().map(|one| one.channel.as_str()).collect::<Vec<_>>(), ["webhook"]);
        // A channel that is configured no longer fails no longer.
        note(&state, &[], NOW).unwrap();
        assert_eq!(read(&state), []);
        assert!(!place(&state).exists());
    }

    #[test]
    fn what_a_server_said_changes_no_terminal_and_fills_no_disk() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::at(folder.path());
        let said = format!("550 \u{1b}[2J\r\nsécurité {}", "x".repeat(10_000));
        note(&state, &[("mail", Some(&said))], NOW).unwrap();
        let line = read(&state)[0].line();
        assert!(line.contains("550 \\u{1b}[2J\\r\\nsécurité") && line.len() < 1000, "{line}");
    }
}
