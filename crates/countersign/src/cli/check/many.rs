//! Many hosts and files in one command: as many at once as are allowed, each by itself, their answers in the order in
//! which they were named.
//!
//! One that takes its time holds up none but its own turn, and one that ends badly ends no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::look::{Asked, Seen};
use super::{Args, cert, one};
use crate::cli::{Exit, Failure};

/// Entries that a list may have.
const MOST_ENTRIES: usize = 100_000;

/// What is to be known of many: the host or file as it was named, and what was seen of it.
pub type Answers = Vec<(String, Result<Seen, Failure>)>;

/// The entries of lists: one a line; empty lines, and what stands behind a `#` at a line's begin or behind a space, are
/// passed over.
pub fn entries(lists: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for list in lists {
        let bytes = cert::read_bytes(list)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let what = format!("{} is no text", list.display());
            Failure::usage(what, "give one host, host:port or file a line")
        })?;
        all.extend(text.lines().map(entry).filter(|entry| !entry.is_empty()).map(PathBuf::from));
    }
    if all.len() > MOST_ENTRIES {
        let what = format!("{} entries are more than {MOST_ENTRIES}", all.len());
        return Err(Failure::usage(what, "split the list"));
    }
    Ok(all)
}

fn entry(line: &str) -> &str {
    let line = line.trim_start_matches('\u{feff}');
    let end = if line.trim_start().starts_with('#') { 0 } else { line.find(" #").unwrap_or(line.len()) };
    line[..end].trim()
}

/// Examines all of them; `done` hears the name of each that is through.
pub fn all(asked: &Asked, args: &Args, words: &[PathBuf], done: impl Fn(&Path) + Sync) -> Answers {
    let next = AtomicUsize::new(0);
    let seen: Vec<Mutex<Answers>> = words.iter().map(|_| Mutex::default()).collect();
    let keeps_chains = args.fix.is_some() || args.out.is_some();
    let work = || {
        while let Some((word, place)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            words.get(at).zip(seen.get(at))
        } {
            let mut answers = alone(asked, args, word);
            if !keeps_chains {
                answers
                    .iter_mut()
                    .filter_map(|(_, one)| one.as_mut().ok())
                    .for_each(|seen| seen.chain = None);
            }
            if let Ok(mut place) = place.lock() {
                *place = answers;
            }
            done(word);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.at_once.min(words.len()) {
            scope.spawn(work);
        }
    });
    seen.into_iter().flat_map(|place| place.into_inner().unwrap_or_default()).collect()
}

/// One of them, whatever comes of it.
fn alone(asked: &Asked, args: &Args, word: &Path) -> Answers {
    let name = word.display().to_string();
    match catch_unwind(AssertUnwindSafe(|| one(asked, args, word))) {
        Ok(Ok(seen)) => seen.into_iter().map(|seen| (seen.name.clone(), Ok(seen))).collect(),
        Ok(Err(failure)) => vec![(name, Err(failure))],
        Err(_) => {
            let what = "the examination ended in the middle";
            vec![(name, Err(Failure::new(Exit::Bug, what, "please report this, with the certificates")))]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_line_without_its_remark() {
        for (line, read) in [
            ("www.example.com", "www.example.com"),
            ("  www.example.com:8443\t", "www.example.com:8443"),
            ("\u{feff}www.example.com", "www.example.com"),
            ("www.example.com # the shop", "www.example.com"),
            ("certs/a#b.pem", "certs/a#b.pem"),
            ("# all of it", ""),
            ("  #", ""),
            ("", ""),
        ] {
            assert_eq!(entry(line), read, "{line:?}");
        }
    }
}
