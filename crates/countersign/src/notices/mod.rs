//! Notices that certificates end: which are due, what was sent, and how.
//!
//! - [`due`]: which; [`journal`]: what was sent, on the disk. [`failing`]: what is not. [`mail`], [`webhook`]: how.

pub mod due;
pub mod failing;
pub mod journal;
pub mod mail;
pub mod webhook;

pub use due::Notice;

use std::time::Duration;

/// The longest that one message may take to be sent.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A message to be sent: several notices, under one name that stays the same where it has to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The name: 32 lower-case hex digits.
    pub id: String,
    /// At least one.
    pub notices: Vec<Notice>,
}

impl Batch {
    /// The batch of these notices, for a channel.
    pub fn of(channel: &str, notices: Vec<Notice>) -> Self {
        let text: String = notices.iter().map(|one| format!("{one}\n")).collect();
        let hash =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, format!("{channel}\n{text}").as_bytes());
        let id = hash.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, notices }
    }

    /// One line that says what it is about.
    pub fn subject(&self) -> String {
        let days = self.notices.iter().map(|one| one.days).min().unwrap_or(0);
        match self.notices.as_slice() {
            [one] => format!("The certificate of {} ends within {} days", one.party, one.days),
            all => format!("{} certificates end, the first within {days} days", all.len()),
        }
    }
}
