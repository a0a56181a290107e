//! What is said of a file, added to what was found in its certificates.

use super::{ChosenProfile, Report, Severity, Shape, Verdict};
use crate::cert::UnixTime;
use crate::input::{ARMOUR_DAMAGED, KEY_MISMATCH, Note};
use crate::other::Looked;
use crate::profile::Profile;
use crate::sentence;

impl Report {
    /// The report on a file without any certificate.
    pub fn without_certificate(profile: Option<Profile>, at: UnixTime) -> Self {
        let guessed = profile.is_none().then(|| "nothing to go by".into());
        Self {
            verdict: Verdict::Right,
            sentence: "There is no certificate to examine.".into(),
            profile: ChosenProfile { name: profile.unwrap_or(Profile::Web), guessed },
            examined_at: at,
            chain: Vec::new(),
            missing: Vec::new(),
            repaired: None,
            findings: Vec::new(),
            untold: Vec::new(),
            notes: Vec::new(),
            others: Vec::new(),
            stores: Vec::new(),
            clients: Vec::new(),
            network: Vec::new(),
            shape: Shape::Chain,
            host: None,
        }
    }

    /// The same with what is to be said of the file, and of what lies in it beside certificates; verdict and sentence
    /// follow.
    #[must_use]
    pub fn of_file(mut self, mut notes: Vec<Note>, looked: Vec<Looked>) -> Self {
        for one in looked {
            self.others.push(one.described);
            notes.extend(one.notes);
            self.untold.extend(one.untold);
        }
        // Damage of the file comes first: what is missing behind it may be what is found missing in the chain.
        notes.sort_by_key(|note| (note.about.severity, note.about.id != ARMOUR_DAMAGED.id));
        let worst = notes.first().map(|note| note.about.severity);
        let of_certificates = self.verdict;
        self.verdict = match (worst, of_certificates) {
            (Some(Severity::Error), _) | (_, Verdict::Errors) => Verdict::Errors,
            (Some(Severity::Warning), _) | (_, Verdict::Warnings) => Verdict::Warnings,
            _ => Verdict::Right,
        };
        let told = notes.iter().map(|note| (note.about.severity, note.observed.clone(), note.about.id));
        let words = sentence::in_words(told);
        if self.chain.is_empty() {
            let kinds: Vec<&str> = self.others.iter().map(|one| one.kind.words()).collect();
            self.sentence = match kinds.as_slice() {
                [] => sentence::capital(&words),
                [one] => format!("This is {one}. {}", sentence::capital(&words)),
                many => format!(
                    "These are {} things beside certificates. {}",
                    many.len(),
                    sentence::capital(&words)
                ),
            };
        } else if notes.first().is_some_and(|note| note.about.id == ARMOUR_DAMAGED.id) {
            self.sentence = sentence::of_damage(&notes, &self.findings);
        } else if self.verdict != of_certificates {
            let is_key = notes.first().is_some_and(|note| note.about.id == KEY_MISMATCH.id);
            self.sentence = match is_key || of_certificates != Verdict::Right {
                true => sentence::capital(&words),
                false => format!("The certificates are right; the file is not: {words}"),
            };
        } else if worst.is_some_and(|severity| severity < Severity::Notice) {
            let of_chain = self.sentence.trim_end_matches('.');
            self.sentence = format!("{of_chain}. In the file: {words}");
        }
        self.notes = notes;
        self
    }

    /// The worst of notes and findings.
    pub fn worst(&self) -> Option<Severity> {
        let notes = self.notes.iter().map(|note| note.about.severity);
        self.findings.iter().map(|finding| finding.severity).chain(notes).min()
    }
}
