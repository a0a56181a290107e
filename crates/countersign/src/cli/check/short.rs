//! Many in few words: a line for each that is not right, and how many are in which state.

use super::many::Answers;
use super::state::{Known, Word};

/// What is known of all.
pub fn known(all: &Answers) -> Vec<(String, Known)> {
    all.iter().map(|(name, one)| (name.clone(), Known::of(one))).collect()
}

/// A line for each that is not right, and one for all of them.
pub fn text(all: &[(String, Known)]) -> String {
    let wrong = all.iter().filter(|(_, known)| known.state.word != Word::Right);
    let mut text: String = wrong
        .map(|(name, known)| {
            // A sentence that begins with the name says it once here.
            let said = known.sentence.strip_prefix(name).unwrap_or(&known.sentence).trim_start();
            format!("{:<12}  {name}: {said}\n", known.state.word)
        })
        .collect();
    text += &summary(all);
    text + ".\n"
}

/// How many are in which state.
pub fn summary(all: &[(String, Known)]) -> String {
    let count = |word| all.iter().filter(|(_, known)| known.state.word == word).count();
    let words = [Word::Right, Word::Warnings, Word::Errors, Word::NotExamined];
    let counted: Vec<String> = words
        .into_iter()
        .map(|word| (count(word), word))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    format!("{} examined: {}", all.len(), counted.join(", "))
}
