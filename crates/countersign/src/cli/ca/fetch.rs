//! `ca fetch`: fetches the revocation lists that have a URL. `run` starts it each minute for those that are due; the
//! gate itself asks nobody, and takes the copy from the state directory.

use std::fs::File;
use std::time::Duration;

use authority::files;
use examiner::UnixTime;
use policy::{Ca, RevocationList};
use serde::{Deserialize, Serialize};

use crate::cli::context::Context;
use crate::cli::{Exit, Failure, Globals, Outcome};
use crate::config::crl::{self, shown_number};
use crate::config::fetched::{self, Attempt, Fetched};
use crate::config::{Settings, StateDir};
use crate::fetch::{self, FetchUrl, Rules};

/// For the look-up of the name, the connection and the whole list.
const DEADLINE: Duration = Duration::from_secs(60);
/// Lists that are fetched at once.
const AT_ONCE: usize = 4;
/// A good list is asked for again after a quarter of what is left of its life, within these seconds.
const AGAIN: (i64, i64) = (300, 6 * 3600);
/// The first wait after a failure in seconds; it doubles up to the longest.
const BACK_OFF: (i64, i64) = (60, 3600);

/// `countersign ca fetch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The CA; all of them where absent.
    name: Option<String>,
    /// Only those whose time has come, as `run` wants it.
    #[arg(long, hide = true)]
    due: bool,
}

/// What became of one list.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The CA.
    pub ca: String,
    /// Where its list is.
    pub url: String,
    /// The list's number, where it was taken and has one.
    pub number: Option<String>,
    /// When the next is due.
    pub next_update: Option<UnixTime>,
    /// Whether it is another than before.
    pub newer: bool,
    /// Why it was not taken.
    pub fault: Option<String>,
}

/// A list to fetch.
struct Job {
    ca: std::sync::Arc<Ca>,
    url: FetchUrl,
    place: Fetched,
}

/// Runs it.
pub fn run(globals: &Globals, args: &Args) -> Outcome {
    let context = Context::open(globals)?;
    if let Some(name) = args.name.as_ref().filter(|name| !context.settings.cas.contains_key(*name)) {
        let what = format!("there is no CA `{}`", name.escape_debug());
        return Err(Failure::not_found(what, "countersign ca list"));
    }
    let mut jobs = jobs(&context.settings, args.name.as_deref());
    if args.due {
        let Settings { state, cas, broken_cas, .. } = &context.settings;
        let pruned = fetched::prune(state, |ca| cas.contains_key(ca) || broken_cas.contains_key(ca));
        if let Err(error) = pruned {
            globals.warn(format!("the lists of a removed CA cannot be let go: {error}"));
        }
        jobs.retain(|job| job.place.last().is_none_or(|last| !last.waits_at(context.now)));
    }
    let all = fetch_all(&context, &context.settings, jobs)?;
    let lines: Vec<String> = all.iter().map(Report::line).collect();
    globals.print(&all, if lines.is_empty() { "no list has a URL".into() } else { lines.join("\n") });
    Ok(if args.due || all.iter().all(|one| one.fault.is_none()) { Exit::Fine } else { Exit::No })
}

/// Fetches the lists of a CA that is about to be trusted; it isn't, if one cannot be had.
pub fn first(context: &Context, after: &Settings, ca: &str) -> Result<(), Failure> {
    let all = fetch_all(context, after, jobs(after, Some(ca)))?;
    all.into_iter().try_for_each(|one| one.fault.map_or(Ok(()), |fault| Err(not_to_be_had(&one.url, &fault))))
}

/// Whether those lists may be asked for, as a dry run wants it: names are looked up, nobody is connected to.
pub fn would(context: &Context, after: &Settings, ca: &str) -> Result<(), Failure> {
    let rules = rules(after);
    jobs(after, Some(ca)).iter().try_for_each(|job| {
        let judged = context.run(async { Ok::<_, Failure>(fetch::judge(&job.url, &rules).await) })?;
        judged.map_err(|error| not_to_be_had(&job.url.to_string(), &error.to_string()))
    })
}

