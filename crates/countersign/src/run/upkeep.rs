//! What the short-lived process that signs leaves behind: the revocation list that everybody may read, and its report.

use std::fmt;
use std::path::PathBuf;

use authority::Role;
use examiner::UnixTime;
use serde::{Deserialize, Serialize};

use crate::config::StateDir;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// Names whose server certificate was issued.
    pub issued: Vec<String>,
    /// Number of the list that was published.
    pub published: Option<u64>,
    /// Seconds until a list may be published that is due already.
    pub publish_in: Option<i64>,
    /// Why a list that was due could not be published.
    pub not_published: Option<String>,
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        if !self.issued.is_empty() {
            said.push(format!("server certificates were issued for {}", self.issued.join(", ")));
        }
        said.extend(self.published.map(|number| format!("revocation list {number} was published")));
        said.extend(self.publish_in.map(|seconds| format!("a revocation list is due in {seconds} seconds")));
        said.extend(
            self.not_published.as_ref().map(|why| format!("no revocation list was published: {why}")),
        );
        if said.is_empty() { f.write_str("nothing was due") } else { f.write_str(&said.join("\n")) }
    }
}

/// Where the list of this name stands.
pub fn list(state: &StateDir, name: &str) -> PathBuf {
    state.path().join("crl").join(format!("{name}.crl"))
}

/// The list of the old generation of the client CA, while a rollover is under way.
pub const OLD: &str = "own-old";
/// The list of the operator CA.
pub const OPERATORS: &str = "own-operators";

/// Where the own client CA's list stands: DER, and beside it what it was made of.
pub fn published(state: &StateDir) -> (PathBuf, PathBuf) {
    let folder = state.path().join("crl");
    (folder.join("own.crl"), folder.join("own.json"))
}

/// Takes away the list of a generation that is trusted no longer.
pub fn forget_former(state: &StateDir, role: Role) {
    if role == Role::Client {
        let _ = std::fs::remove_file(list(state, OLD));
    }
}

/// An entry of a list: the serial number in hex, since when, and why.
pub type Entry = (String, UnixTime, String);

/// What the published lists were made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    /// Their number.
    pub number: u64,
    /// When they were made.
    pub at: UnixTime,
    /// When the next must be there.
    pub next_update: UnixTime,
    /// The entries of the client CA's, of both generations, by which a change is seen.
    pub entries: Vec<Entry>,
    /// Those of the operator CA's.
    #[serde(default)]
    pub operators: Vec<Entry>,
    /// The names of all that were published.
    #[serde(default)]
    pub names: Vec<String>,
    /// What stood before `/crl/` in certificates, now and earlier: a part of a list names all of it.
    #[serde(default)]
    pub bases: Vec<String>,
}

/// Number and dates of the published lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Dates {
    /// Their number.
    pub number: u64,
    /// When they were made.
    pub at: UnixTime,
    /// When the next must be there.
    pub next_update: UnixTime,
}

impl Published {
    /// The lists that stand in the state directory, where they do.
    pub fn read(state: &StateDir) -> Option<Self> {
        read(state)
    }
}

impl Dates {
    /// Those of the lists that stand in the state directory.
    pub fn read(state: &StateDir) -> Option<Self> {
        read(state)
    }
}

fn read<T: serde::de::DeserializeOwned>(state: &StateDir) -> Option<T> {
    let (list, beside) = published(state);
    let text = std::fs::read(beside).ok().filter(|_| list.exists())?;
    serde_json::from_slice(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_in_sentences() {
        assert_eq!(Done::default().to_string(), "nothing was due");
        let done = Done {
            issued: vec!["portal.test".into(), "admin".into()],
            published: Some(7),
            publish_in: Some(42),
            not_published: Some("the key is away".into()),
        };
        assert_eq!(
            done.to_string(),
            "server certificates were issued for portal.test, admin\nrevocation list 7 was published\n\
             a revocation list is due in 42 seconds\nno revocation list was published: the key is away"
        );
    }
}
