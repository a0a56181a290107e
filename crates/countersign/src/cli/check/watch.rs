//! `check --watch`: the same hosts and files again and again, and a word where the state of one has changed.

use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use examiner::UnixTime;
use serde::Serialize;

use super::look::Asked;
use super::state::{Known, State, Word};
use super::{Args, exit, limit, many, metrics, short};
use crate::cli::{Failure, Globals, Outcome, context};

/// How the watch goes.
#[derive(Debug, clap::Args)]
pub struct Watch {
    /// Examine again and again, and tell of each whose state has changed: its verdict, or the ids of its errors and
    /// warnings. The first round tells of all that are not right.
    #[arg(long, conflicts_with_all = ["format", "fix", "out", "at"])]
    pub watch: bool,
    /// Time from one round to the next: seconds, or with `m`, `h` or `d`.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = period, requires = "watch")]
    every: Duration,
    /// End after so many rounds, with the exit code of the last one.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..), requires = "watch")]
    rounds: Option<u32>,
}

/// A time as people write it.
fn period(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1),
        Some(b'm') => (&text[..text.len() - 1], 60),
        Some(b'h') => (&text[..text.len() - 1], 3_600),
        Some(b'd') => (&text[..text.len() - 1], 86_400),
        _ => (text, 1),
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let seconds = is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten();
    match seconds {
        Some(seconds @ 1..=31_536_000) => Ok(Duration::from_secs(seconds)),
        Some(_) => Err("it is from 1 second to 365 days".into()),
        None => Err("write it as 90, 90s, 15m, 1h or 1d".into()),
    }
}

/// One change.
#[derive(Debug, Serialize)]
struct Change<'a> {
    /// When it was seen, RFC 3339.
    at: String,
    /// The host or the file.
    file: &'a str,
    /// What it was before; null in the first round.
    was: Option<Word>,
    /// What it is.
    is: Word,
    /// What was found of errors and warnings, by id.
    ids: Vec<&'static str>,
    /// The state as a sentence.
    sentence: &'a str,
}

/// Watches until the last round, or without end.
pub fn watch(globals: &Globals, args: &Args, words: &[PathBuf], mut asked: Asked) -> Outcome {
    let mut before: HashMap<String, State> = HashMap::new();
    let mut round = 0_u32;
    loop {
        let begun = Instant::now();
        asked.question.at = context::now();
        let answers = many::all(&asked, args, words, |_| ());
        let at = context::now();
        let known = short::known(&answers);
        if let Some(file) = &args.metrics {
            metrics::write(file, &known, at, begun.elapsed())?;
        }
        let mut changed = 0;
        for (name, known) in &known {
            let was = before.insert(name.clone(), known.state.clone());
            let is_told = match &was {
                Some(was) => *was != known.state,
                None => known.state.word != Word::Right,
            };
            if is_told {
                changed += 1;
                tell(globals, at, name, was.map(|was| was.word), known)?;
            }
        }
        round = round.saturating_add(1);
        globals.say(format!("{at} round {round}: {}; {changed} told", short::summary(&known)));
        if args.watch.rounds.is_some_and(|last| round >= last) {
            return Ok(exit(&answers, limit(&args.fail_on)));
        }
        drop(answers);
        std::thread::sleep(args.watch.every.saturating_sub(begun.elapsed()));
    }
}

fn tell(
    globals: &Globals,
    at: UnixTime,
    name: &str,
    was: Option<Word>,
    known: &Known,
) -> Result<(), Failure> {
    let ids: Vec<&'static str> = known.state.ids.iter().copied().collect();
    let (is, sentence) = (known.state.word, known.sentence.as_str());
    let line = match globals.json {
        true => {
            let change = Change { at: at.to_string(), file: name, was, is, ids, sentence };
            serde_json::to_string(&change).unwrap_or_default()
        }
        false => {
            let was = was.map(|was| format!("was {was}, ")).unwrap_or_default();
            let ids = if ids.is_empty() { String::new() } else { format!(" ({})", ids.join(", ")) };
            format!("{at} {name}: {was}is {is}: {sentence}{ids}")
        }
    };
    // Nobody listens any more: then there is nothing to watch for.
    let mut out = std::io::stdout();
    writeln!(out, "{line}")
        .and(out.flush())
        .map_err(|error| Failure::file("standard output".as_ref(), "written", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_has_a_unit_or_is_seconds_and_has_its_bounds() {
        for (text, seconds) in [("1", 1), ("90s", 90), ("15m", 900), ("1h", 3_600), ("365d", 31_536_000)] {
            assert_eq!(period(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["366d", "0", "99999999999999999999d", "", "h", "1.5h", "-1", "1w", "+10"] {
            assert!(period(text).is_err(), "{text}");
        }
    }
}
