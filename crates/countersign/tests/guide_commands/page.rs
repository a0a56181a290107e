//! A page of the guide: its blocks.

use std::path::Path;

use testkit::markdown;

/// Why a block need not run here: `<!-- not run: REASON -->` in the line before it. There are no other reasons.
const REASONS: [&str; 3] = ["needs root", "needs another machine", "builds the product"];

/// The languages of blocks; commands can hide in no other. The last five are settings of other servers.
const LANGUAGES: [&str; 9] = ["sh", "text", "toml", "json", "nginx", "apache", "haproxy", "caddy", "yaml"];

/// A page.
pub struct Page {
    /// Its file's name without `.md`.
    pub name: String,
    blocks: Vec<Block>,
}

/// What stands between two fences.
pub struct Block {
    /// The line of its first fence, from 1.
    pub line: usize,
    /// What it prints, where the page shows it: the `text` block that comes next.
    pub prints: Option<String>,
    language: String,
    text: String,
    runs: bool,
}

impl Block {
    /// What stands in it.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Page {
    /// Reads a page; panics on a block that says neither plainly what it is nor why it does not run.
    pub fn read(path: &Path) -> Self {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(path).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        for block in markdown::blocks(&text) {
            let place = format!("{name}:{}", block.line);
            let language = block.language.as_str();
            assert!(LANGUAGES.contains(&language), "{place}: a block of language `{language}`");
            let runs = language == "sh" && !is_excused(&place, &block.before);
            match blocks.last_mut() {
                Some(last) if language == "text" && last.runs && last.prints.is_none() => {
                    last.prints = Some(block.text);
                }
                _ => blocks.push(Block {
                    line: block.line,
                    prints: None,
                    language: block.language,
                    text: block.text,
                    runs,
                }),
            }
        }
        Self { name, blocks }
    }

    /// The blocks to run, in their order.
    pub fn commands(&self) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(|block| block.runs)
    }

    /// The configurations that the page shows.
    pub fn configurations(&self) -> impl Iterator<Item = &str> {
        self.blocks.iter().filter(|block| block.language == "toml").map(|block| block.text.as_str())
    }
}

/// Whether the line before a block says why it does not run.
fn is_excused(place: &str, before: &str) -> bool {
    let Some(reason) = before.strip_prefix("<!-- not run: ").and_then(|rest| rest.strip_suffix(" -->"))
    else {
        return false;
    };
    assert!(REASONS.contains(&reason), "{place}: `{reason}` is no reason; there are: {}", REASONS.join(", "));
    true
}

#[test]
#[should_panic(expected = "`it is slow` is no reason")]
fn no_other_reason_excuses_a_block() {
    is_excused("page:1", "<!-- not run: it is slow -->");
}
