//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;
use std::ops::Range;

/// One thing wrong, or worth a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `countersign.toml:14:17`, or `site portal.test (registry)`.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// Everything that is wrong; never empty where it is an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)?;
        if self.help.is_empty() { Ok(()) } else { write!(f, "\n  help: {}", self.help) }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A text that settings are read from, so that places in it can be named.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// What it is called: a file's name, or `site portal.test (registry)`.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Whether line and column mean something to the reader.
    pub lines: bool,
}

impl Source {
    /// A file.
    pub fn file(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), lines: true }
    }

    /// A piece out of the registry.
    pub fn registry(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), lines: false }
    }

    /// Where in it: `name:line:column`, counted from 1, columns in characters.
    pub fn place(&self, span: &Range<usize>) -> String {
        if !self.lines {
            return self.name.clone();
        }
        let before = self.text.get(..span.start.min(self.text.len())).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }

    /// The line's place alone: `name:line`.
    pub fn line(&self, span: &Range<usize>) -> String {
        let place = self.place(span);
        if self.lines {
            place.rsplit_once(':').map_or(place.clone(), |(line, _)| line.to_owned())
        } else {
            place
        }
    }

    /// A problem at this place.
    pub fn problem(&self, span: &Range<usize>, what: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { place: self.place(span), what: what.into(), help: help.into() }
    }
}

/// The known word nearest to what was written, if it is near enough to be meant.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = (written.chars().count() / 3).max(1) + usize::from(written.len() > 4);
    let nearest = known.into_iter().map(|word| (distance(written, word), word)).min()?;
    (nearest.0 <= most).then_some(nearest.1)
}

/// Edit distance, a swap of neighbours counting one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_fingers_is_recognised_and_another_word_is_not() {
        let known = ["upstream", "allow", "deny"];
        assert_eq!(did_you_mean("upsteam", known), Some("upstream"));
        assert_eq!(did_you_mean("alow", known), Some("allow"));
        assert_eq!(did_you_mean("backend", known), None);
    }

    #[test]
    fn a_place_counts_lines_and_columns_from_one() {
        let source = Source::file("c.toml", "a = 1\nbü = 2\n");
        assert_eq!(source.place(&(0..1)), "c.toml:1:1");
        assert_eq!(source.place(&(10..11)), "c.toml:2:4");
        assert_eq!(source.line(&(10..11)), "c.toml:2");
    }
}