fn not_to_be_had(url: &str, fault: &str) -> Failure {
    Failure::no(
        format!("revocation list {url}: {fault}"),
        "give an address where the issuer's list is, or its file by --crl; addresses that are not public are listed in \
         `[server] fetch_private`",
    )
}

fn jobs(settings: &Settings, only: Option<&str>) -> Vec<Job> {
    let cas = settings.cas.iter().filter(|(name, _)| only.is_none_or(|only| only == *name));
    cas.flat_map(|(name, ca)| {
        ca.lists.iter().filter_map(move |list| {
            let url = list.url.clone()?;
            Some(Job { ca: ca.rules.clone(), place: Fetched::new(&settings.state, name, &url), url })
        })
    })
    .collect()
}

fn fetch_all(context: &Context, settings: &Settings, jobs: Vec<Job>) -> Result<Vec<Report>, Failure> {
    let rules = rules(settings);
    let mut reports = Vec::new();
    for some in jobs.chunks(AT_ONCE) {
        let asked = context.run(async {
            let mut running = tokio::task::JoinSet::new();
            for (at, job) in some.iter().enumerate() {
                let (url, rules) = (job.url.clone(), rules.clone());
                running.spawn(async move { (at, fetch::get(&url, &rules).await) });
            }
            Ok::<_, Failure>(running.join_all().await)
        })?;
        for (at, answer) in asked {
            let taken = answer.map_err(|error| error.to_string());
            let taken = taken.and_then(|bytes| take(&settings.state, &some[at], &bytes));
            reports.push(keep_record(&some[at], taken, context.now)?);
        }
    }
    Ok(reports)
}

fn rules(settings: &Settings) -> Rules {
    Rules {
        most_bytes: crl::MOST_BYTES,
        deadline: DEADLINE,
        private: settings.fetch_private.clone(),
        private_by: "is not listed in `fetch_private`",
        roots: fetch::public_roots(),
    }
}

/// The list at an address as it is now, however old, with its bytes.
pub fn as_it_is(context: &Context, ca: &Ca, url: &FetchUrl) -> Result<(RevocationList, Vec<u8>), String> {
    let rules = rules(&context.settings);
    let asked = context.run(async { Ok::<_, Failure>(fetch::get(url, &rules).await) });
    let bytes = asked.map_err(|failure| failure.what)?.map_err(|error| error.to_string())?;
    crl::parse(ca, &bytes).map(|list| (list, bytes)).map_err(|(why, _)| why)
}

/// Puts a fetched list in the place of the last, unless it is broken or older than any of its issuer that is kept.
fn take(state: &StateDir, job: &Job, bytes: &[u8]) -> Result<(RevocationList, bool), String> {
    let list = crl::parse(&job.ca, bytes).map_err(|(why, _)| why)?;
    let text = |error: authority::AuthorityError| error.to_string();
    files::private_directory(&fetched::folder(state)).map_err(text)?;
    files::private_directory(job.place.folder()).map_err(text)?;
    // A command and the process that `run` starts may be at it at once.
    let lock = File::create(fetched::folder(state).join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if let Some((_, newer)) = crl::kept(&job.ca, job.place.folder())
        .find(|(_, kept)| kept.is_of_same_issuer(&list) && list.is_older_than(kept))
    {
        return Err(crl::older_than(&job.ca.name, &list, &newer));
    }
    let copy = job.place.copy();
    let same = std::fs::read(&copy).is_ok_and(|there| there == bytes);
    if !same {
        files::replace_public(&copy, bytes).map_err(text)?;
    }
    Ok((list, !same))
}

/// Notes how it went and when it is tried next.
fn keep_record(
    job: &Job,
    taken: Result<(RevocationList, bool), String>,
    now: UnixTime,
) -> Result<Report, Failure> {
    let failures = match &taken {
        Ok(_) => 0,
        Err(_) => job.place.last().map_or(0, |last| last.failures).saturating_add(1),
    };
    let wait = match &taken {
        Ok((list, _)) => after_success(list.next_update, now),
        Err(_) => after_failure(failures),
    };
    let chance = getrandom::u32().map_err(|error| {
        Failure::new(Exit::Bug, format!("no random bytes: {error}"), "please report this")
    })?;
    let fault = taken.as_ref().err().cloned();
    let attempt = Attempt {
        url: job.url.to_string(),
        at: now,
        next: now.plus(jittered(wait, chance)),
        failures,
        fault: fault.clone(),
    };
    let text = serde_json::to_vec(&attempt)
        .map_err(|error| Failure::new(Exit::Bug, error.to_string(), "please report this"))?;
    files::private_directory(job.place.folder())?;
    files::replace_public(&job.place.record(), &text)?;
    let list = taken.ok();
    Ok(Report {
        ca: job.ca.name.clone(),
        url: attempt.url,
        number: list.as_ref().and_then(|(list, _)| list.number.as_deref().map(shown_number)),
        next_update: list.as_ref().map(|(list, _)| list.next_update),
        newer: list.is_some_and(|(_, newer)| newer),
        fault,
    })
}

/// Seconds until a good list is asked for again.
fn after_success(next_update: UnixTime, now: UnixTime) -> i64 {
    ((next_update.seconds() - now.seconds()) / 4).clamp(AGAIN.0, AGAIN.1)
}

/// Seconds until the next attempt after so many failures, at least one, in a row.
fn after_failure(failures: u32) -> i64 {
    (BACK_OFF.0 << failures.saturating_sub(1).min(6)).min(BACK_OFF.1)
}

/// Up to a fifth less by chance, so that many gates do not ask at the same second.
fn jittered(wait: i64, chance: u32) -> i64 {
    wait - i64::from(chance) % (wait / 5 + 1)
}

impl Attempt {
    /// Whether it is too early for the next one. A clock that was set back makes nothing wait longer.
    fn waits_at(&self, now: UnixTime) -> bool {
        self.at <= now && now < self.next
    }
}

impl Report {
    fn line(&self) -> String {
        let what = format!("ca.{}: revocation list {}", self.ca, self.url);
        match (&self.fault, self.next_update) {
            (Some(fault), _) => format!("{what}: {fault}"),
            (None, Some(next)) => {
                let number = self.number.as_deref().unwrap_or("without number");
                format!("{what}: {number}, the next is due at {next}")
            }
            (None, None) => what,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    #[test]
    fn a_good_list_is_asked_for_again_after_a_quarter_of_what_is_left_within_bounds() {
        for (left, wait) in [
            (-3600, 300),
            (1199, 300),
            (1200, 300),
            (1204, 301),
            (7 * 3600, 6300),
            (24 * 3600 - 4, 6 * 3600 - 1),
            (24 * 3600, 6 * 3600),
            (30 * 86_400, 6 * 3600),
        ] {
            assert_eq!(after_success(NOW.plus(left), NOW), wait, "{left} seconds left");
        }
    }

    #[test]
    fn each_failure_doubles_the_wait_from_a_minute_up_to_an_hour() {
        let waits: Vec<i64> = [1, 2, 3, 4, 5, 6, 7, 8, u32::MAX].map(after_failure).into();
        assert_eq!(waits, [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]);
    }

    #[test]
    fn chance_takes_at_most_a_fifth_of_a_wait_and_adds_nothing() {
        for (chance, wait) in
            [(0, 300), (1, 299), (60, 240), (61, 300), (u32::MAX, 300 - i64::from(u32::MAX) % 61)]
        {
            assert_eq!(jittered(300, chance), wait, "{chance}");
        }
        assert!((0..10_000).all(|chance| (17_280..=21_600).contains(&jittered(21_600, chance))));
    }

    #[test]
    fn the_next_attempt_waits_for_its_second_and_a_clock_set_back_waits_for_nothing() {
        let last = Attempt { url: String::new(), at: NOW, next: NOW.plus(60), failures: 0, fault: None };
        assert_eq!([-1, 0, 59, 60].map(|after| last.waits_at(NOW.plus(after))), [false, true, true, false]);
    }
}
